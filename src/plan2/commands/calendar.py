"""`plan2 calendar import|list`: the economic calendar that features on request look at."""

import datetime as dt
from pathlib import Path
from typing import Final

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was imported; `counts_from` ISO 8601 UTC, empty for a record of the past."""

    file: str
    events: int
    counts_from: str


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """An event; `at` ISO 8601 UTC, figures None where none was published."""

    at: str
    currency: str
    impact: str
    name: str
    forecast: float | None
    actual: float | None


@click.group(
    name="calendar",
    epilog=examples(
        "plan2 calendar import week.csv",
        "plan2 calendar import 2008-2020.csv.gz --record",
        "plan2 calendar list --currency USD",
    ),
)
def command() -> None:
    """Import and list scheduled economic events, as they were known at each time."""


@command.command(
    name="import",
    epilog=examples(
        "plan2 calendar import week.csv                 counts from two minutes on",
        "plan2 calendar import 2008-2020.csv.gz --record",
    ),
)
@click.argument("file", type=FILE)
@click.option(
    "--record",
    is_flag=True,
    help="The file is of the past: dates count as known 7 days before, figures a minute after.",
)
@data_dir_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context, file: Path, record: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Take a CSV file in: columns time, currency, impact, name, and forecast and actual."""
    from plan2.dataflow.importers.calendar import read_calendar
    from plan2.foundation.clock import LiveClock
    from plan2.wiring.surroundings import calendar_of

    calendar = calendar_of(resolve_data_dir(ctx, data_dir))
    found = calendar.add(read_calendar(file), LiveClock().now_ns(), is_record=record)
    taken = Taken(
        file=found.file,
        events=found.events,
        counts_from="" if found.is_record else _time(found.known_ns),
    )
    if as_json:
        print_json(taken)
        return
    since = f"count from {taken.counts_from}" if taken.counts_from else "are a record of the past"
    click.echo(f"{taken.events:,} events {since}.")


@command.command(
    name="list",
    epilog=examples("plan2 calendar list", "plan2 calendar list --currency USD --days 2 --json"),
)
@click.option("--currency", default="", help="Only events of this currency.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 366), help="From now.")
@click.option("--from", "start", default=None, type=click.DateTime(), help="From this time, UTC.")
@data_dir_option
@json_option
@click.pass_context
def list_(
    ctx: click.Context,
    currency: str,
    days: int,
    start: dt.datetime | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """List scheduled events, and the figures that were published first."""
    from plan2.dataflow.economic_calendar import FOR_EVER_NS, IMPACTS
    from plan2.foundation.clock import LiveClock
    from plan2.wiring.surroundings import calendar_of

    begin = LiveClock().now_ns()
    if start is not None:
        begin = int(start.replace(tzinfo=dt.UTC).timestamp()) * NS_PER_SECOND
    asked = (currency.upper(),) if currency else ()
    entries = calendar_of(resolve_data_dir(ctx, data_dir)).entries(asked)
    found = [
        Scheduled(
            at=_time(each.at_ns),
            currency=each.currency,
            impact=IMPACTS[each.impact],
            name=each.name,
            forecast=_known(each.forecast),
            actual=_known(each.actual),
        )
        for each in entries
        if begin <= each.at_ns < begin + days * NS_PER_DAY and each.known_until_ns == FOR_EVER_NS
    ]
    if as_json:
        print_json(found)
        return
    for each in found:
        figures = f"  {each.actual} (expected {each.forecast})" if each.actual is not None else ""
        click.echo(f"{each.at}  {each.currency}  {each.impact:6} {each.name}{figures}")
    if not found:
        click.echo("Nothing is known for this time; `plan2 calendar import FILE` takes a file in.")


def _known(figure: float) -> float | None:
    return None if figure != figure else figure  # noqa: PLR0124 - NaN


def _time(ts_ns: int) -> str:
    moment = dt.datetime.fromtimestamp(ts_ns // NS_PER_SECOND, dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
