"""What became of an order whose answer was lost: asked of positions, orders, history and deals.

"Nothing" is only said when every question was answered, the order is old enough to show, and no
deal or order of the account could be it under a rewritten comment. Until then the answer is None.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5 import reading
from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import DealReason
from plan2.dataflow.terminals.mt5.memory import (
    LOT_EPSILON,
    OrderMemory,
    Outline,
    Sent,
    Stage,
    is_fitting,
)
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.sending import WITHOUT_DEAL
from plan2.dataflow.terminals.mt5.shape import TradeDeal, TradeOrder, TradePosition
from plan2.dataflow.terminals.mt5.telling import NOT_BY_US, Teller
from plan2.dataflow.terminals.port import Trace
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND

MARGIN_S: Final = 3_600
"""How far before it was sent an order is looked for."""


class Records(msgspec.Struct, frozen=True):
    """All that the broker shows."""

    positions: tuple[TradePosition, ...]
    working: tuple[TradeOrder, ...]
    ended: tuple[TradeOrder, ...]
    deals: tuple[TradeDeal, ...]


class Tracer:
    """Looks orders up by their token.

    `since_ns` is when the link last changed: the terminal needs as long to catch up with its trade
    server as an order to show.
    """

    def __init__(
        self, calls: Calls, teller: Teller, memory: OrderMemory, options: Mt5Options
    ) -> None:
        self.since_ns = 0
        self._calls = calls
        self._teller = teller
        self._memory = memory
        self._settle_ns = int(options.settle_s * NS_PER_SECOND)
        self._back_ns = options.trace_days * NS_PER_DAY

    def trace(self, token: str, now_ns: int) -> Trace | None:
        """What the broker has on record for a token, None while it cannot be told."""
        sent = self._memory.by_token.get(token)
        young_ns = max(sent.sent_ns if sent is not None else 0, self.since_ns)
        is_settled = now_ns - young_ns >= self._settle_ns
        if sent is not None and sent.kind in WITHOUT_DEAL:
            return Trace() if is_settled else None
        records = self._ask(sent.sent_ns if sent is not None else now_ns - self._back_ns)
        if records is None:
            return None
        tickets = self._tickets(token, sent, records)
        if tickets is None or (not tickets and not is_settled):
            return None
        if not tickets:
            if sent is not None:
                sent.stage = Stage.OVER
            return Trace()
        if sent is not None and len(tickets) == 1:
            self._memory.note_ticket(sent, next(iter(tickets)))
        return self._found(tickets, records, is_settled=is_settled)

    def _ask(self, since_ns: int) -> Records | None:
        start_s, end_s = self._teller.window_s(since_ns, MARGIN_S)
        positions = self._calls.positions_get()
        working = self._calls.orders_get()
        ended = self._calls.history_orders(start_s, end_s)
        deals = self._calls.history_deals(start_s, end_s)
        if (
            isinstance(positions, CallFailed)
            or isinstance(working, CallFailed)
            or isinstance(ended, CallFailed)
            or isinstance(deals, CallFailed)
        ):
            return None
        return Records(positions, working, ended, deals)

    def _tickets(self, token: str, sent: Sent | None, records: Records) -> set[int] | None:
        """Broker tickets of the order; None when several could be it."""
        orders = (*records.working, *records.ended)
        tickets = {one.ticket for one in orders if one.comment == token}
        tickets |= {
            one.order
            for one in records.deals
            if one.comment == token and one.reason == DealReason.EXPERT
        }
        if sent is not None and sent.order_ticket:
            tickets.add(sent.order_ticket)
        if tickets:
            return tickets
        if any(one.comment == token for one in records.positions):
            return None  # it was executed, and neither order nor deal is shown yet
        return self._unclaimed(sent, records) if sent is not None else set()

    def _unclaimed(self, sent: Sent, records: Records) -> set[int] | None:
        """The one order nobody claims that could be it under a rewritten comment."""
        orders = (*records.working, *records.ended)
        deals = filter(reading.is_trade, records.deals)
        # The stop-loss of a position has the magic, symbol, side and lots of our own close.
        outlines = [
            *(self._teller.outline_of_order(one) for one in orders if one.reason not in NOT_BY_US),
            *(self._teller.outline_of_deal(one) for one in deals if one.reason not in NOT_BY_US),
        ]
        outlines += [self._outline_of_position(one) for one in records.positions]
        fitting = {one.ticket for one in outlines if self._is_ours_maybe(sent, one)}
        if not fitting:
            return set()
        rivals = {
            other.token
            for one in outlines
            if one.ticket in fitting
            for other in self._memory.fitting(one)
        }
        return fitting if len(fitting) == 1 and rivals == {sent.token} else None

    def _is_ours_maybe(self, sent: Sent, found: Outline) -> bool:
        """Whether an order no one claims could be this one; the comment of another rules it out."""
        if self._memory.of_ticket(found.ticket) is not None:
            return False
        return found.comment not in self._memory.by_token and is_fitting(sent, found)

    def _outline_of_position(self, found: TradePosition) -> Outline:
        """A position is named after the order that opened it."""
        return Outline(
            ticket=found.identifier,
            symbol=found.symbol,
            side=1 if found.type == 0 else -1,
            quantity=found.volume,
            magic=found.magic,
            ts_ns=self._teller.utc_ns(found.time_msc),
            comment=found.comment,
        )

    def _found(self, tickets: set[int], records: Records, *, is_settled: bool) -> Trace | None:
        working = [one for one in records.working if one.ticket in tickets]
        ended = [one for one in records.ended if one.ticket in tickets]
        own = [one for one in records.deals if one.order in tickets and reading.is_trade(one)]
        if any(not reading.is_pending(one) for one in working):
            return None  # a market order that the server is still working on
        lots = sum(one.volume for one in own)
        if lots < _executed(ended) - LOT_EPSILON:
            return None  # its deals are late
        if not working and not ended and not (own and is_settled):
            return None  # the broker named the order but shows no end of it yet
        deals = self._teller.deals(own)
        if deals is None:
            return None
        return Trace(
            working=self._teller.order(working[0]) if working else None,
            deals=tuple(deals),
            is_over=not working,
        )


def _executed(ended: Iterable[TradeOrder]) -> float:
    return sum(one.volume_initial - one.volume_current for one in ended)
