"""How a person wants to be told: loudness by kind, quiet hours, digest."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from plan2.foundation.config.schema_notify import Notify
from plan2.foundation.values import NS_PER_SECOND
from plan2.interface.language.say import Say
from plan2.interface.notify.kinds import KINDS, Loudness
from plan2.interface.notify.notification import Severity

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What one person chose.

    Attributes:
        notify: loudness by kind, digest, limit per minute.
        quiet_from, quiet_until: such as "22:00" and "06:30" in `time_zone`; "" = no quiet hours.
        time_zone: an IANA name; "" or an unknown one counts as UTC.
        language: what they are told in, a name of `ui.language`.
    """

    notify: Notify = Notify()
    quiet_from: str = ""
    quiet_until: str = ""
    time_zone: str = ""
    language: str = "en"

    @property
    def say(self) -> Say:
        """Sentences in the person's language."""
        return Say(self.language)

    @property
    def zone(self) -> tzinfo:
        """The time zone."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else UTC
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC

    def loudness(self, kind: str, severity: Severity, at_ns: int) -> Loudness:
        """How a notification comes at a time (UTC ns); what is critical ignores quiet hours."""
        declared = KINDS.get(kind)
        chosen = self.notify.loudness.get(kind)
        if chosen is not None:
            loudness = Loudness(chosen)
        else:
            loudness = declared.loudness if declared is not None else Loudness.ON
        if loudness is Loudness.ON and severity is not Severity.CRITICAL and self.is_quiet(at_ns):
            return Loudness.SILENT
        return loudness

    def is_quiet(self, at_ns: int) -> bool:
        """Whether a time lies in the quiet hours, which may reach over midnight."""
        if not self.quiet_from or not self.quiet_until:
            return False
        now = self._local(at_ns).time().replace(tzinfo=None)
        begin, end = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)
        return begin <= now < end if begin <= end else now >= begin or now < end

    def digest_due_ns(self, at_ns: int) -> int:
        """When what is gathered now is told (UTC ns); `at_ns` itself without a digest."""
        how: Literal["off", "hourly", "daily"] = self.notify.digest
        if how == "off":
            return at_ns
        local = self._local(at_ns)
        if how == "hourly":
            due = local.replace(minute=0, second=0, microsecond=0) + HOUR
        else:
            due = datetime.combine(
                local.date(), time.fromisoformat(self.notify.digest_at), local.tzinfo
            )
            due = due if due > local else due + DAY
        return int(due.timestamp()) * NS_PER_SECOND

    def _local(self, at_ns: int) -> datetime:
        return datetime.fromtimestamp(at_ns // NS_PER_SECOND, self.zone)
