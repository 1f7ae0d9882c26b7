"""`plan2 telegram`: whether the bot is well, and whose chats are paired."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)
from plan2.commands.running import (
    Answer,
    NotRunning,
    quoted,
    request,
    user_id_of,
    with_query,
)
from plan2.commands.tables import print_done, print_table, time_text
from plan2.foundation.config.load import data_dir as data_folder
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import ConfigError, Recoverable

COLUMNS: Final = {
    "pairing_id": "PAIRING",
    "user": "USER",
    "label": "CALLED THERE",
    "paired": "SINCE",
}

TOKEN_WORDS: Final = {
    "": "No token is kept; the bot has none.",
    "kept": "The token is kept sealed and in use.",
    "file": "Done. The token in telegram.token_file is used as long as it is there.",
    "environment": "Done. The token in PLAN2_TELEGRAM_TOKEN is used as long as it is there.",
}

SOURCE_WORDS: Final = {
    "kept": "that is kept sealed",
    "file": "from telegram.token_file",
    "environment": "from PLAN2_TELEGRAM_TOKEN",
}
TRIED: Final = ("bot", "source", "enabled", "base_url")

tenant_option = click.option(
    "--tenant", default="", metavar="ID", help="Whose people [the installation's own tenant]."
)


@click.group(
    name="telegram",
    epilog=examples(
        "plan2 telegram check               does the token work, is Telegram there",
        "plan2 telegram token               keep the token of the bot, sealed",
        "plan2 telegram pair --user siti    a code and a link for a chat of Siti",
        "plan2 telegram people              whose chats are paired",
        "plan2 telegram unpair 5f0c2b6c     this chat is unpaired at once",
    ),
)
def command() -> None:
    """Look after the Telegram bot.

    The bot runs inside `plan2 serve` when telegram.enabled is true; its token is kept
    sealed (`token`), or comes from PLAN2_TELEGRAM_TOKEN or from the file telegram.token_file.
    """


@command.command(epilog=examples("plan2 telegram check", "plan2 telegram check --json"))
@data_dir_option
@json_option
@click.pass_context
def check(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Ask Telegram who the bot is. Exit code 4 when it cannot be had.

    A running Plan2 tries the token that it uses, also one that is kept sealed. Without one, or
    while its bot is off and no token is kept, PLAN2_TELEGRAM_TOKEN or telegram.token_file of here
    is tried.
    """
    resolved = resolve_settings(ctx, data_dir).settings
    found = _tried_there(data_folder(resolved)) or asyncio.run(_tried_here(resolved.telegram))
    source = SOURCE_WORDS[found["source"]]
    if found["reason"]:
        raise Recoverable(
            found["reason"],
            remedy=f"The token is {source}. Look at it and at telegram.base_url.",
        )
    if as_json:
        print_json({name: found[name] for name in TRIED})
        return
    state = "on" if found["enabled"] else "off: telegram.enabled is false"
    click.echo(
        f"The token {source} works: @{found['bot']} at {found['base_url']}. The bot is {state}."
    )


@command.command(
    epilog=examples(
        "plan2 telegram token                    asks for it without showing it",
        "plan2 telegram token < token.txt        takes it from a file",
        "plan2 telegram token --forget",
    )
)
@click.option("--forget", is_flag=True, help="Take away the one that is kept.")
@data_dir_option
@json_option
@click.pass_context
def token(ctx: click.Context, forget: bool, data_dir: Path | None, as_json: bool) -> None:
    """Keep the bot's token sealed in the running Plan2; the bot begins with it at once.

    It is never shown again and stands in no log. PLAN2_TELEGRAM_TOKEN and telegram.token_file go
    before it.
    """
    folder = resolve_data_dir(ctx, data_dir)
    if forget:
        found = request(folder, "DELETE", "telegram/token")
    else:
        is_typed = sys.stdin.isatty()
        text = click.prompt("Token", hide_input=True) if is_typed else sys.stdin.read()
        found = request(folder, "PUT", "telegram/token", {"token": text.strip()})
    print_done([found], TOKEN_WORDS[found["source"]], as_json)


@command.command(
    epilog=examples(
        "plan2 telegram pair --user siti",
        "plan2 telegram pair --user siti --json | jq -r .link",
    )
)
@click.option("--user", required=True, metavar="NAME", help="Whose chat: name or id.")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def pair(ctx: click.Context, user: str, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Make a code that pairs the first chat that sends it within ten minutes."""
    folder = resolve_data_dir(ctx, data_dir)
    body: dict[str, object] = {"user_id": user_id_of(folder, user, tenant)}
    made = request(folder, "POST", "telegram/codes", body, tenant)
    if as_json:
        print_json({name: made[name] for name in ("code", "link", "expires_us")})
        return
    click.echo(f"Open {made['link']}\nor send the bot:  /start {made['code']}")
    click.echo(f"Good once, until {time_text(made['expires_us'])}.")


@command.command(epilog=examples("plan2 telegram people", "plan2 telegram people --json | jq ."))
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def people(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Print every paired chat of a tenant."""
    folder = resolve_data_dir(ctx, data_dir)
    found = request(folder, "GET", with_query("telegram", {"all": "true"}), tenant=tenant)
    if as_json:
        print_json(found["chats"])
        return
    rows = [{**each, "paired": time_text(each["paired_us"])} for each in found["chats"]]
    print_table(rows, COLUMNS, empty="No chat is paired.")


@command.command(epilog=examples("plan2 telegram unpair 5f0c2b6c4d1a49c39e7b5a6d8c2f1e30"))
@click.argument("pairing_id")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def unpair(
    ctx: click.Context, pairing_id: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """End a pairing at once; `plan2 telegram people` shows the ids."""
    folder = resolve_data_dir(ctx, data_dir)
    request(folder, "DELETE", f"telegram/chats/{quoted(pairing_id)}", tenant=tenant)
    print_done([{"pairing_id": pairing_id}], "The chat is unpaired.", as_json)


def _tried_there(folder: Path) -> Answer | None:
    """What the running Plan2 found out about its token; None when none runs or it has no token."""
    try:
        found = request(folder, "POST", "telegram/token/check")
    except NotRunning:
        return None
    return {**found, "enabled": found["is_enabled"]} if found["source"] else None


async def _tried_here(settings: Telegram) -> Answer:
    """The same about the token that file or variable of here give.

    Raises:
        ConfigError: there is none, or it looks like none.
    """
    from plan2.interface.telegram.bot_api import who_is
    from plan2.interface.telegram.token import REMEDY, token_from_outside

    token, source = token_from_outside(settings, os.environ)
    if token is None:
        raise ConfigError(
            "There is no token of the bot here; one that is kept sealed is tried while Plan2 runs.",
            remedy=REMEDY,
        )
    said = await who_is(token, settings.base_url)
    return {
        "source": source,
        "bot": said if isinstance(said, str) else "",
        "reason": "" if isinstance(said, str) else said.reason,
        "enabled": settings.enabled,
        "base_url": settings.base_url,
    }
