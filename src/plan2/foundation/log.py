"""Logging, configured once: facts in snake_case with data beside them, on standard error.

A terminal gets coloured lines, anything else gets one JSON object per line. Every line carries the
time of our clock (simulated in a replay), the run id, the tenant in whose name something is done
(`speak_for`). Secrets are masked on the way out. Other libraries' warnings join the same stream.
Logs are for operators: nothing may be reconstructable only from them, and nothing logs per tick.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from typing import IO, Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger, Processor

from plan2.foundation.clock import Clock
from plan2.foundation.config.schema import Log
from plan2.foundation.secret import redact, redact_text

EventDict = MutableMapping[str, Any]  # structlog's own type: a log line may hold any value

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
NOISY: Final = (
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "apscheduler",
    "alembic",
    "sqlalchemy",
    "httpx",
    "httpcore",
    "telegram",
)
"""Libraries that set levels of their own; they are heard from warnings upward."""


_TENANT: Final = ContextVar("plan2_tenant", default="")
"""Not structlog's own context, whose binding costs ten times as much: each request sets it."""


def _before_configured(*_: object) -> structlog.PrintLogger:
    """Lines of a command that configures nothing; its standard output is its result alone."""
    return structlog.PrintLogger(sys.stderr)


structlog.configure(logger_factory=_before_configured)


def configure(settings: Log, clock: Clock, run_id: str, stream: TextIO | None = None) -> None:
    """Set up logging for the process; a second call replaces the first.

    Args:
        settings: least level, and `auto` (terminal: console, else JSON), `console` or `json`.
        clock: what time a line is stamped with.
        run_id: bound to every line.
        stream: where lines go; None means standard error.
    """
    out = sys.stderr if stream is None else stream
    is_console = settings.format == "console" or (settings.format == "auto" and out.isatty())
    sink: Any = _Sink(out if is_console else out.buffer)  # structlog asks for a whole file
    render: Processor = _render_json
    factory: Any  # structlog names no common type of its factories
    if is_console:
        plain = structlog.dev.plain_traceback  # others would show local variables, and secrets
        render = structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)
        factory = structlog.PrintLoggerFactory(sink)
    else:
        factory = structlog.BytesLoggerFactory(sink)
    structlog.configure(
        processors=[
            _name_tenant,
            _Stamp(clock, run_id),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            _redact,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.level]),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    _route_libraries()


def logger(component: str) -> FilteringBoundLogger:
    """A logger whose lines name the component; ask for it in a constructor, not at import.

    Call as `log.info("order_denied", order_id=…, rule=…)`.
    """
    bound: FilteringBoundLogger = structlog.get_logger(component=component)
    return bound


def speak_for(tenant_id: str) -> Token[str]:
    """Name a tenant on every line of this task, and of tasks it starts, until `speak_no_more`."""
    return _TENANT.set(tenant_id)


def speak_no_more(token: Token[str]) -> None:
    """End what `speak_for` began, in the same task."""
    _TENANT.reset(token)


@contextlib.contextmanager
def speaking_for(tenant_id: str) -> Iterator[None]:
    """The same for a block; without a tenant whoever is spoken for already stays."""
    token = _TENANT.set(tenant_id or _TENANT.get())
    try:
        yield
    finally:
        _TENANT.reset(token)


class _Sink:
    """Where lines go; one that is full or gone loses lines, never the caller's work."""

    def __init__(self, file: IO[Any]) -> None:  # text or bytes, as the logger writes
        self._file = file

    def write(self, line: str | bytes) -> None:
        """Write if that is still possible."""
        with contextlib.suppress(OSError, ValueError):
            self._file.write(line)

    def flush(self) -> None:
        """Flush if that is still possible."""
        with contextlib.suppress(OSError, ValueError):
            self._file.flush()


def _name_tenant(_logger: object, _method: str, line: EventDict) -> EventDict:
    tenant_id = _TENANT.get()
    if tenant_id:
        line.setdefault("tenant_id", tenant_id)
    return line


class _Stamp:
    """Adds the clock's time in ISO 8601 and the run id."""

    def __init__(self, clock: Clock, run_id: str) -> None:
        self._clock = clock
        self._run_id = run_id

    def __call__(self, _logger: object, _method: str, line: EventDict) -> EventDict:
        stamp = datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC)
        line["ts"] = stamp.isoformat(timespec="microseconds")
        line["run_id"] = self._run_id
        return line


class _Forward(logging.Handler):
    """Sends the standard library's log records into ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record as the fact `library_log`."""
        structlog.get_logger(component=record.name).log(
            record.levelno, "library_log", message=record.getMessage(), exc_info=record.exc_info
        )


def _route_libraries() -> None:
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(logging.WARNING)
    for name in NOISY:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.setLevel(logging.WARNING)
        library.propagate = True
    logging.captureWarnings(capture=True)


def _redact(_logger: object, _method: str, line: EventDict) -> EventDict:
    masked = redact(line)
    return masked if isinstance(masked, dict) else {}


def _render_json(_logger: object, _method: str, line: EventDict) -> bytes:
    return _ENCODER.encode(line)


def _as_text(value: object) -> str:
    return redact_text(repr(value))


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_as_text)
