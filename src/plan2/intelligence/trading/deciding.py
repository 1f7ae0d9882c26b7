"""From a tick to a decision that is kept, and to its order when it trades."""

from collections.abc import Callable, Collection

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import JournalLost
from plan2.foundation.values import Tick
from plan2.intelligence.decision.decide import Decision, Rules, Situation, decide, decide_exit
from plan2.intelligence.decision.decide_apart import decide_apart, decide_entry_apart
from plan2.intelligence.decision.decide_flow import decide_entry
from plan2.intelligence.decision.flow_part import EXIT, FlowPart
from plan2.intelligence.decision.keeping import DecisionKeeper, Scene
from plan2.intelligence.decision.record import Outcome, Reason
from plan2.intelligence.decision.schedule import rest_of
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.standing import SOUND, Standing
from plan2.intelligence.risk.limits import AccountFigures
from plan2.intelligence.trading.account_events import POLICY, AccountFacts
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.figures import ENTRY, AccountBoard, Purpose
from plan2.intelligence.trading.placing import Placing
from plan2.intelligence.trading.positions import Position
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.switching import Switching
from plan2.intelligence.trading.wishes import FLOW, Ask, OrderWish, Refusal, Sight, intent_of


class DecidingDesk(msgspec.Struct, frozen=True, kw_only=True):
    """What deciding works with: the account's own parts.

    `figures` gives the account as numbers, for a quote, the clock's time and a purpose.
    """

    rules: Rules
    keeper: DecisionKeeper
    sight: Sight
    rates: Rates
    board: AccountBoard
    facts: AccountFacts
    chronicle: Chronicle
    placing: Placing
    switching: Switching
    figures: Callable[[Tick, int, Purpose], AccountFigures]


class Deciding:
    """Decides for one account, keeps what is worth keeping, and places what trades."""

    def __init__(self, desk: DecidingDesk) -> None:
        self._desk = desk
        self._rules = desk.rules
        self._keeper = desk.keeper

    def adopt(self, rules: Rules) -> None:
        """Decide by other rules from now on."""
        self._rules = rules

    def on_tick(self, scene: Scene) -> Decision:
        """Decide on an entry.

        Raises:
            JournalLost: it trades and could not be written down; nothing was sent, trading halts.
        """
        situation = self._situation(scene, scene.forecast, ENTRY)
        if scene.apart is None:
            decision = decide(situation, self._rules)
        else:
            decision = decide_apart(situation, self._rules)
        self._keep_if_due(scene, situation, decision)
        return decision

    def enter(self, scene: Scene, flow: FlowPart, leaving: Collection[Position] = ()) -> Decision:
        """Decide on an entry that a flow wants, while the positions `leaving` are being closed.

        Raises:
            JournalLost: as `on_tick`.
        """
        gone = frozenset(each.position_id for each in leaving)
        purpose = Purpose(flow_id=flow.name, leaving=gone)
        situation = self._situation(scene, scene.forecast, purpose)
        judge = decide_entry if scene.apart is None else decide_entry_apart
        decision = judge(situation, self._rules, flow)
        self._keep_if_due(scene, situation, decision)
        return decision

    def close_in_time(self, position: Position, scene: Scene) -> bool:
        """Close a position whose horizon is over; whether the gate let it pass.

        Raises:
            JournalLost: it could not be written down; nothing was sent, trading halts.
        """
        flow_id = position.flow_id
        is_of_flow = flow_id not in {"", FLOW}
        why = Reason.TIME_EXIT.value
        part = FlowPart(name=flow_id, version=0, digest="", action=EXIT, why=why)
        flow = part if is_of_flow else None
        return self.leave(position, scene, Reason.TIME_EXIT, flow).order is not None

    def leave(
        self, position: Position, scene: Scene, reason: Reason, flow: FlowPart | None
    ) -> Decision:
        """Close a position, because its time is over or a flow wants it.

        Raises:
            JournalLost: it could not be written down; nothing was sent, trading halts.
        """
        tick = scene.tick
        wish = OrderWish(
            kind=OrderKind.CLOSE,
            ask=Ask(POLICY, reason),
            position_id=position.position_id,
            key=f"{position.position_id}:exit:{tick.ts_ns}:{tick.seq}",
        )
        intent = intent_of(wish, self._desk.sight, tick.ts_ns)
        assert not isinstance(intent, Refusal)  # noqa: S101 - the position is open and watched
        purpose = Purpose(
            flow_id=position.flow_id,
            quantity=position.quantity,
            is_exit=True,
            tickets=frozenset({position.ticket}),
        )
        situation = self._situation(scene, None, purpose)
        decision = decide_exit(situation, self._rules, intent, reason, flow)
        self._keep_if_due(scene, situation, decision)
        return decision

    def _situation(self, scene: Scene, forecast: Forecast | None, purpose: Purpose) -> Situation:
        tick, desk = scene.tick, self._desk
        instrument = desk.sight.instruments[tick.symbol]
        return Situation(
            tick=tick,
            instrument=instrument,
            ready=scene.ready,
            forecast=forecast,
            quote_rate=desk.rates.rate(instrument.quote),
            since_entry_s=desk.board.since_entry_s(tick),
            engagement=lambda: desk.board.engagement(tick, self._rules.decision.cooldown_s),
            figures=lambda: self._figures(scene, purpose),
            scheduled=lambda: scene.schedule.near(
                scene.market.ts_ns, rest_of(self._rules.decision)
            ),
            apart=scene.apart,
        )

    def _figures(self, scene: Scene, purpose: Purpose) -> AccountFigures:
        desk, tick = self._desk, scene.tick
        figures = _judged(desk.figures(tick, scene.now_ns, purpose), scene.standing)
        return msgspec.structs.replace(figures, novelty=scene.novelty())

    def _keep_if_due(self, scene: Scene, situation: Situation, decision: Decision) -> None:
        """Act and write down; a tick met again after a restart must not order a second time."""
        order = decision.order
        if order is not None:
            if not self._desk.sight.orders.is_known(order.order_id):
                self._keep(scene, situation, decision)
        elif self._keeper.is_due(scene.market, decision):
            self._keep(scene, situation, decision)

    def _keep(self, scene: Scene, situation: Situation, decision: Decision) -> None:
        """Write the decision down; when it trades, together with its order, then send it."""
        decided_ns = stopwatch_ns()
        desk = self._desk
        material = self._keeper.material(scene, situation, decision)
        if decision.order is None:
            desk.chronicle.record(self._keeper.keep(material))
            if decision.outcome is Outcome.DENIED:
                desk.chronicle.record(desk.facts.denied(scene.tick, decision))
            return
        try:
            desk.placing.place_decided(material, self._keeper, decided_ns)
        except JournalLost as lost:
            desk.switching.force_halt(scene.tick.ts_ns, lost.message)
            raise


def _judged(figures: AccountFigures, standing: Standing) -> AccountFigures:
    """The figures with how the champion stands, so that a record holds it too."""
    if standing is SOUND:
        return figures
    return msgspec.structs.replace(
        figures,
        model_size_factor=standing.size_factor,
        model_proven=float(standing.is_proven),
    )
