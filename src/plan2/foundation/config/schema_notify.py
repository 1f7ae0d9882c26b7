"""Configuration of messages to people; a tenant or a person may choose differently."""

from typing import Annotated, Literal

from msgspec import Meta, field

from plan2.foundation.config.section import PositiveInt, Section


class Notify(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How loud each kind of message is, and how many a person gets."""

    loudness: dict[str, Literal["on", "silent", "off"]] = field(default_factory=dict)
    digest: Literal["off", "hourly", "daily"] = "off"
    digest_at: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "18:00"
    per_minute_max: PositiveInt = 15
