"""`plan2 backtests`: finished backtests, their reports, figures and files.

They are files of the data folder, so nothing has to run for it.
"""

from pathlib import Path
from typing import Final, get_args

import click

from plan2.commands.backtests_live import live
from plan2.commands.kept_runs import kept_runs, run_id_of, tenant_option
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
    say,
)
from plan2.commands.tables import print_table, time_text
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.backtest.figures.definitions import DEFINITIONS, SECTIONS
from plan2.intelligence.backtest.figures.terms import Figure
from plan2.intelligence.backtest.kept.cells import figure_text
from plan2.intelligence.backtest.kept.compare import compare as compare_runs
from plan2.intelligence.backtest.kept.export import Form, What
from plan2.intelligence.backtest.kept.export import export as export_run
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import RunSummary

COLUMNS: Final = {
    "run": "RUN",
    "name": "FLOW",
    "symbol": "SYMBOL",
    "made": "MADE",
    "trades": "TRADES",
    "net_profit": "NET",
    "sharpe": "SHARPE",
    "max_drawdown": "DRAWDOWN",
    "verdict": "VERDICT",
}
ID_SHOWN: Final = 12
LABEL_WIDTH: Final = 2 + max(len(each.label) for each in DEFINITIONS.values())
US: Final = NS_PER_SECOND // 1_000_000

run_argument = click.argument("run")


@click.group(
    name="backtests",
    epilog=examples(
        "plan2 backtests list",
        "plan2 backtests show 5f0c12",
        "plan2 backtests export 5f0c12 --what trades --format csv --out trades.csv",
        "plan2 backtests compare 5f0c12 81d2aa",
    ),
)
def command() -> None:
    """Look at finished backtests; a run is named by its id or the beginning of it."""


command.add_command(live)


