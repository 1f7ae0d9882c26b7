"""`plan2 learn features`: have the features moved away from what a model was trained on?"""

from datetime import datetime
from pathlib import Path
from typing import Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)

FEATURES: Final = {
    "name": "FEATURE",
    "psi": "PSI",
    "psi_limit": "LIMIT",
    "ks": "KS",
    "ks_limit": "LIMIT",
    "p": "P",
    "has_drifted": "DRIFTED",
}


@click.command(
    name="features",
    epilog=examples(
        "plan2 learn features --symbol EURUSD --model xgboost-3f2a9c81d0b4",
        "plan2 learn features --symbol EURUSD --model xgboost-3f2a9c81d0b4 --day 2026-11-20 --json",
    ),
)
@click.option("--symbol", required=True, help="Whose features.")
@click.option("--model", "model_id", required=True, help="Its training period is the measure.")
@click.option("--day", default=None, type=click.DateTime(["%Y-%m-%d"]), help="Last day. [newest]")
@click.option("--account", default="paper", show_default=True, help="Whose engine states.")
@click.option("--worker", is_flag=True, hidden=True, help="Talk to a parent process.")
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    symbol: str,
    model_id: str,
    day: datetime | None,
    account: str,
    worker: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Hold the newest five days against the training period, feature by feature.

    PSI and Kolmogorov–Smirnov have limits drawn from the training period itself; what is found
    changes nothing but how unusual a situation counts.
    """
    from plan2.commands.tables import print_table
    from plan2.foundation.config.load import data_dir as folder_of
    from plan2.foundation.worker_messages import answer
    from plan2.wiring.feature_drift import SymbolDrift, drift_of, newest_day

    folder = folder_of(resolve_settings(ctx, data_dir).settings)

    def measured() -> SymbolDrift:
        last = newest_day(folder, account, symbol) if day is None else day.date()
        return drift_of(folder, account, (symbol, model_id), last)

    if worker:
        answer(lambda _: measured())
        return
    found = measured()
    if as_json:
        print_json(found)
        return
    trained = f"{found.training_bars} that {model_id} was trained on"
    click.echo(f"{found.symbol} up to {found.day}: {found.bars} bars against {trained}")
    if found.left_out:
        click.echo(
            f"Left out: {', '.join(found.left_out)}; {', '.join(found.absent)} is not archived of "
            "both periods."
        )
    rows = [{name: _shown(getattr(each, name)) for name in FEATURES} for each in found.features]
    print_table(rows, FEATURES)


def _shown(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
