"""The life of a tick, from quote to order, as one straight line.

    terminal → quality → features → forecast → decision → risk gate → journal → terminal

Ordinary function calls, early returns; no await, no queue, no task, no log call in between. The bus
announces what happened and drives nothing. The same object serves live trading, paper trading,
replay and backtest; only what is plugged into it differs.

Features and forecasts are computed once per symbol and shared; decisions and everything after
belong to an account. Accounts may be of many tenants; a fault of one stops that one alone.
"""

from collections.abc import Callable
from typing import Final

from plan2.dataflow.quality import QualityGate, Verdict
from plan2.dataflow.terminals.port import LinkChange, OrderUpdate
from plan2.foundation.bus import Bus
from plan2.foundation.clock import Clock, stopwatch_ns
from plan2.foundation.errors import InvariantBroken, Plan2Error, Unrecoverable
from plan2.foundation.events.market import BarClosed, MarketDataQuarantined, MarketDataReceived
from plan2.foundation.latency import Latency
from plan2.foundation.values import Tick
from plan2.intelligence.decision.keeping import Scene
from plan2.intelligence.decision.schedule import NOTHING_SCHEDULED
from plan2.intelligence.events import ForecastMade
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.models.canary import Canary
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.standing import SOUND, Standing
from plan2.intelligence.models.trail import Trail
from plan2.intelligence.regimes.watch import SituationWatch
from plan2.intelligence.trading.account import TradingAccount

FAULTS: Final = (Plan2Error, ArithmeticError)
"""What an account's own part of a tick may fail with: its rules, its books, its numbers."""


def unrecoverable(fault: Exception) -> Unrecoverable:
    """The fault as one after which an account does not trade on."""
    if isinstance(fault, Unrecoverable):
        return fault
    broken = InvariantBroken(f"It failed at a tick or an answer: {type(fault).__name__}: {fault}.")
    broken.__cause__ = fault
    return broken


class Lane:
    """What one symbol's ticks run through before any account sees them."""

    __slots__ = (
        "canary", "engine", "ensemble", "quality", "schedule", "situations", "standing",
        "symbol", "trail",
    )  # fmt: skip

    def __init__(
        self, symbol: str, quality: QualityGate, engine: FeatureEngine, ensemble: Ensemble | None
    ) -> None:
        self.symbol = symbol
        self.quality = quality
        self.engine = engine
        self.ensemble = ensemble
        self.situations = SituationWatch(engine)
        self.standing = SOUND
        self.schedule = NOTHING_SCHEDULED
        """The economic events that concern the symbol."""
        self.canary: Canary | None = None
        self.trail = Trail(len(engine.sequence))

    def commit(self) -> None:
        """A bar closed: the recurrent models step over it, and new ones could later."""
        self.situations.note()
        if self.engine.gap_reset:
            self.trail.clear()
        else:
            self.trail.add(self.engine.sequence_closed)
        if self.ensemble is not None:
            self.ensemble.commit(self.engine)
        if self.canary is not None:
            self.canary.ensemble.commit(self.engine)

    def forecast(self, ts_ns: int, bar_closed: bool) -> Forecast | None:
        """Advance the recurrent models when a bar closed, then forecast; None without models.

        A gap closes a bar too; the models then forget instead of advancing.
        """
        if bar_closed:
            self.commit()
        if self.ensemble is None:
            return None
        if self.canary is None:
            return self.ensemble.forecast(ts_ns, self.engine)
        return self.canary.forecast(self.ensemble, ts_ns, self.engine, bar_closed=bar_closed)

    def among(self, families: tuple[str, ...]) -> Forecast | None:
        """What those of some families alone say who made the last forecast; None = none do."""
        speaker = self._speaker()
        return None if speaker is None else speaker.among(families)

    def volatility(self) -> float:
        """Volatility of one day, a fraction of the price; NaN while the features warm up."""
        return self.engine.volatility_day

    def states(self) -> dict[str, bytes]:
        """The recurrent state that the last forecast started from."""
        speaker = self._speaker()
        return {} if speaker is None else speaker.states()

    def _speaker(self) -> Ensemble | None:
        """Who made the last forecast."""
        if self.canary is not None and self.canary.is_on:
            return self.canary.ensemble
        return self.ensemble

    def standing_in_turn(self) -> Standing:
        """How those stand who made the last forecast."""
        if self.canary is not None and self.canary.is_on:
            return self.canary.standing
        return self.standing

    def champions(self, forecast: Forecast) -> Forecast:
        """The champion's forecast at a tick that closed a bar, whoever made the one for it."""
        said = self.canary.champion_said if self.canary is not None else None
        return forecast if said is None else said


