"""One trading account: its books, its switch, and what it does on a tick.

The order of things on a tick is `on_tick`: value the account, stop at a loss limit, look after open
positions, decide, and — when the decision trades — write the order down before the terminal hears
of it. `apply` is the only way the books change, live and when they are rebuilt.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    LinkChange,
    LinkState,
    OrderUpdate,
)
from plan2.foundation.config.schema import Management as ManagementRules
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.account import BalanceAdjusted, EquityRecorded
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderPlaced, PositionClosed, ReconciliationDifference
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.values import TenantId, Tick
from plan2.intelligence.decision.decide import Decision, Rules
from plan2.intelligence.decision.keeping import DecisionKeeper, Scene
from plan2.intelligence.decision.material import Owner
from plan2.intelligence.risk.guard import AccountGuard
from plan2.intelligence.risk.limits import AccountFigures
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import ACCOUNT, Scope, Where
from plan2.intelligence.trading.account_events import ADDS_RISK, AccountFacts, Origin
from plan2.intelligence.trading.answers import events_of
from plan2.intelligence.trading.broker_view import BrokerView
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.deciding import Deciding, DecidingDesk
from plan2.intelligence.trading.figures import ENTRY, AccountBoard, Moment, Purpose
from plan2.intelligence.trading.flow_seats import FlowSeats, SeatsDesk
from plan2.intelligence.trading.kill import KillDesk, Kills
from plan2.intelligence.trading.loss_limits import LossLimits
from plan2.intelligence.trading.management import Management
from plan2.intelligence.trading.orders import OrderBook
from plan2.intelligence.trading.placing import Placing, Submit
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.positions import PositionBook
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.requests import Office, Requests
from plan2.intelligence.trading.switching import Change, Switching
from plan2.intelligence.trading.wishes import Sight
from plan2.intelligence.trading.withdrawal import Withdrawal


class AccountIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account it is."""

    tenant_id: TenantId
    account_id: str
    currency: str
    start_balance: Decimal


class AccountServices(msgspec.Struct, frozen=True, kw_only=True):
    """What an account works with."""

    chronicle: Chronicle
    keeper: DecisionKeeper
    submit: Submit
    latency: Latency
    management: ManagementRules = ManagementRules()


