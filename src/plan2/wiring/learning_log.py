"""What the learning loop wrote into the log, read back at a start."""

from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.base import Event
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.eventstore.upcast import upcast

TYPES = (
    "ForecastSampled", "OutcomeRecorded", "CalibrationRefitted", "RetrainingAsked",
    "FeatureDriftMeasured",
)  # fmt: skip
PAGE = 1_000
EVENTS_MAX = 40_000
"""How far back a start looks; more than the windows of all trackers hold."""


def stream_of(mode: str, symbol: str) -> str:
    """The stream of a symbol's learning; what a simulation taught is not mixed with real life."""
    return f"learning:{mode}:{symbol}"


async def restored_events(store: EventStore, mode: str, now_ns: int) -> list[Event]:
    """What was stored of this market up to now, oldest first.

    Raises:
        StoreBusy: the database does not answer.
    """
    prefix = stream_of(mode, "")
    found: list[StoredEvent] = []
    before: int | None = None
    while len(found) < EVENTS_MAX:
        page = await store.read_all(
            MAIN_TENANT, before=before, limit=PAGE, newest_first=True, types=TYPES
        )
        found += [
            each for each in page
            if each.stream_id.startswith(prefix) and each.source_ts_ns <= now_ns
        ]  # fmt: skip
        if len(page) < PAGE:
            break
        before = page[-1].position
    return [upcast(each.type, each.schema_ver, each.payload) for each in reversed(found)]
