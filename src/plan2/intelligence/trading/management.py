"""The care of open, managed positions: closing in time, moving stops, and never being without one.

Looked at on each tick of the position's symbol; nothing is looked up while nothing is due. A close
that was refused is tried again with a new order after a bounded back-off, and never while the
outcome of another one is open. Positions that a person opened are left alone until claimed.
"""

import enum
from collections.abc import Callable

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.config.schema import Management as ManagementRules
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import (
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    PositionClosed,
    PositionProtected,
)
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.decision.keeping import Scene
from plan2.intelligence.trading.flow_exits import FlowExits, partials_of
from plan2.intelligence.trading.orders import CLOSES, NEVER_ARRIVED, TRADES
from plan2.intelligence.trading.placing import NOT_SENT
from plan2.intelligence.trading.positions import Position
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.stops import (
    emergency_stop,
    flow_stop,
    partial_close,
    tighter_stop,
)
from plan2.intelligence.trading.wishes import FLOW, Ask, OrderWish, Sight

CARE = "algorithm:plan2-care"
"""Who decides when a position is looked after."""
PARTIAL = "partial"
"""Why a share of a position is closed."""
OWN = frozenset({"", FLOW})
"""Whose stops the account's own rules move; a flow says itself how its stops move."""
PROTECTS = frozenset({OrderKind.PROTECT})
DOUBLINGS_MAX = 32


class Exit(enum.StrEnum):
    """Why a position should be closed now."""

    TIME = "time_exit"
    UNPROTECTED = "no stop at the broker"


class Care(msgspec.Struct):
    """What is remembered about one position; market times.

    Attributes:
        refusals: closes refused in a row. close_due_ns, stop_due_ns: not before.
        guard_since_ns: when the watchdog asked for a stop, 0 = it has not.
    """

    refusals: int = 0
    close_due_ns: int = 0
    stop_due_ns: int = 0
    guard_since_ns: int = 0


