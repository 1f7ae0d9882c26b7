"""Messages that are told in one: a digest, or what went beyond a person's limit."""

from typing import Final

from plan2.interface.language.say import Say
from plan2.interface.notify.notification import Notification, Recipient, Severity

SHOWN_MAX: Final = 30
"""Messages of a digest that are shown by their words; the others are counted."""


class Gathered:
    """What one person is told together; `due_ns` is when, UTC ns."""

    def __init__(self, due_ns: int) -> None:
        self.due_ns = due_ns
        self._shown: list[Notification] = []
        self._count = 0

    def add(self, notification: Notification) -> None:
        """Take one more; the newest are shown."""
        self._count += 1
        self._shown.append(notification)
        del self._shown[:-SHOWN_MAX]

    def notification(self, person: Recipient, now_ns: int, say: Say) -> Notification:
        """All of it as one, as grave as the gravest and silent unless one was loud."""
        lines = [f"{each.title}: {each.sentence}" for each in self._shown]
        hidden = self._count - len(self._shown)
        if hidden:
            lines.insert(0, say("{count} earlier messages are left out.", count=hidden))
        title = say("1 message") if self._count == 1 else say("{count} messages", count=self._count)
        is_warning = any(each.severity is not Severity.INFO for each in self._shown)
        return Notification(
            tenant_id=person.tenant_id,
            kind="digest",
            severity=Severity.WARNING if is_warning else Severity.INFO,
            title=title,
            sentence="\n".join(lines),
            at_ns=now_ns,
            user_id=person.user_id,
            is_silent=all(each.is_silent for each in self._shown),
            language=say.language,
        )
