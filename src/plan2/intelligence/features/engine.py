"""The feature engine of one symbol: a numpy record, one compiled call per tick.

Invariants: `values`, `sequence` and `sequence_closed` are views of the engine's own memory and are
overwritten by each step; NaN stands for "not known yet", never 0. A step, a block in any chunks
and a restored snapshot give the same bits.
"""

import hashlib
import math
from dataclasses import replace
from typing import Literal

import msgspec
import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Bar, Float64Array, Int64Array, TickBlock
from plan2.intelligence.features.fingerprint import source_fingerprint
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.features.loop import (
    BAR_COLUMN,
    MARK_WIDTH,
    ROW_WIDTH,
    SIGMA_COLUMN,
    run_block,
    step,
)
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.requested_columns import RequestedColumns
from plan2.intelligence.features.sampled import SampledFeatures, sampled_rows
from plan2.intelligence.features.set_columns import SetColumns
from plan2.intelligence.features.state import engine_dtype, word_of
from plan2.intelligence.features.step import CHANNELS, CLOSED, FEATURES, GAP, READY
from plan2.intelligence.features.surroundings import Surroundings

VOLATILITIES = ("volatility_ew_15", "volatility_ew_60", "volatility_ew_240")


class Snapshot(msgspec.Struct, frozen=True):
    """What `FeatureEngine.snapshot` packs: identity, checksum and the memory itself.

    `code` is the fingerprint of the sources: a snapshot is a cache, and other code starts cold.
    """

    code: str
    schema_id: str
    symbol: str
    point: float
    sha256: str
    memory: bytes


