"""The flows that trade an account, and what they do on a tick.

A symbol with a flow on it is the flows' alone: the account's own decision rests there. A paused
flow opens nothing more; it still closes what its conditions want closed, and its positions keep
their stops. Every flow sees every tick, paused or not, so that its signals never depend on that.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from plan2.foundation.events.base import Event
from plan2.foundation.values import NS_PER_MINUTE, Float64Array, Tick
from plan2.intelligence.decision.decide import Decision
from plan2.intelligence.decision.flow_part import EXIT, LONG, SHORT, FlowPart
from plan2.intelligence.decision.flow_sentence import flow_sentence
from plan2.intelligence.decision.keeping import Scene
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.policy import NO_SIGNAL, FlowPolicy, Signal
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.risk.flow_limits import FlowFigures, FlowLimits
from plan2.intelligence.trading.deciding import Deciding
from plan2.intelligence.trading.flow_exits import exits_of
from plan2.intelligence.trading.flow_ledger import FlowLedger
from plan2.intelligence.trading.management import Management
from plan2.intelligence.trading.orders import LOT_SLACK, TRADES
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.positions import Position
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.wishes import Sight

MINUTES_PER_DAY: Final = 1_440
NEVER: Final = -(2**40)
RESTING: Final = Decision(reason=Reason.NO_SIGNAL)


class FlowSeat:
    """A version of a flow that trades an account.

    While `waiting` is a list, ticks are kept in it for a policy that is still being warmed up.
    """

    __slots__ = (
        "digest", "entered_bar", "families", "flow", "is_paused", "limits", "policy", "version",
        "waiting",
    )  # fmt: skip

    def __init__(self, flow: Flow, version: int, digest: str, policy: FlowPolicy) -> None:
        self.flow = flow
        self.version = version
        self.digest = digest
        self.policy = policy
        self.families = flow.models.families
        self.limits = limits_of(flow)
        self.is_paused = False
        self.entered_bar = NEVER
        """Of the last entry; a restart forgets it."""
        self.waiting: list[tuple[Tick, Forecast | None, Float64Array]] | None = None

    @property
    def name(self) -> str:
        """What its orders are named after."""
        return self.flow.name

    @property
    def has_waited(self) -> bool:
        """Whether its last entry is long enough ago, in bars."""
        return self.policy.bars - self.entered_bar >= self.flow.policy.entry_gap

    def step(self, scene: Scene) -> Signal:
        """The policy's signal; none while it is being warmed up."""
        forecast = scene.among(self.families) if self.families else scene.forecast
        if self.waiting is not None:
            self.waiting.append((scene.market, forecast, scene.features.copy()))
            return NO_SIGNAL
        return self.policy.step(scene.market, forecast, scene.features)

    def begin(self, seen: tuple[int, int]) -> None:
        """The policy has seen all up to a tick's time and number: let it catch up and go on."""
        waiting, self.waiting = self.waiting or [], None
        for tick, forecast, features in waiting:
            if (tick.ts_ns, tick.seq) > seen:
                self.policy.step(tick, forecast, features)


class FlowResult(msgspec.Struct, frozen=True, kw_only=True):
    """A flow's figures; account currency, market time. `trades`: exits booked."""

    realised: Decimal
    floating: Decimal
    trades: int
    positions: tuple[str, ...]
    decided_ns: int
    sentence: str


class SeatsDesk(msgspec.Struct, frozen=True):
    """What seats work with: the account's own parts; `meet` hears which flows there are."""

    deciding: Deciding
    sight: Sight
    portfolio: Portfolio
    rates: Rates
    management: Management
    meet: Callable[[str], None]


