"""Times and speeds as people write them on the command line."""

from datetime import UTC, datetime

import click

from plan2.foundation.values import NS_PER_SECOND
from plan2.wiring.markets import ReplayWindow


def replay_window(
    symbols: tuple[str, ...], start: str | None, end: str | None, *, speed: str | None, fresh: bool
) -> ReplayWindow:
    """The part of the archive to play.

    Raises:
        click.BadParameter: a time or the speed cannot be read.
    """
    return ReplayWindow(
        symbols=symbols,
        start_ns=instant_ns(start) if start else None,
        end_ns=instant_ns(end) if end else None,
        speed=speed_of(speed) if speed else 10.0,
        fresh=fresh,
    )


def instant_ns(text: str) -> int:
    """ISO 8601, UTC unless it says otherwise, as UTC nanoseconds.

    Raises:
        click.BadParameter: it is not ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a time; write 2014-05-01 or 2014-05-01T12:30:00Z."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * (NS_PER_SECOND // 1_000_000)


def speed_of(text: str) -> float | None:
    """Market seconds per second; None for `max`.

    Raises:
        click.BadParameter: neither a positive number nor `max`.
    """
    if text == "max":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0.0 < factor < 1e6:
        raise click.BadParameter(f"{text!r} is no speed; write a positive number or max.")
    return factor
