"""The paper broker: executes market orders and stops on quotes, as a MetaTrader server does.

A market order is looked at on the first quote of its symbol at or after its time plus the latency;
there it is refused or filled, buying at the ask and selling at the bid. A stop is triggered by the
price that would close the position and filled at that very quote, so a gap goes through it. Within
a tick: the nights that passed, then stops, then orders as they arrived, then the stop-out.
Invariants: nothing is told before it is in the account file; a token is executed at most once; same
ticks and same orders give the same deals.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    OrderKind,
    OrderUpdate,
    TerminalPosition,
    UpdateKind,
)
from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.account_file import AccountFile
from plan2.dataflow.terminals.simulated.account_keeper import AccountIdentity, AccountKeeper
from plan2.dataflow.terminals.simulated.book import Book
from plan2.dataflow.terminals.simulated.desk import STOP_OUT_LEVEL, Desk
from plan2.dataflow.terminals.simulated.faults import Fate, FaultDraw, Faults
from plan2.dataflow.terminals.simulated.quotes import Quotes
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.dataflow.terminals.simulated.watch import Watch
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Tick

SERVER = "Plan2-Simulated"
NO_REPLY = "no_reply"
"""The reason of an UNKNOWN outcome."""

Tell = Callable[[OrderUpdate], None]


class BrokerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of account the broker keeps.

    Attributes:
        account: its login. market: what it trades on; an account file belongs to one market.
        origin_ns: that market's first instant. start_ns: where a new account begins to trade.
        mode: "simulated" or "replay".
        latency_ms: from the order's time to its arrival. quote_wait_s: how long an arrived order
        waits for a quote of its symbol before it is refused.
    """

    account: str = "paper"
    market: str = ""
    origin_ns: int = 0
    start_ns: int = 0
    mode: str = "simulated"
    currency: str = "USD"
    deposit: Decimal = Decimal("10000.00")
    latency_ms: int = 40
    is_hedging: bool = True
    quote_wait_s: float = 60.0
    trade_allowed: bool = True
    faults: Faults = Faults()


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """An order on its way; it may be looked at from `due_ns` on."""

    order: ApprovedOrder
    due_ns: int
    fate: Fate
    is_duplicate: bool


