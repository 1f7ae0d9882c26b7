"""What every event is: a fact in the past tense, immutable, with the time it speaks of.

In-process events are dispatched by their class. Stored events additionally have a stable name and
a schema version (`plan2.foundation.events.catalog`); renaming a class never breaks history.
"""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all events; `ts_ns` is market time, UTC nanoseconds."""

    ts_ns: int