class FlowSeats:
    """The seats of one account; changed between ticks only."""

    def __init__(self, desk: SeatsDesk) -> None:
        self.of_symbol: dict[str, tuple[FlowSeat, ...]] = {}
        self._expected: frozenset[str] = frozenset()
        self._last: dict[str, tuple[int, Decision]] = {}
        self.ledger = FlowLedger(desk.sight.orders, desk.sight.positions)
        self._desk = desk

    def apply(self, event: Event) -> None:
        """Book what the flows earned; call it before the account's own books hear of it."""
        self.ledger.apply(event)

    def all(self) -> list[FlowSeat]:
        """Every seat, by symbol."""
        return [seat for seats in self.of_symbol.values() for seat in seats]

    def find(self, name: str) -> FlowSeat | None:
        """The seat of a flow."""
        return next((seat for seat in self.all() if seat.name == name), None)

    def seat(self, seat: FlowSeat) -> None:
        """Let a flow trade from the next tick on, instead of an earlier version of it."""
        self.unseat(seat.name)
        symbol = seat.flow.source.symbol
        self.of_symbol[symbol] = (*self.of_symbol.get(symbol, ()), seat)
        self._desk.meet(seat.name)

    def unseat(self, name: str) -> None:
        """Let a flow trade no more; harmless when it does not."""
        kept = {
            symbol: tuple(seat for seat in seats if seat.name != name)
            for symbol, seats in self.of_symbol.items()
        }
        self._arrange(kept)

    def expect(self, symbols: Iterable[str]) -> None:
        """Leave these symbols to flows that are still on their way to their seats; empty = none."""
        self._expected = frozenset(symbols)
        self._arrange(self.of_symbol)

    def on_tick(self, scene: Scene) -> Decision:
        """Everything that the flows of the tick's symbol do because of it; the last decision.

        Raises:
            JournalLost: one trades and could not be written down; nothing was sent, trading halts.
        """
        decision = RESTING
        for seat in self.of_symbol[scene.tick.symbol]:
            signal = seat.step(scene)
            held = self._held(seat)
            if held:
                self.ledger.of(seat.name).mark(scene.tick.ts_ns, self._floating(held))
            if signal is not NO_SIGNAL and not self._is_waiting(seat.name):
                decision = self._act(seat, signal, held, scene)
                if decision is not RESTING:
                    self._last[seat.name] = (scene.tick.ts_ns, decision)
        return decision

    def watch(self, scene: Scene) -> None:
        """Let the policies see a tick that the account cannot act on: it has no quote of its own.

        Their signals must never depend on that.
        """
        for seat in self.of_symbol.get(scene.market.symbol, ()):
            seat.step(scene)

    def result(self, name: str) -> FlowResult:
        """What a flow earned on this account, holds, and decided last."""
        book = self.ledger.of(name)
        open_ = [p for p in self._desk.sight.positions.open.values() if p.flow_id == name]
        ts_ns, decision = self._last.get(name, (0, RESTING))
        sentence = ""
        if decision.flow is not None:
            sentence = flow_sentence(decision.reason, decision.flow, decision.size, decision.checks)
        return FlowResult(
            realised=book.realised,
            floating=self._floating(open_),
            trades=book.trades,
            positions=tuple(position.position_id for position in open_),
            decided_ns=ts_ns,
            sentence=sentence,
        )

    # --- inside ---------------------------------------------------------------------------

    def _arrange(self, seats: dict[str, tuple[FlowSeat, ...]]) -> None:
        taken = {symbol: each for symbol, each in seats.items() if each}
        self.of_symbol = dict.fromkeys(self._expected, ()) | taken

    def _act(
        self, seat: FlowSeat, signal: Signal, held: Sequence[Position], scene: Scene
    ) -> Decision:
        leaving = [each for each in held if _leaves(seat, signal, each)]
        decision, lots_left = self._leave(seat, signal, leaving, scene)
        if not _enters(seat, signal) or seat.is_paused or lots_left > 0.0:
            return decision
        signal = signal.in_points(self._desk.sight.instruments[scene.tick.symbol])
        staying = [each for each in held if each not in leaving]
        count = sum(each.entries for each in staying)
        is_full = count >= seat.limits.positions_max
        if is_full or any(each.side.value != signal.entry for each in staying):
            return decision
        part = self._entry_part(seat, signal, scene.tick, count)
        part = msgspec.structs.replace(part, leaving=len(leaving))
        decision = self._desk.deciding.enter(scene, part, leaving)
        if decision.order is not None:
            seat.entered_bar = seat.policy.bars
        return decision

    def _leave(
        self, seat: FlowSeat, signal: Signal, leaving: Sequence[Position], scene: Scene
    ) -> tuple[Decision, float]:
        """The last decision, and the lots for whose closing no order left."""
        decision, lots_left = RESTING, 0.0
        for position in leaving:
            lots_left += position.quantity
            if self._desk.management.may_close(position, scene.tick.ts_ns):
                part = self._part(seat, signal, EXIT)
                decision = self._desk.deciding.leave(position, scene, Reason.FLOW_EXIT, part)
                if decision.order is None:
                    self._desk.management.note_refused_close(position.position_id, scene.tick.ts_ns)
                else:
                    lots_left -= decision.order.quantity
        return decision, lots_left if lots_left > LOT_SLACK else 0.0

    def _part(self, seat: FlowSeat, signal: Signal, action: str) -> FlowPart:
        size = seat.flow.size
        return FlowPart(
            name=seat.name,
            version=seat.version,
            digest=seat.digest,
            action=action,
            why=seat.policy.why(),
            take_profit=signal.take_profit,
            lots=size.lots,
            risk_fraction=size.risk_fraction,
            uses_models=seat.flow.models.use or seat.flow.policy.kind == "models",
            limits=seat.limits,
        )

    def _entry_part(self, seat: FlowSeat, signal: Signal, tick: Tick, count: int) -> FlowPart:
        """With the figures that its limits look at; without a stop of its own the emergency one."""
        emergency = tick.mid * self._desk.management.emergency_fraction
        return msgspec.structs.replace(
            self._part(seat, signal, LONG if signal.entry > 0 else SHORT),
            stop_loss=signal.stop_loss or emergency,
            figures=self._figures(seat, tick, count),
            exits=exits_of(seat.flow.exits, signal),
        )

    def _figures(self, seat: FlowSeat, tick: Tick, count: int) -> FlowFigures:
        desk = self._desk
        book, marks = self.ledger.of(seat.name), desk.portfolio.marks
        result = book.mark(tick.ts_ns, self._floating(self._held(seat)))
        instrument = desk.sight.instruments[tick.symbol]
        return FlowFigures(
            positions=float(count),
            daily_loss=_share(book.day_start - result, marks.day_start_equity),
            drawdown=_share(book.best - result, marks.peak_equity),
            spread_points=round(instrument.points(tick.ask - tick.bid), 6),
            orders_today=float(book.orders_today),
            minute=float(tick.ts_ns // NS_PER_MINUTE % MINUTES_PER_DAY),
        )

    def _held(self, seat: FlowSeat) -> list[Position]:
        opened = self._desk.sight.positions.open
        if not opened:
            return []
        name, symbol = seat.name, seat.flow.source.symbol
        return [
            each
            for each in opened.values()
            if each.flow_id == name and each.symbol == symbol and each.is_managed
        ]

    def _is_waiting(self, name: str) -> bool:
        """Whether a trade of the flow is under way: its outcome comes before the next wish."""
        return any(
            order.placed.flow_id == name and order.kind in TRADES
            for order in self._desk.sight.orders.open.values()
        )

    def _floating(self, held: Sequence[Position]) -> Decimal:
        desk = self._desk
        return sum((desk.portfolio.floating_of(each, desk.rates) for each in held), Decimal(0))


def _leaves(seat: FlowSeat, signal: Signal, position: Position) -> bool:
    """Whether a signal wants a position closed; an entry of the other side does so to reverse."""
    side = position.side.value
    is_turned = seat.flow.policy.reverse and signal.entry == -side and _enters(seat, signal)
    return is_turned or signal.leaves(side)


def _enters(seat: FlowSeat, signal: Signal) -> bool:
    """Whether a signal is an entry that counts: not too soon, and with distances that exist."""
    return signal.entry != 0 and seat.has_waited and are_distances(signal)


def are_distances(signal: Signal) -> bool:
    """Whether all of them are defined; an indicator that is not, or is infinite, gives no entry."""
    stops = (signal.stop_loss, signal.take_profit, signal.trailing, signal.trailing_step)
    return all(0.0 <= each < math.inf for each in (*stops, signal.break_even_offset))


def limits_of(flow: Flow) -> FlowLimits:
    """The flow's limits as plain numbers."""
    risk = flow.risk
    begin, end = -1, -1
    if risk.hours:
        begin, end = (
            60 * int(part[:2]) + int(part[3:]) for part in risk.hours.split("-", maxsplit=1)
        )
    return FlowLimits(
        positions_max=risk.positions_max,
        daily_loss_max_fraction=risk.daily_loss_max_fraction,
        drawdown_max_fraction=risk.drawdown_max_fraction,
        spread_max_points=risk.spread_max_points,
        orders_per_day_max=risk.orders_per_day_max,
        minute_from=begin,
        minute_until=end,
    )


def _share(loss: Decimal, whole: Decimal) -> float:
    return float(loss / whole) if whole > 0 else 1.0
