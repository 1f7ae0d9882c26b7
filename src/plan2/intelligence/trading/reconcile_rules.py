"""The rules of reconciliation: how often, how patiently, and what follows from a difference.

Nothing is concluded from one look. A difference must be seen twice with time in between, and what
was touched a moment ago is left alone. Each difference is said once for as long as it lasts.
"""

import enum
import math
from collections.abc import Hashable, Iterable

import msgspec

from plan2.foundation.events.order import ReconciliationDifference
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading import altered_deals
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.summary import SETTLED

ACTOR = "reconcile"
"""Who halts when the books disagree."""


LOT_EPSILON = 1e-9
"""Below this, lots are the same."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When the broker is asked, in seconds of the terminal's clock.

    Attributes:
        in_flight_every_s: between two questions about the same order; asked for when
        `in_flight_after_s` went by without an answer.
        orders_every_s, positions_every_s: between two comparisons of working orders, positions.
        recheck_s: until a difference is looked at again. protect_s: what changed this recently is
        not judged, but no difference is spared longer than `protect_max_s`.
        confirmations: traces in a row that must find nothing before an order counts as never
        arrived, and `settling_s` how old it must be.
        overlap_s: how far before the last known deal deals are asked for.
        failures_said: questions without an answer in a row before a person is told.
    """

    in_flight_every_s: float = 2.0
    in_flight_after_s: float = 5.0
    orders_every_s: float = 10.0
    positions_every_s: float = 60.0
    recheck_s: float = 2.0
    protect_s: float = 5.0
    protect_max_s: float = 30.0
    confirmations: int = 5
    settling_s: float = 15.0
    overlap_s: float = 600.0
    failures_said: int = 5


class Kind(enum.StrEnum):
    """How our books and the broker's disagree."""

    MISSING_POSITION = "missing_position"
    """Ours; the broker does not have it and no deal explains where it went."""
    UNKNOWN_POSITION = "unknown_position"
    QUANTITY = "quantity"
    SIDE = "side"
    STOP_LOSS = "stop_loss"
    ORDER_MISSING = "order_missing"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_QUANTITY = "order_quantity"
    ORDER_CHANGED = "order_changed"
    DEAL_MISSING = "deal_missing"
    DEAL_ALTERED = altered_deals.ALTERED
    BALANCE = "balance"


class Action(enum.StrEnum):
    """What was done about a difference."""

    BOOKED = "booked"
    """Our books took over what the broker says."""
    ADOPTED = "adopted as foreign"
    """Shown and counted in risk, never managed."""
    NOTED = "noted"
    BLOCKED = "blocked"
    """No new risk until it is explained; looked at again shortly."""
    HALTED = altered_deals.HALTED
    """No new risk until a person has looked."""
    SETTLED = SETTLED
    """What halted is over: the broker says again what is booked, or a person has looked."""


STANDING = frozenset({Action.BLOCKED, Action.HALTED})
"""Actions after which the books do not agree."""


class Findings:
    """Writes differences down, once each, and halts where the policy says so."""

    def __init__(self, account: TradingAccount) -> None:
        self._account = account
        self._standing: dict[tuple[Kind, str], Action] = {}
        self.found: list[ReconciliationDifference] = []
        """What the pass under way has said so far."""

    @property
    def has_standing(self) -> bool:
        """Whether a difference lasts that forbids new risk."""
        return any(action in STANDING for action in self._standing.values())

    def report(
        self, kind: Kind, subject: str, sides: tuple[str, str], action: Action, now_ns: int
    ) -> None:
        """Say a difference that lasts, once for each action; `sides` = ours, theirs."""
        key = (kind, subject)
        if self._standing.get(key) is not action:
            self._standing[key] = action
            self.say(kind, subject, sides, action, now_ns)

    def say(
        self, kind: Kind, subject: str, sides: tuple[str, str], action: Action, now_ns: int
    ) -> None:
        """Say a difference that is over with what is done about it."""
        ours, theirs = sides
        difference = ReconciliationDifference(
            ts_ns=now_ns,
            account_id=self._account.identity.account_id,
            kind=kind.value,
            ours=f"{subject}: {ours}",
            theirs=f"{subject}: {theirs}",
            action=action.value,
        )
        self.found.append(difference)
        self._account.note_differences([difference])
        self._account.positions.altered.apply(difference)
        if action is Action.HALTED:
            reason = f"{kind.value} {subject}: we have {ours}, the broker {theirs}"
            self._account.set_state(TradingState.HALTED, now_ns, ACTOR, reason)

    def halted(self, kind: Kind) -> list[str]:
        """Subjects of a kind that halted and stand."""
        standing = self._standing.items()
        return [key[1] for key, action in standing if key[0] is kind and action is Action.HALTED]

    def forget(self, kind: Kind, subject: str) -> Action | None:
        """A difference is over; what had been done about it, None when it did not stand."""
        return self._standing.pop((kind, subject), None)

    def settle(self, kinds: Iterable[Kind], still: Iterable[str]) -> None:
        """Forget differences of these kinds whose subject is no longer among those found."""
        wanted, left = frozenset(kinds), frozenset(still)
        for key in [k for k in self._standing if k[0] in wanted and k[1] not in left]:
            del self._standing[key]

    def describe(self) -> str:
        """The standing differences in words; empty when there are none."""
        return ", ".join(
            f"{kind.value} {subject}"
            for (kind, subject), action in self._standing.items()
            if action in STANDING
        )


class Sightings:
    """Remembers since when the same thing has been seen in every look."""

    def __init__(self) -> None:
        self._first_ns: dict[Hashable, int] = {}

    def age_ns(self, key: Hashable, now_ns: int) -> int:
        """Time since it was first seen; 0 at the first sight."""
        return now_ns - self._first_ns.setdefault(key, now_ns)

    def keep(self, seen: Iterable[Hashable]) -> None:
        """The look is over: what was not seen in it starts anew next time."""
        left = set(seen)
        self._first_ns = {key: at for key, at in self._first_ns.items() if key in left}


class Changes:
    """When each object of ours last changed, or went away, found by looking at it often."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Hashable, int]] = {}
        self._gone_ns: dict[str, int] = {}

    def look(self, now: dict[str, Hashable], now_ns: int, keep_ns: int) -> None:
        """Take in the present signatures by id."""
        for key, signature in now.items():
            if key not in self._last or self._last[key][0] != signature:
                self._last[key] = (signature, now_ns)
        for key in [key for key in self._last if key not in now]:
            del self._last[key]
            self._gone_ns[key] = now_ns
        self._gone_ns = {key: at for key, at in self._gone_ns.items() if now_ns - at < keep_ns}

    def age_ns(self, key: str, now_ns: int) -> int:
        """Time since it changed or went away; very large for what never did."""
        if key in self._last:
            return now_ns - self._last[key][1]
        return now_ns - self._gone_ns.get(key, -(10**18))


def is_same(left: float, right: float) -> bool:
    """Whether two prices are the same but for the last bits of a float."""
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)


def ns_of(seconds: float) -> int:
    """Seconds as whole nanoseconds."""
    return int(seconds * NS_PER_SECOND)
