"""Routes about the market: symbols, bars, ticks, indicators, features, forecasts."""

from typing import Annotated, Final, Literal

import numpy as np
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.models.forecast import Forecast
from plan2.interface.api.desk import Desks
from plan2.interface.api.history import History
from plan2.interface.api.paging import BarLimit, ItemLimit, Symbol, TimeUs, symbol_view
from plan2.interface.api.ports import Features, Indicators
from plan2.interface.books import Books
from plan2.interface.items import (
    Bars,
    FeatureValues,
    ForecastItem,
    IndicatorValues,
    SymbolInfo,
    Ticks,
    VoteItem,
)
from plan2.interface.live import MarketView, SymbolView
from plan2.interface.screen import NS_PER_US, number_or_none, to_us

WARM_UP_BARS: Final = 500
INDICATORS_MAX: Final = 16

PeriodS = Literal[60, 300, 900, 1800, 3600, 14400, 86400]
Names = Annotated[
    str,
    Parameter(
        pattern=r"^[a-z0-9_.]{1,48}(,[a-z0-9_.]{1,48}){0,15}$",
        description="Up to 16 names, such as ema_20,bb_upper_20_2.",
    ),
]


class MarketRoutes:
    """Everything about prices and what is computed from them."""

    def __init__(
        self,
        desks: Desks,
        market: MarketView,
        history: History,
        indicators: Indicators,
        features: Features,
    ) -> None:
        self._desks = desks
        self._market = market
        self._history = history
        self._indicators = indicators
        self._features = features

    def handlers(self) -> list[HTTPRouteHandler]:
        """The six routes."""
        tags = ["market"]
        return [
            get("/api/v1/symbols", tags=tags)(self.symbols),
            get("/api/v1/bars", tags=tags)(self.bars),
            get("/api/v1/ticks", tags=tags)(self.ticks),
            get("/api/v1/indicators", tags=tags)(self.indicators),
            get("/api/v1/features", tags=tags)(self.features),
            get("/api/v1/forecasts", tags=tags)(self.forecasts),
        ]

    async def symbols(self, request: SignedRequest) -> list[SymbolInfo]:
        """Every watched symbol with its contract data and last quote."""
        market, books = self._market, self._desks.of(request.auth).books
        views = (market.view(symbol) for symbol in market.symbols)
        return [_symbol_info(view, books) for view in views if view is not None]

    async def bars(
        self,
        symbol: Symbol,
        period_s: PeriodS = 60,
        from_us: TimeUs = None,
        to_us: TimeUs = None,
        limit: BarLimit = 500,
    ) -> Bars:
        """Bid bars as columns, oldest first; the newest `limit` of the time asked for."""
        series = await self._series(symbol, period_s, from_us, to_us, limit)
        return Bars(
            symbol=symbol,
            period_s=period_s,
            time_us=_times(series.ts_ns),
            open=series.bid_open.tolist(),
            high=series.bid_high.tolist(),
            low=series.bid_low.tolist(),
            close=series.bid_close.tolist(),
            ticks=series.ticks.tolist(),
        )

    async def ticks(
        self,
        symbol: Symbol,
        from_us: TimeUs = None,
        to_us: TimeUs = None,
        limit: BarLimit = 1_000,
    ) -> Ticks:
        """Archived quotes as columns, oldest first; at most the last day before `to_us`."""
        symbol_view(self._market, symbol)
        block = await self._history.ticks(symbol, _ns(from_us), _ns(to_us), limit)
        return Ticks(
            symbol=symbol,
            time_us=_times(block.ts_ns),
            bid=block.bid.tolist(),
            ask=block.ask.tolist(),
        )

    async def indicators(
        self,
        symbol: Symbol,
        names: Names,
        period_s: PeriodS = 60,
        from_us: TimeUs = None,
        to_us: TimeUs = None,
        limit: BarLimit = 500,
    ) -> IndicatorValues:
        """Indicators over bars, warmed up by bars before the first one shown."""
        wanted = list(dict.fromkeys(names.split(",")))
        series = await self._series(symbol, period_s, None, to_us, limit + WARM_UP_BARS)
        prices = (series.bid_open, series.bid_high, series.bid_low, series.bid_close)
        columns = await self._history.in_thread(
            lambda: self._indicators(wanted, *map(np.ascontiguousarray, prices))
        )
        first = max(0, len(series) - limit)
        if from_us is not None:
            first = max(first, int(np.searchsorted(series.ts_ns, from_us * NS_PER_US)))
        return IndicatorValues(
            symbol=symbol,
            period_s=period_s,
            time_us=_times(series.ts_ns[first:]),
            values={name: _numbers(columns[name][first:]) for name in wanted},
        )

    async def features(self, symbol: Symbol) -> FeatureValues:
        """The feature vector that the models see now."""
        symbol_view(self._market, symbol)
        vector = self._features.latest(symbol)
        if vector is None:
            raise RequestRefused(
                404, "no_features", f"{symbol} has had no quote yet, so it has no features."
            )
        return FeatureValues(
            symbol=symbol,
            ts_us=to_us(vector.ts_ns),
            schema_id=vector.schema_id,
            ready=vector.ready,
            names=vector.names,
            units=vector.units,
            values=_numbers(vector.values),
        )

    async def forecasts(self, symbol: Symbol, limit: ItemLimit = 100) -> list[ForecastItem]:
        """The last forecasts of a symbol, newest first."""
        kept = symbol_view(self._market, symbol).forecasts
        newest = [kept[-1 - index] for index in range(min(limit, len(kept)))]
        return [_forecast_item(forecast) for forecast in newest]

    async def _series(
        self, symbol: str, period_s: int, from_us: int | None, to_us: int | None, limit: int
    ) -> BarSeries:
        symbol_view(self._market, symbol)
        return await self._history.bars(symbol, period_s, _ns(from_us), _ns(to_us), limit)


