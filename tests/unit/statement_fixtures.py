"""Reports written by hand: the rows of a section as text, in the layouts that terminals write."""

from collections.abc import Mapping, Sequence
from pathlib import Path

Rows = Sequence[Sequence[str]]

CLOSED = [
    "Time",
    "Position",
    "Symbol",
    "Type",
    "Volume",
    "Price",
    "S / L",
    "T / P",
    "Time",
    "Price",
    "Commission",
    "Swap",
    "Profit",
]
ORDERS = [
    "Open Time",
    "Order",
    "Symbol",
    "Type",
    "Volume",
    "Price",
    "S / L",
    "T / P",
    "Time",
    "State",
    "Comment",
]
DEALS = [
    "Time",
    "Deal",
    "Symbol",
    "Type",
    "Direction",
    "Volume",
    "Price",
    "Order",
    "Commission",
    "Fee",
    "Swap",
    "Profit",
    "Balance",
    "Comment",
]
OPEN = [
    "Time",
    "Position",
    "Symbol",
    "Type",
    "Volume",
    "Price",
    "S / L",
    "T / P",
    "Market Price",
    "Swap",
    "Profit",
    "Comment",
]


def split(lines: str) -> list[list[str]]:
    """Lines of cells that `|` separates, as they stand in a test."""
    rows = [line.strip() for line in lines.strip().splitlines()]
    return [[cell.strip() for cell in row.split("|")] for row in rows]


def table_row(cells: Sequence[str]) -> str:
    """A row of cells, each one column wide."""
    return "<tr align=right>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>\n"


def section(
    title: str, header: Sequence[str], rows: Rows, sums: Sequence[str] | None = None
) -> str:
    """A section as pages have it; `sums` is the line of totals, empty cells first."""
    text = f'<tr><th colspan="14"><div><b>{title}</b></div></th></tr>\n'
    text += "<tr>" + "".join(f"<td nowrap><b>{name}</b></td>" for name in header) + "</tr>\n"
    text += "".join(map(table_row, rows))
    return text + (table_row(sums) if sums else "")


def figures(values: Mapping[str, str]) -> str:
    """Labelled values, one a row, as the summary has them."""
    return "".join(
        f'<tr><td colspan="3">{label}:</td><td><b>{value}</b></td></tr>\n'
        for label, value in values.items()
    )


def page(
    deals: str,
    sums: str,
    *,
    account: str = "1001 (USD, Server-Demo, demo, Hedge)",
    closed: str | None = None,
    opened: str | None = None,
    orders: str = "",
    summary: Mapping[str, str] | None = None,
) -> str:
    """A whole Trade History Report; every argument is lines of cells separated by `|`."""
    body = '<tr><td colspan="14"><b>Trade History Report</b></td></tr>\n'
    body += f'<tr><th colspan="3">Account:</th><th colspan="10"><b>{account}</b></th></tr>\n'
    body += section("Positions", CLOSED, split(closed)) if closed is not None else ""
    body += section("Orders", ORDERS, split(orders)) if orders else ""
    body += section("Deals", DEALS, split(deals), [""] * 8 + split(sums)[0])
    body += section("Open Positions", OPEN, split(opened)) if opened else ""
    body += figures(summary or {})
    return f"<html><body><table>\n{body}</table></body></html>\n"


def saved(folder: Path, text: str, encoding: str = "utf-16") -> Path:
    """The page as a file, in MetaTrader's encoding unless told otherwise."""
    path = folder / "report.html"
    path.write_bytes(text.encode(encoding))
    return path
