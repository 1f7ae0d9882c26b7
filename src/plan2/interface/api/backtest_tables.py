"""Routes of what a run is made of: trades and orders by page, equity, the bars around a trade."""

import asyncio
from typing import Annotated, Final, Literal

import msgspec
import polars as pl
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND
from plan2.intelligence.backtest.figures.curves import thinned_rows
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.interface.api.backtest_items import columns_us
from plan2.interface.api.backtest_parts import PATH, TAGS, BacktestParts, RunId, reading
from plan2.interface.api.paging import BARS_MAX, TimeUs
from plan2.interface.items import Bars
from plan2.interface.screen import NS_PER_US, SAFE_INTEGER_MAX

Offset = Annotated[int, Parameter(ge=0, le=10_000_000)]
PageLimit = Annotated[int, Parameter(ge=1, le=1_000)]
PointLimit = Annotated[int, Parameter(ge=100, le=20_000)]
Period = Annotated[int, Parameter(query="period_s", ge=1, le=86_400)]
Side = Annotated[Literal["long", "short"] | None, Parameter(query="side")]
Word = Annotated[str, Parameter(max_length=64, description="Only of this reason.")]
TradeOrder = Literal["trade", "open", "close", "net", "lots", "mae", "mfe", "commission", "swap"]
SORT_COLUMNS: Final = {"open": "open_us", "close": "close_us"}
BARS_SPAN_NS: Final = 14 * NS_PER_DAY


class TradeItem(msgspec.Struct, frozen=True, kw_only=True):
    """A trade, as in `intelligence/backtest/run.py`; times are microseconds UTC."""

    trade: int
    side: int
    lots: float
    decided_us: int
    open_us: int
    open_price: float
    close_us: int
    close_price: float
    exit_reason: str
    gross: float
    commission: float
    swap: float
    net: float
    mae: float
    mfe: float
    spread_cost: float
    slippage_cost: float


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request; `filled_us` and `price` are 0 when it was refused; `code` is MetaTrader's."""

    order: int
    ts_us: int
    kind: str
    side: int
    lots: float
    filled_us: int
    price: float
    filled_lots: float
    code: int
    reason: str


