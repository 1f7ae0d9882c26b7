"""The quality gate: a verdict on every live tick of one symbol, in constant time.

A tick that cannot be trusted is set aside with its reason and counted, never silently dropped. The
gate keeps a handful of numbers and a bounded ring of what it set aside; it depends on nothing but
the ticks and times it is given, so a replay gives the same verdicts.

A spike is a change of the mid beyond `spike_sigmas` usual changes. The usual change is learned in
blocks of ticks as an exponentially weighted mean of absolute changes, never below half the usual
spread; each change counts at most as the limit, so that spikes do not raise it. After a quiet time
the limit grows with the square root of that time, as a diffusion does. A level that LEVEL_TICKS
ticks in a row agree on is real: it becomes the new level.
"""

import enum
import math
from collections import deque
from typing import Final

from plan2.dataflow.quarantine import Quarantined
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MS, NS_PER_SECOND, Tick

GAP_NS: Final = 60 * NS_PER_SECOND
"""A quiet time that is reported although the tick after it is accepted."""

FUTURE_NS: Final = 60 * NS_PER_SECOND
"""A tick further ahead of our clock than this was stamped in another time zone."""

LEVEL_TICKS: Final = 3
BLOCK_TICKS: Final = 16
"""The averages move once in a block, which keeps the path of a tick short."""

WEIGHT: Final = 0.08
"""Weight of a new block in the averages: a memory of about 200 ticks."""

FIRST_BLOCKS: Final = 12
FIRST_LIMIT_FRACTION: Final = 0.01
"""Until FIRST_BLOCKS blocks were seen, a spike is a change by this part of the price."""

LIMIT_FRACTION_MIN: Final = 1e-4
"""A smaller change, one basis point of the price, is never a spike, however still the market."""

SIGMA_OF_CHANGE: Final = math.sqrt(math.pi / 2.0)
"""Standard deviation over mean absolute change, for normally distributed changes."""

NEVER_NS: Final = 2**63
INFINITE: Final = math.inf
QUARANTINE_MAX: Final = 1_000
WEEK_NS: Final = 7 * NS_PER_DAY
CLOSE_IN_WEEK_NS: Final = NS_PER_DAY + 22 * NS_PER_HOUR
"""Friday 22:00 UTC, counted from Thursday 1 January 1970: closed in summer and winter."""

OPEN_IN_WEEK_NS: Final = 3 * NS_PER_DAY + 21 * NS_PER_HOUR
"""Sunday 21:00 UTC: before it every currency market is closed."""


class Verdict(enum.IntEnum):
    """What the gate says of a tick; up to LEVEL_SHIFT it is accepted."""

    OK = 0
    GAP = 1
    """Accepted: the first tick after a quiet time."""
    LEVEL_SHIFT = 2
    """Accepted: the price jumped and stayed there."""
    NOT_A_NUMBER = 3
    NON_POSITIVE = 4
    CROSSED = 5
    """The ask is below the bid."""
    OUT_OF_ORDER = 6
    DUPLICATE = 7
    """Time, bid and ask are those of the tick before."""
    SPIKE = 8
    WEEKEND = 9
    FUTURE = 10

    @property
    def is_accepted(self) -> bool:
        """Whether the tick may be acted on."""
        return self <= Verdict.LEVEL_SHIFT

    @property
    def reason(self) -> str:
        """The name for events and files, such as `out_of_order`."""
        return self.name.lower()


class Freshness(enum.Enum):
    """How current the last accepted tick is."""

    WAITING = "waiting"
    FRESH = "fresh"
    STALE = "stale"
    CLOSED = "closed"


OK: Final = Verdict.OK
LEVEL_SHIFT: Final = Verdict.LEVEL_SHIFT


