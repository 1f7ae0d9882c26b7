"""The broker's records told in our terms: whose they are, our symbol names, UTC.

Who sent a deal is found by order ticket, then by the position it belongs to, and only then by the
comment, which brokers rewrite. A deal by which the broker closed a position (stop, take-profit,
stop-out) carries the token of the order that opened it.
"""

from collections.abc import Iterable
from typing import Final

from plan2.dataflow.terminals.mt5 import reading
from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import DealEntry, DealReason
from plan2.dataflow.terminals.mt5.memory import OrderMemory, Outline, Sent
from plan2.dataflow.terminals.mt5.reading import Told
from plan2.dataflow.terminals.mt5.server_time import ServerTime
from plan2.dataflow.terminals.mt5.shape import TradeDeal, TradeOrder, TradePosition
from plan2.dataflow.terminals.mt5.symbols import Symbols
from plan2.dataflow.terminals.port import Deal, TerminalOrder, TerminalPosition
from plan2.foundation.clock import Clock
from plan2.foundation.values import NS_PER_SECOND

BY_BROKER: Final = frozenset({DealReason.SL, DealReason.TP, DealReason.SO})
BY_PERSON: Final = frozenset({DealReason.CLIENT, DealReason.MOBILE, DealReason.WEB})
NOT_BY_US: Final = BY_BROKER | BY_PERSON
"""Whose orders and deals are never what became of an order that we sent; both number alike."""


class Teller:
    """Turns records of one account into the port's values.

    `money_digits` are those of the account's currency.
    """

    def __init__(
        self, calls: Calls, symbols: Symbols, memory: OrderMemory, time: ServerTime, clock: Clock
    ) -> None:
        self.money_digits = 2
        self._calls = calls
        self._symbols = symbols
        self._memory = memory
        self._time = time
        self._clock = clock

    def position(self, found: TradePosition) -> TerminalPosition:
        """An open position."""
        token = self._memory.opener(found.identifier)
        if token is None:
            token = found.comment if found.magic else ""
        return reading.position_of(found, self._told(found.symbol, token, found.time_msc))

    def order(self, found: TradeOrder) -> TerminalOrder:
        """A working pending order."""
        sent = self._memory.claim(self.outline_of_order(found))
        token = sent.token if sent is not None else found.comment if found.magic else ""
        expires_ns = self.utc_ns(found.time_expiration * 1_000) if found.time_expiration else 0
        told = self._told(found.symbol, token, found.time_setup_msc)
        return reading.order_of(found, told, expires_ns)

    def deals(self, found: Iterable[TradeDeal]) -> list[Deal] | None:
        """Executions among the deals, oldest first; None when one of them cannot be told yet."""
        deals: list[Deal] = []
        for one in sorted(filter(reading.is_trade, found), key=_place):
            told = self.deal(one)
            if told is None:
                return None
            deals += told
        return deals

    def deal(self, found: TradeDeal) -> tuple[Deal, ...] | None:
        """An execution; two when it turned a position, None when that cannot be told apart yet."""
        sent = self.sender(found)
        token = self._token(found, sent)
        if not reading.is_exit(found) or found.entry == DealEntry.INOUT:
            self._memory.note_opener(found.position_id, token)
        told = self._told(found.symbol, token, found.time_msc)
        deal = reading.deal_of(found, told, is_ours=sent is not None)
        if found.entry != DealEntry.INOUT:
            return (deal,)
        history = self._calls.deals_of_position(found.position_id)
        if isinstance(history, CallFailed):
            return None
        held = reading.held_before(history, found)
        return reading.turned(deal, held) if 0 < held < deal.quantity else None

    def sender(self, found: TradeDeal) -> Sent | None:
        """The order of ours that made a deal, None when it was somebody else."""
        known = self._memory.of_ticket(found.order)
        if known is not None or found.reason in NOT_BY_US:
            return known
        return self._memory.claim(self.outline_of_deal(found))

    def outline_of_deal(self, found: TradeDeal) -> Outline:
        """What a deal tells about the order that made it."""
        return Outline(
            ticket=found.order,
            symbol=found.symbol,
            side=int(reading.side_of(found)),
            quantity=found.volume,
            magic=found.magic,
            ts_ns=self.utc_ns(found.time_msc),
            comment=found.comment,
        )

    def outline_of_order(self, found: TradeOrder) -> Outline:
        """What an order at the broker tells about the one that was sent."""
        side = reading.TRIGGERS[found.type][0] if found.type in reading.TRIGGERS else 0
        return Outline(
            ticket=found.ticket,
            symbol=found.symbol,
            side=int(side),
            quantity=found.volume_initial,
            magic=found.magic,
            ts_ns=self.utc_ns(found.time_setup_msc or found.time_setup * 1_000),
            comment=found.comment,
        )

    def utc_ns(self, server_ms: int) -> int:
        """A server time, ms, in UTC ns."""
        return self._time.to_utc_ns(server_ms, self._clock.now_ns())

    def server_s(self, ts_ns: int) -> int:
        """A UTC time in server seconds."""
        return self._time.to_server_s(ts_ns)

    def window_s(self, since_ns: int, back_s: int = 0) -> tuple[int, int]:
        """Server seconds from a time, `back_s` earlier, to a day ahead of now."""
        ahead_ns = self._clock.now_ns() + 86_400 * NS_PER_SECOND
        return self.server_s(since_ns) - back_s, self.server_s(ahead_ns)

    def _token(self, found: TradeDeal, sent: Sent | None) -> str:
        if sent is not None:
            return sent.token
        if found.reason in BY_BROKER:
            return self._opener(found.position_id)
        return found.comment if found.reason == DealReason.EXPERT else ""

    def _opener(self, identifier: int) -> str:
        """The token of the order that opened a position, empty when it is not ours or unknown."""
        known = self._memory.opener(identifier)
        if known is not None:
            return known
        history = self._calls.deals_of_position(identifier)
        if isinstance(history, CallFailed):
            return ""
        entries = [one for one in history if one.entry == DealEntry.IN]
        if not entries:
            return ""
        first = min(entries, key=_place)
        token = self._token(first, self.sender(first))
        self._memory.note_opener(identifier, token)
        return token

    def _told(self, name: str, token: str, server_ms: int) -> Told:
        return Told(
            symbol=self._symbols.ours(name),
            token=token,
            ts_ns=self.utc_ns(server_ms),
            digits=self.money_digits,
        )


def _place(found: TradeDeal) -> tuple[int, int]:
    return (found.time_msc, found.ticket)
