"""From the sections of a file to a `Report`, with every text that cannot be understood refused."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from plan2.dataflow.statements import report as stated
from plan2.dataflow.statements.figures import ZERO, is_time, leading_number, number
from plan2.dataflow.statements.files import read_rows
from plan2.dataflow.statements.grid import SAVE_AGAIN, Row
from plan2.dataflow.statements.report import Entry, Kind, Mode, Report, Sums
from plan2.dataflow.statements.sections import (
    DEALS,
    OPEN,
    ORDERS,
    POSITIONS,
    Section,
    Sections,
    split,
)
from plan2.foundation.errors import InputError
from plan2.foundation.values import Side

HEADINGS: Final = {
    "Trade History Report": Kind.ACCOUNT,
    "Strategy Tester Report": Kind.TESTER,
}
DEAL_COLUMNS: Final = (
    "Time", "Deal", "Symbol", "Type", "Direction", "Volume", "Price", "Order", "Commission",
    "Swap", "Profit", "Balance",
)  # fmt: skip
CLOSED_COLUMNS: Final = (
    "Time", "Position", "Symbol", "Type", "Volume", "Price", "Close Time", "Close Price",
    "Commission", "Swap", "Profit",
)  # fmt: skip
OPEN_COLUMNS: Final = ("Time", "Position", "Symbol", "Type", "Volume", "Price", "Swap", "Profit")
ORDER_COLUMNS: Final = ("Order", "State")
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


def read_report(path: Path) -> Report:
    """Read a report of MetaTrader 5.

    Raises:
        InputError: it is none, of another language or version, cut off, or a line is unreadable;
            the message names the row and what stands there.
        OSError: the file cannot be opened.
    """
    rows = read_rows(path)
    found = split(rows)
    kind = _kind(found, rows, path.name)
    _check_loose(found, path.name)
    table = found.tables[DEALS]
    table.need(DEAL_COLUMNS)
    if table.sums is None:
        raise InputError(
            f"{path.name} is cut off: Deals ends without its line of totals.", remedy=SAVE_AGAIN
        )
    mode, currency = _account(found, kind)
    closed, opened = found.tables.get(POSITIONS), found.tables.get(OPEN)
    orders = found.tables.get(ORDERS)
    return Report(
        kind=kind,
        mode=mode,
        currency=currency,
        deals=tuple(_deal(table, row) for row in table.lines),
        deal_sums=_sums(table, table.sums),
        closed=None if closed is None else _closed(closed),
        closed_sums=_optional_sums(closed),
        opened=() if opened is None else _opened(opened),
        opened_sums=_optional_sums(opened),
        orders=() if orders is None else _orders(orders),
        figures=found.figures,
    )


def _kind(found: Sections, rows: Sequence[Row], name: str) -> Kind:
    kinds = [HEADINGS[title] for title in found.titles if title in HEADINGS]
    if kinds and DEALS in found.tables:
        return kinds[0]
    texts = {text for row in rows for text in row.cells.values()}
    if "Closed Transactions:" in texts or (kinds and not any(map(is_time, texts))):
        reason = "is a report of MetaTrader 4, or of an optimisation"
        remedy = "Plan2 reads MetaTrader 5's Trade History Report and that of one strategy test."
    elif kinds:
        reason, remedy = "has no section Deals", "Save the report with its deals, not a summary."
    elif any(map(is_time, texts)):
        reason = f"is not in English (it begins with “{rows[0].first[:60]}”)"
        remedy = (
            "Choose View > Languages > English in the terminal, restart it, save the report again."
        )
    else:
        reason = "is not a report of MetaTrader 5"
        remedy = "In the terminal: Toolbox > History > right click > Report > Open XML or HTML."
    raise InputError(f"{name} {reason}.", remedy=remedy)


def _check_loose(found: Sections, name: str) -> None:
    if found.loose:
        row = found.loose[0]
        raise InputError(
            f"Row {row.number} of {name} stands in a section that Plan2 does not know: "
            f"“{' | '.join(row.cells.values())[:120]}”.",
            remedy=f"Plan2 reads English reports of MetaTrader 5. {SAVE_AGAIN}",
        )


def _account(found: Sections, kind: Kind) -> tuple[Mode, str]:
    """How the account keeps positions, and its currency.

    An account's line reads `3873474 (USD, Server-Demo, demo, Hedge)`; a test has its own label.
    """
    if kind is Kind.TESTER:
        figure = found.figures.get("Currency")
        return Mode.UNSTATED, "" if figure is None else figure.text
    figure = found.figures.get("Account")
    inside = "" if figure is None else figure.text.partition("(")[2].rstrip(") ")
    words = [word.strip() for word in inside.split(",")]
    last = words[-1].lower()
    if last.startswith("hedg"):
        return Mode.HEDGING, words[0]
    is_netting = last.startswith(("nett", "exchange"))
    return Mode.NETTING if is_netting else Mode.UNSTATED, words[0]


def _deal(table: Section, row: Row) -> stated.Deal:
    kind = table.text(row, "Type")
    side = SIDES.get(kind)
    direction = table.text(row, "Direction")
    if side is not None and direction not in list(Entry):
        raise _unreadable(table, row, "Direction", " or ".join(Entry))
    is_trade = side is not None
    return stated.Deal(
        row=row.number,
        at=table.text(row, "Time"),
        ticket=_ticket(table, row, "Deal"),
        kind=kind,
        symbol=table.text(row, "Symbol"),
        side=side,
        entry=Entry(direction) if is_trade else None,
        volume=_number(table, row, "Volume") if is_trade else ZERO,
        price=_number(table, row, "Price") if is_trade else ZERO,
        order=_ticket(table, row, "Order") if is_trade else 0,
        commission=_number(table, row, "Commission", or_nothing=True),
        fee=_number(table, row, "Fee", or_nothing=True),
        swap=_number(table, row, "Swap", or_nothing=True),
        profit=_number(table, row, "Profit"),
        balance=_number(table, row, "Balance"),
    )


def _closed(table: Section) -> tuple[stated.ClosedPosition, ...]:
    table.need(CLOSED_COLUMNS)
    return tuple(
        stated.ClosedPosition(
            row=row.number,
            ticket=_ticket(table, row, "Position"),
            symbol=table.text(row, "Symbol"),
            side=_side(table, row),
            volume=_volume(table, row),
            opened_at=table.text(row, "Time"),
            open_price=_number(table, row, "Price"),
            closed_at=table.text(row, "Close Time"),
            close_price=_number(table, row, "Close Price"),
            commission=_number(table, row, "Commission", or_nothing=True),
            swap=_number(table, row, "Swap", or_nothing=True),
            profit=_number(table, row, "Profit"),
        )
        for row in table.lines
    )


def _opened(table: Section) -> tuple[stated.OpenPosition, ...]:
    table.need(OPEN_COLUMNS)
    return tuple(
        stated.OpenPosition(
            row=row.number,
            ticket=_ticket(table, row, "Position"),
            symbol=table.text(row, "Symbol"),
            side=_side(table, row),
            volume=_volume(table, row),
            opened_at=table.text(row, "Time"),
            price=_number(table, row, "Price"),
            swap=_number(table, row, "Swap", or_nothing=True),
            profit=_number(table, row, "Profit"),
        )
        for row in table.lines
    )


def _orders(table: Section) -> tuple[stated.Order, ...]:
    table.need(ORDER_COLUMNS)
    return tuple(
        stated.Order(row.number, _ticket(table, row, "Order"), table.text(row, "State"))
        for row in table.lines
    )


def _optional_sums(table: Section | None) -> Sums | None:
    return None if table is None or table.sums is None else _sums(table, table.sums)


def _sums(table: Section, row: Row) -> Sums:
    names = ("Commission", "Fee", "Swap", "Profit", "Balance")
    return Sums(row.number, *(number(table.text(row, name)) for name in names))


def _side(table: Section, row: Row) -> Side:
    side = SIDES.get(table.text(row, "Type"))
    if side is None:
        raise _unreadable(table, row, "Type", "buy or sell")
    return side


def _volume(table: Section, row: Row) -> Decimal:
    """The volume, or, of `closed / opened`, what was closed."""
    value = leading_number(table.text(row, "Volume"))
    if value is None:
        raise _unreadable(table, row, "Volume", "a number")
    return value


def _number(table: Section, row: Row, column: str, *, or_nothing: bool = False) -> Decimal:
    text = table.text(row, column)
    value = ZERO if not text and or_nothing else number(text)
    if value is None:
        raise _unreadable(table, row, column, "a number such as 1 234.56")
    return value


def _ticket(table: Section, row: Row, column: str) -> int:
    text = table.text(row, column)
    if not (text.isascii() and text.isdecimal()):
        raise _unreadable(table, row, column, "a ticket")
    return int(text)


def _unreadable(table: Section, row: Row, column: str, wanted: str) -> InputError:
    return InputError(
        f"Row {row.number}, {table.title}, column {column}: expected {wanted}, "
        f"found “{table.text(row, column)[:60]}”.",
        remedy=SAVE_AGAIN,
    )
