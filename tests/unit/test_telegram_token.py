"""The bot's token as people set it: sealed, taken up at once, and never told to anybody."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from plan2.cli import command as plan2
from plan2.commands import telegram
from plan2.commands.running import request
from plan2.connectivity.identity.rights import Role
from plan2.foundation.config.overlay_keys import OVERRIDABLE
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import ConfigError
from plan2.foundation.health import Status
from plan2.foundation.secret import Secret
from plan2.interface.telegram.bot_api import BotApi
from plan2.interface.telegram.kept_token import ROW, BotToken
from plan2.interface.telegram.service import TelegramService
from telegram_server import BOT_NAME, TOKEN, WAIT_S, TelegramServer
from unit.chat_fixtures import memory_token
from unit.credential_fixtures import CredentialStage
from unit.credential_gateway import CredentialGateway
from unit.overlay_fixtures import MAIN, MemoryOverlay
from unit.sealing_fixtures import MemorySealer
from unit.telegram_fixtures import bot_at_work
from unit.test_people_commands import Served
from unit.test_telegram_command import served  # noqa: F401 - a fixture

OTHER = "987654321:" + "z" * 35


async def test_it_is_kept_sealed_and_comes_back_after_a_start() -> None:
    """The row and the log have no piece of it; without its key there is none."""
    stage, store, sealer = CredentialStage(), MemoryOverlay(), MemorySealer()
    kept = memory_token(stage, store=store, sealer=sealer)
    await kept.keep(Secret(TOKEN), by="user:ann")
    assert (kept.source, kept.is_kept) == ("kept", True)
    secret = TOKEN.partition(":")[2]
    assert secret not in repr(store.rows)
    assert secret not in repr(stage.written.events)
    assert '"sealed"' in repr(stage.written.events)

    async def after_a_start(**given: object) -> BotToken:
        again = memory_token(stage, store=store, **given)
        await again.load()
        return again

    opened = (await after_a_start(sealer=sealer)).current()
    assert opened is not None
    assert opened.reveal() == TOKEN
    sealer.is_away = True
    assert (await after_a_start(sealer=sealer)).current() is None
    sealer.is_away = False
    await kept.forget(by="user:ann")
    assert store.rows[MAIN] == {}
    assert (await after_a_start(sealer=sealer)).source == ""


async def test_one_from_outside_goes_before_it() -> None:
    """The variable is used while it is there; keeping another one meanwhile disturbs nobody."""
    stage, store = CredentialStage(), MemoryOverlay()
    sealer, heard = MemorySealer(), []
    outside = memory_token(
        stage, store=store, sealer=sealer, environment={"PLAN2_TELEGRAM_TOKEN": TOKEN}
    )
    outside.on_change(lambda: heard.append(1))
    await outside.keep(Secret(OTHER), by="user:ann")
    assert (outside.source, outside.is_kept, heard) == ("environment", True, [])
    assert outside.current() == Secret(TOKEN)
    alone = memory_token(stage, store=store, sealer=sealer)
    await alone.load()
    assert alone.current() == Secret(OTHER)
    with pytest.raises(ConfigError, match="no token"):
        memory_token(stage, environment={"PLAN2_TELEGRAM_TOKEN": "x"})


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    """A server of its own: Telegram lets one program at a time ask for updates."""
    with TelegramServer() as running:
        yield running


async def test_the_running_bot_begins_with_it_at_once(
    tmp_path: Path, server: TelegramServer
) -> None:
    """Without a token it waits and says what to do; with one it answers, without a restart."""
    async with bot_at_work(tmp_path) as bot:
        kept = memory_token(bot.people)
        api = BotApi(kept.current, server.url, deadline_s=WAIT_S, poll_s=1)
        service = TelegramService(api, bot.bot, np.random.default_rng(3), "", "s")
        kept.on_change(service.renew)
        running = asyncio.create_task(service.run())
        await bot.until(lambda: "plan2 telegram token" in service.check().detail)
        assert service.check().status is Status.DEGRADED
        await kept.keep(Secret(TOKEN), by="user:ann")
        await bot.until(lambda: service.check().status is Status.OK)
        assert service.username == BOT_NAME
        await kept.keep(Secret(OTHER), by="user:ann")
        await bot.until(lambda: "refused the bot's token" in service.check().detail)
        assert service.username == ""
        await kept.forget(by="user:ann")
        await bot.until(lambda: "plan2 telegram token" in service.check().detail)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_the_verb_keeps_it_without_showing_it(served: Served) -> None:  # noqa: F811
    """From a pipe or typed; what is no token is refused without being repeated."""

    def run(given: str, *arguments: str) -> tuple[int, str]:
        call = ["token", *arguments, "--data-dir", str(served.folder)]
        done = CliRunner().invoke(telegram.command, call, input=given)
        return done.exit_code, done.output + str(done.exception or "")

    code, text = run(f"{TOKEN}\n")
    assert (code, text) == (0, "The token is kept sealed and in use.\n")
    assert served.gateway.token.current() == Secret(TOKEN)
    code, text = run("not-the-token-you-want", "--json")
    assert code != 0
    assert "not-the-token" not in text
    assert "no token of a bot" in text
    assert served.gateway.token.current() == Secret(TOKEN)
    assert json.loads(run("", "--forget", "--json")[1]) == [{"source": "", "is_kept": False}]
    assert served.gateway.token.current() is None


def test_check_shows_the_sealed_token_to_telegram(
    tmp_path: Path, server: TelegramServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the running Plan2 uses, not the variable of the shell; a refused one ends with 4."""
    monkeypatch.setenv("PLAN2_TELEGRAM_TOKEN", OTHER)
    serving = Served(tmp_path, Telegram(enabled=True, base_url=server.url))

    def run(*arguments: str) -> tuple[int, str]:
        call = ["telegram", "check", "--data-dir", str(serving.folder), *arguments]
        done = CliRunner().invoke(plan2, call)
        return done.exit_code, done.output

    with serving.gateway.behind_a_socket() as url:
        assert serving.gateway.local is not None
        serving.gateway.local.write(url)
        request(serving.folder, "PUT", "telegram/token", {"token": TOKEN})
        code, text = run("--json")
        assert code == 0, text
        assert json.loads(text) == {
            "bot": BOT_NAME,
            "source": "kept",
            "enabled": True,
            "base_url": server.url,
        }
        assert f"The token that is kept sealed works: @{BOT_NAME}" in run()[1]
        request(serving.folder, "PUT", "telegram/token", {"token": OTHER})
        code, text = run()
        assert (code, "refused the bot's token" in text, "kept sealed" in text) == (4, True, True)
        assert "zzzz" not in text
    serving.stage.passwords.close()


