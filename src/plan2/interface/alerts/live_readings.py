"""What alert rules of one tenant look at, from the parts that are there anyway.

Nothing is computed per tick for it: a figure is read when a rule asks, a few times a second.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from plan2.dataflow.quality import Freshness
from plan2.foundation.clock import Clock
from plan2.foundation.health import HealthBoard
from plan2.foundation.latency import Latency
from plan2.foundation.values import Tick
from plan2.intelligence.alerts.formula import LiveFormulas
from plan2.intelligence.decision.policy import edge_of
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.pipeline import Pipeline
from plan2.intelligence.trading.account import TradingAccount

OWN_MS: Final = 1
"""A quote's age does not matter where only the trading week is asked for."""
PERCENT: Final = 100.0


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where figures come from.

    Attributes:
        pipeline: ticks, features and quality of each symbol. account: the tenant's.
        forecast: the last one of a symbol. bid_before: the bid at a market time, to the minute.
        board: the tenant's health board. market, wall: clocks.
    """

    pipeline: Pipeline
    account: TradingAccount
    forecast: Callable[[str], Forecast | None]
    bid_before: Callable[[str, int], float | None]
    board: HealthBoard
    latency: Latency
    market: Clock
    wall: Clock


class LiveReadings:
    """Implements `Readings`."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._began_ns = sources.market.now_ns()
        self._began_wall_ns = sources.wall.now_ns()
        self._formulas = {
            symbol: LiveFormulas(lane.engine) for symbol, lane in sources.pipeline.lanes.items()
        }
        self._decided_ns: dict[str, int] = {}
        self._beats_ns: dict[str, int] = {}

    # --- what is heard ----------------------------------------------------------------------

    def note_decision(self, symbol: str, ts_ns: int) -> None:
        """A decision of the tenant was written down."""
        self._decided_ns[symbol] = ts_ns

    def note_beat(self, name: str) -> None:
        """A program reported that it lives."""
        self._beats_ns[name] = self._from.wall.now_ns()

    def look(self) -> None:
        """Keep what formulas need of closed bars."""
        for symbol, formulas in self._formulas.items():
            formulas.look(self._mid(symbol))

    # --- Readings ---------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Market time, UTC ns."""
        return self._from.market.now_ns()

    def tick(self, symbol: str) -> Tick | None:
        """The last quote."""
        return self._from.pipeline.last_ticks.get(symbol)

    def bid_before(self, symbol: str, ts_ns: int) -> float:
        """The bid at a market time, to the minute."""
        found = self._from.bid_before(symbol, ts_ns)
        return math.nan if found is None else found

    def formula(self, symbol: str, text: str) -> float:
        """A feature or formula after the last tick."""
        found = self._formulas.get(symbol)
        return math.nan if found is None else found.value(text, self._mid(symbol))

    def forecast(self, symbol: str, figure: str) -> float:
        """A figure of the last forecast; NaN where the models abstain."""
        last, tick = self._from.forecast(symbol), self.tick(symbol)
        if last is None or last.abstained or tick is None:
            return math.nan
        if figure != "edge_pips":
            return float(getattr(last, figure))
        account, instrument = (
            self._from.account,
            self._from.pipeline.lanes[symbol].engine.instrument,
        )
        rate = account.rates.rate(instrument.quote)
        if not rate > 0.0:
            return math.nan
        return edge_of(tick, last, instrument, rate, account.rules.decision).ev / instrument.pip

    def risk(self, figure: str) -> float:
        """A figure of the account's risk, percent; NaN while open positions have no quote."""
        account = self._from.account
        portfolio, limits = account.portfolio, account.rules.risk
        equity = float(portfolio.equity)
        if not portfolio.is_valued or equity <= 0.0:
            return math.nan
        match figure:
            case "daily_loss":
                return PERCENT * max(0.0, portfolio.day_loss)
            case "weekly_loss":
                return PERCENT * max(0.0, portfolio.week_loss)
            case "drawdown":
                return PERCENT * max(0.0, portfolio.drawdown)
            case "margin_level":
                margin = portfolio.margin(account.rates)
                return PERCENT * equity / margin if margin > 0.0 else math.nan
            case "exposure_used":
                room = limits.exposure_max_fraction * equity
                return PERCENT * portfolio.exposure(account.rates) / room
            case _:
                most = limits.daily_loss_max_fraction
                used = max(0.0, portfolio.day_loss)
                return PERCENT * used / most if most > 0.0 else math.nan

    def profit(self, of: str, symbol: str) -> float:
        """Profit of the day or of what is open, account currency."""
        account = self._from.account
        portfolio = account.portfolio
        if not portfolio.is_valued:
            return math.nan
        if of == "day":
            return float(portfolio.day_profit)
        return math.fsum(
            float(portfolio.floating_of(position, account.rates))
            for position in account.positions.open.values()
            if symbol in {"", position.symbol}
        )

    def health(self, figure: str, of: str) -> float:
        """A figure of the process, in the unit of its name."""
        if figure == "loop_lag_ms":
            return self._from.board.loop_lag_ms_p99()
        if figure == "feed_age_s":
            lane = self._from.pipeline.lanes.get(of)
            age_ms = lane.quality.age_ms(self.now_ns()) if lane is not None else None
            return math.nan if age_ms is None or not self.is_open(of) else age_ms / 1_000.0
        found = {each.stage: each for each in self._from.latency.snapshot()}.get(of)
        return math.nan if found is None or not found.count else found.p99_us / 1_000.0

    def statuses(self) -> Mapping[str, str]:
        """The state of every part of the process, by name."""
        return {part.name: str(part.status) for part in self._from.board.snapshot()}

    def heard_ns(self, what: str, of: str) -> int | None:
        """When something last came; before the first time, when we began to listen."""
        if what == "heartbeat":
            return self._beats_ns.get(of, self._began_wall_ns)
        if what == "tick":
            ticks = self._from.pipeline.last_ticks
            heard = {symbol: tick.ts_ns for symbol, tick in ticks.items()}
        else:
            heard = self._decided_ns
        found = [ts_ns for symbol, ts_ns in heard.items() if of in {"", symbol}]
        return max([self._began_ns, *found])

    def is_open(self, symbol: str) -> bool:
        """Whether the market of a symbol, or of any symbol if empty, is open."""
        now_ns = self.now_ns()
        return any(
            lane.quality.freshness(now_ns, OWN_MS) is not Freshness.CLOSED
            for name, lane in self._from.pipeline.lanes.items()
            if symbol in {"", name}
        )

    def _mid(self, symbol: str) -> float:
        tick = self.tick(symbol)
        return math.nan if tick is None else tick.mid
