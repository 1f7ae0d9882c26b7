"""`plan2 records`: order records (RTS 24) and trade reports (EMIR) from the log.

Both use the database of a Plan2 that runs on this data folder, or start the embedded one.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click

from plan2.commands.instants import instant_ns
from plan2.commands.options import F, data_dir_option, examples, resolve_settings, say
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.values import TenantId
from plan2.intelligence.records.export import Format, Report, Row

ACTOR: Final = "user:local"


class Wanted(TypedDict):
    """The options of both verbs."""

    start: str
    end: str
    form: Format
    out: Path
    tenant: str
    data_dir: Path | None


@click.group(
    name="records",
    epilog=examples(
        "plan2 records orders --from 2026-01-01 --to 2026-02-01 --out orders.csv",
        "plan2 records trades --from 2026-01-01 --to 2026-02-01 --format json --out trades.json",
    ),
)
def command() -> None:
    """Write order records and trade reports for regulators."""


def _options(callback: F) -> F:
    """What both verbs ask."""
    decorators = (
        click.option("--from", "start", required=True, help="First instant, UTC: 2026-01-01."),
        click.option("--to", "end", required=True, help="First instant that is not in it, UTC."),
        click.option(
            "--format",
            "form",
            type=click.Choice(["csv", "json"]),
            default="csv",
            show_default=True,
            help="How to write it.",
        ),
        click.option(
            "--out",
            type=click.Path(dir_okay=False, writable=True, path_type=Path),
            required=True,
            help="The file to write; it must not exist yet.",
        ),
        click.option("--tenant", default="default", show_default=True, help="Whose records."),
        data_dir_option,
    )
    for decorate in reversed(decorators):
        callback = decorate(callback)
    return callback


@command.command(
    epilog=examples(
        "plan2 records orders --from 2026-01-01 --to 2026-02-01 --out orders.csv",
        "plan2 records orders --from 2026-01-05 --to 2026-01-06 --format json --out day.json",
    )
)
@_options
@click.pass_context
def orders(ctx: click.Context, /, **wanted: Unpack[Wanted]) -> None:
    """Every event of every order, with the fields of RTS 24 and the part of the models."""
    _write(ctx, "orders", wanted)


@command.command(
    epilog=examples(
        "plan2 records trades --from 2026-01-01 --to 2026-02-01 --out trades.csv",
    )
)
@_options
@click.pass_context
def trades(ctx: click.Context, /, **wanted: Unpack[Wanted]) -> None:
    """One row per closed position, in the words of EMIR."""
    _write(ctx, "trades", wanted)


def _taker(report: Report, settings: Settings) -> Callable[[StoredEvent], Sequence[Row]]:
    """Makes the rows of a report, with the same firm and contracts as the API's."""
    from plan2.intelligence.records.export import taker_of
    from plan2.intelligence.records.fields import Firm
    from plan2.wiring.contracts import known_contracts

    firm = Firm(lei=settings.records.lei, broker_lei=settings.records.broker_lei)
    return taker_of(report, firm, known_contracts(settings).get)


def _write(ctx: click.Context, report: Report, wanted: Wanted) -> None:
    from plan2.foundation.events.tenancy import RecordsExported
    from plan2.foundation.eventstore.log_reading import LogFilter, each_event
    from plan2.foundation.eventstore.record import NewEvent
    from plan2.foundation.ids import RandomIds
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database
    from plan2.intelligence.records.export import (
        TYPES_OF,
        RecordWriter,
        Stretch,
        rows_of,
    )

    out, whose = wanted["out"], TenantId(wanted["tenant"])
    if out.exists():
        raise InputError(f"{out} exists already.", remedy="Name a file that does not exist yet.")
    stretch = Stretch(first_ns=instant_ns(wanted["start"]), end_ns=instant_ns(wanted["end"]))
    if stretch.first_ns >= stretch.end_ns:
        raise InputError("--from must be before --to.")
    settings = resolve_settings(ctx, wanted["data_dir"]).settings
    take = _taker(report, settings)
    writer = RecordWriter(report, wanted["form"])
    unfinished = out.with_name(out.name + ".part")

    async def work() -> None:
        async with open_database(settings, say, tenants=[whose], may_join=True) as database:
            events = each_event(database.uow, whose, LogFilter(types=TYPES_OF[report]))
            with unfinished.open("wb") as target:
                target.write(writer.begin())
                async for row in rows_of(events, take, stretch):
                    target.write(writer.row(row))
                target.write(writer.finish())
            fact = RecordsExported(
                ts_ns=LiveClock().now_ns(),
                report=report,
                first_ns=stretch.first_ns,
                last_ns=stretch.end_ns,
                rows=writer.rows,
                sha256=writer.sha256,
                by=ACTOR,
            )
            event_id = RandomIds().next_id("event")
            new = NewEvent(stream_id="records", event=fact, event_id=event_id, actor=ACTOR)
            await database.store.append(whose, [new])

    run_async(work())
    unfinished.replace(out)
    click.echo(f"{writer.rows} rows are in {out}, SHA-256 {writer.sha256}.")