class TradingAccount:
    """Decides, orders and keeps the books of one account.

    `requests` is the door for people, a kill and automatic care; `management` looks after open
    positions; `books_agree` says whether our books equalled the broker's at the last comparison,
    `broker` what only the broker had; `links_lost` counts how often the way to him broke.
    """

    def __init__(
        self,
        identity: AccountIdentity,
        instruments: dict[str, Instrument],
        rules: Rules,
        services: AccountServices,
    ) -> None:
        self.identity = identity
        self.rules = rules
        self.link = LinkState.DOWN
        self.links_lost = 0
        self.books_agree = True
        self.broker = BrokerView(services.chronicle.tell)
        self.orders = OrderBook()
        self.positions = PositionBook()
        self.quotes: dict[str, Tick] = {}
        self.rates = Rates(identity.currency, instruments)
        self.portfolio = Portfolio(identity.start_balance, self.positions, instruments)
        self.keeper = services.keeper
        self.guard = AccountGuard(rules.risk)
        self._instruments = instruments
        self._equity_due_ns = 0
        self._chronicle = services.chronicle
        self._facts = AccountFacts(identity.tenant_id, identity.account_id)
        self._board = AccountBoard(self.orders, self.portfolio, self.rates, instruments, self.guard)
        ways = (services.chronicle, services.submit, services.latency)
        self._placing = Placing(self._facts, self.apply, *ways)
        names = (identity.account_id, identity.tenant_id)
        self.switching = Switching(names, self.guard, services.chronicle, self.apply)
        self.losses = LossLimits(
            names,
            rules.risk,
            self.portfolio,
            self.guard.switches,
            self.switching,
            services.chronicle,
        )
        self._sight = Sight(
            identity.account_id, self.orders, self.positions, instruments, self.quotes
        )
        self._deciding = Deciding(self._deciding_desk())
        self.requests = Requests(self._office())
        self.management = Management(
            services.management, self._sight, self.rates, self.requests.request
        )
        self.withdrawal = Withdrawal(self.orders, self.guard.switches, self.requests.request_all)
        self.kills = Kills(self._kill_desk())
        parts = (self._deciding, self._sight, self.portfolio, self.rates, self.management)
        self.flows = FlowSeats(SeatsDesk(*parts, self.guard.flows.add))

    def adopt(self, rules: Rules, owner: Owner, management: ManagementRules) -> None:
        """Go by other settings from now on: between ticks, all parts at once."""
        self.rules = rules
        self.keeper.adopt(rules, owner)
        self.guard.adopt(rules.risk)
        self.losses.adopt(rules.risk)
        self._deciding.adopt(rules)
        self.requests.adopt(rules, owner)
        self.management.adopt(management)

    @property
    def state(self) -> TradingState:
        """The strictest of the switches that bear on the whole account."""
        return self.guard.switches.whole

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it may see and trade."""
        return tuple(self._instruments)

    # --- a tick ---------------------------------------------------------------------------

    def on_tick(self, scene: Scene) -> Decision:
        """Everything this account does because of one tick; returns the decision."""
        tick = scene.tick
        self._board.volatility_now[tick.symbol] = scene.volatility
        self.on_quote(tick)
        if self.positions.open:
            self.management.on_tick(scene, self._deciding.close_in_time)
        if self.flows.of_symbol and tick.symbol in self.flows.of_symbol:
            decision = self.flows.on_tick(scene)
        else:
            decision = self._deciding.on_tick(scene)
        if tick.ts_ns >= self._equity_due_ns:
            self._record_equity(tick.ts_ns)
        return decision

    def on_quote(self, tick: Tick) -> None:
        """Value the account at a quote, stop at a loss limit, and carry on a kill."""
        self.quotes[tick.symbol] = tick
        self.rates.update(tick)
        self.guard.on_tick(tick)
        self.portfolio.mark(tick, self.rates)
        self.losses.on_tick(tick.ts_ns)
        if self.guard.spent_flows:
            self.switching.stop_spent_flows(tick.ts_ns)
        if self.kills.live:
            self.kills.on_tick(tick)

    # --- what the broker says -------------------------------------------------------------

    def on_order_update(self, update: OrderUpdate) -> None:
        """Book what the broker said: durable, then announced; repetitions change nothing."""
        identity = self.identity
        events = events_of(
            update, identity.tenant_id, identity.account_id, self.orders, self.positions
        )
        if events:
            self.book(events)
            for event in events:
                if isinstance(event, ReconciliationDifference):
                    self._dispute(update, event)

    def book(self, events: Sequence[Event]) -> None:
        """Write down what the broker did, or what was found out about it, then fold it.

        Raises:
            JournalLost: it could not be written down; the books are as they were.
        """
        self._chronicle.record_durable([self._facts.answered(event) for event in events])
        for event in events:
            self.apply(event)

    def on_link(self, change: LinkChange) -> None:
        """Remember how well the broker can be reached; a break has the books compared again."""
        if change.state is self.link:
            return
        if self.link is LinkState.UP:
            self.books_agree = False
            self.links_lost += 1
        self.link = change.state
        self.withdrawal.hurry()
        self._chronicle.record(self._facts.link_changed(change))

    def apply(self, event: Event) -> None:
        """Fold an event into the books; start-up uses this to rebuild them."""
        self.kills.apply(event)
        self.flows.apply(event)
        self.orders.apply(event)
        self.positions.apply(event)
        self.guard.apply(event)
        self.management.apply(event)
        if isinstance(event, OrderPlaced):
            self._note_placed(event)
        elif isinstance(event, EquityRecorded):
            self.portfolio.restore_marks(event)
        elif isinstance(event, BalanceAdjusted):
            self.portfolio.pay(event)
        elif isinstance(event, PositionClosed):
            self._board.note_close(event.symbol, event.ts_ns)
        self._board.release_if_over(getattr(event, "order_id", ""))

    def note_differences(self, differences: Sequence[ReconciliationDifference]) -> None:
        """Write down where our books and the broker's disagree."""
        for difference in differences:
            self._chronicle.record(self._facts.differed(difference))

    # --- the switch, and orders from outside the tick ---------------------------------------

    def switch(self, change: Change) -> None:
        """Throw one of the account's switches; remembered over restarts, with who and why.

        Raises:
            InputError: the actor may not do this; the message says what is missing.
            JournalLost: it cannot be written down; a stricter state holds in memory all the same.
        """
        self.switching.throw(change)
        self.withdrawal.enforce(change.ts_ns)

    def set_state(
        self,
        state: TradingState,
        ts_ns: int,
        actor: str,
        reason: str,
        where: Where = ACCOUNT,
        mode: str = "",
    ) -> None:
        """`switch` in other words."""
        self.switch(
            Change(state=state, ts_ns=ts_ns, actor=actor, reason=reason, where=where, mode=mode)
        )

    def place(self, orders: Sequence[tuple[ApprovedOrder, Origin]]) -> None:
        """Place approved orders: one durable write, then one call each.

        Raises:
            JournalLost: none was sent, or the event store takes no more; trading is halted.
        """
        try:
            self._placing.place_all(orders)
        except JournalLost as lost:
            for order, _ in orders:
                if not self.orders.is_known(order.order_id):  # else it is on its way
                    self._board.release(order.order_id)
            self.switching.force_halt(orders[0][0].ts_ns, lost.message)
            raise

    def figures(self, tick: Tick, now_ns: int, purpose: Purpose = ENTRY) -> AccountFigures:
        """The account as plain numbers at this tick."""
        moment = Moment(
            tick=tick,
            now_ns=now_ns,
            cooldown_s=self.rules.decision.cooldown_s,
            link_up=self.link is LinkState.UP,
            books_agree=self.books_agree,
            stress_move=self.rules.risk.stress_move_fraction,
        )
        return self._board.figures(moment, purpose)

    # --- inside ---------------------------------------------------------------------------

    def _deciding_desk(self) -> DecidingDesk:
        return DecidingDesk(
            rules=self.rules,
            keeper=self.keeper,
            sight=self._sight,
            rates=self.rates,
            board=self._board,
            facts=self._facts,
            chronicle=self._chronicle,
            placing=self._placing,
            switching=self.switching,
            figures=self.figures,
        )

    def _kill_desk(self) -> KillDesk:
        return KillDesk(
            self.identity.tenant_id,
            self._sight,
            self.requests.request_all,
            self.management,
            self.switching,
            self.withdrawal,
            self.broker,
            self._chronicle,
        )

    def _office(self) -> Office:
        return Office(
            sight=self._sight,
            rules=self.rules,
            owner=self.keeper.owner,
            facts=self._facts,
            chronicle=self._chronicle,
            figures=self.figures,
            reserve=self._board.reserve,
            place=self.place,
            apply=self.apply,
        )

    def _note_placed(self, event: OrderPlaced) -> None:
        order = self.orders.orders[event.order_id]
        is_entry = order.kind in ADDS_RISK
        self._board.note_order(event.symbol, event.ts_ns, is_entry=is_entry)
        if is_entry:
            self._board.restore(order)

    def _dispute(self, update: OrderUpdate, difference: ReconciliationDifference) -> None:
        """Halt the symbol of a broker's contradiction until a person arms it again."""
        assert update.deal is not None  # noqa: S101 - only deals contradict
        where = Where(Scope.SYMBOL, update.deal.symbol)
        reason = f"{difference.kind}: {difference.ours}; {difference.theirs}"
        self.set_state(TradingState.HALTED, difference.ts_ns, "reconcile", reason, where)

    def _record_equity(self, ts_ns: int) -> None:
        self._equity_due_ns = self.portfolio.marks.record_due_ns(ts_ns)
        figures = (self.portfolio.margin(self.rates), self.flows.ledger.marks())
        self._chronicle.record(self._facts.equity(self.portfolio, *figures, ts_ns))