class PaperBroker:
    """One paper account.

    Args:
        instruments: on offer, by symbol. file: where the account is kept; None = in memory only.
        is_session: whether the market is in session at a time (UTC nanoseconds).

    Raises:
        ConfigError: when the file belongs to another account, currency, mode or market, or has a
            position in a symbol that is not on offer.
    """

    def __init__(
        self,
        instruments: dict[str, Instrument],
        options: BrokerOptions,
        file: AccountFile | None = None,
        is_session: Callable[[int], bool] = calendar.is_open,
    ) -> None:
        self.instruments = instruments
        self.options = options
        self._quotes = Quotes(options.currency, instruments.values())
        self._book = Book(options.deposit, instruments)
        self._desk = Desk(self._book, self._quotes, instruments, is_hedging=options.is_hedging)
        self._watch = Watch(self._book, self._quotes, instruments, float(STOP_OUT_LEVEL))
        self._is_session = is_session
        self._draw = FaultDraw(options.faults)
        self._arrivals: list[Arrival] = []
        identity = AccountIdentity(
            account=options.account,
            currency=options.currency,
            is_hedging=options.is_hedging,
            market=options.market,
            origin_ns=options.origin_ns,
            start_ns=options.start_ns,
            symbols=frozenset(instruments),
        )
        self._keeper = AccountKeeper(file, identity, self._book, self._desk, self._quotes)
        self._tokens = set(self._keeper.restore())
        self._unsaved_tokens: list[str] = []
        self._next_night_ns = 0
        self._tell: Tell = _nobody_listens

    def connect(self, tell: Tell) -> None:
        """Send answers and the broker's own deals to `tell`, from the tick's callback."""
        self._tell = tell

    def submit(self, order: ApprovedOrder) -> None:
        """Take an order; the answer comes with a later tick."""
        fate = self._draw.next_fate()
        due_ns = order.ts_ns + self.options.latency_ms * NS_PER_MS + fate.delay_ns
        is_duplicate = order.token in self._tokens
        self._arrivals.append(
            Arrival(order=order, due_ns=due_ns, fate=fate, is_duplicate=is_duplicate)
        )
        self._arrivals.sort(key=lambda arrival: arrival.due_ns)
        self._tokens.add(order.token)

    def on_tick(self, tick: Tick) -> None:
        """Do all that this quote brings about, before anybody else hears of the quote."""
        self._quotes.update(tick)
        if (
            self._arrivals
            or tick.ts_ns >= self._next_night_ns
            or (self._book.positions and self._watch.is_touched(tick))
        ):
            self._work(tick)

    def account(self) -> AccountState:
        """The account's figures at the last quotes."""
        return AccountState(
            login=self.options.account,
            server=SERVER,
            currency=self.options.currency,
            mode=self.options.mode,
            balance=self._book.balance,
            equity=self._desk.equity(),
            margin=self._book.margin,
            trade_allowed=self.options.trade_allowed,
        )

    def positions(self) -> tuple[TerminalPosition, ...]:
        """Open positions, oldest first."""
        return tuple(
            TerminalPosition(
                ticket=one.ticket,
                symbol=one.symbol,
                side=one.side,
                quantity=one.quantity,
                open_price=one.open_price,
                stop_loss=one.stop_loss,
                take_profit=one.take_profit,
                swap=one.swap,
                profit=self._desk.profit(one),
                magic=one.magic,
                token=one.token,
                opened_ts_ns=one.opened_ts_ns,
            )
            for one in self._book.positions.values()
        )

    def deals(self, since_ts_ns: int) -> tuple[Deal, ...]:
        """All deals at or after a market time, oldest first."""
        return tuple(deal for deal in self._book.deals if deal.ts_ns >= since_ts_ns)

    def deals_by_token(self, token: str) -> tuple[Deal, ...] | None:
        """Deals of the order that carried the token; None while that order is still on its way."""
        if any(arrival.order.token == token for arrival in self._arrivals):
            return None
        return tuple(deal for deal in self._book.deals if deal.token == token)

    def _work(self, tick: Tick) -> None:
        has_changed = self._desk.pass_nights(tick.ts_ns)
        own = self._desk.run_stops(tick)
        answers = self._answer_arrivals(tick)
        forced = self._desk.run_stop_out(tick.ts_ns)
        updates = [*map(_own_deal, own), *answers, *map(_own_deal, forced)]
        self._next_night_ns = self._desk.rollover_ns
        if updates or has_changed:
            self._keeper.save(self._unsaved_tokens, tick.ts_ns)
            self._unsaved_tokens.clear()
        for update in updates:
            self._tell(update)

    def _answer_arrivals(self, tick: Tick) -> list[OrderUpdate]:
        updates: list[OrderUpdate] = []
        waiting: list[Arrival] = []
        for arrival in self._arrivals:
            answers = self._answer(arrival, tick) if tick.ts_ns >= arrival.due_ns else []
            if not answers:
                waiting.append(arrival)
            updates += answers
        self._arrivals = waiting
        return updates

    def _answer(self, arrival: Arrival, tick: Tick) -> list[OrderUpdate]:
        """The answers to an order that has arrived; none while it waits for a quote."""
        order, fate = arrival.order, arrival.fate
        if fate.is_lost:
            self._tokens.discard(order.token)
            return [_update(UpdateKind.UNKNOWN, order, tick, NO_REPLY)]
        refusal = self._early_refusal(arrival, tick)
        if refusal is None and tick.symbol != order.symbol:
            return []
        refusal = refusal or self._desk.refusal(order, tick)
        self._unsaved_tokens.append(order.token)
        if refusal is None:
            answers = self._fill(arrival, tick)
        else:
            answers = [_update(UpdateKind.REJECTED, order, tick, refusal.value)]
        if fate.is_reply_lost:
            return [_update(UpdateKind.UNKNOWN, order, tick, NO_REPLY)]
        return [one for one in answers for _ in range(2 if fate.is_reply_double else 1)]

    def _early_refusal(self, arrival: Arrival, tick: Tick) -> Refusal | None:
        """What can be refused without a quote of the symbol."""
        if arrival.is_duplicate:
            return Refusal.DUPLICATE_TOKEN
        if not self.options.trade_allowed:
            return Refusal.TRADE_DISABLED
        if arrival.order.symbol not in self.instruments:
            return Refusal.UNKNOWN_SYMBOL
        if not self._is_session(arrival.due_ns):
            return Refusal.MARKET_CLOSED
        wait_ns = int(self.options.quote_wait_s * NS_PER_SECOND)
        return Refusal.NO_QUOTES if tick.ts_ns > arrival.due_ns + wait_ns else None

    def _fill(self, arrival: Arrival, tick: Tick) -> list[OrderUpdate]:
        order = arrival.order
        quantity = order.quantity
        if arrival.fate.is_partial and order.kind is OrderKind.OPEN:
            half = self.instruments[order.symbol].round_volume_down(quantity / 2)
            quantity = half or quantity
        deals = self._desk.fill(order, tick, quantity)
        ticket = deals[0].order_ticket
        accepted = _update(UpdateKind.ACCEPTED, order, tick, "", ticket)
        return [accepted, *(_filled(order.order_id, deal) for deal in deals)]


def _update(
    kind: UpdateKind, order: ApprovedOrder, tick: Tick, reason: str, ticket: str = ""
) -> OrderUpdate:
    return OrderUpdate(
        kind=kind, ts_ns=tick.ts_ns, order_id=order.order_id, ticket=ticket, reason=reason
    )


def _filled(order_id: str, deal: Deal) -> OrderUpdate:
    return OrderUpdate(
        kind=UpdateKind.FILLED,
        ts_ns=deal.ts_ns,
        order_id=order_id,
        ticket=deal.order_ticket,
        reason=deal.reason,
        deal=deal,
    )


def _own_deal(deal: Deal) -> OrderUpdate:
    return _filled("", deal)


def _nobody_listens(update: OrderUpdate) -> None:
    """Before a listener is connected, answers are kept in the account only."""