class FeatureEngine:
    """All streaming features of one symbol.

    Attributes:
        plan: what is computed. instrument: of what, symbol: its name.
        values: float64[F], after the last tick: the catalogue's, or the columns of the plan's set.
        sequence: float64[16], the bar in progress.
        sequence_closed: float64[16] of the bar closed last.
        records, words: the whole state as a record and as words (the same memory), for other
            compiled loops that call `step.advance`.
    """

    def __init__(
        self, plan: FeaturePlan, instrument: Instrument, around: Surroundings | None = None
    ) -> None:
        """`around`: what features on request may look at beside the symbol's own ticks."""
        dtype = engine_dtype(plan.window_scale)
        self.plan = plan
        self.instrument = instrument
        self.symbol = instrument.symbol
        self._point = instrument.point
        self.records = np.zeros(1, dtype)
        self.words: Float64Array = self.records.view(np.float64)
        self._flags = 0
        own, more = plan.feature_set, 0
        self.requested: RequestedColumns | None = None
        if own is not None and own.asks_more:
            timing = (plan.bar_period_s, plan.gap_s)
            self.requested = RequestedColumns(own, instrument, timing, around or Surroundings())
            more = len(self.requested.values)
        self._columns = None if own is None else SetColumns(own, dtype, more)
        self.values = self.words[:FEATURES] if self._columns is None else self._columns.values
        self.sequence = self.words[FEATURES : FEATURES + CHANNELS]
        self.sequence_closed = self.words[FEATURES + CHANNELS : SIGMA_COLUMN]
        self.words[:BAR_COLUMN] = np.nan
        self._closed_start_ns = self.records["closed"]["start_ns"]
        self._period_ns = plan.bar_period_s * NS_PER_SECOND
        self._set_parameters(instrument, word_of(dtype, "memory"))
        self._step = machine_code(step, self.records, self.words, 0, 0.0, 0.0)

    def _set_parameters(self, instrument: Instrument, memory_word: int) -> None:
        plan = self.plan
        parameters = self.records["parameters"]
        parameters["period_ns"] = plan.bar_period_s * NS_PER_SECOND
        parameters["gap_ns"] = plan.gap_s * NS_PER_SECOND
        parameters["memory_word"] = memory_word
        parameters["ready_after"] = plan.warmup_bars
        parameters["slowest_warmup"] = max(plan.catalogue_warmups)
        parameters["point"] = instrument.point
        parameters["pip"] = instrument.pip
        parameters["warmups"] = plan.catalogue_warmups
        self.records["calendar"]["minute"] = -1
        self.records["calendar"]["hour"] = -1

    @property
    def closed_ns(self) -> int:
        """End of the bar closed last, UTC ns; meaningless before the first."""
        return int(self._closed_start_ns[0]) + self._period_ns

    @property
    def sigma(self) -> float:
        """Volatility of the mid over one bar, quote currency; NaN before 61 bars."""
        return float(self.words[SIGMA_COLUMN])

    @property
    def catalogue_values(self) -> Float64Array:
        """float64[F], the whole catalogue after the last tick, whatever set is in use; a view."""
        return self.words[:FEATURES]

    @property
    def bar_number(self) -> int:
        """Bars since the epoch up to the one in progress."""
        return int(self.records["tick"]["ts_ns"][0]) // (self.plan.bar_period_s * NS_PER_SECOND)

    @property
    def volatility_day(self) -> float:
        """The larger of short and long EW volatility, of one day, in logs; NaN before 16 bars."""
        values = self.records["values"][0]
        levels = [float(values[name]) for name in VOLATILITIES]
        known = [level for level in levels if level == level]  # noqa: PLR0124 - NaN is not known
        return max(known) * math.sqrt(86_400 / self.plan.bar_period_s) if known else math.nan

    @property
    def ready(self) -> bool:
        """Whether every warm-up is over (features that wait for a day are not waited for)."""
        return self._flags & READY != 0

    @property
    def gap_reset(self) -> bool:
        """Whether the last tick came after a gap, so that the memory was wiped before it."""
        return self._flags & GAP != 0

    @property
    def ignored_ticks(self) -> int:
        """Ticks refused so far: earlier than the one before, or a price not finite and positive."""
        return int(self.records["tick"]["ignored"][0])

    def step(self, ts_ns: int, bid: float, ask: float) -> bool:
        """Take one tick; true when it closed a bar (this tick belongs to the next one)."""
        flags: int = self._step(self.records, self.words, ts_ns, bid, ask)
        self._flags = flags
        if self._columns is not None:
            if self.requested is not None:
                self.requested.step(ts_ns, bid, ask)
                self._columns.requested[:] = self.requested.values
            self._columns.step(self.words, flags)
        return flags & CLOSED != 0

    def last_bar(self) -> Bar:
        """The bar closed last, bid OHLC.

        Raises:
            InputError: when no bar has been closed yet.
        """
        closed = self.records["closed"][0]
        if closed["ticks"] == 0:
            raise InputError(f"{self.symbol}: no bar has been closed yet")
        return Bar(
            symbol=self.symbol,
            period_s=self.plan.bar_period_s,
            ts_ns=int(closed["start_ns"]),
            open=float(closed["open"]),
            high=float(closed["high"]),
            low=float(closed["low"]),
            close=float(closed["close"]),
            ticks=int(closed["ticks"]),
        )

    def step_block(
        self, block: TickBlock, sample: Literal["bars", "ticks"] = "bars"
    ) -> SampledFeatures:
        """Take all ticks of a block; rows at each bar close, or after each tick.

        Raises:
            InputError: when the block belongs to another symbol.
        """
        if block.symbol != self.symbol:
            raise InputError(f"the engine of {self.symbol} was given ticks of {block.symbol}")
        ts_ns = np.require(block.ts_ns, np.int64, ["C", "W"])
        bid = np.require(block.bid, np.float64, ["C", "W"])
        ask = np.require(block.ask, np.float64, ["C", "W"])
        every_tick = sample == "ticks"
        most = len(block) if every_tick or len(block) == 0 else self._most_closes(ts_ns)
        rows = np.empty((most, ROW_WIDTH))
        marks = np.empty((most, MARK_WIDTH), np.int64)
        ticks = (ts_ns, bid, ask)
        before_ns = int(self.records["tick"]["ts_ns"][0])
        written = run_block(self.records, self.words, ticks, every_tick, (rows, marks))
        is_last_row = written > 0 and int(marks[written - 1, 0]) == len(block) - 1
        self._flags = int(marks[written - 1, 1]) if is_last_row else self._ready_flag()
        out = (rows[:written], marks[:written])
        sampled = sampled_rows(self.symbol, self.plan, ticks, out)
        if self._columns is None:
            return sampled
        columns = self._columns.of_block(ticks, out, self.words, before_ns, self.requested)
        return replace(sampled, values=columns)

    def _most_closes(self, ts_ns: Int64Array) -> int:
        """An upper bound of the bars a block can close; a gap always changes the period too."""
        periods = np.maximum.accumulate(ts_ns) // (self.plan.bar_period_s * NS_PER_SECOND)
        return int(np.count_nonzero(np.diff(periods))) + 1

    def _ready_flag(self) -> int:
        count = int(self.records["memory"]["history"]["count"][0])
        return READY if count >= self.plan.warmup_bars else 0

    def snapshot(self) -> bytes:
        """The whole state with the plan's schema id and a checksum."""
        memory = b"".join(part.tobytes() for part in self._memories())
        digest = hashlib.sha256(memory).hexdigest()
        return msgspec.msgpack.encode(Snapshot(*self._identity(), digest, memory))

    def _memories(self) -> list[Float64Array]:
        """All that is remembered, in the order of a snapshot."""
        beyond = (self._columns, self.requested)
        return [self.words, *(part.state for part in beyond if part is not None)]

    def _identity(self) -> tuple[str, str, str, float]:
        return source_fingerprint(), self.plan.schema_id, self.symbol, self._point

    def restore(self, snapshot: bytes) -> None:
        """Continue exactly where `snapshot` was taken; on error the engine is unchanged.

        Raises:
            InputError: when it is damaged or belongs to another plan or instrument.
        """
        remedy = "Start cold and replay recent ticks instead."
        try:
            found = msgspec.msgpack.decode(snapshot, type=Snapshot)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            message = f"feature snapshot of {self.symbol} cannot be read: {error}."
            raise InputError(message, remedy=remedy) from error
        if (found.code, found.schema_id, found.symbol, found.point) != self._identity():
            raise InputError(
                f"feature snapshot is of {found.symbol}, schema {found.schema_id[:12]}, code "
                f"{found.code}; expected {self.symbol}, schema {self.plan.schema_id[:12]}, code "
                f"{source_fingerprint()}.",
                remedy=remedy,
            )
        digest = hashlib.sha256(found.memory).hexdigest()
        expected = sum(part.nbytes for part in self._memories())
        if digest != found.sha256 or len(found.memory) != expected:
            message = f"feature snapshot of {self.symbol} is damaged: its checksum differs."
            raise InputError(message, remedy=remedy)
        start = 0
        for part in self._memories():
            part[:] = np.frombuffer(found.memory[start : start + part.nbytes], np.float64)
            start += part.nbytes
        self._flags = self._ready_flag()