class Seat:
    """An account at the pipeline, and who hears of its faults.

    It listens to the account's own terminal; ticks come from the pipeline, which gates them.
    """

    __slots__ = ("account", "on_fault", "on_scene")

    def __init__(self, account: TradingAccount, on_fault: Callable[[Unrecoverable], None]) -> None:
        self.account = account
        self.on_fault = on_fault
        self.on_scene: Callable[[Scene], object] = account.on_tick
        """What the account does with each accepted tick of the market and its forecast."""

    def on_tick(self, tick: Tick) -> None:
        """Nothing: what its terminal quotes is not what features and models are made of."""

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something about an order of the account."""
        try:
            self.account.on_order_update(update)
        except FAULTS as fault:
            self.on_fault(unrecoverable(fault))

    def on_link(self, change: LinkChange) -> None:
        """The way to the broker changed."""
        try:
            self.account.on_link(change)
        except FAULTS as fault:
            self.on_fault(unrecoverable(fault))


class Pipeline:
    """Takes ticks and broker answers from the terminal; implements its listener."""

    def __init__(
        self,
        lanes: dict[str, Lane],
        account: TradingAccount,
        bus: Bus,
        clock: Clock,
        latency: Latency,
        on_fault: Callable[[Unrecoverable], None],
    ) -> None:
        self.lanes = lanes
        self._own = Seat(account, on_fault)
        self._seats: tuple[Seat, ...] = (self._own,)
        self.ticks = 0
        self.last_ticks: dict[str, Tick] = {}
        self._bus = bus
        self._clock = clock
        self._quality_ns = latency.stage("quality").record_ns
        self._features_ns = latency.stage("features").record_ns
        self._forecast_ns = latency.stage("forecast").record_ns
        self._decision_ns = latency.stage("decision").record_ns
        self._total_ns = latency.stage("tick_to_decision").record_ns
        self._publish_ns = latency.stage("publish").record_ns

    def on_tick(self, tick: Tick) -> None:
        """One quote, all the way to an order or a reason."""
        started = stopwatch_ns()
        lane = self.lanes[tick.symbol]
        now_ns = self._clock.now_ns()
        verdict = lane.quality.check(tick, now_ns)
        if not verdict.is_accepted:
            self._quarantine(tick, verdict)
            return
        checked = stopwatch_ns()
        bar_closed = lane.engine.step(tick.ts_ns, tick.bid, tick.ask)
        stepped = stopwatch_ns()
        forecast = lane.forecast(tick.ts_ns, bar_closed)
        forecasted = stopwatch_ns()
        scene = Scene(
            tick=tick,
            now_ns=now_ns,
            ready=lane.engine.ready,
            schema_id=lane.engine.plan.schema_id,
            features=lane.engine.values,
            forecast=forecast,
            states=lane.states,
            standing=lane.standing if lane.canary is None else lane.standing_in_turn(),
            volatility=lane.volatility,
            novelty=lane.situations.novelty,
            among=lane.among,
            schedule=lane.schedule,
        )
        for seat in self._seats:
            try:
                seat.on_scene(scene)
            except FAULTS as fault:
                seat.on_fault(unrecoverable(fault))
        decided = stopwatch_ns()
        self._announce(lane, tick, forecast, bar_closed)
        self.ticks += 1
        self.last_ticks[tick.symbol] = tick
        self._quality_ns(checked - started)
        self._features_ns(stepped - checked)
        self._forecast_ns(forecasted - stepped)
        self._decision_ns(decided - forecasted)
        self._total_ns(decided - started)
        self._publish_ns(stopwatch_ns() - decided)

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something about an order of the account behind this terminal."""
        self._own.on_order_update(update)

    def on_link(self, change: LinkChange) -> None:
        """The way to the broker changed; new risk is taken only while it is up."""
        self._own.on_link(change)

    def join(self, seat: Seat) -> None:
        """Let another account, which has a terminal of its own, see every tick from now on."""
        self._seats = (*self._seats, seat)

    def leave(self, account: TradingAccount) -> None:
        """Let an account see no more ticks."""
        self._seats = tuple(seat for seat in self._seats if seat.account is not account)

    def _announce(
        self, lane: Lane, tick: Tick, forecast: Forecast | None, bar_closed: bool
    ) -> None:
        publish = self._bus.publish
        publish(MarketDataReceived(ts_ns=tick.ts_ns, tick=tick))
        if bar_closed:
            publish(BarClosed(ts_ns=tick.ts_ns, bar=lane.engine.last_bar()))
        if forecast is not None:
            publish(ForecastMade(ts_ns=tick.ts_ns, forecast=forecast))

    def _quarantine(self, tick: Tick, verdict: Verdict) -> None:
        self._bus.publish(MarketDataQuarantined(ts_ns=tick.ts_ns, tick=tick, reason=verdict.reason))
