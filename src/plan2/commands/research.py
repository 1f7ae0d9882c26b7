"""`plan2 research`: what a flow is worth when its numbers, its times and its luck change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from plan2.commands.instants import instant_ns
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
    say,
)
from plan2.commands.simulated_market import on_simulated, simulated_option
from plan2.commands.tables import print_table, time_text
from plan2.foundation.config.load import data_dir
from plan2.foundation.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])  # a decorated callback keeps its own signature

COLUMNS: Final = {
    "research": "RESEARCH",
    "kind": "KIND",
    "flow": "FLOW",
    "symbol": "SYMBOL",
    "state": "STATE",
    "written": "WRITTEN",
    "verdict": "VERDICT",
}
METRICS: Final = ("sharpe", "net", "profit_factor", "recovery_factor", "expectancy")
NS_PER_US: Final = 1_000

flow_argument = click.argument("flow", type=click.Path(path_type=Path, dir_okay=False))


@click.group(
    name="research",
    epilog=examples(
        "plan2 research sweep ema.toml --param fast=5:50:5 --param slow=20:200:20",
        "plan2 research walk-forward ema.toml --param fast=5:50:5 --folds 8",
        "plan2 research stress ema.toml --set fast=12",
        "plan2 research list",
        "plan2 research show 3f2a…",
    ),
)
def command() -> None:
    """Try, walk forward and stress a flow, and say in plain words what it is worth."""


def _common(callback: F) -> F:
    """What all three kinds share."""
    return _with(
        callback,
        simulated_option,
        click.option("--set", "fixed", multiple=True, help="A number that differs: name=value."),
        click.option("--symbol", default="", help="Instead of the flow's own."),
        click.option("--from", "start", metavar="TIME", help="First instant, ISO 8601, UTC."),
        click.option("--to", "end", metavar="TIME", help="End, exclusive, ISO 8601, UTC."),
        click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0)),
        click.option(
            "--processes",
            default=1,
            show_default=True,
            type=click.IntRange(1, 64),
            help="Runs at the same time.",
        ),
        data_dir_option,
        json_option,
        click.pass_context,
    )


def _searching(callback: F) -> F:
    """How points are chosen."""
    return _with(
        callback,
        click.option(
            "--param",
            "ranges",
            multiple=True,
            required=True,
            help="A range: fast=5:50:5, slow=log(20,200), n=5,10,20.",
        ),
        click.option(
            "--method",
            default="grid",
            show_default=True,
            type=click.Choice(["grid", "random", "tpe"]),
            help="Every combination, draws, or a guided search.",
        ),
        click.option(
            "--trials",
            default=200,
            show_default=True,
            type=click.IntRange(1, 100_000),
            help="For random and tpe: at most so many, those of an interrupted run included.",
        ),
        click.option("--metric", default="sharpe", show_default=True, type=click.Choice(METRICS)),
        click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Time limit."),
        click.option(
            "--patience",
            default=0,
            type=click.IntRange(min=0),
            help="Stop after so many trials without a better one; 0 = never.",
        ),
        click.option(
            "--median-stop", is_flag=True, help="Leave what is below the median after a third."
        ),
    )


def _with(callback: F, *options: Callable[[Any], Any]) -> F:
    """A callback with options, in the order in which `--help` shows them."""
    decorated: Any = callback  # click's decorators return what they are given, or a command
    for option in reversed(options):
        decorated = option(decorated)
    return cast("F", decorated)


@command.command(
    epilog=examples(
        "plan2 research sweep ema.toml --param fast=5:50:5 --param slow=20:200:20 --processes 2",
        "plan2 research sweep ema.toml --param fast=3:30 --param slow=log(20,200) --method tpe",
        "plan2 research sweep ema.toml --param fast=5,10,20 --metric net --json > sweep.json",
    )
)
@flow_argument
@_searching
@_common
def sweep(ctx: click.Context, flow: Path, as_json: bool, **options: Any) -> None:
    """Try many parameters; interrupted, the same command goes on.

    Every trial is written down and counts against the best one: the report says how sure it is
    after so many tries, how steep it stands, and what is wrong with it.
    """
    _do(ctx, "sweep", flow, as_json, options)


@command.command(
    name="walk-forward",
    epilog=examples(
        "plan2 research walk-forward ema.toml --param fast=5:50:5 --param slow=20:200:20",
        "plan2 research walk-forward ema.toml --param fast=3:30 --method random --trials 50 "
        "--folds 8 --mode anchored",
    ),
)
@flow_argument
@_searching
@click.option("--folds", default=6, show_default=True, type=click.IntRange(2, 100))
@click.option(
    "--train-share",
    default=3.0,
    show_default=True,
    type=click.FloatRange(1, 50),
    help="Length of a training window in test windows.",
)
@click.option(
    "--mode",
    default="rolling",
    show_default=True,
    type=click.Choice(["rolling", "anchored"]),
    help="Forget what is older, or begin at the first tick always.",
)
@_common
def walk_forward(ctx: click.Context, flow: Path, as_json: bool, **options: Any) -> None:
    """Choose parameters on the past, trade the time after, go on, and join the results."""
    _do(ctx, "walk_forward", flow, as_json, options)


@command.command(
    epilog=examples(
        "plan2 research stress ema.toml",
        "plan2 research stress ema.toml --set fast=12 --noise-points 3 --noise-runs 50",
    )
)
@flow_argument
@click.option(
    "--noise-points",
    default=2.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Standard deviation of what is added to each quote.",
)
@click.option("--noise-runs", default=20, show_default=True, type=click.IntRange(0, 1_000))
@click.option(
    "--jitter-runs",
    default=10,
    show_default=True,
    type=click.IntRange(0, 1_000),
    help="Runs that begin on other days.",
)
@_common
def stress(ctx: click.Context, flow: Path, as_json: bool, **options: Any) -> None:
    """Run a flow dearer, later, noisier and from other days, and its trades in other orders."""
    _do(ctx, "stress", flow, as_json, options)


@command.command(name="list", epilog=examples("plan2 research list", "plan2 research list --json"))
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@data_dir_option
@json_option
@click.pass_context
def list_research(ctx: click.Context, limit: int, data_dir: Path | None, as_json: bool) -> None:
    """List research that was done here, the newest first."""
    from plan2.commands.research_work import outlines

    found = outlines(resolve_data_dir(ctx, data_dir), limit)
    if as_json:
        print_json(found)
        return
    rows = [{**row, "written": time_text(int(row["written_ns"]) // NS_PER_US)} for row in found]
    print_table(rows, COLUMNS, empty="There is no research yet.")


@command.command(epilog=examples("plan2 research show 3f2a…", "plan2 research show 3f2a… --json"))
@click.argument("research")
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, research: str, data_dir: Path | None, as_json: bool) -> None:
    """Show what a piece of research found, so far or in the end."""
    from plan2.commands.research_work import report_of
    from plan2.intelligence.research.text import text_of

    report = report_of(resolve_data_dir(ctx, data_dir), research)
    if as_json:
        print_json(report)
    else:
        click.echo(text_of(report))


@command.command(hidden=True)
@click.option("--tenant", required=True, help="Whose research it is.")
@click.option("--research", required=True, help="Its id.")
@click.option("--home", required=True, type=click.Path(path_type=Path), help="Of the archive.")
@data_dir_option
@click.pass_context
def work(ctx: click.Context, tenant: str, research: str, home: Path, data_dir: Path | None) -> None:
    """Carry out a wish as a child process: progress and result go to the parent."""
    from plan2.commands.research_work import work_on

    work_on(resolve_settings(ctx, data_dir).settings, home, tenant, research)


def _do(
    ctx: click.Context,
    kind: str,
    flow: Path,
    as_json: bool,
    options: dict[str, Any],  # values of click's options, of several types
) -> None:
    """Carry out and print; Ctrl+C leaves what was tried on the disk."""
    from plan2.commands.research_work import carry_out_here
    from plan2.intelligence.research.text import text_of

    loaded = resolve_settings(ctx, options.pop("data_dir"))
    ground = on_simulated(loaded) if options.pop("simulated") else loaded
    start, end = options.pop("start"), options.pop("end")
    wish = {
        **options,
        "kind": kind,
        "flow": _text(flow),
        "parameters": dict(_number(text) for text in options.pop("fixed")),
        "start_ns": instant_ns(start) if start else 0,
        "end_ns": instant_ns(end) if end else 0,
    }
    wish.pop("fixed", None)
    try:
        report = carry_out_here(loaded.settings, wish, _tell, data_dir(ground.settings))
    except KeyboardInterrupt:
        say("\nInterrupted. Every trial so far is kept; the same command goes on from there.")
        raise
    click.echo(" " * 70 + "\r", nl=False, err=True)
    if as_json:
        print_json(report)
    else:
        click.echo(text_of(report))


def _tell(share: float, message: str) -> None:
    click.echo(f"  {share:4.0%} {message:<60}\r", nl=False, err=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def _number(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no setting; write name=value.") from None