class QualityGate:
    """Judges the ticks of one symbol.

    Args:
        symbol: whose ticks. spike_sigmas: see the module. trades_weekends: for crypto currencies.

    Attributes:
        quarantine_lost: ticks that fell out of the full ring before they were taken.
    """

    __slots__ = (
        "_ask",
        "_bid",
        "_blocks",
        "_change",
        "_change_sum",
        "_closes_ns",
        "_counts",
        "_learned_ts_ns",
        "_left",
        "_level",
        "_level_after",
        "_level_ticks",
        "_level_ts_ns",
        "_limit",
        "_mid",
        "_ring",
        "_sigmas",
        "_spread",
        "_step_ns",
        "_ts_ns",
        "quarantine_lost",
        "symbol",
    )

    def __init__(
        self, symbol: str, spike_sigmas: float = 20.0, *, trades_weekends: bool = False
    ) -> None:
        self.symbol = symbol
        self.quarantine_lost = 0
        self._sigmas = spike_sigmas
        self._closes_ns = NEVER_NS if trades_weekends else 0
        self._counts = [0] * len(Verdict)
        self._ring: deque[Quarantined] = deque(maxlen=QUARANTINE_MAX)
        # The last accepted tick, and what is added up since the last learning.
        self._ts_ns = 0
        self._bid = self._ask = self._mid = 0.0
        self._change_sum = 0.0
        self._left = BLOCK_TICKS
        # What was learned.
        self._blocks = 0
        self._learned_ts_ns = 0
        self._change = self._spread = self._step_ns = self._limit = 0.0
        # A new level that ticks may be agreeing on.
        self._level = 0.0
        self._level_ticks = self._level_ts_ns = self._level_after = 0

    def check(self, tick: Tick, now_ns: int) -> Verdict:
        """Judge the next tick; `now_ns` is our clock, UTC. A refused tick goes to quarantine."""
        bid, ask, ts_ns = tick.bid, tick.ask, tick.ts_ns
        if not 0.0 < bid <= ask < INFINITE:  # false for NaN as well
            return self._set_aside(tick, _price_fault(bid, ask))
        step_ns = ts_ns - self._ts_ns
        if step_ns <= 0 and (step_ns < 0 or (bid == self._bid and ask == self._ask)):
            return self._set_aside(tick, Verdict.OUT_OF_ORDER if step_ns < 0 else Verdict.DUPLICATE)
        if ts_ns >= self._closes_ns and not self._begin_week(ts_ns):
            return self._set_aside(tick, Verdict.WEEKEND)
        if ts_ns - now_ns > FUTURE_NS:
            return self._set_aside(tick, Verdict.FUTURE)
        mid = (bid + ask) * 0.5
        change = mid - self._mid
        if change < 0.0:
            change = -change
        verdict = OK
        if change > self._limit or step_ns > GAP_NS:
            verdict = self._judge_change(mid, change, ts_ns)
            if verdict > LEVEL_SHIFT:
                return self._set_aside(tick, verdict)
            self._counts[verdict] += 1
            change = min(change, self._limit)
        self._bid, self._ask, self._mid, self._ts_ns = bid, ask, mid, ts_ns
        self._change_sum += change
        self._left -= 1
        if not self._left:
            self._learn()
        return verdict

    def freshness(self, now_ns: int, stale_after_ms: int) -> Freshness:
        """Whether the last accepted tick is recent enough to act on."""
        if self._closes_ns != NEVER_NS and _is_closed(now_ns):
            return Freshness.CLOSED
        age_ms = self.age_ms(now_ns)
        if age_ms is None:
            return Freshness.WAITING
        return Freshness.STALE if age_ms > stale_after_ms else Freshness.FRESH

    def age_ms(self, now_ns: int) -> int | None:
        """How old the last accepted tick is, or None before the first one."""
        return max(0, now_ns - self._ts_ns) // NS_PER_MS if self.accepted else None

    @property
    def accepted(self) -> int:
        """Ticks accepted since the gate was made."""
        return self._blocks * BLOCK_TICKS + BLOCK_TICKS - self._left

    def counts(self) -> dict[str, int]:
        """Ticks by verdict, since the gate was made."""
        counted = {verdict.reason: self._counts[verdict] for verdict in Verdict}
        counted["ok"] = self.accepted - counted["gap"] - counted["level_shift"]
        return counted

    def take_quarantined(self) -> list[Quarantined]:
        """Empty the ring of refused ticks, oldest first."""
        taken = list(self._ring)
        self._ring.clear()
        return taken

    def _judge_change(self, mid: float, change: float, ts_ns: int) -> Verdict:
        """A change beyond the limit, or the first tick after a quiet time."""
        accepted = self.accepted
        if accepted == 0:
            self._learned_ts_ns = ts_ns
            return Verdict.OK
        # No limit is known in the first block, so all its changes come here.
        limit = self._limit if self._blocks else mid * FIRST_LIMIT_FRACTION
        step_ns = ts_ns - self._ts_ns
        growth = math.sqrt(max(1.0, step_ns / self._step_ns)) if self._step_ns else 1.0
        if change <= limit * growth:
            return Verdict.GAP if step_ns > GAP_NS else Verdict.OK
        is_agreed = accepted == self._level_after and abs(mid - self._level) <= limit
        is_repeated = ts_ns == self._level_ts_ns and mid == self._level
        if not is_agreed:
            self._level_ticks = 1
        elif not is_repeated:
            self._level_ticks += 1
        self._level, self._level_ts_ns, self._level_after = mid, ts_ns, accepted
        return Verdict.LEVEL_SHIFT if self._level_ticks >= LEVEL_TICKS else Verdict.SPIKE

    def _learn(self) -> None:
        """Move the averages towards the block of ticks that is complete."""
        self._blocks += 1
        self._left = BLOCK_TICKS
        weight = max(WEIGHT, 1.0 / self._blocks)
        step_ns = min((self._ts_ns - self._learned_ts_ns) / BLOCK_TICKS, GAP_NS)
        self._step_ns += (step_ns - self._step_ns) * weight
        self._learned_ts_ns = self._ts_ns
        self._change += (self._change_sum / BLOCK_TICKS - self._change) * weight
        self._change_sum = 0.0
        self._spread += (self._ask - self._bid - self._spread) * weight
        if self._blocks < FIRST_BLOCKS:
            self._limit = self._mid * FIRST_LIMIT_FRACTION
        else:
            usual = max(self._change * SIGMA_OF_CHANGE, self._spread * 0.5)
            self._limit = max(self._sigmas * usual, self._mid * LIMIT_FRACTION_MIN)

    def _begin_week(self, ts_ns: int) -> bool:
        """Whether the market is open; if so, its next closing time becomes known."""
        if _is_closed(ts_ns):
            return False
        week_ns = (ts_ns - CLOSE_IN_WEEK_NS) // WEEK_NS * WEEK_NS
        self._closes_ns = week_ns + WEEK_NS + CLOSE_IN_WEEK_NS
        return True

    def _set_aside(self, tick: Tick, verdict: Verdict) -> Verdict:
        self._counts[verdict] += 1
        if len(self._ring) == QUARANTINE_MAX:
            self.quarantine_lost += 1
        self._ring.append(Quarantined(tick, verdict.reason))
        return verdict


def _price_fault(bid: float, ask: float) -> Verdict:
    if not (math.isfinite(bid) and math.isfinite(ask)):
        return Verdict.NOT_A_NUMBER
    return Verdict.NON_POSITIVE if min(bid, ask) <= 0.0 else Verdict.CROSSED


def _is_closed(ts_ns: int) -> bool:
    return CLOSE_IN_WEEK_NS <= ts_ns % WEEK_NS < OPEN_IN_WEEK_NS
