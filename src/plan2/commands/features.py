"""`plan2 features`: features and indicators of a file of ticks or bars as a table, and the sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import click
import msgspec

from plan2.commands.feature_sets import VERBS
from plan2.commands.options import examples, json_option, print_json
from plan2.foundation.errors import InputError

FILE: Final = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Request:
    """The options of the verb; `names` is what `--set` was given."""

    ticks: Path | None
    bars: Path | None
    names: str
    every: Literal["bar", "tick"]
    period: str
    symbol: str | None
    server_tz: str
    out: Path | None
    list_only: bool
    as_json: bool


class Written(msgspec.Struct, frozen=True):
    """What was written; `ready` counts rows after all warm-ups, `rejected` ticks not used."""

    file: str
    rows: int
    columns: tuple[str, ...]
    ticks: int = 0
    rejected: int = 0
    ready: int = 0
    schema_id: str = ""


class Offered(msgspec.Struct, frozen=True):
    """A feature that can be named, as in the catalogue; `group` can be named too."""

    name: str
    group: str
    unit: str
    warmup_bars: int
    meaning: str


class Catalogue(msgspec.Struct, frozen=True):
    """All that `--set` understands besides `default`."""

    features: list[Offered]
    indicators: tuple[str, ...]


@click.group(
    name="features",
    invoke_without_command=True,
    epilog=examples(
        "plan2 features --ticks EURUSD.parquet --out features.parquet",
        "plan2 features --ticks EURUSD.parquet --set cost,return_5,bb_upper_20_2 --out f.parquet",
        "plan2 features --bars m1.parquet --set rsi_14,macd_12_26_9,atr_14 --out i.parquet",
        "plan2 features list",
        "plan2 features check my_set.toml",
    ),
)
@click.option("--ticks", type=FILE, default=None, help="File of ticks, of any known format.")
@click.option("--bars", type=FILE, default=None, help="Parquet or CSV with OHLC columns.")
@click.option(
    "--set",
    "names",
    default="default",
    show_default=True,
    metavar="NAMES",
    help="Features, groups of features and indicators, separated by commas.",
)
@click.option(
    "--every",
    type=click.Choice(["bar", "tick"]),
    default="bar",
    show_default=True,
    help="A row at each bar's close, or at each tick.",
)
@click.option("--period", default="1m", show_default=True, help="Length of the bars made of ticks.")
@click.option("--symbol", default=None, help="Symbol of the ticks; default: what the file says.")
@click.option("--server-tz", default="newyork+7", show_default=True, help="Clock of MT5 files.")
@click.option("--out", type=FILE, default=None, help="Parquet file to write.")
@click.option("--list", "list_only", is_flag=True, help="Show what can be named, and stop.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:  # click passes every option by its name
    """Compute features and indicators of ticks or bars, and look after feature sets.

    Ticks: the streaming features that trading uses, from the same compiled step; indicators are
    taken of the closed bid bars. Bars: indicators only.
    """
    if ctx.invoked_subcommand is not None:
        return
    request = Request(**options)
    if request.list_only:
        _show(_catalogue(), as_json=request.as_json)
        return
    if request.out is None:
        raise click.UsageError("Missing option '--out'.")
    if request.ticks is not None and request.bars is None:
        written = _of_ticks(request.ticks, request.out, request)
    elif request.bars is not None and request.ticks is None:
        written = _of_bars(request.bars, request.out, request)
    else:
        raise click.UsageError("Give either --ticks FILE or --bars FILE.")
    if request.as_json:
        print_json(written)
        return
    click.echo(f"{written.rows:,} rows, {len(written.columns)} columns written to {written.file}.")
    if written.rejected:
        click.echo(f"{written.rejected:,} ticks with the ask below the bid were not used.")


def _of_ticks(path: Path, out: Path, request: Request) -> Written:
    """Write the feature table of a tick file."""
    from plan2.dataflow.bar_series import parse_period
    from plan2.dataflow.importers.dataset import ImportOptions
    from plan2.dataflow.importers.importing import read_ticks
    from plan2.dataflow.server_clock import ServerClock
    from plan2.foundation.values import TickBlock
    from plan2.intelligence.features.plan import default_plan
    from plan2.intelligence.features.selection import select
    from plan2.intelligence.features.tables import tick_tables, write_tables

    plan = default_plan(parse_period(request.period))
    selection = select(request.names, plan)
    counts = {"ticks": 0, "rejected": 0}

    def blocks() -> Iterator[TickBlock]:
        reading = ImportOptions(request.symbol, ServerClock.parse(request.server_tz))
        for batch in read_ticks(path, reading):
            counts["ticks"] += len(batch.usable)
            counts["rejected"] += len(batch.rejected)
            yield batch.usable

    done = write_tables(out, tick_tables(blocks(), selection, plan, request.every))
    if done is None:
        raise InputError(f"{path}: there is no usable tick in it.")
    return Written(
        str(out), done.rows, done.columns, **counts, ready=done.ready, schema_id=plan.schema_id
    )


def _of_bars(path: Path, out: Path, request: Request) -> Written:
    """Write the indicators of a bar file."""
    from plan2.intelligence.features.selection import select
    from plan2.intelligence.features.tables import bar_frame, read_bars, write_tables

    frame = bar_frame(read_bars(path), select(request.names, None))
    write_tables(out, [frame.to_arrow()])
    return Written(str(out), frame.height, tuple(frame.columns))


def _catalogue() -> Catalogue:
    from plan2.intelligence.features.catalog import GROUPS
    from plan2.intelligence.features.indicators import known_names

    features = [
        Offered(feature.field, group, feature.unit, feature.warmup, feature.meaning)
        for group, members in GROUPS.items()
        for feature in members
    ]
    return Catalogue(features, known_names())


def _show(catalogue: Catalogue, *, as_json: bool) -> None:
    if as_json:
        print_json(catalogue)
        return
    group = ""
    for offered in catalogue.features:
        if offered.group != group:
            group = offered.group
            click.echo(f"{group}:")
        needs = f"{offered.warmup_bars} bars"
        click.echo(f"  {offered.name:27} {offered.unit:5} {needs:>8}  {offered.meaning}")
    click.echo("indicators (N, F, S … stand for numbers that may be left out):")
    click.echo("  " + "  ".join(catalogue.indicators))


for verb in VERBS:
    command.add_command(verb)
