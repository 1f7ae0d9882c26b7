"""The labelled figures of a report, each against what its deals and positions make it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from plan2.dataflow.statements.compare import opening_balance, trades_of
from plan2.dataflow.statements.figures import ZERO, leading_number
from plan2.dataflow.statements.ledger import Ledger
from plan2.dataflow.statements.rebuild import CLOSES
from plan2.dataflow.statements.report import Deal, Entry, Report
from plan2.foundation.values import Side

WHAT: Final = "figures of the summary"
DEPOSITS: Final = frozenset({"balance", "credit", "bonus"})


def compare_figures(report: Report, ledger: Ledger) -> None:
    """Every figure that can be computed; those that are missing in a layout are passed over."""
    figures = _Figures(report, ledger)
    _compare_money(report, figures)
    closing = [deal for deal in trades_of(report) if deal.entry in CLOSES]
    if any(deal.entry is Entry.CLOSE_BY for deal in closing):
        return  # whether two positions closed by each other are one trade or two is not documented
    figures.count("Total Trades", len(closing))
    figures.count("Total Deals", len(trades_of(report)))
    figures.count("Short Trades (won %)", sum(deal.side is Side.BUY for deal in closing))
    figures.count("Long Trades (won %)", sum(deal.side is Side.SELL for deal in closing))
    if not any(deal.costs for deal in trades_of(report) if deal.entry is Entry.IN):
        _compare_trades(closing, figures)


def net_profit(report: Report) -> Decimal:
    """Profit, swap, commission and fee of all trades."""
    return sum((deal.amount for deal in trades_of(report)), ZERO)


class _Figures:
    """Looks a label up and compares its number."""

    def __init__(self, report: Report, ledger: Ledger) -> None:
        self._report = report
        self._ledger = ledger

    def money(self, label: str, *right: Decimal) -> None:
        """Compare an amount with each that would be right."""
        self._compare(label, lambda place, found: self._ledger.amount(WHAT, place, *right, found))

    def count(self, label: str, right: int) -> None:
        """Compare a number of things."""
        self._compare(label, lambda place, found: self._ledger.value(WHAT, place, [right], found))

    def number(self, label: str) -> Decimal:
        """The number of a label, 0 when the report has no such label."""
        figure = self._report.figures.get(label)
        return (leading_number(figure.text) if figure else None) or ZERO

    def _compare(
        self, label: str, compare: Callable[[tuple[str, int, str, str], Decimal], bool]
    ) -> None:
        figure = self._report.figures.get(label)
        if figure is None:
            return
        place = ("Summary", figure.row, label, "Value")
        found = leading_number(figure.text)
        if found is None:
            self._ledger.value(WHAT, place, ["a number"], figure.text)
        else:
            compare(place, found)


def _compare_money(report: Report, figures: _Figures) -> None:
    net = net_profit(report)
    charges = [deal for deal in report.deals if not (deal.is_trade or deal.kind in DEPOSITS)]
    charged = sum((deal.amount for deal in charges), ZERO)
    figures.money("Total Net Profit", net, net + charged)
    last = report.deals[-1].balance if report.deals else opening_balance(report)
    figures.money("Balance", last)
    deposit = next((deal.profit for deal in report.deals if deal.kind == "balance"), ZERO)
    figures.money("Initial Deposit", deposit)
    profit = sum((row.profit for row in report.opened), ZERO)
    swap = sum((row.swap for row in report.opened), ZERO)
    figures.money("Floating P/L", profit, profit + swap)
    figures.money("Equity", last + figures.number("Credit Facility") + profit + swap)


def _compare_trades(closing: list[Deal], figures: _Figures) -> None:
    """Figures over single trades; only where no cost was booked on opening deals.

    How the terminal spreads an opening deal's costs over its closings is not documented.
    """
    results = [deal.amount for deal in closing]
    figures.money("Gross Profit", sum((each for each in results if each > 0), ZERO))
    figures.money("Gross Loss", sum((each for each in results if each < 0), ZERO))
    figures.money("Largest profit trade", max([*results, ZERO]))
    figures.money("Largest loss trade", min([*results, ZERO]))
