"""`plan2 events`: read a tenant's log, and prove that nobody changed it.

Both verbs use the database of a Plan2 that is running on this data folder, or start the embedded
one for as long as they need it.
"""

import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
    say,
)
from plan2.commands.tables import cell_text
from plan2.foundation.errors import InputError
from plan2.foundation.events.catalog import STORED
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.values import TenantId

FOLLOW_PAUSE_S: Final = 0.5
BROKEN_EXIT_CODE: Final = 8
WIDTH: Final = 200
"""Letters of a line where there is no terminal."""
HIDDEN: Final = frozenset({"ts_ns", "tenant_id"})
"""Members that a line says already or that are the same in all; `--full` has them."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

tenant_option = click.option(
    "--tenant",
    default="default",
    show_default=True,
    help="Whose events.",
)


class TailOptions(TypedDict):
    """The options of `tail`; `types` empty means all."""

    follow: bool
    types: tuple[str, ...]
    limit: int
    tenant: str
    as_json: bool
    is_full: bool


class Line(msgspec.Struct, frozen=True):
    """An event as `tail --json` prints it, one per line."""

    position: int
    at: str
    type: str
    stream_id: str
    version: int
    actor: str
    event_id: str
    correlation_id: str
    causation_id: str
    hash: str
    data: msgspec.Raw


@click.group(
    name="events",
    epilog=examples(
        "plan2 events tail                          the newest events",
        "plan2 events tail --follow --type OrderExecuted",
        "plan2 events verify                        check the chain of hashes",
    ),
)
def command() -> None:
    """Read and verify the event store."""


@command.command(
    epilog=examples(
        "plan2 events tail --limit 100",
        "plan2 events tail --type DecisionMade --type OrderPlaced --json | jq .data",
        "plan2 events tail --follow",
        "plan2 events tail --type RiskLimitBreached --full",
    )
)
@click.option("--follow", is_flag=True, help="Go on with new events until Ctrl+C.")
@click.option("--type", "types", multiple=True, metavar="NAME", help="Only this type; repeatable.")
@click.option(
    "--limit", type=click.IntRange(0, 100_000), default=20, show_default=True, help="How many."
)
@tenant_option
@data_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, whole.")
@click.option("--full", "is_full", is_flag=True, help="Print everything an event says below it.")
@click.pass_context
def tail(ctx: click.Context, data_dir: Path | None, **options: Unpack[TailOptions]) -> None:
    """Print the newest events, oldest first, a line each."""
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    types = options["types"]
    show = _as_json if options["as_json"] else _whole if options["is_full"] else _short
    _check_types(types)
    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(options["tenant"])

    async def work() -> None:
        async with open_database(settings, say, tenants=[whose], may_join=True) as database:
            store = database.store
            end = await store.position(whose)
            newest = await store.read_all(
                whose, before=end + 1, limit=options["limit"], newest_first=True, types=types
            )
            _print(newest[::-1], show)
            since_us = 0
            while options["follow"]:
                page = await store.tail(whose, end, since_us=since_us)
                _print([each for each in page if not types or each.type in types], show)
                if page:
                    end, since_us = page[-1].position, page[-1].at_us
                else:
                    await asyncio.sleep(FOLLOW_PAUSE_S)

    run_async(work())


@command.command(
    epilog=examples(
        "plan2 events verify          exit 0 when whole, 8 when broken",
        "plan2 events verify --json   position and reason for scripts",
    )
)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def verify(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Recompute every hash of the log and compare; names the first place that does not fit."""
    from plan2.foundation.eventstore.audit import ChainReport, verify_chain
    from plan2.foundation.eventstore.log_reading import boundary_of
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(tenant)

    async def work() -> ChainReport:
        async with (
            open_database(settings, say, tenants=[whose], may_join=True) as database,
            database.uow(whose) as uow,
        ):
            return await verify_chain(uow, boundary=await boundary_of(uow))

    report = run_async(work())
    if as_json:
        print_json(report)
    elif report.broken is None:
        click.echo(f"Whole: {report.events} events, head {report.head_hash or 'empty'}.")
    else:
        click.echo(f"BROKEN at position {report.broken.position}: {report.broken.reason}.")
    if report.broken is not None:
        ctx.exit(BROKEN_EXIT_CODE)


def _check_types(types: Sequence[str]) -> None:
    unknown = [name for name in types if name not in STORED]
    if unknown:
        raise InputError(
            f"There is no event type {', '.join(unknown)}.",
            remedy=f"Known are: {', '.join(sorted(STORED))}.",
        )


def _print(events: Sequence[StoredEvent], show: Callable[[StoredEvent], str]) -> None:
    for event in events:
        click.echo(show(event))


def _as_json(event: StoredEvent) -> str:
    return msgspec.json.encode(_line(event, f"{_at(event)}+00:00")).decode()


def _whole(event: StoredEvent) -> str:
    return f"{_head(event)}\n{'':10}{event.payload.decode()}"


def _short(event: StoredEvent) -> str:
    """Where it stands and what it says in plain members, cut to the width of the terminal."""
    members: dict[str, object] = msgspec.json.decode(event.payload)
    said = " ".join(
        f"{name}={cell_text(value)}"
        for name, value in members.items()
        if name not in HIDDEN and not isinstance(value, dict | list) and value not in ("", None)
    )
    width = shutil.get_terminal_size((WIDTH, 1)).columns if sys.stdout.isatty() else WIDTH
    text = f"{_head(event)}  {said}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _head(event: StoredEvent) -> str:
    return f"{event.position:>8}  {_at(event)[:-3]}Z  {event.type:<22} {event.stream_id}"


def _at(event: StoredEvent) -> str:
    """When it was written down, UTC, to the microsecond."""
    at = EPOCH + timedelta(microseconds=event.at_us)
    return at.replace(tzinfo=None).isoformat(timespec="microseconds")


def _line(event: StoredEvent, at: str) -> Line:
    return Line(
        position=event.position,
        at=at,
        type=event.type,
        stream_id=event.stream_id,
        version=event.version,
        actor=event.actor,
        event_id=event.event_id,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        hash=event.hash.hex(),
        data=msgspec.Raw(event.payload),
    )
