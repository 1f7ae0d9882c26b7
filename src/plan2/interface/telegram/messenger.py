"""The port to Telegram: what comes from a chat, what goes there, and why it may not go."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A message of somebody; `at_us` is when Telegram took it. `label` is their name there."""

    chat_id: int
    message_id: int
    is_private: bool
    label: str
    text: str
    at_us: int


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """A touch of a button under a message of ours."""

    chat_id: int
    message_id: int
    press_id: str
    data: str


Update = Incoming | Press


class Button(msgspec.Struct, frozen=True):
    """A button; `data` (at most 64 bytes) comes back when it is touched."""

    text: str
    data: str


class NotSent(msgspec.Struct, frozen=True):
    """Telegram did not take it.

    Attributes:
        reason: a sentence without token and chat.
        retry_after_s: how long Telegram asks to wait; None = it never will take it.
        is_outage: nothing goes through, whoever it is for.
    """

    reason: str
    retry_after_s: float | None = 0.0
    is_outage: bool = False


Sent = int | NotSent
"""The message's id, or why there is none."""


class Messenger(Protocol):
    """Sends to chats; every call has its own deadline, and failures are values."""

    async def send(
        self,
        chat_id: int,
        html: str,
        *,
        buttons: tuple[Button, ...] = (),
        is_silent: bool = False,
    ) -> Sent:
        """Send one message in Telegram's HTML."""
        ...

    async def send_picture(self, chat_id: int, png: bytes, caption: str) -> Sent:
        """Send a picture with a plain caption."""
        ...

    async def edit(self, chat_id: int, message_id: int, html: str) -> Sent:
        """Replace a message of ours; its buttons go."""
        ...

    async def answer_press(self, press_id: str, text: str = "") -> None:
        """Take the clock off a touched button, with a short note."""
        ...

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Delete a message, such as one that holds a code; harmless when it cannot be."""
        ...


class Api(Messenger, Protocol):
    """One bot's whole way to Telegram: beginning, updates, sending."""

    @property
    def username(self) -> str:
        """The bot's name, "" until Telegram told it."""
        ...

    async def start(self) -> NotSent | None:
        """Connect and learn the bot's name; why that failed, or None."""
        ...

    async def stop(self) -> None:
        """Close the connections; harmless when there are none."""
        ...

    async def show_menu(
        self, commands: Sequence[tuple[str, str]], language: str = ""
    ) -> NotSent | None:
        """Set what a chat offers while a command is typed, for people of a language or for all."""
        ...

    async def use_webhook(self, url: str, secret: str) -> NotSent | None:
        """Let updates come to an address of ours, with a secret in their header."""
        ...

    async def use_polling(self) -> NotSent | None:
        """Let updates wait until they are asked for."""
        ...

    async def updates(self, after: int) -> list[tuple[int, Update | None]] | NotSent:
        """What came after an update's id; what is not understood is None."""
        ...

    def parse(self, data: dict[str, Any]) -> tuple[int, Update | None] | None:  # Telegram's JSON
        """An update that came to the webhook; None when it is none."""
        ...
