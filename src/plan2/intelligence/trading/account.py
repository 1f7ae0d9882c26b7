"""One trading account: its books, its switch, and what it does on a tick.

The order of things on a tick is `on_tick`: value the account, stop at a loss limit, close what has
run its time, decide, and — when the decision trades — write the order down before the terminal
hears of it.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from plan2.dataflow.terminals.port import LinkChange, LinkState, OrderKind, OrderUpdate
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.account import EquityRecorded, TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderPlaced, PositionClosed, ReconciliationDifference
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.values import NS_PER_SECOND, TenantId, Tick
from plan2.intelligence.decision.decide import (
    Decision,
    Rules,
    Situation,
    decide,
    decide_exit,
    decision_id_of,
)
from plan2.intelligence.decision.keeping import DecisionKeeper, Scene
from plan2.intelligence.decision.record import Outcome, Reason
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.limits import AccountFigures, Intent
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account_events import AccountFacts
from plan2.intelligence.trading.answers import events_of
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.figures import AccountBoard
from plan2.intelligence.trading.orders import OrderBook
from plan2.intelligence.trading.placing import Placing, Submit
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.positions import Position, PositionBook
from plan2.intelligence.trading.rates import Rates

EQUITY_EVERY_NS = 300 * NS_PER_SECOND
"""Market time between two recorded equity figures."""


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


class TradingAccount:
    """Decides, orders and keeps the books of one account."""

    def __init__(
        self,
        identity: AccountIdentity,
        instruments: dict[str, Instrument],
        rules: Rules,
        services: AccountServices,
    ) -> None:
        self.identity = identity
        self.rules = rules
        self.state = TradingState.HALTED
        self.link = LinkState.DOWN
        self.orders = OrderBook()
        self.positions = PositionBook()
        self.rates = Rates(identity.currency, instruments)
        self.portfolio = Portfolio(identity.start_balance, self.positions, instruments)
        self.keeper = services.keeper
        self._instruments = instruments
        self._facts = AccountFacts(identity.tenant_id, identity.account_id)
        self._chronicle = services.chronicle
        self._placing = Placing(
            self._facts, self.orders, services.chronicle, services.submit, services.latency
        )
        self._board = AccountBoard(
            self.orders, self.positions, self.portfolio, self.rates, instruments
        )
        self._equity_due_ns = 0
        self._is_flattening = False

    # --- a tick ---------------------------------------------------------------------------

    def on_tick(self, scene: Scene) -> Decision:
        """Everything this account does because of one tick; returns the decision."""
        tick = scene.tick
        self.rates.update(tick)
        self.portfolio.mark(tick, self.rates)
        self._stop_at_loss_limits(tick.ts_ns)
        for position in self.positions.of_symbol(tick.symbol):
            if self._is_flattening:
                self.close(position, scene, Reason.MANUAL_EXIT)
            elif position.expires_ts_ns and tick.ts_ns >= position.expires_ts_ns:
                self.close(position, scene, Reason.TIME_EXIT)
        situation = self._situation(scene, scene.forecast, 0.0)
        decision = decide(situation, self.rules)
        self._keep_if_due(scene, situation, decision)
        if tick.ts_ns >= self._equity_due_ns:
            self._record_equity(tick.ts_ns)
        return decision

    def close(self, position: Position, scene: Scene, reason: Reason) -> Decision | None:
        """Close a position at market through the gate; None while an order is under way."""
        if self.orders.pending(position.symbol):
            return None
        tick = scene.tick
        side = position.side.opposite
        intent = Intent(
            decision_id=decision_id_of(f"{position.position_id}:exit", tick),
            symbol=position.symbol,
            kind=OrderKind.CLOSE,
            side=side,
            quantity=position.quantity,
            price=tick.bid if side < 0 else tick.ask,
            stop_loss=0.0,
            take_profit=0.0,
            ts_ns=tick.ts_ns,
            position_ticket=position.ticket,
        )
        situation = self._situation(scene, None, position.quantity)
        decision = decide_exit(situation, self.rules, intent, reason)
        self._keep_if_due(scene, situation, decision)
        return decision

    # --- what the broker says -------------------------------------------------------------

    def on_order_update(self, update: OrderUpdate) -> None:
        """Book what the broker said: durable, then announced; repetitions change nothing."""
        identity = self.identity
        events = events_of(
            update, identity.tenant_id, identity.account_id, self.orders, self.positions
        )
        if not events:
            return
        self._chronicle.record_durable([self._facts.answered(event) for event in events])
        for event in events:
            self.apply(event)

    def on_link(self, change: LinkChange) -> None:
        """Remember how well the broker can be reached, and write a change down."""
        if change.state is self.link:
            return
        self.link = change.state
        self._chronicle.record(self._facts.link_changed(change))

    def apply(self, event: Event) -> None:
        """Fold an event into the books; start-up uses this to rebuild them."""
        self.orders.apply(event)
        self.positions.apply(event)
        if isinstance(event, TradingStateChanged):
            self.state = TradingState[event.new_state.upper()]
        if isinstance(event, OrderPlaced):
            self._board.note_order(event.symbol, event.ts_ns, is_entry=not event.reduce_only)
        if isinstance(event, EquityRecorded):
            self.portfolio.restore_marks(event)
        self._board.release_finished()
        if isinstance(event, PositionClosed):
            self._board.note_close(event.symbol, event.ts_ns)

    def note_differences(self, differences: Sequence[ReconciliationDifference]) -> None:
        """Write down where our books and the broker's disagree."""
        for difference in differences:
            self._chronicle.record(self._facts.differed(difference))

    # --- the switch -----------------------------------------------------------------------

    def set_state(self, state: TradingState, ts_ns: int, actor: str, reason: str) -> None:
        """Arm, pause or halt; remembered over restarts, with who and why."""
        if state is TradingState.ARMED:
            self._is_flattening = False
        if state is self.state:
            return
        change = self._facts.state_changed(self.state, state, ts_ns, actor, reason)
        self.state = state
        self._chronicle.record_durable([change])

    def kill(self, ts_ns: int, actor: str, reason: str) -> None:
        """Halt, and close every position on its symbol's next tick; arming again ends it."""
        self._is_flattening = True
        self.set_state(TradingState.HALTED, ts_ns, actor, reason)

    # --- inside ---------------------------------------------------------------------------

    def _situation(
        self, scene: Scene, forecast: Forecast | None, position_quantity: float
    ) -> Situation:
        tick = scene.tick
        instrument = self._instruments[tick.symbol]
        return Situation(
            tick=tick,
            instrument=instrument,
            ready=scene.ready,
            forecast=forecast,
            quote_rate=self.rates.rate(instrument.quote),
            since_entry_s=self._board.since_entry_s(tick),
            figures=lambda: self.figures(tick, scene.now_ns, position_quantity),
        )

    def figures(self, tick: Tick, now_ns: int, position_quantity: float = 0.0) -> AccountFigures:
        """The account as plain numbers at this tick."""
        cooldown_s = self.rules.decision.cooldown_s
        return self._board.figures(tick, now_ns, cooldown_s, float(self.state), position_quantity)

    def _keep_if_due(self, scene: Scene, situation: Situation, decision: Decision) -> None:
        """Act and write down; a tick met again after a restart must not order a second time."""
        order = decision.order
        if order is not None:
            if order.order_id not in self.orders.orders:
                self._keep(scene, situation, decision)
        elif self.keeper.is_due(scene.tick, decision):
            self._keep(scene, situation, decision)

    def _keep(self, scene: Scene, situation: Situation, decision: Decision) -> None:
        """Write the decision down; when it trades, together with its order, then send it."""
        decided_ns = stopwatch_ns()
        material = self.keeper.material(scene, situation, decision)
        order = decision.order
        if order is None:
            self._chronicle.record(self.keeper.keep(material))
            if decision.outcome is Outcome.DENIED:
                self._chronicle.record(self._facts.denied(scene.tick, decision))
            return
        is_entry = order.kind is OrderKind.OPEN
        if is_entry:
            self._board.reserve(order)
        try:
            self._placing.place_decided(material, self.keeper, decided_ns)
        except JournalLost:
            self._board.release(order.order_id)
            self.state = TradingState.HALTED
            raise
        self._board.note_order(order.symbol, order.ts_ns, is_entry=is_entry)

    def _stop_at_loss_limits(self, ts_ns: int) -> None:
        """Halt the account when the day's loss or the drawdown reaches its limit."""
        if self.state is TradingState.HALTED:
            return
        portfolio, limits = self.portfolio, self.rules.risk
        for rule, fall, limit in (
            ("daily_loss", portfolio.day_loss, limits.daily_loss_max_fraction),
            ("drawdown", portfolio.drawdown, limits.drawdown_max_fraction),
        ):
            if fall >= limit:
                self._breach(rule, fall, limit, ts_ns)
                return

    def _breach(self, rule: str, value: float, limit: float, ts_ns: int) -> None:
        self._chronicle.record(self._facts.breached(rule, value, limit, ts_ns))
        self.set_state(TradingState.HALTED, ts_ns, "risk", f"{rule} {value:.4f} ≥ {limit:g}")

    def _record_equity(self, ts_ns: int) -> None:
        self._equity_due_ns = ts_ns + EQUITY_EVERY_NS
        margin = self.portfolio.margin(self.rates)
        self._chronicle.record(self._facts.equity(self.portfolio, margin, ts_ns))