class Management:
    """Looks after the managed positions of one account."""

    def __init__(
        self,
        rules: ManagementRules,
        sight: Sight,
        rates: Rates,
        request: Callable[[OrderWish, int], Outcome],
    ) -> None:
        self._sight = sight
        self._rates = rates
        self._request = request
        self._cares: dict[str, Care] = {}
        self._flow_exits = FlowExits()
        self.adopt(rules)

    def adopt(self, rules: ManagementRules) -> None:
        """Look after positions by other rules from now on."""
        self._rules = rules
        self._moves_stops = rules.trailing_distance_r > 0.0 or rules.break_even_after_r > 0.0

    @property
    def emergency_fraction(self) -> float:
        """Distance of the stop of whoever names none, a fraction of the price."""
        return self._rules.emergency_stop_fraction

    def on_tick(self, scene: Scene, close_in_time: Callable[[Position, Scene], bool]) -> None:
        """Close what has to be closed of the tick's symbol, and see to the stops of the rest.

        `close_in_time`: closes a position whose time is over; whether the gate let it pass.
        """
        tick = scene.tick
        for position in self._sight.positions.of_symbol(tick.symbol):
            if not position.is_managed:
                continue
            why = self.exit_of(position, tick.ts_ns)
            if why is Exit.TIME:
                if not close_in_time(position, scene):
                    self.note_refused_close(position.position_id, tick.ts_ns)
            elif why is not None:
                self.close(position, why, tick, scene.now_ns)
            else:
                self.look_after(position, tick, scene.now_ns)

    def exit_of(self, position: Position, ts_ns: int) -> Exit | None:
        """Whether a position should be closed now, and may be: nothing under way, no back-off."""
        reason: Exit | None = None
        if self._is_over(position, ts_ns):
            reason = Exit.TIME
        elif position.unprotected_ts_ns and self._is_guard_in_vain(position, ts_ns):
            reason = Exit.UNPROTECTED
        return reason if reason is not None and self.may_close(position, ts_ns) else None

    def _is_over(self, position: Position, ts_ns: int) -> bool:
        """Whether its horizon is over, or the time that its flow gives it from its fill."""
        if position.expires_ts_ns and ts_ns >= position.expires_ts_ns:
            return True
        exits = self._flow_exits.of.get(position.position_id)
        time_s = exits.get("time_s", 0.0) if exits is not None else 0.0
        return time_s > 0.0 and ts_ns >= position.opened_ts_ns + int(time_s * NS_PER_SECOND)

    def may_close(self, position: Position, ts_ns: int) -> bool:
        """Whether no trade is under way for the position and no back-off runs."""
        care = self._cares.get(position.position_id)
        if care is not None and ts_ns < care.close_due_ns:
            return False
        return not self._sight.orders.is_busy(position.ticket, CLOSES)

    def look_after(self, position: Position, tick: Tick, now_ns: int) -> None:
        """Give a position a stop when it has none, and tighten the one it has."""
        if position.unprotected_ts_ns:
            waited_ns = tick.ts_ns - position.unprotected_ts_ns
            if waited_ns >= self._rules.unprotected_max_s * NS_PER_SECOND:
                self._guard(position, tick, now_ns)
        elif position.position_id in self._flow_exits.of:
            self._follow_flow(position, tick, now_ns)
        elif self._moves_stops and position.flow_id in OWN:
            self._tighten(position, tick, now_ns)

    def protect(self, position_id: str, now_ns: int) -> None:
        """See to a position without a stop at once, by a stop or by closing it."""
        position = self._sight.positions.open.get(position_id)
        tick = self._sight.quotes.get(position.symbol) if position is not None else None
        if position is None or tick is None or not position.is_managed:
            return
        if position.unprotected_ts_ns and not self._is_guard_in_vain(position, now_ns):
            self._guard(position, tick, now_ns)
        elif position.unprotected_ts_ns and self.may_close(position, now_ns):
            self.close(position, Exit.UNPROTECTED, tick, now_ns)

    def close(
        self, position: Position, why: str, tick: Tick, now_ns: int, lots: float = 0.0
    ) -> None:
        """Close `lots` of a position at market, 0 = all; our refusal starts the back-off too."""
        ask = Ask(CARE, why)
        key = f"{position.position_id}:{why}:{tick.ts_ns}:{tick.seq}"
        wish = OrderWish(
            kind=OrderKind.CLOSE,
            ask=ask,
            position_id=position.position_id,
            quantity=lots,
            flow_id=position.flow_id,
            key=key,
        )
        if self._request(wish, now_ns).refusal is not None:
            self.note_refused_close(position.position_id, tick.ts_ns)

    def note_refused_close(self, position_id: str, ts_ns: int, *, arrived: bool = True) -> None:
        """A close was refused: the next one waits, twice as long each time.

        One that never arrived was refused by nobody, and makes the next wait no longer.
        """
        care = self._cares.setdefault(position_id, Care())
        rules = self._rules
        doublings = min(care.refusals, DOUBLINGS_MAX) if arrived else 0
        wait_s = min(rules.close_again_after_s * 2.0**doublings, rules.close_again_max_s)
        care.refusals += arrived
        care.close_due_ns = ts_ns + int(wait_s * NS_PER_SECOND)

    def apply(self, event: Event) -> None:
        """Hear what became of closes and stops; call it after the books have heard it."""
        self._flow_exits.apply(event)
        if isinstance(event, PositionClosed):
            self._cares.pop(event.position_id, None)
        elif isinstance(event, PositionProtected):
            self._note_stop(event)
        elif isinstance(event, OrderRejected | OrderCancelled | OrderExpired):
            order = self._sight.orders.orders.get(event.order_id)
            if order is None or order.kind not in CLOSES:
                return
            for ticket in (order.placed.position_id, order.placed.opposite_id):
                position_id = f"{self._sight.account_id}:{ticket}"
                if position_id in self._sight.positions.open:
                    arrived = order.reason not in {NOT_SENT, NEVER_ARRIVED}
                    self.note_refused_close(position_id, event.ts_ns, arrived=arrived)

    def _note_stop(self, event: PositionProtected) -> None:
        care = self._cares.get(event.position_id)
        if care is not None and event.stop_loss:
            care.guard_since_ns = 0

    def _is_guard_in_vain(self, position: Position, ts_ns: int) -> bool:
        """Whether a stop was asked for, and refused or not confirmed in time."""
        care = self._cares.get(position.position_id)
        if care is None or not care.guard_since_ns:
            return False
        if not self._sight.orders.is_busy(position.ticket, PROTECTS):
            return True
        return ts_ns - care.guard_since_ns >= self._rules.stop_answer_max_s * NS_PER_SECOND

    def _guard(self, position: Position, tick: Tick, now_ns: int) -> None:
        care = self._cares.setdefault(position.position_id, Care())
        if care.guard_since_ns:
            return
        care.guard_since_ns = tick.ts_ns
        instrument = self._sight.instruments[position.symbol]
        stop = emergency_stop(position, tick, instrument, self._rules.emergency_stop_fraction)
        self._set_stop(position, stop, "watchdog", tick, now_ns)

    def _follow_flow(self, position: Position, tick: Tick, now_ns: int) -> None:
        """Close a share, or move the stop, as the position's flow wants it."""
        exits = self._flow_exits.of[position.position_id]
        instrument = self._sight.instruments[position.symbol]
        lots = partial_close(position, tick, instrument, partials_of(exits))
        if lots > 0.0 and self.may_close(position, tick.ts_ns):
            self.close(position, PARTIAL, tick, now_ns, lots)
            return
        care = self._cares.setdefault(position.position_id, Care())
        if tick.ts_ns >= care.stop_due_ns:
            self._move_stop(position, flow_stop(position, tick, instrument, exits), tick, now_ns)

    def _tighten(self, position: Position, tick: Tick, now_ns: int) -> None:
        care = self._cares.setdefault(position.position_id, Care())
        if tick.ts_ns < care.stop_due_ns:
            return
        instrument = self._sight.instruments[position.symbol]
        rate = self._rates.rate(instrument.quote)
        better = tighter_stop(position, tick, instrument, rate, self._rules)
        self._move_stop(position, better, tick, now_ns)

    def _move_stop(
        self, position: Position, better: tuple[float, str] | None, tick: Tick, now_ns: int
    ) -> None:
        """Ask for a better stop, not too often and never while something else is under way."""
        if better is None or self._sight.orders.is_busy(position.ticket, TRADES | PROTECTS):
            return
        care = self._cares[position.position_id]
        care.stop_due_ns = tick.ts_ns + int(self._rules.stop_changes_every_s * NS_PER_SECOND)
        self._set_stop(position, *better, tick, now_ns)

    def _set_stop(self, position: Position, stop: float, why: str, tick: Tick, now_ns: int) -> None:
        wish = OrderWish(
            kind=OrderKind.PROTECT,
            ask=Ask(CARE, why),
            position_id=position.position_id,
            stop_loss=stop,
            flow_id=position.flow_id,
            key=f"{position.position_id}:{why}:{tick.ts_ns}:{tick.seq}",
        )
        self._request(wish, now_ns)
