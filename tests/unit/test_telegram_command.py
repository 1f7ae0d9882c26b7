"""`plan2 telegram` against a local Bot API server, and against a gateway behind a real socket."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from plan2.cli import command as plan2
from plan2.commands import telegram
from telegram_server import BOT_NAME, TOKEN, TelegramServer
from unit.test_people_commands import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A running Plan2 with root and ann."""
    made = Served(tmp_path)
    with made.gateway.behind_a_socket() as url:
        local = made.gateway.local
        assert local is not None
        local.write(url)
        yield made
    made.stage.passwords.close()


def asked(served: Served, *arguments: str) -> str:
    """What the verb prints."""
    given = [*arguments, "--data-dir", str(served.folder)]
    done = CliRunner().invoke(telegram.command, given)
    assert done.exit_code == 0, done.output
    return done.output


def test_check_names_the_bot_or_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a running Plan2; the exit code tells a refused token from a missing one."""
    with TelegramServer() as server:
        config = tmp_path / "plan2.toml"
        config.write_text(f'[telegram]\nbase_url = "{server.url}"\n')

        def run(token: str, *more: str) -> tuple[int, str]:
            monkeypatch.setenv("PLAN2_TELEGRAM_TOKEN", token)
            given = ["telegram", "check", "--data-dir", str(tmp_path / "empty"), *more]
            done = CliRunner().invoke(plan2, ["--config", str(config), *given])
            return done.exit_code, done.output

        code, text = run(TOKEN)
        assert (code, "from PLAN2_TELEGRAM_TOKEN works" in text) == (0, True)
        found = json.loads(run(TOKEN, "--json")[1])
        assert (found["bot"], found["source"]) == (BOT_NAME, "environment")
        code, text = run("123456789:" + "x" * 35)
        assert (code, "refused the bot's token" in text) == (4, True)
        assert "xxxx" not in text
        code, text = run("")
        assert (code, "is tried while Plan2 runs" in text) == (2, True)


def test_a_chat_is_paired_listed_and_unpaired(served: Served) -> None:
    """The code is for the person who is named; the list and the end go by the pairing's id."""
    made = json.loads(asked(served, "pair", "--user", "ann", "--json"))
    assert made["link"] == f"https://t.me/{BOT_NAME}?start={made['code']}"
    chat = asyncio.run(served.gateway.pairings.redeem(made["code"], 7, "Ann <Lim>"))
    assert chat is not None
    assert chat.user_id == served.person("ann").user.user_id
    assert "Ann <Lim>" in asked(served, "people")
    [listed] = json.loads(asked(served, "people", "--json"))
    assert (listed["user"], listed["pairing_id"]) == ("ann", chat.pairing_id)
    asked(served, "unpair", chat.pairing_id)
    assert "No chat is paired." in asked(served, "people")
