"""What people are told, and the port of the ways on which they are told it."""

import enum
from typing import Protocol

import msgspec

from plan2.foundation.ids import derived_id


class Severity(enum.StrEnum):
    """How much it matters; what is critical is never silenced by quiet hours or limits."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Recipient(msgspec.Struct, frozen=True):
    """A person who is told something."""

    tenant_id: str
    user_id: str


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told; plain text in every field, each channel escapes it for itself.

    Attributes:
        tenant_id: whose it is; nobody of another tenant is ever told.
        kind: a name of `kinds.KINDS`.
        title: a few words. sentence: what happened, with units and money.
        translated: title and sentence by language; one that is not there is told as it stands.
        language: what title and sentence are in, a name of `ui.language`.
        at_ns: when it happened, UTC ns.
        link: a path in the web app such as `/decisions/…`, or "".
        dedup_key: what is the same thing; it is told to a person once in ten minutes.
        data: more about it for programs, such as webhooks.
        user_id: the one person it is for; "" = everybody of the tenant who may read.
        is_silent: comes without a sound; set by the notifier.
    """

    tenant_id: str
    kind: str
    severity: Severity
    title: str
    sentence: str
    at_ns: int
    link: str = ""
    dedup_key: str = ""
    data: dict[str, str] = {}
    user_id: str = ""
    is_silent: bool = False
    translated: dict[str, tuple[str, str]] = {}
    language: str = "en"

    def in_language(self, language: str) -> "Notification":
        """The same in a person's language, as far as there are words; it stays the same thing."""
        title, sentence = self.translated.get(language, (self.title, self.sentence))
        return msgspec.structs.replace(
            self,
            title=title,
            sentence=sentence,
            dedup_key=self.key,
            language=language,
            translated={},
        )

    @property
    def notification_id(self) -> str:
        """The same for everything that says the same at the same time."""
        return derived_id("notification", self.tenant_id, self.kind, self.key, self.at_ns)

    @property
    def key(self) -> str:
        """What makes it the same thing as another one."""
        return self.dedup_key or f"{self.title}\x1f{self.sentence}\x1f{self.at_ns}"


class Delivered(msgspec.Struct, frozen=True):
    """The person's provider has it; `message_id` is its name there, if there is one."""

    message_id: str = ""


class Failed(msgspec.Struct, frozen=True):
    """It could not be handed over.

    Attributes:
        reason: a sentence without addresses and secrets.
        retry_after_s: the least wait before the next try; None = never try again.
        holds_channel: nothing else would get through either, so everything waits.
    """

    reason: str
    retry_after_s: float | None = 0.0
    holds_channel: bool = False


class Channel(Protocol):
    """A way to tell people something: Telegram, e-mail, a webhook.

    Its calls run in a task of their own and never delay trading; `send` sets its own deadline.
    """

    @property
    def name(self) -> str:
        """A word for events and settings, such as `telegram`."""
        ...

    def reaches(self, person: Recipient) -> bool:
        """Whether there is a way to this person now; from memory."""
        ...

    async def send(self, person: Recipient, notification: Notification) -> Delivered | Failed:
        """Hand one notification over; failures are values, never exceptions."""
        ...
