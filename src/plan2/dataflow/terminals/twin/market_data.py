"""Functions of the package about prices: last tick, ticks, bars, depth of market."""

from typing import Any, Final

import numpy as np

from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.arguments import c_int, date_s, expect_count, symbol_of
from plan2.dataflow.terminals.twin.columns import (
    FLAG_SEEN_IN_LAST_TICK,
    TICKS,
    Rows,
    quote_flags,
    sealed,
    tick_rows,
    timeframes,
)
from plan2.dataflow.terminals.twin.errors import CallFailed, exported
from plan2.dataflow.terminals.twin.session import Calls
from plan2.dataflow.terminals.twin.structs import BookInfo, Tick, record
from plan2.dataflow.terminals.twin.symbols import is_synchronised, require_selected
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.values import NS_PER_SECOND

BOOK_LINES: Final = 5
BOOK_LOTS: Final = 10.0
FLAG_ALL: Final = constants.COPY_TICKS_ALL
FIRST_STRETCH_NS: Final = 6 * 3_600 * NS_PER_SECOND


class MarketDataCalls(Calls):
    """symbol_info_tick, copy_ticks_*, copy_rates_*, market_book_*."""

    @exported(on_error=None)
    def symbol_info_tick(self, *args: Any) -> Tick:  # Any: the package tests it itself
        """The last quote of a symbol in Market Watch."""
        expect_count(args, 1)
        symbol = symbol_of(args[0])
        return self._session.ask("symbol_info_tick", lambda world: _last_tick(world, symbol))

    @exported(on_error=None)
    def copy_ticks_from(self, *args: Any) -> Rows:  # Any: the package tests it itself
        """At most `count` ticks from a time on, oldest first."""
        expect_count(args, 4)
        symbol, start_s = symbol_of(args[0]), date_s("copy_ticks_from", args[1])
        count, flags = c_int("copy_ticks_from", args[2]), c_int("copy_ticks_from", args[3])

        def copy(world: TwinWorld) -> Rows:
            _require_positive(count)
            start_ns = world.server.utc_ns(start_s)
            return _ticks(world, symbol, _first_ticks(world, symbol, start_ns, count), flags)

        return self._session.ask("copy_ticks_from", copy)

    @exported(on_error=None)
    def copy_ticks_range(self, *args: Any) -> Rows:  # Any: the package tests it itself
        """Ticks between two times; those after the whole second of the end are left out."""
        expect_count(args, 4)
        symbol = symbol_of(args[0])
        start_s, end_s = date_s("copy_ticks_range", args[1]), date_s("copy_ticks_range", args[2])
        flags = c_int("copy_ticks_range", args[3])

        def copy(world: TwinWorld) -> Rows:
            require_selected(world, symbol, constants.RES_E_FAIL)
            start_ns, end_ns = world.server.utc_ns(start_s), world.server.utc_ns(end_s)
            block = world.market.ticks(symbol, start_ns, end_ns + 1)
            return _ticks(world, symbol, tick_rows(block, world.server), flags)

        return self._session.ask("copy_ticks_range", copy)

    @exported(on_error=None)
    def copy_rates_from(self, *args: Any) -> Rows:  # Any: the package tests it itself
        """`count` bars that end with the bar of a time."""
        expect_count(args, 4)
        symbol, timeframe = symbol_of(args[0]), c_int("copy_rates_from", args[1])
        date, count = date_s("copy_rates_from", args[2]), c_int("copy_rates_from", args[3])

        def copy(world: TwinWorld) -> Rows:
            _require_positive(count)
            bars = _bars(world, symbol, timeframe)
            return bars[bars["time"] <= date][-min(count, world.options.maxbars) :]

        return self._rates("copy_rates_from", symbol, copy)

    @exported(on_error=None)
    def copy_rates_from_pos(self, *args: Any) -> Rows:  # Any: the package tests it itself
        """`count` bars that end with the one at a place; place 0 is the bar still forming."""
        expect_count(args, 4)
        symbol = symbol_of(args[0])
        timeframe, place, count = (c_int("copy_rates_from_pos", each) for each in args[1:])

        def copy(world: TwinWorld) -> Rows:
            _require_positive(count)
            if place < 0:
                raise CallFailed(constants.RES_E_INVALID_PARAMS)
            bars = _bars(world, symbol, timeframe)
            stop = len(bars) - place
            return bars[max(stop - min(count, world.options.maxbars), 0) : max(stop, 0)]

        return self._rates("copy_rates_from_pos", symbol, copy)

    @exported(on_error=None)
    def copy_rates_range(self, *args: Any) -> Rows:  # Any: the package tests it itself
        """Bars that open between two times, both included."""
        expect_count(args, 4)
        symbol, timeframe = symbol_of(args[0]), c_int("copy_rates_range", args[1])
        start, end = date_s("copy_rates_range", args[2]), date_s("copy_rates_range", args[3])

        def copy(world: TwinWorld) -> Rows:
            bars = _bars(world, symbol, timeframe)
            inside = bars[(bars["time"] >= start) & (bars["time"] <= end)]
            return inside[-world.options.maxbars :]

        return self._rates("copy_rates_range", symbol, copy)

    @exported(on_error=None)
    def market_book_add(self, *args: Any) -> bool:  # Any: the package tests it itself
        """Subscribe to the depth of market; an unknown symbol is False with Success."""
        expect_count(args, 1)
        symbol = symbol_of(args[0])
        return self._session.ask("market_book_add", lambda world: self._subscribe(world, symbol))

    @exported(on_error=None)
    def market_book_release(self, *args: Any) -> bool:  # Any: the package tests it itself
        """End a subscription; False with Success when there was none."""
        expect_count(args, 1)
        symbol, books = symbol_of(args[0]), self._session.books

        def release(_: TwinWorld) -> bool:
            was_there = symbol in books
            books.discard(symbol)
            return was_there

        return self._session.ask("market_book_release", release)

    @exported(on_error=None)
    def market_book_get(self, *args: Any) -> tuple[BookInfo, ...]:  # Any: the package tests it
        """The depth of market of a subscribed symbol, highest price first."""
        expect_count(args, 1)
        symbol = symbol_of(args[0])

        def depth(world: TwinWorld) -> tuple[BookInfo, ...]:
            if symbol not in self._session.books:
                raise CallFailed(constants.RES_E_NOT_FOUND)
            return _depth(world, symbol)

        return self._session.ask("market_book_get", depth)

    def _subscribe(self, world: TwinWorld, symbol: str) -> bool:
        if symbol not in world.terminal.selected:
            return False
        self._session.books.add(symbol)
        return True

    def _rates(self, function: str, symbol: str, copy: Any) -> Rows:  # Any: TwinWorld → Rows
        return self._session.ask(function, lambda world: _warmed(world, symbol, copy(world)))


