"""Settings of flows: how long they trade on paper, and when live days are compared."""

from typing import Annotated

from msgspec import Meta

from plan2.foundation.config.section import Count, Section


class Flows(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a flow may go live, and when its days are held against their replay.

    Attributes:
        paper_days: days that a version trades on paper before it may go live without a person
            passing over that.
        compare_at: when the last day is replayed and compared, UTC.
    """

    paper_days: Count = 10
    compare_at: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:50"