async def _as_analyst(gateway: CredentialGateway) -> tuple[int, str]:
    await gateway.stage.add("zoe", Role.ANALYST)
    async with await gateway.signed_in("zoe") as zoe:
        denied = await zoe.put("/api/v1/telegram/token", json={"token": OTHER})
        seen = await zoe.get("/api/v1/telegram")
        tried = await zoe.post("/api/v1/telegram/token/check")
    assert tried.status_code == denied.status_code
    return denied.status_code, denied.text + seen.text


def test_no_answer_has_it_and_only_operators_set_it(served: Served) -> None:  # noqa: F811
    """Who is no operator hears that there is a bot, and nothing about its token."""
    kept = request(served.folder, "PUT", "telegram/token", {"token": TOKEN})
    seen = request(served.folder, "GET", "telegram")
    assert kept == seen["token"] == {"source": "kept", "is_kept": True}
    status, told = asyncio.run(_as_analyst(served.gateway))
    assert status == 403
    assert '"token":null' in told
    assert TOKEN.partition(":")[2] not in json.dumps([kept, seen]) + told
    assert served.gateway.token.current() == Secret(TOKEN)


def test_its_row_cannot_be_mistaken_for_a_setting() -> None:
    """No setting that people may change is called so."""
    assert ROW not in OVERRIDABLE
    assert ROW.count(".") == 2
