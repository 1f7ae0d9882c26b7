"""Did the models see live what a replay of the archived ticks shows? Bit for bit (ML-022).

Exponential averages remember for ever, so a replay must start from the exact state of the serving
engine. The loop keeps that state at each start and at each change of the day; a day is replayed
from the newest state before it, piece by piece.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.decision.record import TickPart
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.models.serving import Serving

KEPT_DAYS = 4


class Served(NamedTuple):
    """The feature vector that a decision was made of: its tick and its hash."""

    ts_ns: int
    bid: float
    ask: float
    sha256: str
    decision_id: str


class EngineState(msgspec.Struct, frozen=True, kw_only=True):
    """A serving engine after the tick of `ts_ns`; `ticks_at` ticks of that very time were taken.

    `serving`: who forecast from then on, None in states of before it was kept; `trail`, `ensemble`
    and `canary`: what they remembered (`Trail`, `Ensemble.state_bytes`).
    """

    ts_ns: int
    ticks_at: int
    instrument: Instrument
    bar_period_s: int
    snapshot: bytes
    serving: Serving | None = None
    trail: bytes = b""
    ensemble: bytes = b""
    canary: bytes = b""


class Skew(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found; `uncovered`: decisions whose tick or state is not archived."""

    symbol: str
    compared: int = 0
    mismatches: int = 0
    uncovered: int = 0
    first_mismatch: str = ""


class Hashed(msgspec.Struct, frozen=True):
    """The part of `FeaturePart` that is compared."""

    sha256: str


class Recorded(msgspec.Struct, frozen=True):
    """What a comparison needs of a stored decision record; the rest is not looked at."""

    decision_id: str
    tick: TickPart
    features: Hashed


def served_of(record: Recorded) -> Served:
    """What a decision record says of its features."""
    tick = record.tick
    return Served(tick.ts_ns, tick.bid, tick.ask, record.features.sha256, record.decision_id)


class EngineStates:
    """States in a folder, one file each; old ones are removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, symbol: str, state: EngineState) -> None:
        """Keep a state, and forget those of more than four days before it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{symbol}.{state.ts_ns}.state"
        fresh = file.with_suffix(".new")
        fresh.write_bytes(msgspec.msgpack.encode(state))
        fresh.replace(file)
        for old in self._folder.glob(f"{symbol}.*.state"):
            if _time_of(old) < state.ts_ns - KEPT_DAYS * NS_PER_DAY:
                old.unlink(missing_ok=True)

    def load(self, symbol: str, end_ns: int) -> list[EngineState]:
        """The states of a symbol before a time, oldest first; unreadable ones are left out."""
        files = sorted(self._folder.glob(f"{symbol}.*.state"), key=_time_of)
        found = []
        for file in files:
            if _time_of(file) >= end_ns:
                continue
            try:
                found.append(msgspec.msgpack.decode(file.read_bytes(), type=EngineState))
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
        return found

    def symbols(self) -> tuple[str, ...]:
        """Whose states are kept."""
        return tuple(sorted({file.name.split(".")[0] for file in self._folder.glob("*.state")}))


Ticks = Callable[[int, int], TickBlock]
"""Archived ticks of the symbol with start ≤ time < end, UTC ns."""


def measure_skew(
    symbol: str,
    served: Iterable[Served],
    states: Sequence[EngineState],
    ticks: Ticks,
    plan_of: Callable[[int], FeaturePlan],
    around: Surroundings | None = None,
) -> Skew:
    """Replay from each state up to the next one and compare every served vector in between.

    A state that other feature code made cannot be replayed; its vectors count as uncovered.
    """
    waiting = sorted(served)
    found = Skew(symbol=symbol)
    for k, state in enumerate(states):
        end_ns = states[k + 1].ts_ns if k + 1 < len(states) else waiting[-1].ts_ns if waiting else 0
        mine = [each for each in waiting if state.ts_ns < each.ts_ns <= end_ns]
        waiting = [each for each in waiting if each.ts_ns <= state.ts_ns or each.ts_ns > end_ns]
        if mine:
            engine = FeatureEngine(plan_of(state.bar_period_s), state.instrument, around)
            found = _added(found, _replayed(engine, mine, state, ticks))
    return _added(found, Skew(symbol=symbol, uncovered=len(waiting)))


def _replayed(
    engine: FeatureEngine, served: Sequence[Served], state: EngineState, ticks: Ticks
) -> Skew:
    symbol = engine.symbol
    try:
        engine.restore(state.snapshot)
    except InputError:
        return Skew(symbol=symbol, uncovered=len(served))
    block = ticks(state.ts_ns, served[-1].ts_ns + 1)
    at = min(state.ticks_at, int(np.searchsorted(block.ts_ns, state.ts_ns, side="right")))
    compared = mismatches = uncovered = 0
    first = ""
    for each in served:
        row = _find(block, at, each)
        if row is None:
            uncovered += 1
            continue
        engine.step_block(block.slice(at, row + 1))
        at = row + 1
        compared += 1
        if hashlib.sha256(engine.values.tobytes()).hexdigest() != each.sha256:
            mismatches += 1
            first = first or each.decision_id
    return Skew(
        symbol=symbol, compared=compared, mismatches=mismatches, uncovered=uncovered,
        first_mismatch=first,
    )  # fmt: skip


def _find(block: TickBlock, at: int, served: Served) -> int | None:
    """The row of a decision's tick, at or after `at - 1`: two accounts decide on one tick."""
    first = max(at - 1, int(np.searchsorted(block.ts_ns, served.ts_ns)))
    stop = int(np.searchsorted(block.ts_ns, served.ts_ns, side="right"))
    for row in range(first, stop):
        if block.bid[row] == served.bid and block.ask[row] == served.ask:
            return row
    return None


def _added(one: Skew, other: Skew) -> Skew:
    return Skew(
        symbol=one.symbol,
        compared=one.compared + other.compared,
        mismatches=one.mismatches + other.mismatches,
        uncovered=one.uncovered + other.uncovered,
        first_mismatch=one.first_mismatch or other.first_mismatch,
    )


def _time_of(file: Path) -> int:
    return int(file.name.split(".")[-2])
