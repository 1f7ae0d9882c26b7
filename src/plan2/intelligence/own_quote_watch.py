"""Says when an account's own broker quotes in vain: what its quality gates set aside, and why.

Single bad quotes happen to every broker and are only counted. When a part of a symbol's quotes is
set aside for minutes, its orders are refused and the account is valued at old quotes; then a person
is told what to look at. Repeated quotes and those outside of trading hours are no fault.
"""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

import msgspec

from plan2.dataflow.quality import QualityGate, Verdict
from plan2.foundation.clock import Clock
from plan2.foundation.health import Health, Status
from plan2.foundation.values import NS_PER_SECOND

STEP_NS: Final = 10 * NS_PER_SECOND
"""Between two looks at the gates."""
STEPS: Final = 30
"""Looks that are kept: what is told is about the last five minutes."""
LEAST: Final = 3
PART_MAX: Final = 0.05
"""So many quotes of a symbol, and more than this part of them, are a fault."""

BAD_PRICE: Final = (
    "Most of them have prices that cannot be: ask the broker, and restart the terminal."
)
BAD_CLOCK: Final = (
    "Most of them are ahead of our clock: put the clocks and time zones of this machine and of "
    "the terminal's right."
)
BAD_ORDER: Final = (
    "Most of them are older than the ones before: let only one host serve this account, and "
    "restart the terminal."
)
BAD_JUMP: Final = (
    "Most of them are far from the ones before: compare the broker's prices with other sources."
)
REMEDIES: Final[Mapping[Verdict, str]] = {
    Verdict.NOT_A_NUMBER: BAD_PRICE,
    Verdict.NON_POSITIVE: BAD_PRICE,
    Verdict.CROSSED: BAD_PRICE,
    Verdict.OUT_OF_ORDER: BAD_ORDER,
    Verdict.SPIKE: BAD_JUMP,
    Verdict.FUTURE: BAD_CLOCK,
}
"""What to do about each fault."""

Counts = Mapping[str, int]


class _Lately(msgspec.Struct, frozen=True):
    """What became of a symbol's quotes in the last minutes."""

    all: int
    faults: Counter[Verdict]

    @property
    def refused(self) -> int:
        """How many were set aside by a fault."""
        return self.faults.total()

    @property
    def is_fault(self) -> bool:
        """Whether these are more than happen to every broker."""
        return self.refused >= LEAST and self.refused > PART_MAX * self.all

    @property
    def reason(self) -> Verdict:
        """The fault that most of them had."""
        return max(self.faults, key=self.faults.__getitem__)


class OwnQuoteWatch:
    """Looks at the gates of one account.

    Args:
        clock: tells the time that quotes are stamped in.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: Mapping[str, QualityGate] = {}
        self._looks: deque[dict[str, Counts]] = deque(maxlen=STEPS + 1)
        self._due_ns = 0
        self._health = Health()

    def follow(self, gates: Mapping[str, QualityGate]) -> None:
        """Look at these from now on, by symbol."""
        self._gates = gates

    def check(self) -> Health:
        """DEGRADED while quotes are set aside in numbers; asked every second, made anew in ten."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + STEP_NS
            self._looks.append({symbol: gate.counts() for symbol, gate in self._gates.items()})
            self._health = self._judge()
        return self._health

    def _judge(self) -> Health:
        now = self._looks[-1]
        metrics = {
            "set_aside": float(sum(_faults(counts).total() for counts in now.values())),
            "accepted": float(sum(gate.accepted for gate in self._gates.values())),
        }
        faulty = {symbol: found for symbol in now if (found := self._lately(symbol)).is_fault}
        if not faulty:
            return Health(Status.OK, "", metrics)
        symbol = max(faulty, key=lambda each: faulty[each].refused)
        worst = faulty[symbol]
        told = [
            f"{worst.refused} of {worst.all} own quotes of {symbol} were set aside in 5 minutes.",
            REMEDIES[worst.reason],
            "Until good ones come, entries are refused and open positions keep their last value.",
        ]
        if len(faulty) > 1:
            told.append(f"The same goes for {len(faulty) - 1} more symbols.")
        return Health(Status.DEGRADED, " ".join(told), metrics)

    def _lately(self, symbol: str) -> _Lately:
        """Since the oldest look that is kept; all of it before there is a second one."""
        counts, before = self._looks[-1][symbol], self._looks[0].get(symbol, {})
        if len(self._looks) == 1:
            before = {}
        since = {name: count - before.get(name, 0) for name, count in counts.items()}
        return _Lately(sum(since.values()), _faults(since))


def _faults(counts: Counts) -> Counter[Verdict]:
    return Counter({verdict: counts[verdict.reason] for verdict in REMEDIES})
