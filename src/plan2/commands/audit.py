"""`plan2 audit`: prove that nobody changed the log, to oneself and to others.

`verify` and `export` read the database of a Plan2 that runs on this data folder, or start the
embedded one for as long as they need it; `verify --offline` needs neither.
"""

import asyncio
from pathlib import Path
from typing import Final

import click
import msgspec

from plan2.commands.audit_months import ARCHIVE, CHECKPOINTS, hold, lift, tenant_option
from plan2.commands.audit_months import archive as archive_months
from plan2.commands.audit_past import past
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
    say,
)
from plan2.foundation.errors import InputError
from plan2.foundation.eventstore.audit import ChainReport
from plan2.foundation.values import TenantId

BROKEN_EXIT_CODE: Final = 8

second_option = click.option(
    "--checkpoints",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder with another copy of the checkpoints  [default: checkpoints in the data folder].",
)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """That one event is in the log that was signed; hashes in hex."""

    tenant: str
    position: int
    leaf_hash: str
    size: int
    root_hash: str
    path: list[str]
    signed_us: int
    signature: str
    head_hash: str
    previous: str
    public_key: str
    event: msgspec.Raw


@click.group(
    name="audit",
    epilog=examples(
        "plan2 audit verify                        chain and signed checkpoints",
        "plan2 audit prove 4711                    one event is in the signed log",
        "plan2 audit export --out audit.jsonl      everything an auditor needs in one file",
        "plan2 audit verify --offline audit.jsonl  check it anywhere, without a database",
    ),
)
def command() -> None:
    """Verify, prove and export the audit trail."""


command.add_command(archive_months)
command.add_command(hold)
command.add_command(lift)
command.add_command(past)


@command.command(
    epilog=examples(
        "plan2 audit verify            exit 0 when whole, 8 when broken",
        "plan2 audit verify --json     place and reason for scripts",
        "plan2 audit verify --offline audit.jsonl --public-key 5f0c",
    )
)
@tenant_option
@second_option
@click.option(
    "--offline", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Check a file."
)
@click.option("--public-key", default="", help="Hex, got another way than with the file.")
@data_dir_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    *,
    tenant: str,
    checkpoints: Path | None,
    offline: Path | None,
    public_key: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Recompute every hash and hold the log against its signed checkpoints."""
    if offline is not None:
        _verify_offline(ctx, offline, public_key, as_json=as_json)
        return
    from plan2.foundation.eventstore.audit import Witness, verify_chain
    from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
    from plan2.foundation.eventstore.log_reading import boundary_of
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(tenant)
    folder = resolve_data_dir(ctx, data_dir) / CHECKPOINTS
    lines = CheckpointFile(checkpoints or folder, whose).read()
    key = public_key or Signer.in_folder(folder).public_key

    async def work() -> ChainReport:
        async with (
            open_database(settings, say, tenants=[whose], may_join=True) as database,
            database.uow(whose) as uow,
        ):
            boundary = await boundary_of(uow)
            witness = Witness(whose, lines, key, boundary)
            return await verify_chain(uow, witness=witness, boundary=boundary)

    report = run_async(work())
    if as_json:
        print_json(report)
    else:
        click.echo(_sentence(report))
    if report.broken is not None:
        ctx.exit(BROKEN_EXIT_CODE)


@command.command(
    epilog=examples(
        "plan2 audit prove 4711",
        "plan2 audit prove 4711 --tenant acme > proof.json",
    )
)
@click.argument("position", type=click.IntRange(1))
@tenant_option
@data_dir_option
@click.pass_context
def prove(ctx: click.Context, position: int, tenant: str, data_dir: Path | None) -> None:
    """Print a Merkle proof (RFC 6962) that an event is in the log that was signed."""
    from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
    from plan2.foundation.eventstore.proving import Prover
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(tenant)
    folder = resolve_data_dir(ctx, data_dir) / CHECKPOINTS
    archive = resolve_data_dir(ctx, data_dir) / ARCHIVE

    async def work() -> Proof:
        async with open_database(settings, say, tenants=[whose], may_join=True) as database:
            prover = Prover(database.uow, lambda tenant: CheckpointFile(folder, tenant), archive)
            found = await prover.prove(whose, position)
        if found is None:
            raise InputError(
                f"Event {position} of {tenant} is not covered by a checkpoint.",
                remedy="A running Plan2 signs within 60 seconds; `plan2 audit verify` shows how "
                "far the log goes.",
            )
        public_key = Signer.in_folder(folder).public_key
        return Proof(
            position=position,
            public_key=public_key,
            event=msgspec.Raw(msgspec.json.encode(found.event)),
            **msgspec.structs.asdict(found.proof),
        )

    print_json(run_async(work()))


@command.command(
    epilog=examples(
        "plan2 audit export --out audit.jsonl",
        "plan2 audit export --tenant acme --out acme.jsonl",
    )
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    required=True,
    help="The file to write; it must not exist yet.",
)
@tenant_option
@data_dir_option
@click.pass_context
def export(ctx: click.Context, out: Path, tenant: str, data_dir: Path | None) -> None:
    """Write events, checkpoints and the public key into one signed file."""
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.eventstore.audit_file import AuditFileWriter
    from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
    from plan2.foundation.eventstore.log_reading import LogFilter, boundary_of, each_event
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    if out.exists():
        raise InputError(f"{out} exists already.", remedy="Name a file that does not exist yet.")
    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(tenant)
    folder = resolve_data_dir(ctx, data_dir) / CHECKPOINTS
    unfinished = out.with_name(out.name + ".part")

    async def work() -> AuditFileWriter:
        async with open_database(settings, say, tenants=[whose], may_join=True) as database:
            async with database.uow(whose) as uow:
                boundary = await boundary_of(uow)
            with unfinished.open("wb") as target:
                writer = AuditFileWriter(target, Signer.in_folder(folder))
                writer.begin(whose, LiveClock().now_ns() // 1_000, boundary)
                # Read first: what is signed meanwhile would speak of events that are not here.
                writer.add_checkpoints(await asyncio.to_thread(CheckpointFile(folder, whose).read))
                await writer.add_events(each_event(database.uow, whose, LogFilter()))
                writer.finish()
        return writer

    writer = run_async(work())
    unfinished.replace(out)
    click.echo(f"{writer.events} events are in {out}. Check: plan2 audit verify --offline {out}")


def _verify_offline(ctx: click.Context, path: Path, public_key: str, *, as_json: bool) -> None:
    from plan2.foundation.eventstore.audit_file import verify_file

    report = verify_file(path, public_key)
    if as_json:
        print_json(report)
    else:
        click.echo(_sentence(report.chain))
        click.echo(
            f"The file's own signature {'fits' if report.is_signed else 'DOES NOT FIT'} the key "
            f"{report.public_key}."
        )
        click.echo(report.statement)
    if not report.is_whole:
        ctx.exit(BROKEN_EXIT_CODE)


def _sentence(report: ChainReport) -> str:
    if report.broken is None:
        return (
            f"Whole: {report.events} events up to position {report.last_position}, "
            f"{report.checkpoints} signed checkpoints agree, root {report.root_hash}."
        )
    return f"BROKEN at position {report.broken.position}: {report.broken.reason}."
