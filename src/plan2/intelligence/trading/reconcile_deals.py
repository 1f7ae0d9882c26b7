"""Deals: what the broker executed and we have not heard of is booked; what differs is said."""

from decimal import Decimal

from plan2.dataflow.terminals.port import Deal, OrderSide, OrderUpdate, UpdateKind
from plan2.foundation.events.order import OrderExecuted
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.positions import position_id_of
from plan2.intelligence.trading.reconcile_rules import (
    LOT_EPSILON,
    Action,
    Findings,
    Kind,
    Schedule,
    is_same,
    ns_of,
)


class DealsPass:
    """Asks for the deals since the last known one, with an overlap for those that show up late.

    Deals before `since_ns` are from the account's life before Plan2 and are never booked.
    """

    def __init__(
        self,
        account: TradingAccount,
        terminal: OrderSide,
        findings: Findings,
        schedule: Schedule,
        since_ns: int,
    ) -> None:
        self._account = account
        self._terminal = terminal
        self._findings = findings
        self._schedule = schedule
        self._since_ns = since_ns
        self._last_ns = 0

    async def run(self, now_ns: int) -> int | None:
        """Book what is missing; how many deals that were, None when the broker was not askable."""
        deals = await self._terminal.deals(self._from_ns(now_ns))
        if deals is None:
            return None
        self._let_go_of_seen(now_ns)
        booked = 0
        for deal in deals:
            booked += self.take(deal, now_ns)
            # A deal whose time is not over yet must not hide those that come before it.
            self._last_ns = max(self._last_ns, min(deal.ts_ns, now_ns))
        return booked

    def take(self, deal: Deal, now_ns: int, order_id: str = "") -> bool:
        """Book one deal, of an order of ours when that is known; whether it was missing."""
        account = self._account
        fill_id = position_id_of(account.identity.account_id, deal.ticket)
        known = account.positions.fills.get(fill_id)
        if known is not None:
            self._compare(known, deal, now_ns)
            return False
        if deal.ts_ns < self._since_ns or self._is_part_of_adopted(deal):
            return False
        account.on_order_update(
            OrderUpdate(kind=UpdateKind.FILLED, ts_ns=deal.ts_ns, order_id=order_id, deal=deal)
        )
        if fill_id not in account.positions.fills:
            return False  # so old that its id is no longer remembered
        if now_ns - deal.ts_ns >= ns_of(self._schedule.protect_s):
            sides = ("nothing", _words(deal.quantity, deal.price, deal.symbol))
            self._findings.say(Kind.DEAL_MISSING, fill_id, sides, Action.BOOKED, now_ns)
        return True

    def _from_ns(self, now_ns: int) -> int:
        if self._last_ns == 0:
            booked = self._account.positions.fills.values()
            self._last_ns = min(now_ns, max((fill.ts_ns for fill in booked), default=0))
        fills = self._account.positions.fills
        altered = [
            fills[one].ts_ns for one in self._account.positions.altered.unseen if one in fills
        ]
        oldest_ns = min([self._last_ns - ns_of(self._schedule.overlap_s), *altered])
        return max(self._since_ns, oldest_ns, 0)

    def _is_part_of_adopted(self, deal: Deal) -> bool:
        """Whether it is an entry that an adopted position already contains."""
        position_id = position_id_of(self._account.identity.account_id, deal.position_ticket)
        position = self._account.positions.open.get(position_id)
        return (
            position is not None
            and not position.decision_id
            and not deal.is_exit
            and deal.ts_ns < position.opened_ts_ns
        )

    def _compare(self, known: OrderExecuted, deal: Deal, now_ns: int) -> None:
        """A deal that the broker tells differently than before; money alone does not halt."""
        is_same_trade = (
            known.side == deal.side.name.lower()
            and abs(known.executed_quantity - deal.quantity) < LOT_EPSILON
            and is_same(known.executed_price, deal.price)
        )
        booked = tuple(Decimal(each) for each in (known.profit, known.commission, known.swap))
        told = (deal.profit, deal.commission, deal.swap)
        ours = _words(known.executed_quantity, known.executed_price, known.symbol)
        sides = (
            f"{ours} {_money(booked)}",
            f"{_words(deal.quantity, deal.price, deal.symbol)} {_money(told)}",
        )
        fill_id, findings = known.fill_id, self._findings
        if is_same_trade and booked == told:
            is_over = findings.forget(Kind.DEAL_ALTERED, fill_id) is Action.HALTED
            if is_over or fill_id in self._account.positions.altered.unseen:
                findings.say(Kind.DEAL_ALTERED, fill_id, sides, Action.SETTLED, now_ns)
            return
        if self._account.positions.altered.seen.get(fill_id) == sides[1]:
            return  # a person has looked at just that
        if self._account.positions.altered.unseen.get(fill_id, sides[1]) != sides[1]:
            findings.forget(Kind.DEAL_ALTERED, fill_id)  # told in yet another way: said again
        action = Action.NOTED if is_same_trade else Action.HALTED
        findings.report(Kind.DEAL_ALTERED, fill_id, sides, action, now_ns)

    def _let_go_of_seen(self, now_ns: int) -> None:
        """What a person has looked at since the last pass no longer stands; on record."""
        for fill_id in self._findings.halted(Kind.DEAL_ALTERED):
            told = self._account.positions.altered.seen.get(fill_id)
            if told is not None:
                self._findings.forget(Kind.DEAL_ALTERED, fill_id)
                sides = ("looked at by a person", told)
                self._findings.say(Kind.DEAL_ALTERED, fill_id, sides, Action.SETTLED, now_ns)


def _words(quantity: float, price: float, symbol: str) -> str:
    return f"{quantity:g} {symbol} at {price:g}"


def _money(amounts: tuple[Decimal, ...]) -> str:
    return "/".join(str(each) for each in amounts)
