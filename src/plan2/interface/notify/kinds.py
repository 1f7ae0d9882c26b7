"""Every kind of notification: its words, how loud it is unless somebody chose otherwise."""

import enum
from typing import Final

import msgspec


class Loudness(enum.StrEnum):
    """How a kind of notification comes to a person."""

    ON = "on"
    SILENT = "silent"
    """It comes without a sound."""
    OFF = "off"


class Kind(msgspec.Struct, frozen=True):
    """A kind of notification, and how loud it is by itself."""

    title: str
    loudness: Loudness = Loudness.ON


SILENT: Final = Loudness.SILENT
KINDS: Final[dict[str, Kind]] = {
    "open": Kind("Positions opened"),
    "close": Kind("Positions closed"),
    "fill": Kind("Orders executed", Loudness.OFF),
    "denied": Kind("Orders that the risk gate refused", SILENT),
    "rejected": Kind("Orders that the broker refused"),
    "unknown": Kind("Orders with an unknown outcome"),
    "halt": Kind("Trading halted"),
    "trading": Kind("Trading paused, resumed, or exits only"),
    "kill": Kind("Kill switch"),
    "limit_neared": Kind("Loss limits that come near"),
    "limit_breached": Kind("Loss limits that were reached"),
    "link": Kind("Connection to the broker"),
    "health": Kind("Parts of Plan2 that failed or came back"),
    "books": Kind("Differences from the broker's books"),
    "model": Kind("Models promoted, rolled back, withdrawn"),
    "retraining": Kind("Retraining asked for", SILENT),
    "job": Kind("Training and other long work finished"),
    "approval": Kind("Something waits for a second person"),
    "sign_in": Kind("Somebody signed in as you", SILENT),
    "system": Kind("Plan2 started or stopped", SILENT),
    "alert": Kind("Alerts of your own rules"),
    "digest": Kind("Several messages in one", SILENT),
}
"""Names that settings, commands and events use; what is not named here is not told."""
