"""Telegram as a way to tell people something; every chat that its person paired hears it."""

from collections.abc import Callable
from typing import Final

from plan2.interface.notify.notification import (
    Delivered,
    Failed,
    Notification,
    Recipient,
    Severity,
)
from plan2.interface.notify.preferences import Preferences
from plan2.interface.screen import to_us
from plan2.interface.telegram.figures import moment
from plan2.interface.telegram.messenger import Messenger, NotSent
from plan2.interface.telegram.pairing import Chat, Pairings
from plan2.interface.telegram.text import Line, bold, line, messages

MARKS: Final = {Severity.INFO: "", Severity.WARNING: "⚠ ", Severity.CRITICAL: "🛑 "}


class TelegramChannel:
    """Implements `Channel`.

    Args:
        pairings: whose chats are whose. messenger: the way to them.
        preferences: a person's time zone. public_url: the web app's address, "" when unknown.
    """

    name = "telegram"

    def __init__(
        self,
        pairings: Pairings,
        messenger: Messenger,
        preferences: Callable[[Recipient], Preferences],
        public_url: Callable[[], str],
    ) -> None:
        self._pairings = pairings
        self._messenger = messenger
        self._preferences = preferences
        self._public_url = public_url

    def reaches(self, person: Recipient) -> bool:
        """Whether the person has a paired chat, and may come in."""
        return bool(self._chats(person))

    async def send(self, person: Recipient, notification: Notification) -> Delivered | Failed:
        """Tell every chat of the person; one that took it is enough."""
        texts = messages(self._lines(person, notification))
        sent: list[int] = []
        failed = NotSent("The person has no paired chat any more.", None)
        for chat in self._chats(person):
            for html in texts:
                found = await self._messenger.send(
                    chat.chat_id, html, is_silent=notification.is_silent
                )
                if isinstance(found, NotSent):
                    failed = found
                    break
                sent.append(found)
        if sent:
            return Delivered(str(sent[-1]))
        return Failed(failed.reason, failed.retry_after_s, holds_channel=failed.is_outage)

    def _chats(self, person: Recipient) -> list[Chat]:
        mine = self._pairings.of_user(person.tenant_id, person.user_id)
        return [chat for chat in mine if self._pairings.session(chat) is not None]

    def _lines(self, person: Recipient, notification: Notification) -> list[Line]:
        zone = self._preferences(person).zone
        lines = [line(bold(f"{MARKS[notification.severity]}{notification.title}"))]
        lines += [line(each) for each in notification.sentence.split("\n")]
        lines.append(line(moment(to_us(notification.at_ns), zone)))
        if notification.link and self._public_url():
            lines.append(line(f"{self._public_url()}{notification.link}"))
        return lines
