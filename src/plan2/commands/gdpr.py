"""`plan2 gdpr`: what people may ask about their data: a copy, its erasure, consent, the data map.

`export` and `erase` ask the running Plan2, which alone knows who is signed in; `consents` reads the
database; `map` needs neither.
"""

from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
    say,
)
from plan2.commands.running import download, quoted, request, user_id_of
from plan2.commands.tables import print_table, time_text
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId

tenant_option = click.option("--tenant", default="", help="Whose person  [default: the main one].")
MAP_COLUMNS: Final = {
    "place": "PLACE",
    "category": "CATEGORY",
    "purpose": "PURPOSE",
    "retention": "KEPT",
    "on_erasure": "ERASURE",
}


@click.group(
    name="gdpr",
    epilog=examples(
        "plan2 gdpr export 9f3a --out data.zip     everything about a person",
        'plan2 gdpr erase 9f3a --reason "left"     destroy their key, remove their rows',
        "plan2 gdpr consents 9f3a                  what they agreed to, and when",
        "plan2 gdpr map                            where data about people is kept, and why",
    ),
)
def command() -> None:
    """Copies, erasure and consent of people."""


@command.command(
    epilog=examples(
        "plan2 gdpr export 9f3a --out data.zip",
        "plan2 gdpr export 9f3a --out data.zip --tenant acme",
    )
)
@click.argument("user_id")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    required=True,
    help="The ZIP to write; it must not exist yet.",
)
@tenant_option
@data_dir_option
@click.pass_context
def export(
    ctx: click.Context, *, user_id: str, out: Path, tenant: str, data_dir: Path | None
) -> None:
    """Write everything about a person into a ZIP of JSON and CSV; USER_ID may be a name."""
    if out.exists():
        raise InputError(f"{out} exists already.", remedy="Name a file that does not exist yet.")
    folder = resolve_data_dir(ctx, data_dir)
    path = f"privacy/{quoted(_person(folder, user_id, tenant))}/export"
    done = download(folder, path, out, method="POST", tenant=tenant)
    click.echo(f"{out}: {done:,} bytes.")


@command.command(
    epilog=examples(
        'plan2 gdpr erase 9f3a --reason "asked for it on 5 January"',
        'plan2 gdpr erase 9f3a --reason "left" --yes --json',
    )
)
@click.argument("user_id")
@click.option("--reason", required=True, help="Why; at most 500 characters.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def erase(
    ctx: click.Context,
    *,
    user_id: str,
    reason: str,
    yes: bool,
    tenant: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Erase a person for good; prints what was kept and on which legal basis.

    USER_ID may be a name as long as the person has one.
    """
    folder = resolve_data_dir(ctx, data_dir)
    named, user_id = user_id, _person(folder, user_id, tenant)
    if not yes:
        who = named if named == user_id else f"{named} ({user_id})"
        click.confirm(f"Erase {who}? It cannot be undone.", abort=True, err=True)
    body = {"reason": reason, "confirm": user_id}
    report = request(folder, "POST", f"privacy/{quoted(user_id)}/erase", body, tenant)
    if as_json:
        print_json(report)
        return
    click.echo(f"{user_id} was erased at {time_text(report['erased_us'])}.")
    _print_touched("Removed", report["removed"])
    _print_touched("Pseudonymised", report["pseudonymised"])
    click.echo("Kept, in spite of the erasure:")
    print_table(report["kept"], {"what": "WHAT", "basis": "BASIS", "until": "KEPT"})


@command.command(epilog=examples("plan2 gdpr consents 9f3a", "plan2 gdpr consents 9f3a --json"))
@click.argument("user_id")
@click.option("--tenant", default="default", show_default=True, help="Whose person.")
@data_dir_option
@json_option
@click.pass_context
def consents(
    ctx: click.Context, *, user_id: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Show what a person agreed to and withdrew, newest first."""
    from plan2.connectivity.identity.consents import ConsentFact, PostgresConsents
    from plan2.foundation.loop import run_async
    from plan2.foundation.storage import open_database

    settings = resolve_settings(ctx, data_dir).settings
    whose = TenantId(tenant)

    async def work() -> list[ConsentFact]:
        async with open_database(settings, say, tenants=[whose], may_join=True) as database:
            return list(await PostgresConsents(database.uow).history(whose, user_id))

    found = run_async(work())
    if as_json:
        print_json(found)
        return
    rows = [
        {
            "purpose": fact.purpose,
            "version": fact.version,
            "said": "agreed" if fact.is_given else "withdrew",
            "at": time_text(fact.at_ns // 1_000),
            "actor": fact.actor,
        }
        for fact in found
    ]
    columns = {
        "at": "AT",
        "purpose": "PURPOSE",
        "version": "VERSION",
        "said": "SAID",
        "actor": "BY",
    }
    print_table(rows, columns, empty=f"{user_id} said nothing about any purpose.")


@command.command(name="map", epilog=examples("plan2 gdpr map", "plan2 gdpr map --json"))
@json_option
def data_map(*, as_json: bool) -> None:
    """List where data about people is kept, why, how long, and what erasure does to it."""
    from plan2.connectivity.identity import subject_export

    entries = subject_export.data_map()
    if as_json:
        print_json(entries)
    else:
        print_table(entries, MAP_COLUMNS)


def _person(folder: Path, user: str, tenant: str) -> str:
    """The id of somebody named by name or id.

    Who was erased is in no list any more: what is not found there is taken as an id.
    """
    try:
        return user_id_of(folder, user, tenant)
    except InputError:
        return user


def _print_touched(word: str, touched: list[dict[str, Any]]) -> None:  # JSON of the API
    told = ", ".join(f"{each['table']} {each['rows']}" for each in touched if each["rows"])
    click.echo(f"{word}: {told or 'nothing'}.")
