"""What follows from a report's deals, compared with what the report states, line by line."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from plan2.dataflow.statements.figures import ZERO, decimals
from plan2.dataflow.statements.ledger import Ledger
from plan2.dataflow.statements.pricing import Pricing
from plan2.dataflow.statements.rebuild import Position, Rebuilt
from plan2.dataflow.statements.report import ClosedPosition, Deal, Report, Sums

CREDIT: Final = frozenset({"credit", "bonus"})
"""Operations that change the credit; whether the balance too depends on the broker."""


def compare_balance(report: Report, ledger: Ledger) -> None:
    """The balance column, deal by deal, from the balance before the first one.

    After a difference both the stated and the computed balance may go on, so that one wrong figure
    is one difference and not one on every line below it.
    """
    before = [opening_balance(report)]
    for deal in report.deals:
        place = ("Deals", deal.row, f"deal {deal.ticket}", "Balance")
        right = [balance + deal.amount for balance in before]
        if deal.kind in CREDIT:
            right += before
        is_right = ledger.amount("running balance", place, *right, deal.balance)
        before = [deal.balance] if is_right else [right[0], deal.balance]


def opening_balance(report: Report) -> Decimal:
    """What was on the account before the first deal of the period."""
    if not report.deals:
        return ZERO
    first = report.deals[0]
    return first.balance - first.amount


def compare_deal_sums(report: Report, ledger: Ledger) -> None:
    """The line of totals under Deals.

    Its profit leaves deposits out in older terminals and counts them in newer ones; both are right.
    """
    sums, trades = report.deal_sums, trades_of(report)
    everything = [deal for deal in report.deals if deal.kind not in CREDIT]
    for name in ("commission", "fee", "swap", "profit"):
        found = getattr(sums, name)
        if found is not None:
            right = [_sum(deals, name) for deals in (trades, everything, report.deals)]
            place = ("Deals", sums.row, "totals", name.capitalize())
            ledger.amount("totals of deals", place, *right, found)
    if sums.balance is not None and report.deals:
        place = ("Deals", sums.row, "totals", "Balance")
        ledger.amount("totals of deals", place, report.deals[-1].balance, sums.balance)


def compare_orders(report: Report, ledger: Ledger) -> None:
    """Every order that was filled has a deal."""
    dealt = {deal.order for deal in report.deals}
    for order in report.orders:
        if order.state == "filled":
            place = ("Orders", order.row, f"order {order.ticket}", "State")
            right = ["filled"] if order.ticket in dealt else ["a deal of this order"]
            ledger.value("filled orders", place, right, order.state)


def compare_impossible(rebuilt: Rebuilt, ledger: Ledger, *, is_whole: bool) -> None:
    """Deals that no account of this mode could have; orphans only when the period is the whole."""
    for deal in rebuilt.impossible:
        _deal_fits(deal, f"a deal that {rebuilt.mode} allows", ledger)
    for deal in rebuilt.orphans if is_whole else ():
        _deal_fits(deal, f"an open position of {deal.volume} lots to close", ledger)


def compare_closed(report: Report, rebuilt: Rebuilt, ledger: Ledger) -> None:
    """Every line of Positions against the position rebuilt from deals, and the other way round."""
    if report.closed is None:
        return
    by_ticket: dict[int, list[ClosedPosition]] = {}
    for row in report.closed:
        by_ticket.setdefault(row.ticket, []).append(row)
    rebuilt_by_ticket = {p.ticket: p for p in rebuilt.positions if p.closings}
    still_open = {row.ticket for row in report.opened}
    for ticket, rows in by_ticket.items():
        position = rebuilt_by_ticket.get(ticket)
        place = ("Positions", rows[0].row, f"position {ticket}", "Closing")
        what = "closed positions"
        if position is None:
            ledger.value(what, place, ["no deal that closes it"], "a closed position")
            continue
        volumes = [position.closed]
        if ticket in still_open:  # then the line may state what was opened
            volumes.append(position.closed + position.remaining)
        volume = sum((row.volume for row in rows), ZERO)
        ledger.value(what, (*place[:3], "Volume"), volumes, volume)
        _compare_position(rows, position, _PriceStep(report), ledger)
    for ticket in sorted(rebuilt_by_ticket.keys() - by_ticket.keys()):
        place = ("Positions", 0, f"position {ticket}", "Line")
        ledger.value("closed positions", place, ["a line for it"], "none")
    _compare_sums("Positions", report.closed_sums, report.closed, ledger)


def compare_opened(report: Report, rebuilt: Rebuilt, ledger: Ledger) -> None:
    """Every open position against the lots that deals left open."""
    step = _PriceStep(report)
    left = {p.ticket: p for p in rebuilt.positions if p.remaining > 0}
    for row in report.opened:
        place = ("Open Positions", row.row, f"position {row.ticket}")
        position = left.pop(row.ticket, None)
        what = "open positions"
        if position is None:
            ledger.value(what, (*place, "Position"), ["none left open"], "open")
            continue
        ledger.value(what, (*place, "Symbol"), [position.symbol], row.symbol)
        ledger.value(what, (*place, "Type"), [position.side.name.lower()], row.side.name.lower())
        ledger.value(what, (*place, "Volume"), [position.remaining], row.volume)
        step.compare(what, (*place, "Price"), (row.symbol, position.price, row.price), ledger)
    for position in left.values():
        place = ("Open Positions", 0, f"position {position.ticket}")
        ledger.value(
            "open positions", (*place, "Line"), [f"{position.remaining} lots open"], "none"
        )
    _compare_sums("Open Positions", report.opened_sums, report.opened, ledger)


def compare_prices(rebuilt: Rebuilt, pricing: Pricing, ledger: Ledger) -> None:
    """The profit of every closing deal whose position, contract size and rate are known."""
    for closing in rebuilt.closings():
        computed = pricing.profit(closing) if closing.is_certain else None
        if computed is not None:
            right = closing.profit if pricing.agrees(closing, computed) else computed
            place = ("Deals", closing.row, f"deal {closing.ticket}", "Profit by prices")
            ledger.amount("profits by prices", place, right, closing.profit)


def trades_of(report: Report) -> list[Deal]:
    """The deals that bought or sold."""
    return [deal for deal in report.deals if deal.is_trade]


def _deal_fits(deal: Deal, expected: str, ledger: Ledger) -> None:
    place = ("Deals", deal.row, f"deal {deal.ticket}", "Direction")
    ledger.value("deals that fit together", place, [expected], str(deal.entry))


def _compare_position(
    rows: list[ClosedPosition], position: Position, step: "_PriceStep", ledger: Ledger
) -> None:
    """One position; a terminal may give a partly closed one several lines."""
    row, what = rows[-1], "closed positions"
    place = ("Positions", row.row, f"position {row.ticket}")
    volume = sum((each.volume for each in rows), ZERO)
    closed = sum((each.volume * each.close_price for each in rows), ZERO) / volume
    ledger.value(what, (*place, "Symbol"), [position.symbol], row.symbol)
    ledger.value(what, (*place, "Type"), [position.side.name.lower()], row.side.name.lower())
    ledger.value(what, (*place, "Time"), [position.opened_at], rows[0].opened_at)
    ledger.value(what, (*place, "Close Time"), [position.closed_at], row.closed_at)
    for name, right, found in (
        ("Price", position.price, row.open_price),
        ("Close Price", position.close_price, closed),
    ):
        step.compare(what, (*place, name), (row.symbol, right, found), ledger)
    ledger.amount(what, (*place, "Swap"), position.swap, _sum(rows, "swap"))
    ledger.amount(what, (*place, "Profit"), position.profit, _sum(rows, "profit"))
    if not (position.is_earlier or position.shares_costs or position.remaining):
        paid = position.commission
        found = _sum(rows, "commission")
        ledger.amount(what, (*place, "Commission"), paid, paid + position.fee, found)


def _compare_sums(section: str, sums: Sums | None, rows: Iterable[object], ledger: Ledger) -> None:
    if sums is None:
        return
    for name in ("commission", "swap", "profit"):
        found = getattr(sums, name)
        if found is not None:
            place = (section, sums.row, "totals", name.capitalize())
            ledger.amount(f"totals of {section.lower()}", place, _sum(rows, name), found)


def _sum(items: Iterable[object], name: str) -> Decimal:
    return sum((getattr(item, name, ZERO) for item in items), ZERO)


class _PriceStep:
    """How far a weighted price may be off: reports round it to the symbol's last digit."""

    def __init__(self, report: Report) -> None:
        self._decimals: dict[str, int] = {}
        for deal in trades_of(report):
            seen = self._decimals.get(deal.symbol, 0)
            self._decimals[deal.symbol] = max(seen, decimals(deal.price))

    def compare(
        self,
        what: str,
        place: tuple[str, int, str, str],
        prices: tuple[str, Decimal, Decimal],
        ledger: Ledger,
    ) -> None:
        """Compare the price that follows with the one found: symbol, right, found."""
        symbol, right, found = prices
        step = Decimal(1).scaleb(-self._decimals.get(symbol, decimals(found)))
        is_near = abs(right - found) < step
        ledger.value(what, place, [found if is_near else right.quantize(step)], found)
