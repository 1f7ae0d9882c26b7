"""Messages as they are wired: silent in a replay, refused without a token, off unless asked for."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from plan2.foundation.bus import Bus
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import ConfigError
from plan2.foundation.events.account import KillBegun
from plan2.foundation.values import TenantId
from plan2.interface.notify.preferences import Preferences
from plan2.wiring.messages import Messages, MessagesPlan
from telegram_server import TOKEN
from unit.chat_fixtures import memory_token
from unit.credential_fixtures import CredentialStage
from unit.sealing_fixtures import MemorySealer
from unit.test_notify_sources import FakeAppender
from unit.whole_stage import NoDatabase

KILL = KillBegun(
    ts_ns=1, account_id="a", tenant_id="main", scope="account", target="", actor="x", reason="",
    closes_foreign=False,
)  # fmt: skip


def messages(settings: Telegram, *, is_past: bool) -> Messages:
    """Wired around people in memory; the overlay knows no tenant."""
    stage = CredentialStage()
    others: Any = SimpleNamespace(effective=_unknown, allows=lambda *_: True)
    people: Any = stage
    return Messages(
        MessagesPlan(
            settings=settings,
            token=memory_token(
                stage,
                settings=settings,
                environment=os.environ,
                is_asked=settings.enabled and not is_past,
            ),
            people=people,
            consents=others,
            directory=stage.directory,
            overlay=others,
            sealer=MemorySealer(),
            record=stage.written,
            open_unit=NoDatabase(),
            public_url=lambda: "",
            is_past=is_past,
        )
    )


def test_a_replay_tells_nobody_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-018: no bot, no listener, whatever is configured; not even the token is looked at."""
    monkeypatch.delenv("PLAN2_TELEGRAM_TOKEN", raising=False)
    made = messages(Telegram(enabled=True), is_past=True)
    assert [each.name for each in made.components()] == ["messages"]
    assert made.telegram_parts().running is None
    bus, appender = Bus(), FakeAppender()
    made.listen(TenantId("main"), "USD", bus, appender)  # type: ignore[arg-type]
    bus.publish(KILL)
    assert appender.listeners == []
    assert made.sources._happened.drain(10) == []


def test_the_bot_is_there_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Off by default; without a token it waits for one, and what looks like none is refused."""
    monkeypatch.delenv("PLAN2_TELEGRAM_TOKEN", raising=False)
    assert [each.name for each in messages(Telegram(), is_past=False).components()] == ["messages"]
    waiting = messages(Telegram(enabled=True), is_past=False)
    assert [each.name for each in waiting.components()] == ["telegram", "messages"]
    monkeypatch.setenv("PLAN2_TELEGRAM_TOKEN", "no token at all")
    with pytest.raises(ConfigError, match="no token"):
        messages(Telegram(enabled=True), is_past=False)
    monkeypatch.setenv("PLAN2_TELEGRAM_TOKEN", TOKEN)
    made = messages(Telegram(enabled=True), is_past=False)
    assert [each.name for each in made.components()] == ["telegram", "messages"]
    assert made.preferences_of(_nobody()) == Preferences()


def _nobody() -> Any:
    return SimpleNamespace(tenant_id="gone", user_id="u")


def _unknown(*_: object) -> None:
    raise ConfigError("This tenant was not admitted.")
