"""Orders of people: placed, changed, withdrawn; positions protected, closed, claimed.

Every request names itself with an idempotency key. The order's id is derived from it, so that a
repetition never sends a second order, after a restart neither. A refusal is an answer too: it says
which rule refused, what it saw and its limit.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plan2.connectivity.gateway.problems import RequestRefused, RuleRefused
from plan2.connectivity.identity.principal import Session
from plan2.foundation.ids import derived_id
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.trading.account_events import ADDS_RISK
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.wishes import Ask, OrderWish, Refusal
from plan2.interface.api.command_desk import RECEIPTS_KEPT
from plan2.interface.api.order_bodies import ClaimBody, ReleaseBody
from plan2.interface.api.ports import OrderDesk
from plan2.interface.order_items import OrderReceipt

NOT_FOUND: Final = frozenset({"unknown_symbol", "unknown_position", "unknown_order"})
CONFLICT: Final = frozenset({"order_not_working", "no_change"})
MANUAL: Final = "manual_trading"
CLAIMS: Final = "foreign_claims"
WITHDRAWN: Final = "withdrawn by hand"

May = Callable[[str, Session], bool]
"""Whether a feature is switched on for a caller."""


class _Taken(msgspec.Struct, frozen=True):
    """A request that was answered: what it asked for and what became of it."""

    asked: object
    outcome: Outcome


class OrderRequests:
    """Hands requests to the desk, once per key; answers are remembered, refusals too."""

    def __init__(self, desk: OrderDesk, may: May = lambda _flag, _session: True) -> None:
        self._desk = desk
        self._may = may
        self._taken: dict[str, _Taken] = {}

    def place(self, session: Session, key: str, wish: OrderWish) -> OrderReceipt:
        """Ask for an order.

        Raises:
            RequestRefused: the wish was refused, or the key was used for something else.
        """
        if wish.kind in ADDS_RISK:
            self._check(MANUAL, session)
        request_id = _request_id(session, key)
        named = msgspec.structs.replace(wish, key=request_id)
        return self._once(request_id, named, lambda: self._desk.request(named))

    def preview(self, wish: OrderWish) -> tuple[Check, ...] | Refusal:
        """What the risk gate would say now; nothing is remembered."""
        return self._desk.preview(wish)

    def claim(self, session: Session, key: str, position_id: str, body: ClaimBody) -> OrderReceipt:
        """Hand a position to Plan2's care; raises as `place`."""
        self._check(CLAIMS, session)
        ask = Ask(session.actor, body.reason)
        return self._once(
            _request_id(session, key),
            (position_id, body),
            lambda: Outcome(refusal=self._desk.claim(position_id, ask, body.horizon_s)),
        )

    def release(
        self, session: Session, key: str, position_id: str, body: ReleaseBody
    ) -> OrderReceipt:
        """Take a position away from Plan2's care; raises as `place`."""
        ask = Ask(session.actor, body.reason)
        return self._once(
            _request_id(session, key),
            (position_id, body),
            lambda: Outcome(refusal=self._desk.release(position_id, ask)),
        )

    def _check(self, flag: str, session: Session) -> None:
        if not self._may(flag, session):
            raise RequestRefused(
                403,
                "switched_off",
                f"The feature {flag!r} is switched off here.",
                remedy="An administrator can switch it on under Settings, Features.",
            )

    def _once(self, request_id: str, asked: object, act: Callable[[], Outcome]) -> OrderReceipt:
        taken = self._taken.get(request_id)
        if taken is None:
            taken = self._taken[request_id] = _Taken(asked, act())
            if len(self._taken) > RECEIPTS_KEPT:
                del self._taken[next(iter(self._taken))]
        if taken.asked != asked:
            raise RequestRefused(
                409,
                "idempotency_conflict",
                "This Idempotency-Key was used for another request.",
                remedy="Use a new key for a new request.",
            )
        if taken.outcome.refusal is not None:
            raise _refused(taken.outcome.refusal)
        order_id = taken.outcome.order_id
        return OrderReceipt(request_id, order_id, self._desk.state_of(order_id))


def _request_id(session: Session, key: str) -> str:
    return derived_id("order", session.user.tenant_id, session.user.user_id, key)


def _refused(refusal: Refusal) -> RequestRefused:
    if refusal.rule in NOT_FOUND:
        return RequestRefused(404, refusal.rule, refusal.message)
    if refusal.rule in CONFLICT:
        return RequestRefused(409, refusal.rule, refusal.message)
    return RuleRefused(refusal.rule, refusal.message, refusal.value, refusal.limit)
