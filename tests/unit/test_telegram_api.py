"""The real library against a local Bot API server: its refusals, its silence, and its secrets."""

import io
import logging
from pathlib import Path

import pytest

from plan2.foundation import log
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Log
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import ConfigError
from plan2.foundation.secret import Secret, redact_text
from plan2.interface.telegram.bot_api import BotApi
from plan2.interface.telegram.messenger import Button, NotSent, Sent
from plan2.interface.telegram.token import token_from_outside
from telegram_server import BOT_NAME, TOKEN, Fault, TelegramServer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


async def told(server: TelegramServer, *faults: Fault, deadline_s: float = 2.0) -> Sent:
    """What a message comes to when its first tries meet these."""
    api = BotApi(lambda: Secret(TOKEN), server.url, deadline_s=deadline_s, poll_s=1)
    assert await api.start() is None
    server.fail("sendMessage", *faults)
    sent = await api.send(7, "<b>x</b>", buttons=(Button("Yes", "y:1"),), is_silent=True)
    await api.stop()
    return sent


async def test_a_message_arrives_with_its_buttons_and_without_a_sound() -> None:
    """What the protocol asks for, as the server heard it."""
    with TelegramServer() as server:
        sent = await told(server)
        assert isinstance(sent, int)
        assert server.sent[sent]["parse_mode"] == "HTML"
        assert server.sent[sent]["disable_notification"] in {"true", "True"}
        assert server.buttons(sent) == {"Yes": "y:1"}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(429, retry_after=7), (7.0, True)),
        (Fault(401), (300.0, True)),
        (Fault(409), (15.0, True)),
        (Fault(403), (None, False)),
        (Fault(400), (None, False)),
        (Fault(500), (0.0, True)),
        (Fault(502), (0.0, True)),
        (Fault(is_closed=True), (0.0, True)),
        (Fault(hang_s=1.5), (0.0, True)),
    ],
    ids=["429", "401", "409", "403", "400", "500", "502", "closed", "hangs"],
)
async def test_every_failure_says_whether_and_when_to_try_again(
    fault: Fault, expected: tuple[float | None, bool]
) -> None:
    """retry_after is kept; what is final is final; what is an outage holds everything."""
    with TelegramServer() as server:
        failed = await told(server, fault, deadline_s=0.5)
        assert isinstance(failed, NotSent)
        assert (failed.retry_after_s, failed.is_outage) == expected
        assert TOKEN not in failed.reason
        assert failed.reason.endswith(".")


async def test_broken_markup_and_an_empty_message_are_refused_as_telegram_does() -> None:
    """The server reads messages as strictly as the real one."""
    with TelegramServer() as server:
        api = BotApi(lambda: Secret(TOKEN), server.url)
        assert await api.start() is None
        for html in ("<b>open", "a < b & c <", "<script>x</script>", " "):
            assert isinstance(await api.send(7, html), NotSent), html
        assert isinstance(await api.send(7, "a &lt; b"), int)
        assert isinstance(await api.send_picture(7, PNG, ""), int)
        assert isinstance(await api.send_picture(7, b"GIF89a", ""), NotSent)
        await api.stop()


async def test_the_token_is_in_no_log_line_whatever_goes_wrong() -> None:
    """Its address is what the HTTP library logs; ours is masked even at the loudest level."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    try:
        log.configure(Log(level="debug", format="console"), SimulatedClock(), "run", stream)
        with TelegramServer() as server:
            wrong = BotApi(lambda: Secret(TOKEN[:-2] + "zz"), server.url)
            failed = await wrong.start()
            await wrong.stop()
            await told(server, Fault(500))
            logging.getLogger("httpx").warning("HTTP Request: POST %s/bot%s/getMe", "x", TOKEN)
    finally:
        root.handlers[:] = before[1]
        root.setLevel(before[0])
    assert isinstance(failed, NotSent)
    assert "token" in failed.reason
    assert "HTTP Request" in stream.getvalue()
    assert TOKEN.partition(":")[2] not in stream.getvalue()
    assert logging.getLogger("httpx").level == logging.WARNING


def test_running_text_hides_a_token() -> None:
    """Alone, in an address, and in an error of the library."""
    secret = TOKEN.partition(":")[2]
    for text in (TOKEN, f"https://api.telegram.org/bot{TOKEN}/getMe", f"The token `{TOKEN}` was"):
        assert secret not in redact_text(text)
    assert redact_text("2026-11-23 10:20:30 12345:ok") == "2026-11-23 10:20:30 12345:ok"


async def test_updates_come_once_and_in_order_also_over_a_conflict() -> None:
    """What was taken is not asked for again; a second poller is told about."""
    with TelegramServer() as server:
        api = BotApi(lambda: Secret(TOKEN), server.url, poll_s=1)
        assert await api.start() is None
        assert api.username == BOT_NAME
        server.says(1, "a", 100)
        server.says(1, "b", 100)
        first = await api.updates(-1)
        assert not isinstance(first, NotSent)
        assert [update.text for _, update in first] == ["a", "b"]  # type: ignore[union-attr]
        assert await api.updates(first[-1][0]) == []
        assert await api.use_webhook("https://x.example/hook", "s") is None
        conflict = await api.updates(first[-1][0])
        assert isinstance(conflict, NotSent)
        assert "Another program" in conflict.reason
        assert server.webhook["secret_token"] == "s"
        await api.stop()


def test_a_token_comes_from_a_private_file_or_the_environment(tmp_path: Path) -> None:
    """A file that others can read is refused; so is what is no token."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    settings = Telegram(enabled=True, token_file=str(file))
    assert token_from_outside(settings, {}) == (Secret(TOKEN), "file")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        token_from_outside(settings, {})
    with pytest.raises(ConfigError, match="no token"):
        token_from_outside(Telegram(enabled=True), {"PLAN2_TELEGRAM_TOKEN": "12345"})
    from_variable = token_from_outside(Telegram(), {"PLAN2_TELEGRAM_TOKEN": TOKEN})
    assert from_variable == (Secret(TOKEN), "environment")
    assert token_from_outside(Telegram(), {}) == (None, "")
