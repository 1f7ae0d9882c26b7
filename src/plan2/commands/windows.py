"""Times and speeds as people write them on the command line."""

import click

from plan2.commands.instants import instant_ns
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
