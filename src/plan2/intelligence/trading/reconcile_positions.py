"""Positions: what the broker holds must be what we booked, or be explained.

What somebody else opened is adopted: shown and counted, never managed. A position of ours that the
broker does not have, and that no deal closed, halts trading. Stops that differ are taken over.
"""

from collections.abc import Hashable

from plan2.dataflow.terminals.port import OrderKind, OrderSide, TerminalPosition
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import PositionOpened, PositionProtected
from plan2.intelligence.risk.gate import MAGIC
from plan2.intelligence.trading.acceptance import dropped
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.positions import Position, position_id_of
from plan2.intelligence.trading.reconcile_deals import DealsPass
from plan2.intelligence.trading.reconcile_rules import (
    LOT_EPSILON,
    Action,
    Changes,
    Findings,
    Kind,
    Schedule,
    Sightings,
    is_same,
    ns_of,
)

CHANGED_THERE = "changed at the broker"
LASTING = (Kind.MISSING_POSITION, Kind.UNKNOWN_POSITION, Kind.QUANTITY, Kind.SIDE)


class PositionsPass:
    """Compares the positions of one account with the broker's."""

    def __init__(
        self,
        account: TradingAccount,
        terminal: OrderSide,
        findings: Findings,
        deals: DealsPass,
        schedule: Schedule,
    ) -> None:
        self._account = account
        self._terminal = terminal
        self._findings = findings
        self._deals = deals
        self._schedule = schedule
        self._changes = Changes()
        self._sightings = Sightings()
        self._missing: list[str] = []

    def look(self, now_ns: int) -> None:
        """Notice which of our positions changed since the last look; call it often."""
        self._changes.look(
            {key: (one.quantity, one.side) for key, one in self._account.positions.open.items()},
            now_ns,
            ns_of(self._schedule.protect_s),
        )

    async def run(self, now_ns: int, *, is_start: bool = False) -> bool | None:
        """Whether nothing has to be looked at again soon; None when the broker was not askable.

        At start nothing of ours moves, so what needs no patience is judged at the first sight.
        """
        found = await self._terminal.positions()
        if found is None:
            return None
        account_id = self._account.identity.account_id
        theirs = {position_id_of(account_id, item.ticket): item for item in found}
        for key, position in theirs.items():
            if key not in self._account.positions.open:
                await self._explain(position, now_ns)
        self.look(now_ns)
        unclear: list[Hashable] = []
        lasting: list[str] = []
        self._missing.clear()
        for key in sorted(self._account.positions.open.keys() | theirs.keys()):
            kind = _difference(self._account.positions.open.get(key), theirs.get(key))
            if kind is None:
                continue
            is_protected = self._sightings.age_ns(key, now_ns) < ns_of(self._schedule.protect_max_s)
            unclear.append(key)
            if not is_start and is_protected and self._is_under_way(key, theirs.get(key), now_ns):
                continue
            lasting.append(key)
            sight = (kind, key, _words(theirs.get(key)))
            if self._judge(sight, theirs.get(key), now_ns, is_start):
                unclear.remove(key)
            else:
                unclear.append(sight)
        self._sightings.keep(unclear)
        self._findings.settle(LASTING, lasting)
        self._account.broker.see_missing(tuple(self._missing), now_ns)
        return not unclear

    # --- judging --------------------------------------------------------------------------

    async def _explain(self, position: TerminalPosition, now_ns: int) -> None:
        """The one targeted question about a position we do not have: which deals made it."""
        orders = self._account.orders
        order_id = orders.by_token.get(position.token, "")
        if order_id:
            trace = await self._terminal.trace(position.token)
            for deal in trace.deals if trace is not None else ():
                self._deals.take(deal, now_ns, order_id)

    def _judge(
        self,
        sight: tuple[Kind, str, str],
        theirs: TerminalPosition | None,
        now_ns: int,
        is_start: bool,
    ) -> bool:
        """Act on a difference that has lasted long enough; whether it is dealt with."""
        kind, key, words = sight
        ours, schedule = self._account.positions.open.get(key), self._schedule
        age_ns = self._sightings.age_ns(sight, now_ns)
        is_foreign, sides = self._is_foreign(ours, theirs), (_words(ours), words)
        is_harmless = kind is Kind.STOP_LOSS or (is_foreign and kind is Kind.UNKNOWN_POSITION)
        is_seen_twice = is_start or age_ns >= ns_of(schedule.recheck_s)
        is_lasting = age_ns >= ns_of(schedule.settling_s)
        if (is_harmless and is_seen_twice) or (is_foreign and is_lasting):
            action = Action.ADOPTED if kind is Kind.UNKNOWN_POSITION else Action.BOOKED
            self._findings.say(kind, key, sides, action, now_ns)
            self._account.book(self._taken_over(key, ours, theirs, now_ns))
            return True
        if is_seen_twice and not is_foreign:
            action = Action.HALTED if is_lasting else Action.BLOCKED
            self._findings.report(kind, key, sides, action, now_ns)
            if is_lasting and kind is Kind.MISSING_POSITION:
                self._missing.append(key)
        return False

    def _is_foreign(self, ours: Position | None, theirs: TerminalPosition | None) -> bool:
        """Whether somebody else's: unmanaged in our books, or not marked as ours by the broker."""
        if ours is not None:
            return not ours.is_managed
        return theirs is not None and theirs.magic != MAGIC

    def _is_under_way(self, key: str, theirs: TerminalPosition | None, now_ns: int) -> bool:
        """Whether it changed a moment ago, or an order of ours may be changing it just now."""
        if self._changes.age_ns(key, now_ns) < ns_of(self._schedule.protect_s):
            return True
        ours = self._account.positions.open.get(key)
        symbol = theirs.symbol if theirs is not None else ours.symbol if ours is not None else ""
        ticket = key.rpartition(":")[2]
        for order in self._account.orders.open.values():
            placed = order.placed
            named = {one.rpartition(":")[2] for one in (placed.position_id, placed.opposite_id)}
            is_entry = order.kind is OrderKind.OPEN and placed.symbol == symbol
            if ticket in named or (is_entry and (ours is None or theirs is None)):
                return True
        return False

    def _taken_over(
        self, key: str, ours: Position | None, theirs: TerminalPosition | None, now_ns: int
    ) -> list[Event]:
        """The events after which our books say what the broker says."""
        if ours is not None and theirs is not None and _difference(ours, theirs) is Kind.STOP_LOSS:
            return [_protected(ours, theirs, now_ns)]
        events: list[Event] = []
        identity = self._account.identity
        if ours is not None:
            events.append(dropped(self._account, ours, now_ns))
        if theirs is not None:
            events.append(_adopted(key, theirs, identity.account_id, identity.tenant_id, now_ns))
        return events


