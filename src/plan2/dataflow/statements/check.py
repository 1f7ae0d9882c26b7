"""Whether a report's own deals give what the report states, to the last digit.

The one entry point: read, rebuild, compare, and say what was compared and what does not agree.
"""

from decimal import Decimal
from pathlib import Path

import msgspec

from plan2.dataflow.statements import compare
from plan2.dataflow.statements.figures import ZERO, decimals
from plan2.dataflow.statements.ledger import Comparison, Difference, Ledger
from plan2.dataflow.statements.pricing import Pricing, SymbolPricing, by_symbol, infer
from plan2.dataflow.statements.read import read_report
from plan2.dataflow.statements.rebuild import Rebuilt, rebuild
from plan2.dataflow.statements.report import Entry, Kind, Mode, Report
from plan2.dataflow.statements.summary import compare_figures, net_profit


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the deals add up to, in the account's currency."""

    profit: Decimal
    swap: Decimal
    commission: Decimal
    fee: Decimal
    net_profit: Decimal
    opening_balance: Decimal
    operations: Decimal
    """Deposits, withdrawals, charges and whatever else was no trade."""
    final_balance: Decimal


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The result; `agrees` is true when nothing that was compared differs."""

    agrees: bool
    file: str
    kind: Kind
    mode: Mode
    mode_is_stated: bool
    currency: str
    first: str
    last: str
    """Times of the first and the last deal, on the broker's server clock."""
    deals: int
    positions: int
    orders: int
    totals: Totals
    comparisons: list[Comparison]
    prices: list[SymbolPricing]
    notes: list[str]
    differences: list[Difference]


def check_report(path: Path) -> Check:
    """Read a report and compare it with its own deals.

    Raises:
        InputError: as `read_report`.
        OSError: the file cannot be opened.
    """
    report = read_report(path)
    rebuilt, pricing = _rebuild(report)
    ledger = Ledger(_unit(report))
    is_whole = not compare.opening_balance(report)
    compare.compare_balance(report, ledger)
    compare.compare_deal_sums(report, ledger)
    compare.compare_impossible(rebuilt, ledger, is_whole=is_whole)
    compare.compare_closed(report, rebuilt, ledger)
    compare.compare_opened(report, rebuilt, ledger)
    compare.compare_prices(rebuilt, pricing, ledger)
    compare.compare_orders(report, ledger)
    compare_figures(report, ledger)
    return Check(
        agrees=not ledger.differences,
        file=path.name,
        kind=report.kind,
        mode=rebuilt.mode,
        mode_is_stated=report.mode is not Mode.UNSTATED,
        currency=report.currency,
        first=report.deals[0].at if report.deals else "",
        last=report.deals[-1].at if report.deals else "",
        deals=len(report.deals),
        positions=len(rebuilt.positions),
        orders=len(report.orders),
        totals=_totals(report),
        comparisons=ledger.comparisons,
        prices=by_symbol(rebuilt.closings(), pricing),
        notes=_notes(report, rebuilt),
        differences=ledger.differences,
    )


def _rebuild(report: Report) -> tuple[Rebuilt, Pricing]:
    """The positions, in the stated mode or in the one that fits the deals better."""
    modes = [report.mode] if report.mode is not Mode.UNSTATED else [Mode.HEDGING, Mode.NETTING]
    tried = [_rebuild_as(report, mode) for mode in modes]
    return min(tried, key=lambda each: _misfits(*each))


def _rebuild_as(report: Report, mode: Mode) -> tuple[Rebuilt, Pricing]:
    """Twice: the closings that are certain reveal contract sizes, which make others certain."""
    unit = _unit(report)
    first = rebuild(report, mode, Pricing(report.currency, unit, {}))
    second = rebuild(report, mode, infer(first.closings(), report.currency, unit))
    return second, infer(second.closings(), report.currency, unit)


def _misfits(rebuilt: Rebuilt, pricing: Pricing) -> tuple[int, int]:
    """Deals the mode cannot explain, then profits that it cannot."""
    wrong = len(rebuilt.impossible) + len(rebuilt.orphans)
    closings = list(rebuilt.closings())
    agreeing = sum(line.agreeing for line in by_symbol(closings, pricing))
    return wrong, len(closings) - agreeing


def _unit(report: Report) -> Decimal:
    """The smallest amount of the account's currency that the report shows."""
    amounts = [(deal.profit, deal.balance, deal.swap) for deal in report.deals]
    digits = max((decimals(each) for deal in amounts for each in deal), default=2)
    return Decimal(1).scaleb(-digits)


def _totals(report: Report) -> Totals:
    trades = compare.trades_of(report)
    others = [deal for deal in report.deals if not deal.is_trade]
    opening = compare.opening_balance(report)
    amounts = {
        "profit": sum((deal.profit for deal in trades), ZERO),
        "swap": sum((deal.swap for deal in trades), ZERO),
        "commission": sum((deal.commission for deal in trades), ZERO),
        "fee": sum((deal.fee for deal in trades), ZERO),
        "net_profit": net_profit(report),
        "opening_balance": opening,
        "operations": sum((deal.amount for deal in others), ZERO),
        "final_balance": report.deals[-1].balance if report.deals else opening,
    }
    unit = _unit(report)
    return Totals(**{name: amount.quantize(unit) for name, amount in amounts.items()})


def _notes(report: Report, rebuilt: Rebuilt) -> list[str]:
    notes = []
    earlier = sum(position.is_earlier for position in rebuilt.positions)
    if compare.opening_balance(report):
        notes.append(
            f"The period begins with a balance of {compare.opening_balance(report)}; what was "
            "before is not in the report."
        )
    if earlier:
        notes.append(
            f"{earlier} position(s) were opened before the period: their opening price is the "
            "report's own."
        )
    if rebuilt.orphans:
        notes.append(f"{len(rebuilt.orphans)} deal(s) close positions that the report never opens.")
    if any(deal.entry is Entry.CLOSE_BY for deal in report.deals):
        notes.append("Counts and gross figures were left out: positions were closed by others.")
    if any(deal.costs for deal in report.deals if deal.entry is Entry.IN):
        notes.append("Gross figures were left out: opening deals carry costs.")
    return notes
