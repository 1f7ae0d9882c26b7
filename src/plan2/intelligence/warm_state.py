"""Feature and model state kept over a restart, so that it goes on as if nothing had happened.

Exponential averages remember for ever, so a state rebuilt from a few days of ticks is close but not
equal. The kept state is exact; a start loads it, feeds the ticks since, and is bit-identical to a
process that never stopped. It is a cache: without it the lane warms up from history.

Two generations are kept, because the terminal may stand a little before the newest one.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from plan2.dataflow.sources import sequence_numbers
from plan2.foundation.errors import InputError
from plan2.foundation.values import Tick, TickBlock
from plan2.intelligence.pipeline import Lane


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """One lane's state after the tick named by `ts_ns` and `seq`."""

    ts_ns: int
    seq: int
    schema_id: str
    models: tuple[str, ...]
    engine: bytes
    ensemble: bytes
    sha256: str
    trail: bytes = b""


class WarmState:
    """Keeps lane states in a folder: the newest and the one before, for each symbol."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, lane: Lane, last: Tick) -> None:
        """Write the state atomically; `last` is the last tick the lane has seen."""
        engine = lane.engine.snapshot()
        ensemble = lane.ensemble.state_bytes() if lane.ensemble is not None else b""
        trail = lane.trail.state_bytes()
        kept = Kept(
            last.ts_ns,
            last.seq,
            lane.engine.plan.schema_id,
            models_of(lane),
            engine,
            ensemble,
            _digest(engine + ensemble + trail),
            trail,
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        newest, before = self._paths(lane.symbol)
        fresh = newest.with_suffix(".new")
        fresh.write_bytes(msgspec.msgpack.encode(kept))
        if newest.exists():
            newest.replace(before)
        fresh.replace(newest)

    def load(self, lane: Lane, not_after_ns: int) -> Kept | None:
        """Restore a lane; None when nothing usable is kept for these features and models.

        `not_after_ns` is where the market goes on: a state beyond it would know the future.
        """
        for path in self._paths(lane.symbol):
            kept = _read(path, lane)
            if kept is not None and kept.ts_ns <= not_after_ns and _restore(lane, kept):
                return kept
        return None

    def _paths(self, symbol: str) -> tuple[Path, Path]:
        return self._folder / f"{symbol}.state", self._folder / f"{symbol}.state-before"


def _restore(lane: Lane, kept: Kept) -> bool:
    """Take the state over; false when it was made by other feature code than today's."""
    try:
        lane.engine.restore(kept.engine)
    except InputError:
        return False
    lane.trail.set_state(kept.trail)
    if lane.ensemble is not None:
        lane.ensemble.set_state(kept.ensemble)
    return True


def _read(path: Path, lane: Lane) -> Kept | None:
    """What a file holds, if it is intact and made for these features and models."""
    try:
        kept = msgspec.msgpack.decode(path.read_bytes(), type=Kept)
    except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
        return None
    is_intact = _digest(kept.engine + kept.ensemble + kept.trail) == kept.sha256
    is_ours = (kept.schema_id, kept.models) == (lane.engine.plan.schema_id, models_of(lane))
    return kept if is_intact and is_ours else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def models_of(lane: Lane) -> tuple[str, ...]:
    """Ids of the lane's models."""
    return lane.ensemble.model_ids if lane.ensemble is not None else ()


def feed_block(lane: Lane, block: TickBlock, seen: tuple[int, int] = (0, -1)) -> None:
    """Feed the ticks of a block that come after `seen` (time and number within that time)."""
    feed(lane, (tick for tick in ticks_of(block) if (tick.ts_ns, tick.seq) > seen))


def ticks_of(block: TickBlock) -> Iterator[Tick]:
    """The ticks of a block, each with its number within its time."""
    columns = (block.ts_ns, block.bid, block.ask, sequence_numbers(block.ts_ns))
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield Tick(block.symbol, *row)


def feed(lane: Lane, ticks: Iterable[Tick]) -> Tick | None:
    """Run ticks through quality, features and recurrent state only; returns the last one fed."""
    last: Tick | None = None
    for tick in ticks:
        if not lane.quality.check(tick, tick.ts_ns).is_accepted:
            continue
        closed = lane.engine.step(tick.ts_ns, tick.bid, tick.ask)
        if closed:
            lane.commit()
        last = tick
    return last
