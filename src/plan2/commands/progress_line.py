"""How far long work is, beside the output: a bar that is redrawn for a person, lines for a file."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

import click

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.values import NS_PER_SECOND

WIDTH: Final = 24
FILLED, OPEN = "█", "░"

Progress = Callable[[str, float], None]


@contextmanager
def progress_line(
    stream: TextIO | None = None, now_ns: Callable[[], int] = stopwatch_ns
) -> Iterator[Progress]:
    """What to tell a message and a share of the work to, 0 to 1, while the context lasts.

    Args:
        stream: where it is shown, standard error if None.
        now_ns: a stopwatch, nanoseconds.
    """
    shown = stream or sys.stderr
    if not shown.isatty():
        yield lambda message, share: click.echo(f"{share:4.0%} {message}", file=shown)
        return
    began_ns = now_ns()

    def draw(message: str, share: float) -> None:
        seconds = (now_ns() - began_ns) // NS_PER_SECOND
        line = f"{bar(share)} {share:4.0%} {seconds // 60}:{seconds % 60:02d} {message}"
        width = shutil.get_terminal_size().columns - 1
        click.echo(f"\r{line[:width]:<{width}}", nl=False, file=shown)

    try:
        yield draw
    finally:
        click.echo(file=shown)


def bar(share: float) -> str:
    """A bar of `WIDTH` characters that is filled up to a share of 0 to 1."""
    filled = round(max(0.0, min(1.0, share)) * WIDTH)
    return FILLED * filled + OPEN * (WIDTH - filled)
