"""Daily snapshots: each stream that had events on a day has its state kept as of that day's end.

A stream whose owner named no fold is kept as an outline: how many events of each type, and the last
one of each. Snapshots are caches; one that is missing is an alarm about this chore, not about data.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from plan2.foundation.database.unit_of_work import UnitOfWork
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.snapshots import Fold, save_snapshot, state_at
from plan2.foundation.values import NS_PER_DAY

DAY_US = NS_PER_DAY // 1_000


class Outline(msgspec.Struct, frozen=True):
    """What a stream holds: event type → how many, and → the newest one's payload."""

    counts: dict[str, int]
    newest: dict[str, dict[str, Any]]  # any JSON object


def _outline(state: Outline, event: StoredEvent) -> Outline:
    counts = {**state.counts, event.type: state.counts.get(event.type, 0) + 1}
    return Outline(counts, {**state.newest, event.type: event.data})


OUTLINE: Fold[Outline] = Fold(Outline, 1, Outline({}, {}), _outline)

FoldOf = Callable[[str], Fold[Any]]
"""How the events of a stream become its state; each stream has a state type of its own."""


def day_end_us(at_us: int) -> int:
    """The last microsecond of the newest UTC day that is over."""
    return at_us // DAY_US * DAY_US - 1


async def snapshot_day(uow: UnitOfWork, end_us: int, fold_of: FoldOf) -> int:
    """Keep the state of every stream active on the day that ends at `end_us`; returns how many.

    Streams that have their snapshot already are left alone.
    """
    due = await missing_snapshots(uow, end_us)
    for stream_id in due:
        fold = fold_of(stream_id)
        await save_snapshot(uow, stream_id, fold, await state_at(uow, stream_id, fold, end_us))
    return len(due)


async def missing_snapshots(uow: UnitOfWork, end_us: int) -> list[str]:
    """Streams with events on the day that ends at `end_us` and no snapshot after the last one."""
    cursor = await uow.raw.execute(
        """select e.stream_id from (
                select stream_id, max(version) as version from event
                where at between at_of(%s) and at_of(%s) group by stream_id
            ) e
            where not exists (
                select 1 from snapshot s where s.stream_id = e.stream_id and s.version = e.version
            )
            order by e.stream_id""",
        (end_us - DAY_US + 1, end_us),
    )
    return [row[0] for row in await cursor.fetchall()]
