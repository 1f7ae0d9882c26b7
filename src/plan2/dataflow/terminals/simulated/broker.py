"""The paper broker: a desk behind latency, misfortunes and an account file.

An order arrives its latency after its time. A market order is carried out or refused at the first
quote of its symbol from then on; what needs no fresh quote, at the first tick of any symbol. Within
a tick: nights, expiries, stops and pending orders, then orders as they arrived, then the stop-out.
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
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.account_file import AccountFile
from plan2.dataflow.terminals.simulated.account_keeper import AccountIdentity, AccountKeeper
from plan2.dataflow.terminals.simulated.desk import open_desk
from plan2.dataflow.terminals.simulated.faults import Fate, FaultDraw, Faults, HistoryVeil
from plan2.dataflow.terminals.simulated.orders import BrokerOrder
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.dataflow.terminals.simulated.replies import (
    Outbox,
    Tell,
    answers,
    order_view,
    position_view,
    told,
    unknown,
    withdrawn,
)
from plan2.dataflow.terminals.simulated.requests import BrokerAnswer, BrokerRequest, request_of
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.dataflow.terminals.simulated.watch import Watch
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Tick

SERVER = "Plan2-Simulated"
NEEDS_FRESH_QUOTE = {OrderKind.OPEN, OrderKind.CLOSE}


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
    quote_wait_s: float = 60.0
    rules: AccountRules = AccountRules()
    faults: Faults = Faults()


class Arrival(msgspec.Struct, kw_only=True):
    """An order on its way; it may be looked at from `due_ns` on."""

    request: BrokerRequest
    due_ns: int
    fate: Fate
    is_duplicate: bool
    is_given_up: bool = False
    """Whether its sender was told UNKNOWN already, and hears no answer any more."""


class PaperBroker:
    """One paper account.

    Args:
        instruments: on offer, by symbol. file: where the account is kept; None = in memory only.
        is_session: whether the market is in session at a time (UTC nanoseconds).

    Raises:
        ConfigError: when the file belongs to another account, currency, mode or market, or has a
            position or order in a symbol that is not on offer.
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
        self.desk = open_desk(
            instruments,
            options.rules,
            options.currency,
            options.deposit,
            is_session,
            options.start_ns,
        )
        self._book = self.desk.book
        self._quotes = self.desk.quotes
        self._watch = Watch(self.desk)
        self._draw = FaultDraw(options.faults)
        self._arrivals: list[Arrival] = []
        self._outbox = Outbox()
        self._veil = HistoryVeil()
        self._to_be_split: set[str] = set()
        self.desk.pendings.liquidity = self._liquidity
        self._keeper = AccountKeeper(file, _identity(options, instruments), self.desk)
        self._tokens = set(self._keeper.restore())
        self._unsaved_tokens: list[str] = []
        self._wake_ns = 0
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
            Arrival(request=request_of(order), due_ns=due_ns, fate=fate, is_duplicate=is_duplicate)
        )
        self._arrivals.sort(key=lambda arrival: arrival.due_ns)
        self._tokens.add(order.token)

    def on_tick(self, tick: Tick) -> None:
        """Do all that this quote brings about, before anybody else hears of the quote."""
        self._quotes.update(tick)
        if (
            self._arrivals
            or tick.ts_ns >= self._wake_ns
            or (self._book.positions and self._watch.is_touched(tick))
            or (self._book.working and self._watch.is_reached(tick))
        ):
            self._work(tick)

    def trade_manually(self, request: BrokerRequest) -> BrokerAnswer:
        """What a person does at the terminal, at the last quote; what follows is told at once."""
        now_ns = self.now_ns()
        cancelled = self._book.working.get(request.order_ticket)
        tick = self._quotes.last(request.symbol)
        if tick is None:
            return BrokerAnswer(refusal=Refusal.NO_QUOTES)
        answer = self.desk.execute(request, tick, now_ns)
        self._keeper.save((), now_ns)
        self._plan_next_wake()
        updates = [told_deal for told_deal in answers(request, answer, now_ns) if told_deal.deal]
        updates += self._withdrawal(cancelled, now_ns)
        for update in updates:
            self._tell(update)
        return answer

    def give_up_waiting(self) -> None:
        """The link broke: no answer under way will arrive; all of them become UNKNOWN at once."""
        now_ns = self.now_ns()
        waiting = [one for one in self._arrivals if not one.is_given_up]
        for arrival in waiting:
            arrival.is_given_up = True
        order_ids = [one.request.order_id for one in waiting]
        for order_id in dict.fromkeys([*self._outbox.lose_verdicts(), *order_ids]):
            self._tell(unknown(order_id, now_ns))

    def now_ns(self) -> int:
        """The time of the newest quote; 0 before the first."""
        return max((tick.ts_ns for tick in self._quotes.all()), default=0)

    def account(self) -> AccountState:
        """The account's figures at the last quotes."""
        contracts = self.instruments.values()
        return AccountState(
            login=self.options.account,
            server=SERVER,
            currency=self.options.currency,
            mode=self.options.mode,
            balance=self._book.balance,
            equity=self.desk.equity(),
            margin=self.desk.margin(),
            trade_allowed=self.desk.rules.trade_allowed,
            is_hedging=self.desk.rules.is_hedging,
            leverage=max((one.leverage for one in contracts), default=0.0),
        )

    def positions(self) -> tuple[TerminalPosition, ...]:
        """Open positions, oldest first."""
        return tuple(position_view(one, self.desk) for one in self._book.positions.values())

    def orders(self) -> tuple[TerminalOrder, ...]:
        """Working pending orders, oldest first."""
        return tuple(order_view(one) for one in self._book.working.values())

    def deals(self, since_ts_ns: int) -> tuple[Deal, ...]:
        """All deals at or after a market time that the history shows, oldest first."""
        now_ns = self.now_ns()
        return tuple(
            deal
            for deal in self._book.deals
            if deal.ts_ns >= since_ts_ns and not self._veil.is_hidden(deal.order_ticket, now_ns)
        )

    def trace(self, token: str) -> Trace | None:
        """What became of the order with this token; None while it or its history is on its way."""
        if any(arrival.request.token == token for arrival in self._arrivals):
            return None
        now_ns = self.now_ns()
        known = (*self._book.working.values(), *self._book.history.values())
        mine = [order for order in known if order.token == token]
        if any(self._veil.is_hidden(order.ticket, now_ns) for order in mine):
            return None
        deals = tuple(deal for deal in self._book.deals if deal.token == token)
        working = next((order_view(order) for order in mine if not order.done_ts_ns), None)
        is_over = working is None and bool(mine or deals)
        return Trace(working=working, deals=deals, is_over=is_over)

    def _work(self, tick: Tick) -> None:
        updates = self._outbox.take_due(tick.ts_ns)
        updates += map(told, self.desk.open_tick(tick))
        updates += self._answer_arrivals(tick)
        updates += map(told, self.desk.close_tick(tick.ts_ns))
        self._keeper.save(self._unsaved_tokens, tick.ts_ns)
        self._unsaved_tokens.clear()
        self._plan_next_wake()
        for update in updates:
            self._tell(update)

    def _plan_next_wake(self) -> None:
        self._wake_ns = self._outbox.next_due_ns(otherwise_ns=self.desk.wake_ns())

    def _answer_arrivals(self, tick: Tick) -> list[OrderUpdate]:
        updates: list[OrderUpdate] = []
        waiting: list[Arrival] = []
        for arrival in self._arrivals:
            said = self._answer(arrival, tick) if tick.ts_ns >= arrival.due_ns else None
            if said is None:
                waiting.append(arrival)
            else:
                updates += said
        self._arrivals = waiting
        return updates

    def _answer(self, arrival: Arrival, tick: Tick) -> list[OrderUpdate] | None:
        """What is told at once about an order that has arrived; None while it waits for a quote."""
        request, fate = arrival.request, arrival.fate
        if fate.is_lost:
            self._tokens.discard(request.token)
            return [] if arrival.is_given_up else [unknown(request.order_id, tick.ts_ns)]
        refusal = self._early_refusal(arrival, tick)
        quote = self._quote_for(request, tick)
        if refusal is None and quote is None:
            return None
        cancelled = self._book.working.get(request.order_ticket)
        if refusal is not None or quote is None:
            answer = BrokerAnswer(refusal=refusal)
        else:
            answer = self._execute(arrival, quote, tick.ts_ns)
        self._unsaved_tokens.append(request.token)
        said = self._spoil(arrival, answers(request, answer, tick.ts_ns), tick.ts_ns)
        return said + self._withdrawal(cancelled, tick.ts_ns)

    def _execute(self, arrival: Arrival, quote: Tick, ts_ns: int) -> BrokerAnswer:
        request, fate = arrival.request, arrival.fate
        half = self._half(request.symbol, request.quantity) if fate.is_partial else None
        answer = self.desk.execute(request, quote, ts_ns, half)
        if fate.is_partial and answer.order_ticket in self._book.working:
            self._to_be_split.add(answer.order_ticket)
        if fate.history_delay_ns and answer.deals:
            self._veil.hide(answer.order_ticket, ts_ns, fate.history_delay_ns)
        return answer

    def _spoil(self, arrival: Arrival, updates: list[OrderUpdate], ts_ns: int) -> list[OrderUpdate]:
        """What of an order's answers is told now; what comes later goes to the outbox."""
        if arrival.is_given_up:
            return []
        if arrival.fate.is_reply_lost:
            return [unknown(arrival.request.order_id, ts_ns)]
        return self._outbox.spoil(arrival.fate, updates, ts_ns)

    def _withdrawal(self, cancelled: BrokerOrder | None, ts_ns: int) -> list[OrderUpdate]:
        """The end of a working order that a request has just withdrawn."""
        is_over = cancelled is not None and cancelled.done_ts_ns
        return [withdrawn(cancelled, ts_ns)] if cancelled is not None and is_over else []

    def _early_refusal(self, arrival: Arrival, tick: Tick) -> Refusal | None:
        """What can be refused without a quote of the symbol."""
        if arrival.is_duplicate:
            return Refusal.DUPLICATE_TOKEN
        early = self.desk.early_refusal(arrival.request.symbol, arrival.due_ns)
        if early is not None or arrival.fate.rejection is not None:
            return early or arrival.fate.rejection
        wait_ns = int(self.options.quote_wait_s * NS_PER_SECOND)
        return Refusal.NO_QUOTES if tick.ts_ns > arrival.due_ns + wait_ns else None

    def _quote_for(self, request: BrokerRequest, tick: Tick) -> Tick | None:
        """The quote at which a request is carried out now; None when it must wait for one."""
        if request.kind in NEEDS_FRESH_QUOTE and tick.symbol != request.symbol:
            return None
        return self._quotes.last(request.symbol)

    def _half(self, symbol: str, lots: float) -> float:
        return self.instruments[symbol].round_volume_down(lots / 2) or lots

    def _liquidity(self, order: BrokerOrder) -> float:
        """How many lots of a pending order are filled at once: all, but half of an unlucky one."""
        if order.ticket not in self._to_be_split:
            return order.rest
        self._to_be_split.discard(order.ticket)
        return self._half(order.symbol, order.rest)


def _identity(options: BrokerOptions, instruments: dict[str, Instrument]) -> AccountIdentity:
    return AccountIdentity(
        account=options.account,
        currency=options.currency,
        is_hedging=options.rules.is_hedging,
        market=options.market,
        origin_ns=options.origin_ns,
        start_ns=options.start_ns,
        symbols=frozenset(instruments),
    )


def _nobody_listens(update: OrderUpdate) -> None:
    """Before a listener is connected, answers are kept in the account only."""