@command.command(
    name="list", epilog=examples("plan2 backtests list", "plan2 backtests list --flow ema-cross")
)
@click.option("--flow", default="", help="Only runs of this flow.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def list_runs(
    ctx: click.Context, flow: str, limit: int, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """List backtests, the newest first; damaged ones are named."""
    shelf = kept_runs(ctx, data_dir, tenant).list()
    runs = [each for each in shelf.runs if flow in {"", each.name}][:limit]
    if as_json:
        print_json({"runs": runs, "damaged": shelf.damaged, "size": shelf.size})
        return
    print_table([_row(each) for each in runs], COLUMNS, empty="There are no backtests.")
    for each in shelf.damaged:
        say(f"{each.run_id} is damaged: {each.reason}")


@command.command(
    epilog=examples("plan2 backtests show 5f0c12", "plan2 backtests show 5f0c12 --json")
)
@run_argument
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, run: str, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Show one run: the verdict, then every figure with its interval."""
    kept = kept_runs(ctx, data_dir, tenant)
    run_id = run_id_of(kept, run)
    record, figures = kept.record(run_id), kept.figures(run_id)
    if as_json:
        print_json({"record": record, "figures": figures})
        return
    summary = record.summary
    click.echo(f"{summary.name} on {summary.symbol}, run {run_id}")
    span = f"{time_text(summary.first_ns // US)} to {time_text(summary.last_ns // US)}"
    click.echo(f"{span}, {summary.ticks:,} ticks, engine {summary.engine}, seed {summary.seed}")
    click.echo(f"{summary.verdict.capitalize()}: {summary.sentence}")
    for flag in figures.evidence.flags:
        click.echo(f"Note: {flag}")
    for section, names in SECTIONS.items():
        click.echo(f"\n{section}")
        for name in names:
            click.echo(
                f"  {DEFINITIONS[name].label:<{LABEL_WIDTH}}{_told(name, figures.metrics[name])}"
            )


@command.command(
    epilog=examples(
        "plan2 backtests export 5f0c12 --format json --out run.json",
        "plan2 backtests export 5f0c12 --what trades --format csv --out trades.csv",
        "plan2 backtests export 5f0c12 --what equity --format parquet --out equity.parquet",
        "plan2 backtests export 5f0c12 --format html --out report.html",
    )
)
@run_argument
@click.option(
    "--format",
    "form",
    default="csv",
    show_default=True,
    type=click.Choice(["csv", "json", "parquet", "html"]),
    help="json and html hold the whole run.",
)
@click.option(
    "--what",
    default="trades",
    show_default=True,
    type=click.Choice(get_args(What)),
    help="Which table, for csv and parquet.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file to write; it must not exist yet.",
)
@tenant_option
@data_dir_option
@click.pass_context
def export(
    ctx: click.Context,
    run: str,
    form: str,
    what: What,
    out: Path,
    tenant: str,
    data_dir: Path | None,
) -> None:
    """Write a run, or a table of it, to a file."""
    if out.exists():
        raise InputError(f"{out} exists already.", remedy="Name a file that does not exist yet.")
    kept = kept_runs(ctx, data_dir, tenant)
    run_id = run_id_of(kept, run)
    content = kept.page(run_id) if form == "html" else _exported(kept, run_id, form, what)
    out.write_bytes(content)
    click.echo(f"{len(content):,} bytes are in {out}.")


@command.command(
    epilog=examples("plan2 backtests compare 5f0c12 81d2aa", "plan2 backtests compare 5f 81 --json")
)
@click.argument("runs", nargs=-1, required=True)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def compare(
    ctx: click.Context, runs: tuple[str, ...], tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Show two to six runs side by side; a star marks the better figure."""
    kept = kept_runs(ctx, data_dir, tenant)
    found = compare_runs(kept, [run_id_of(kept, run) for run in runs])
    if as_json:
        print_json(found)
        return
    columns = {"figure": ""} | {
        str(number): f"{run.name} {run.run_id[:ID_SHOWN]}" for number, run in enumerate(found.runs)
    }
    rows: list[dict[str, object]] = [
        dict[str, object](figure=name)
        | {str(n): "–" if v is None else f"{v:g}" for n, v in enumerate(values)}
        for name, values in found.parameters.items()
    ]
    for each in found.figures:
        cells: dict[str, object] = {
            str(n): figure_text(each.definition.unit, value) + (" *" if n in each.best else "")
            for n, value in enumerate(each.values)
        }
        rows.append({"figure": each.definition.label, **cells})
    print_table(rows, columns)
    for note in found.notes:
        say(note)


@command.command(
    epilog=examples("plan2 backtests remove 5f0c12", "plan2 backtests remove 5f0c12 --yes")
)
@run_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def remove(
    ctx: click.Context, run: str, yes: bool, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Delete a run with its report, whole or damaged."""
    kept = kept_runs(ctx, data_dir, tenant)
    run_id = run_id_of(kept, run)
    if not yes:
        click.confirm(f"Delete the backtest {run_id}?", abort=True, err=True)
    kept.remove(run_id)
    if as_json:
        print_json({"removed": run_id})
    else:
        click.echo(f"The backtest {run_id} is deleted.")


@command.command(hidden=True)
@click.option("--folder", required=True, type=click.Path(path_type=Path), help="The tenant's.")
@click.option("--wish", required=True, help="What was asked for, JSON.")
@data_dir_option
@click.pass_context
def work(ctx: click.Context, folder: Path, wish: str, data_dir: Path | None) -> None:
    """Run a backtest as a child process: progress and result go to the parent."""
    from plan2.commands.backtest_work import work_on

    work_on(resolve_settings(ctx, data_dir), folder, wish)


def _row(run: RunSummary) -> dict[str, object]:
    shown = ("net_profit", "sharpe", "max_drawdown")
    figures = {name: figure_text(DEFINITIONS[name].unit, run.headlines[name]) for name in shown}
    return {
        "run": run.run_id[:ID_SHOWN],
        "name": run.name,
        "symbol": run.symbol,
        "made": time_text(run.made_ns // US),
        "trades": run.trades,
        "verdict": run.verdict,
        **figures,
    }


def _told(name: str, figure: Figure) -> str:
    unit = DEFINITIONS[name].unit
    if figure.value is None:
        return f"– {figure.reason}"
    text = figure_text(unit, figure.value)
    if figure.low is None or figure.high is None:
        return text
    return f"{text}  ({figure_text(unit, figure.low)} … {figure_text(unit, figure.high)})"


def _exported(kept: KeptRuns, run_id: str, form: str, what: What) -> bytes:
    return export_run(kept, run_id, _form(form), what)


def _form(text: str) -> Form:
    return "json" if text == "json" else "parquet" if text == "parquet" else "csv"