def _symbol_info(view: SymbolView, books: Books) -> SymbolInfo:
    instrument, quote = view.instrument, view.quote()
    return SymbolInfo(
        symbol=instrument.symbol,
        description=instrument.description,
        base=instrument.base,
        quote=instrument.quote,
        digits=instrument.digits,
        point=instrument.point,
        contract_size=instrument.contract_size,
        lot_units=instrument.lot_units,
        volume_min=instrument.volume_min,
        volume_step=instrument.volume_step,
        volume_max=instrument.volume_max,
        stops_level_points=instrument.stops_level_points,
        quote_rate=books.rate(instrument.quote),
        bid=quote.bid if quote else None,
        ask=quote.ask if quote else None,
        spread_points=quote.spread_points if quote else None,
        ts_us=quote.ts_us if quote else None,
        state=view.state,
    )


def _forecast_item(forecast: Forecast) -> ForecastItem:
    return ForecastItem(
        symbol=forecast.symbol,
        ts_us=to_us(forecast.ts_ns),
        p_up=forecast.p_up,
        barrier=forecast.barrier,
        horizon_s=forecast.horizon_s,
        disagreement=forecast.disagreement,
        standard_error=forecast.standard_error,
        calibration_id=forecast.calibration_id,
        abstained=forecast.abstained,
        votes=tuple(
            VoteItem(
                model_id=vote.model_id,
                family=vote.family,
                raw=vote.raw,
                calibrated=vote.calibrated,
                weight=vote.weight,
                abstained=vote.abstained,
            )
            for vote in forecast.votes
        ),
    )


def _times(ts_ns: Int64Array) -> list[int]:
    times: list[int] = (ts_ns // NS_PER_US).tolist()
    return times


def _numbers(values: Float64Array) -> list[float | None]:
    return [number_or_none(value) for value in values.tolist()]


def _ns(time_us: int | None) -> int | None:
    return None if time_us is None else time_us * NS_PER_US
