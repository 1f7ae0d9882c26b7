"""`plan2 models`: candidates and their models, who serves what, and moving them."""

from pathlib import Path
from typing import Any

import click
import msgspec

from plan2.commands.candidates import home_of, homes, running_folder
from plan2.commands.models_import import import_model
from plan2.commands.models_moves import MOVES
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.dataflow.terminals.simulated.opening import FOLDER

UNKNOWN = "not running"
"""Stands for a state that only the running Plan2 knows."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate in the list; `serves` names the symbols whose champion it is.

    `market`: the simulated one, or the recorded and real ones.
    """

    candidate_id: str
    market: str
    state: str
    symbols: tuple[str, ...]
    serves: tuple[str, ...]
    models: tuple[str, ...]
    trained_us: int
    accuracy: float | None
    n_eff: float | None
    verdict: str
    flags: tuple[str, ...]


@click.group(
    name="models",
    epilog=examples(
        "plan2 models list",
        "plan2 models show 3f2a9c01d2e4",
        'plan2 models promote 3f2a9c01d2e4 --reason "better in the shadow"',
        'plan2 models rollback --symbol EURUSD --reason "loses since Monday"',
    ),
)
def command() -> None:
    """List candidates, show their cards, and move them through their life."""


@command.command(
    name="list",
    epilog=examples(
        "plan2 models list", "plan2 models list --json", "plan2 models list --data-dir ~/sim"
    ),
)
@data_dir_option
@json_option
@click.pass_context
def list_models(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List all candidates, newest first: how far each has come, and what it serves.

    States are those of the Plan2 that runs; while none runs, the files say who serves.
    """
    from plan2.commands.tables import print_table

    folder = resolve_data_dir(ctx, data_dir)
    lines = lines_of(folder)
    if as_json:
        print_json(lines)
        return
    print_table(
        [_row(line) for line in lines],
        {
            "candidate": "CANDIDATE",
            "market": "MARKET",
            "state": "STATE",
            "serves": "SERVES",
            "symbols": "SYMBOLS",
            "trained": "TRAINED",
            "accuracy": "ACCURACY",
            "verdict": "VERDICT",
            "models": "MODELS",
        },
        empty=f"No candidates in {folder}. Train one with `plan2 train`.",
    )


@command.command(
    name="show",
    epilog=examples(
        "plan2 models show 3f2a9c01d2e4                a candidate: gates and history",
        "plan2 models show xgboost-3f2a9c01d2e4        one model's card",
        "plan2 models show xgboost-3f2a9c01d2e4 --json",
    ),
)
@click.argument("name")
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, name: str, data_dir: Path | None, as_json: bool) -> None:
    """Show a candidate or one of its models: what it forecasts, from which data, how well.

    Of a candidate also every gate, with the figures that it passes or fails by, and its history.
    """
    from plan2.commands.models_show import show_candidate, show_model

    folder = home_of(resolve_data_dir(ctx, data_dir), name)
    if "-" in name:
        show_model(folder, name, as_json=as_json)
    else:
        show_candidate(folder, name, as_json=as_json)


@command.command(
    name="compare",
    epilog=examples(
        "plan2 models compare 3f2a9c01d2e4 81be77a0c9d3",
        "plan2 models compare xgboost-3f2a9c01d2e4 lstm-81be77a0c9d3 --json",
    ),
)
@click.argument("first")
@click.argument("second")
@data_dir_option
@json_option
@click.pass_context
def compare(
    ctx: click.Context, first: str, second: str, data_dir: Path | None, as_json: bool
) -> None:
    """Put the figures of two candidates, or of two models, side by side."""
    from plan2.commands.models_show import figures_of
    from plan2.commands.tables import print_table

    folder = resolve_data_dir(ctx, data_dir)
    sides = [figures_of(home_of(folder, name), name) for name in (first, second)]
    rows = [
        {"figure": name, "first": sides[0].get(name), "second": sides[1].get(name)}
        for name in dict.fromkeys([*sides[0], *sides[1]])
    ]
    if as_json:
        print_json(rows)
        return
    shown = [
        {name: f"{v:.6g}" if isinstance(v, float) else v for name, v in row.items()} for row in rows
    ]
    print_table(shown, {"figure": "FIGURE", "first": first, "second": second})


@command.command(
    name="export",
    epilog=examples(
        "plan2 models export xgboost-3f2a9c01d2e4",
        "plan2 models export xgboost-3f2a9c01d2e4 --output run.json",
    ),
)
@click.argument("model_id")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write a file.")
@data_dir_option
@click.pass_context
def export(ctx: click.Context, model_id: str, output: Path | None, data_dir: Path | None) -> None:
    """Export one model's card as the JSON that MLflow speaks: a run and a model version."""
    from plan2.intelligence.models.mlflow_export import exported
    from plan2.intelligence.models.registry import Registry

    home = home_of(resolve_data_dir(ctx, data_dir), model_id)
    found = exported(Registry(home / "models").show(model_id))
    text = msgspec.json.format(msgspec.json.encode(found), indent=2)
    if output is None:
        click.echo(text)
    else:
        output.write_bytes(text)
        click.echo(f"Wrote {output}.", err=True)


for each in (*MOVES, import_model):
    command.add_command(each)


def lines_of(folder: Path) -> list[Line]:
    """Every candidate, by the running Plan2 or, when none runs here, by the files."""
    states = _states(folder)
    return [line for home in homes(folder) for line in _lines_in(home, states)]


def _states(folder: Path) -> dict[str, dict[str, Any]]:
    """What the running Plan2 knows of the candidates of the market it serves."""
    from plan2.commands.running import NotRunning, Refused, ask

    try:
        items = ask(running_folder(folder), "candidates")
    except (NotRunning, Refused):
        return {}
    return {item["candidate_id"]: item for item in items}


def _lines_in(home: Path, states: dict[str, dict[str, Any]]) -> list[Line]:
    from plan2.intelligence.models.registry import Registry

    registry = Registry(home / "models")
    served = registry.champions()
    return [
        Line(
            market="simulated" if home.name == FOLDER else "recorded",
            candidate_id=draft.candidate_id,
            state=states.get(draft.candidate_id, {}).get("state", UNKNOWN),
            symbols=draft.symbols,
            serves=tuple(s for s, c in served.items() if c.model_ids == draft.model_ids),
            models=draft.model_ids,
            trained_us=draft.created_ns // 1_000,
            accuracy=draft.metrics.get("accuracy"),
            n_eff=draft.metrics.get("n_eff"),
            verdict=draft.verdict,
            flags=tuple(states.get(draft.candidate_id, {}).get("flags", draft.flags)),
        )
        for draft in registry.drafts.list()
    ]


def _row(line: Line) -> dict[str, object]:
    from plan2.commands.tables import time_text

    accuracy = f"{line.accuracy:.1%} of {line.n_eff:.0f}" if line.accuracy and line.n_eff else None
    return {
        "candidate": line.candidate_id,
        "market": line.market,
        "state": line.state,
        "serves": line.serves,
        "symbols": line.symbols,
        "trained": time_text(line.trained_us),
        "accuracy": accuracy,
        "verdict": " ".join((line.verdict, *line.flags)),
        "models": line.models,
    }
