"""Log lines: one JSON object each, stamped by our clock, with their context, without secrets."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Log
from plan2.foundation.events.order import OrderSent
from plan2.foundation.log import configure, logger, speak_for, speak_no_more
from plan2.foundation.secret import Secret

NOON_NS = 1_700_000_000_123_456_000  # 2023-11-14T22:13:20.123456Z, from the POSIX definition

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def process_logging() -> Iterator[None]:
    """Leaves the logging of the process as it was."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    yield
    structlog.configure(**before)
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def lines() -> Lines:
    """Logging set up as JSON into memory; call it for the lines so far."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    configure(Log(level="info", format="json"), SimulatedClock(NOON_NS), "run-1", stream)

    def read() -> list[dict[str, Any]]:
        stream.flush()
        return [json.loads(line) for line in raw.getvalue().splitlines()]

    return read


def test_a_line_is_a_fact_with_time_run_and_component(lines: Lines) -> None:
    """Everything that an operator filters by is there."""
    logger("gate").info("order_denied", rule="max_spread", value=2.5)

    assert lines() == [
        {
            "event": "order_denied",
            "level": "info",
            "ts": "2023-11-14T22:13:20.123456+00:00",
            "run_id": "run-1",
            "component": "gate",
            "rule": "max_spread",
            "value": 2.5,
        }
    ]


def test_lines_below_the_level_are_not_written(lines: Lines) -> None:
    """Debug is below info."""
    logger("gate").debug("looked_at_tick")

    assert lines() == []


def test_a_tenant_is_named_while_somebody_speaks_for_it(lines: Lines) -> None:
    """A line that names one itself is believed."""
    log = logger("api")
    token = speak_for("acme")
    log.info("command_accepted")
    log.info("key_missing", tenant_id="other")
    speak_no_more(token)
    log.info("idle")

    inside, named, outside = lines()
    assert (inside["tenant_id"], named["tenant_id"]) == ("acme", "other")
    assert "tenant_id" not in outside


def test_secrets_are_masked(lines: Lines) -> None:
    """By type, by name, in text, in exceptions."""
    log = logger("db")
    log.info("connected", key=Secret("s3cret"), password="s3cret", url="pg://u:s3cret@h/d")
    try:
        raise ValueError("cannot reach pg://u:s3cret@h/d")
    except ValueError as error:
        log.error("connection_failed", exc_info=error)

    connected, failed = lines()
    assert "s3cret" not in json.dumps([connected, failed])
    assert connected["url"] == "pg://u:***@h/d"
    assert "ValueError: cannot reach" in failed["exception"]


def test_any_value_can_be_logged(lines: Lines) -> None:
    """Structs become objects, strange values their repr; no line is lost."""
    logger("x").info(
        "odd", sent=OrderSent(ts_ns=1, order_id="o", account_id="a", symbol="S"), f=print
    )

    (line,) = lines()
    assert line["sent"] == {"ts_ns": 1, "order_id": "o", "account_id": "a", "symbol": "S"}
    assert "print" in line["f"]


def test_libraries_are_heard_from_warnings_upward(lines: Lines) -> None:
    """Their records arrive as `library_log`, their chatter does not; warnings too."""
    logging.getLogger("uvicorn.access").info("GET /")
    logging.getLogger("uvicorn.error").warning("slow %s", "client")
    logging.getLogger("apscheduler.executors").error("job failed")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old call", FutureWarning, stacklevel=1)

    slow, job, old = lines()
    assert (slow["event"], slow["component"], slow["message"]) == (
        "library_log",
        "uvicorn.error",
        "slow client",
    )
    assert (job["component"], job["level"]) == ("apscheduler.executors", "error")
    assert "old call" in old["message"]


def test_console_lines_are_readable_and_show_no_local_variables() -> None:
    """In a terminal: the fact, its data, a plain traceback."""
    stream = io.StringIO()
    configure(Log(format="console"), SimulatedClock(NOON_NS), "run-1", stream)
    hidden = "s3cret-local"
    try:
        raise ValueError("broken" + hidden[:0])
    except ValueError as error:
        logger("gate").warning("order_denied", rule="max_spread", exc_info=error)

    text = stream.getvalue()
    assert "order_denied" in text
    assert "max_spread" in text
    assert "ValueError: broken" in text
    assert hidden not in text


def test_a_stream_that_is_gone_costs_lines_and_nothing_else() -> None:
    """A closed standard error does not stop whoever logs; on a new one the lines are back."""
    gone = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    configure(Log(format="json"), SimulatedClock(NOON_NS), "run-1", gone)
    gone.close()
    logger("gate").info("order_denied")

    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    configure(Log(format="json"), SimulatedClock(NOON_NS), "run-1", stream)
    logger("gate").info("order_sent")
    stream.flush()
    assert [json.loads(line)["event"] for line in raw.getvalue().splitlines()] == ["order_sent"]
