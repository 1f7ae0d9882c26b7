"""The stress of an account's open positions, as screens see it; the sums are `risk.stress`'s."""

import math
from collections.abc import Mapping
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.risk.stress import (
    Correlation,
    Holding,
    all_against,
    at_the_stops,
    correlations,
    hour_by_hour,
    mean_of_worst,
    net_by_currency,
)
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.positions import Position
from plan2.interface.scenario_items import CorrelationItem, ScenarioItem, ScenarioReport
from plan2.interface.screen import number_or_none, to_us

Returns = Mapping[str, tuple[Int64Array, Float64Array]]
"""Of each symbol the starts of hours, ns UTC, and the relative change of price over each."""


class StressBook(msgspec.Struct, frozen=True, kw_only=True):
    """What stress is computed from; taken between two ticks. Money in account currency.

    `marks` has of each limit on losses what the loss is measured from, and the limit, a fraction.
    """

    account_id: str
    currency: str
    market_us: int
    equity: float
    move: float
    holdings: tuple[Holding, ...]
    marks: dict[str, tuple[float, float]]

    @property
    def symbols(self) -> list[str]:
        """Symbols held, by name."""
        return sorted({each.symbol for each in self.holdings})


def stress_book_of(account: TradingAccount) -> StressBook:
    """The account's positions and limits at its last quotes."""
    newest = max((tick.ts_ns for tick in account.quotes.values()), default=0)
    marks, risk = account.portfolio.marks, account.rules.risk
    return StressBook(
        account_id=account.identity.account_id,
        currency=account.identity.currency,
        market_us=to_us(newest),
        equity=float(account.portfolio.equity),
        move=risk.stress_move_fraction,
        holdings=holdings_of(account),
        marks={
            "daily_loss": (float(marks.day_start_equity), risk.daily_loss_max_fraction),
            "weekly_loss": (float(marks.week_start_equity), risk.weekly_loss_max_fraction),
            "drawdown": (float(marks.peak_equity), risk.drawdown_max_fraction),
        },
    )


def holdings_of(account: TradingAccount) -> tuple[Holding, ...]:
    """The open positions, valued at the last quotes."""
    return tuple(_holding(account, each) for each in account.positions.open.values())


def returns_of(series: BarSeries) -> tuple[Int64Array, Float64Array]:
    """Starts of hours and the change from one close to the next; the forming hour counts too."""
    closes = series.bid_close
    return series.ts_ns[1:], closes[1:] / closes[:-1] - 1.0


def scenarios_of(book: StressBook, returns: Returns) -> ScenarioReport:
    """Every scenario of the positions, and the correlations of their symbols."""
    symbols = book.symbols
    return ScenarioReport(
        account_id=book.account_id,
        market_us=book.market_us,
        equity=f"{Decimal(repr(book.equity)):.2f}",
        positions=len(book.holdings),
        symbols=symbols,
        scenarios=_scenarios(book, returns) if book.holdings else [],
        correlations=[_correlation(each) for each in correlations(symbols, returns)],
    )


def _scenarios(book: StressBook, returns: Returns) -> list[ScenarioItem]:
    held, move = book.holdings, book.move
    stopped, without = at_the_stops(held)
    items = [
        replace(_item(book, "all_against", all_against(held, move)), move=-move),
        replace(_item(book, "stops", stopped), count=without),
    ]
    for currency, net in sorted(net_by_currency(held).items()):
        if currency != book.currency:
            worst = -move if net > 0 else move
            item = _item(book, "currency", worst * net)
            items.append(replace(item, subject=currency, move=worst))
    return items + _of_the_past(book, returns)


def _of_the_past(book: StressBook, returns: Returns) -> list[ScenarioItem]:
    """Today's positions through the hours that are known; nothing without any."""
    hours, results = hour_by_hour(book.holdings, returns)
    if len(results) == 0:
        return []
    worst, count = int(results.argmin()), len(results)
    single = _item(book, "worst_hour", float(results[worst]))
    return [
        replace(single, at_us=to_us(int(hours[worst])), count=count),
        replace(_item(book, "bad_hours", mean_of_worst(results)), count=count),
    ]


def _item(book: StressBook, kind: str, profit: float) -> ScenarioItem:
    """A scenario by its result; what else is known of it is put in afterwards."""
    return ScenarioItem(
        kind=kind,
        subject="",
        move=None,
        profit=number_or_none(profit),
        fraction=number_or_none(profit / book.equity) if book.equity > 0 else None,
        at_us=None,
        count=0,
        reaches=_reached(book, profit),
    )


def _reached(book: StressBook, profit: float) -> list[str]:
    """The limits on losses that this result would reach."""
    if math.isnan(profit):
        return []
    after = book.equity + profit
    return [
        rule
        for rule, (start, limit) in book.marks.items()
        if start > 0 and (start - after) / start >= limit
    ]


def _holding(account: TradingAccount, position: Position) -> Holding:
    instrument = account.portfolio.instruments.get(position.symbol)
    if instrument is None:
        return Holding(symbol=position.symbol, base="", quote="", value=math.nan, to_stop=math.nan)
    rates, side = account.rates, position.side.value
    to_stop = None
    if position.stop_loss > 0:
        tick = account.quotes.get(position.symbol)
        exit_price = math.nan if tick is None else tick.bid if side > 0 else tick.ask
        units = side * position.quantity * instrument.lot_units
        to_stop = units * (position.stop_loss - exit_price) * rates.rate(instrument.quote)
    value = account.portfolio.notional(position.symbol, position.quantity, rates)
    return Holding(
        symbol=position.symbol,
        base=instrument.base,
        quote=instrument.quote,
        value=side * value,
        to_stop=to_stop,
    )


def _correlation(found: Correlation) -> CorrelationItem:
    return CorrelationItem(**msgspec.structs.asdict(found))
