"""`plan2 approvals`: what waits for a second person, and that person's answer."""

from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.running import ask, quoted, request
from plan2.commands.tables import print_table, time_text
from plan2.foundation.errors import InputError

COLUMNS: Final = {
    "asked": "ASKED",
    "state": "STATE",
    "summary": "WHAT",
    "ask_reason": "WHY",
    "proposed_by": "BY",
    "why_not": "NOT BY YOU",
    "approval_id": "ID",
}

reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; kept for good.")


@click.group(
    name="approvals",
    epilog=examples("plan2 approvals list", "plan2 approvals approve 5f0c2b6c…"),
)
def command() -> None:
    """What needs two people. The one who proposed it cannot be the one who approves."""


@command.command(
    name="list", epilog=examples("plan2 approvals list", "plan2 approvals list --json")
)
@data_dir_option
@json_option
@click.pass_context
def list_approvals(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List proposals, the newest first."""
    items = ask(resolve_data_dir(ctx, data_dir), "approvals")["items"]
    if as_json:
        print_json(items)
        return
    rows = [each | {"asked": time_text(each["proposed_us"])} for each in items]
    print_table(rows, COLUMNS, empty="Nothing was proposed yet.")


@command.command(epilog=examples('plan2 approvals approve 5f0c2b6c… --reason "looked at it"'))
@click.argument("approval")
@reason_option
@data_dir_option
@json_option
@click.pass_context
def approve(
    ctx: click.Context, approval: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Agree to exactly what the list shows; it is carried out at once."""
    folder = resolve_data_dir(ctx, data_dir)
    shown = [each for each in ask(folder, "approvals")["items"] if each["approval_id"] == approval]
    if not shown:
        raise InputError(
            f"There is no proposal {approval!r}.", remedy="`plan2 approvals list` shows them."
        )
    body = {"content_hash": shown[0]["content_hash"], "reason": reason}
    _answer(folder, approval, "approve", body, as_json=as_json)


@command.command(epilog=examples('plan2 approvals refuse 5f0c2b6c… --reason "too much"'))
@click.argument("approval")
@reason_option
@data_dir_option
@json_option
@click.pass_context
def refuse(
    ctx: click.Context, approval: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Say no; nothing is carried out."""
    folder = resolve_data_dir(ctx, data_dir)
    _answer(folder, approval, "refuse", {"reason": reason}, as_json=as_json)


@command.command(epilog=examples("plan2 approvals withdraw 5f0c2b6c…"))
@click.argument("approval")
@reason_option
@data_dir_option
@json_option
@click.pass_context
def withdraw(
    ctx: click.Context, approval: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Take back what you proposed."""
    folder = resolve_data_dir(ctx, data_dir)
    _answer(folder, approval, "withdraw", {"reason": reason}, as_json=as_json)


def _answer(folder: Path, approval: str, verb: str, body: dict[str, Any], *, as_json: bool) -> None:
    item = request(folder, "POST", f"approvals/{quoted(approval)}/{verb}", body)
    if as_json:
        print_json(item)
    else:
        click.echo(f"{item['summary']}: {item['state']}. {item['outcome']}".rstrip())