def _difference(ours: Position | None, theirs: TerminalPosition | None) -> Kind | None:
    if theirs is None:
        return Kind.MISSING_POSITION
    if ours is None:
        return Kind.UNKNOWN_POSITION
    if ours.side is not theirs.side:
        return Kind.SIDE
    if abs(ours.quantity - theirs.quantity) > LOT_EPSILON:
        return Kind.QUANTITY
    is_protected_alike = is_same(ours.stop_loss, theirs.stop_loss) and is_same(
        ours.take_profit, theirs.take_profit
    )
    return None if is_protected_alike else Kind.STOP_LOSS


def _words(position: Position | TerminalPosition | None) -> str:
    if position is None:
        return "none"
    stops = f"{position.stop_loss:g}/{position.take_profit:g}"
    return f"{position.side.name} {position.quantity:g} {position.symbol}, stops {stops}"


def _protected(ours: Position, theirs: TerminalPosition, now_ns: int) -> PositionProtected:
    return PositionProtected(
        ts_ns=now_ns,
        position_id=ours.position_id,
        account_id=ours.position_id.rpartition(":")[0],
        symbol=ours.symbol,
        stop_loss=theirs.stop_loss,
        take_profit=theirs.take_profit,
        reason=CHANGED_THERE,
    )


def _adopted(
    key: str, theirs: TerminalPosition, account_id: str, tenant_id: str, now_ns: int
) -> PositionOpened:
    """A position that no deal of ours explains, as of now; nothing of it is in our balance."""
    return PositionOpened(
        ts_ns=now_ns,
        position_id=key,
        account_id=account_id,
        tenant_id=tenant_id,
        symbol=theirs.symbol,
        direction=theirs.side.name.lower(),
        quantity=theirs.quantity,
        open_price=theirs.open_price,
        stop_loss=theirs.stop_loss,
        take_profit=theirs.take_profit,
        commission="0.00",
        decision_id="",
        expires_ts_ns=0,
        is_managed=False,
    )