class TradePage(msgspec.Struct, frozen=True, kw_only=True):
    """Trades `offset` and on of the `total` that were asked for; `net` of all of these."""

    total: int
    net: float
    offset: int
    items: list[TradeItem]


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Requests `offset` and on of the `total` that were asked for."""

    total: int
    offset: int
    items: list[OrderRow]


class EquityLine(msgspec.Struct, frozen=True, kw_only=True):
    """Equity of a stretch as columns; extremes are kept where there are fewer points."""

    time_us: list[int]
    balance: list[float]
    equity: list[float]
    lots: list[float]


class BacktestTableRoutes:
    """`/api/v1/backtests/{run_id}/…` of tables; files are read in threads."""

    def __init__(self, parts: BacktestParts) -> None:
        self._parts = parts

    def handlers(self) -> list[HTTPRouteHandler]:
        """The four routes."""
        one = PATH + "/{run_id:str}"
        return [
            get(one + "/trades", tags=TAGS)(self.trades),
            get(one + "/orders", tags=TAGS)(self.orders),
            get(one + "/equity", tags=TAGS)(self.equity),
            get(one + "/bars", tags=TAGS)(self.bars),
        ]

    async def trades(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: SignedRequest,
        run_id: RunId,
        offset: Offset = 0,
        limit: PageLimit = 100,
        from_us: TimeUs = None,
        to_us: TimeUs = None,
        side: Side = None,
        reason: Word = "",
        sort: TradeOrder = "trade",
        descending: bool = False,
    ) -> TradePage:
        """Trades that were open between two times, by page, in any order."""

        def read(kept: KeptRuns) -> TradePage:
            frame = columns_us(kept.table(run_id, "trades"))
            frame = _within(frame, "open_us", "close_us", (from_us, to_us))
            if side is not None:
                frame = frame.filter(pl.col("side") == (1 if side == "long" else -1))
            if reason:
                frame = frame.filter(pl.col("exit_reason") == reason)
            column = SORT_COLUMNS.get(sort, sort)
            page = frame.sort(column, descending=descending, maintain_order=True)
            items = msgspec.convert(page.slice(offset, limit).to_dicts(), list[TradeItem])
            net = round(float(frame["net"].sum()), 2)
            return TradePage(total=frame.height, net=net, offset=offset, items=items)

        return await reading(self._parts, request, read)

    async def orders(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: SignedRequest,
        run_id: RunId,
        offset: Offset = 0,
        limit: PageLimit = 100,
        from_us: TimeUs = None,
        to_us: TimeUs = None,
        reason: Word = "",
    ) -> OrderPage:
        """Requests with their answers, in order, by page."""

        def read(kept: KeptRuns) -> OrderPage:
            frame = columns_us(kept.table(run_id, "orders")).rename({"retcode": "code"})
            frame = _within(frame, "ts_us", "ts_us", (from_us, to_us))
            if reason:
                frame = frame.filter(pl.col("reason") == reason)
            items = msgspec.convert(frame.slice(offset, limit).to_dicts(), list[OrderRow])
            return OrderPage(total=frame.height, offset=offset, items=items)

        return await reading(self._parts, request, read)

    async def equity(
        self,
        request: SignedRequest,
        run_id: RunId,
        from_us: TimeUs = None,
        to_us: TimeUs = None,
        points: PointLimit = 2_000,
    ) -> EquityLine:
        """Balance, equity and net lots of a stretch."""

        def read(kept: KeptRuns) -> EquityLine:
            frame = columns_us(kept.table(run_id, "equity"))
            frame = _within(frame, "ts_us", "ts_us", (from_us, to_us))
            chosen = frame[thinned_rows(frame["equity"].to_numpy(), points)]
            return EquityLine(
                time_us=chosen["ts_us"].to_list(),
                balance=chosen["balance"].to_list(),
                equity=chosen["equity"].to_list(),
                lots=chosen["lots"].to_list(),
            )

        return await reading(self._parts, request, read)

    async def bars(
        self,
        request: SignedRequest,
        run_id: RunId,
        from_us: Annotated[int, Parameter(ge=0, le=SAFE_INTEGER_MAX)],
        to_us: Annotated[int, Parameter(ge=0, le=SAFE_INTEGER_MAX)],
        period_s: Period = 60,
    ) -> Bars:
        """Bid bars of the archived ticks of the run's symbol, to draw its trades on.

        Empty where the ticks are not archived.
        """
        span = (from_us * NS_PER_US, to_us * NS_PER_US)
        if not span[0] < span[1] <= span[0] + BARS_SPAN_NS:
            raise RequestRefused(
                422, "invalid_range", "from_us must be up to 14 days before to_us."
            )
        if (span[1] - span[0]) // (period_s * NS_PER_SECOND) > BARS_MAX:
            raise RequestRefused(422, "range_too_large", f"That is more than {BARS_MAX} bars.")
        summary = await reading(self._parts, request, lambda kept: kept.record(run_id).summary)
        async with self._parts.reader:
            found = await asyncio.to_thread(
                self._parts.archive.bars, summary.symbol, period_s, *span
            )
        return _bars_item(found)


def _within(
    frame: pl.DataFrame, first: str, last: str, stretch: tuple[int | None, int | None]
) -> pl.DataFrame:
    """Rows that reach into a stretch; None is open."""
    from_us, to_us = stretch
    if from_us is not None:
        frame = frame.filter(pl.col(last) >= from_us)
    if to_us is not None:
        frame = frame.filter(pl.col(first) < to_us)
    return frame


def _bars_item(bars: BarSeries) -> Bars:
    return Bars(
        symbol=bars.symbol,
        period_s=bars.period_s,
        time_us=(bars.ts_ns // NS_PER_US).tolist(),
        open=bars.bid_open.tolist(),
        high=bars.bid_high.tolist(),
        low=bars.bid_low.tolist(),
        close=bars.bid_close.tolist(),
        ticks=bars.ticks.tolist(),
    )
