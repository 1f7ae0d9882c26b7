"""How far a run over the past has come: one line on standard error, written over."""

from datetime import UTC, datetime

import click


def show_progress(ts_ns: int, ticks: int) -> None:
    """Market time (UTC nanoseconds) and ticks so far, over the line before."""
    moment = datetime.fromtimestamp(ts_ns / 1e9, UTC)
    click.echo(f"  {moment:%Y-%m-%d %H:%M} UTC  {ticks:,} ticks\r", nl=False, err=True)


def clear_progress() -> None:
    """Wipe the line of `show_progress`."""
    click.echo(" " * 60 + "\r", nl=False, err=True)
