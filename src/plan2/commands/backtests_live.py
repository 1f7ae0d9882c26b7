"""`plan2 backtests live`: what the flow of a backtest has earned since, beside its figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.kept_runs import kept_runs, run_id_of, tenant_option
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.running import ask
from plan2.commands.tables import print_table, time_text
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.intelligence.backtest.figures.definitions import DEFINITIONS, SECTIONS
from plan2.intelligence.backtest.figures.terms import Figure
from plan2.intelligence.backtest.kept.cells import figure_text

RUN: Final = "run"
NOTHING: Final = "No version with the text of this backtest has traded on paper or live."

Column = Mapping[str, Any]  # a column of the API's answer


@click.command(
    name="live",
    epilog=examples(
        "plan2 backtests live 5f0c12",
        "plan2 backtests live 5f0c12 --json | jq '.[].figures.net_profit.value'",
    ),
)
@click.argument("run")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def live(ctx: click.Context, run: str, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Show what the flow of a run has earned on paper and live, beside the run's figures.

    Asks the running Plan2. Only versions with the very text of the run count; positions that are
    still open are in no figure.
    """
    kept = kept_runs(ctx, data_dir, tenant)
    run_id = run_id_of(kept, run)
    whose = "" if tenant == MAIN_TENANT else tenant
    found: list[Column] = ask(resolve_data_dir(ctx, data_dir), f"backtests/{run_id}/live", whose)
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo(NOTHING)
        return
    for each in found:
        click.echo(_sentence(each))
    print_table(table_rows(kept.figures(run_id).metrics, found), _heads(found))


def table_rows(metrics: Mapping[str, Figure], found: Sequence[Column]) -> list[dict[str, object]]:
    """A row for each figure that trading has, in the order of a report.

    Args:
        metrics: the figures of the run.
        found: the columns beside them, as the API answers.
    """
    names = [name for part in SECTIONS.values() for name in part if _is_known(name, found)]
    return [
        {"figure": DEFINITIONS[name].label, RUN: _cell(name, metrics[name].value)}
        | {
            str(number): _cell(name, each["figures"].get(name, {}).get("value"))
            for number, each in enumerate(found)
        }
        for name in names
    ]


def _is_known(name: str, found: Sequence[Column]) -> bool:
    return any(name in each["figures"] for each in found)


def _heads(found: Sequence[Column]) -> dict[str, str]:
    own = {str(n): f"{each['state'].upper()} {each['version']}" for n, each in enumerate(found)}
    return {"figure": "", RUN: "BACKTEST"} | own


def _sentence(column: Column) -> str:
    """Which version, since when, and what is not in its figures."""
    who = f"Version {column['version']}, {column['state']}"
    still = f"{column['open']} open" if column["open"] else "nothing open"
    if not column["last_us"]:
        return f"{who}: no trade is closed yet, {still}."
    span = f"{time_text(column['first_us'])} to {time_text(column['last_us'])}"
    return f"{who}: {span}, {still}."


def _cell(name: str, value: float | None) -> object:
    return None if value is None else figure_text(DEFINITIONS[name].unit, value)