def _last_tick(world: TwinWorld, symbol: str) -> Tick:
    require_selected(world, symbol, constants.RES_E_NOT_FOUND)
    last = world.market.last(symbol)
    if not is_synchronised(world, symbol) or len(last) == 0:
        return record(Tick)
    time_msc = world.server.ms(int(last.ts_ns[-1]))
    return record(
        Tick,
        time=time_msc // 1_000,
        bid=last.bid[-1],
        ask=last.ask[-1],
        time_msc=time_msc,
        flags=FLAG_SEEN_IN_LAST_TICK | int(quote_flags(last)[-1]),
    )


def _first_ticks(world: TwinWorld, symbol: str, start_ns: int, count: int) -> Rows:
    """The first `count` ticks from a time on, read in growing stretches."""
    require_selected(world, symbol, constants.RES_E_FAIL)
    market, stretch_ns = world.market, FIRST_STRETCH_NS
    start_ns = max(start_ns, market.origin_ns)
    while True:
        block = market.ticks(symbol, start_ns, start_ns + stretch_ns)
        if len(block) >= count or start_ns + stretch_ns > market.seen_ns:
            return tick_rows(block.slice(0, min(count, len(block))), world.server)
        stretch_ns *= 4


def _ticks(world: TwinWorld, symbol: str, rows: Rows, flags: int) -> Rows:
    """Ticks of the kind asked for; currencies have no trades."""
    if flags not in {
        FLAG_ALL, constants.COPY_TICKS_INFO, constants.COPY_TICKS_TRADE, 3,
    }:  # fmt: skip
        raise CallFailed(constants.RES_E_INVALID_PARAMS)
    chosen = np.zeros(0, TICKS) if flags == constants.COPY_TICKS_TRADE else rows
    return _warmed(world, symbol, chosen)


def _bars(world: TwinWorld, symbol: str, timeframe: int) -> Rows:
    if timeframe not in timeframes():
        raise CallFailed(constants.RES_E_INVALID_PARAMS)
    require_selected(world, symbol, constants.RES_E_FAIL)
    return world.bars.bars(symbol, timeframe)


def _warmed(world: TwinWorld, symbol: str, rows: Rows) -> Rows:
    """The rows; of the first question about a symbol only the newest, after a long time."""
    if symbol not in world.terminal.warm:
        world.terminal.warm.add(symbol)
        if world.options.cold_stall_s:
            world.time.wait_ns(int(world.options.cold_stall_s * NS_PER_SECOND))
            return sealed(rows[len(rows) - int(len(rows) * world.options.cold_keep) :])
    return sealed(rows)


def _require_positive(count: int) -> None:
    if count <= 0:
        raise CallFailed(constants.RES_E_INVALID_PARAMS)


def _depth(world: TwinWorld, symbol: str) -> tuple[BookInfo, ...]:
    last = world.market.last(symbol)
    if len(last) == 0:
        return ()
    instrument = world.instruments[symbol]
    ask, bid = float(last.ask[-1]), float(last.bid[-1])
    asks = [(constants.BOOK_TYPE_SELL, ask, line) for line in reversed(range(BOOK_LINES))]
    bids = [(constants.BOOK_TYPE_BUY, bid, -line) for line in range(BOOK_LINES)]
    return tuple(
        record(
            BookInfo,
            type=kind,
            price=instrument.round_price(price + line * instrument.point),
            volume=BOOK_LOTS,
            volume_dbl=BOOK_LOTS,
        )
        for kind, price, line in [*asks, *bids]
    )
