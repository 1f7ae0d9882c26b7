"""A report saved as HTML: its encoding, and its tables as rows of text.

MetaTrader writes UTF-16 with a byte order mark; pages that went through other programs come as
UTF-8, with or without one. Nested tables give rows of their own, in the order they begin.
"""

from html.parser import HTMLParser
from typing import Final

from plan2.dataflow.statements.grid import SAVE_AGAIN, Row
from plan2.foundation.errors import InputError

MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
SPAN_MAX: Final = 1000
"""As many columns as the HTML standard lets one cell take."""


def page_rows(raw: bytes, name: str) -> list[Row]:
    """The rows of every table of a page, by the order in which they begin.

    Raises:
        InputError: the bytes are not text, not a page, or the page is cut off.
    """
    text = _decode(raw, name)
    reader = _Tables()
    reader.feed(text)
    reader.close()
    if not reader.saw_page:
        raise InputError(
            f"{name} is neither an HTML page nor an .xlsx workbook.",
            remedy="Name a report of MetaTrader 5: an account's Trade History or a strategy test.",
        )
    if not reader.is_whole:
        raise InputError(f"{name} is cut off: the page has no end.", remedy=SAVE_AGAIN)
    return reader.rows()


def _decode(raw: bytes, name: str) -> str:
    encoding = next((found for mark, found in MARKS if raw.startswith(mark)), None)
    if encoding is None:
        encoding = {0: "utf-16-be"}.get(raw[0]) or ("utf-16-le" if raw[1:2] == b"\0" else "utf-8")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        cut = error.end >= len(raw) - 1 and encoding.startswith("utf-16")
        what = "cut off in the middle of a letter" if cut else f"not valid {encoding.upper()} text"
        raise InputError(
            f"{name} is {what} (byte {error.start}).",
            remedy=f"Plan2 reads UTF-16 and UTF-8. {SAVE_AGAIN}",
        ) from None


class _Table:
    """The row and the cell being read of one open table."""

    def __init__(self) -> None:
        self.number = 0
        self.cells: dict[int, str] | None = None
        self.column = 0
        self.span = 1
        self.text: list[str] | None = None
        self.is_hidden = False


class _Tables(HTMLParser):
    """Collects rows; copes with missing end tags the way browsers do."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.saw_page = False
        self.is_whole = False
        self._open: list[_Table] = []
        self._started = 0
        self._rows: list[Row] = []

    def rows(self) -> list[Row]:
        """What was read, by the order in which rows began."""
        return sorted(self._rows, key=lambda row: row.number)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        found = dict(attrs)
        if tag in {"html", "table"}:
            self.saw_page = True
        if tag == "table":
            self._open.append(_Table())
        elif tag == "tr" and self._open:
            self._end_row()
            self._begin_row(is_hidden=_is_hidden(found))
        elif tag in {"td", "th"} and self._open:
            self._begin_cell(found)

    def handle_endtag(self, tag: str) -> None:
        """Close what the tag closes, and whatever is open inside it."""
        if tag == "html":
            self.is_whole = True
        elif not self._open:
            return
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self._end_row()
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add text to the cell being read."""
        if self._open and self._open[-1].text is not None:
            self._open[-1].text.append(data)

    def _begin_row(self, *, is_hidden: bool) -> None:
        self._started += 1
        table = self._open[-1]
        table.number, table.cells, table.column = self._started, {}, 0
        table.is_hidden = is_hidden

    def _begin_cell(self, attributes: dict[str, str | None]) -> None:
        self._end_cell()
        table = self._open[-1]
        if table.cells is None:
            self._begin_row(is_hidden=False)
        if _is_hidden(attributes):
            return  # not shown, so it takes no column either
        table.span = _span(attributes.get("colspan"))
        table.text = []

    def _end_cell(self) -> None:
        table = self._open[-1]
        if table.text is None or table.cells is None:
            return
        text = " ".join("".join(table.text).split())
        if text:
            table.cells[table.column] = text
        table.column += table.span
        table.text = None

    def _end_row(self) -> None:
        self._end_cell()
        table = self._open[-1]
        if table.cells and not table.is_hidden:
            self._rows.append(Row(table.number, table.cells))
        table.cells = None


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    """Newer terminals put comments into cells of this class, which their headers do not have."""
    return "hidden" in (attributes.get("class") or "").split()


def _span(value: str | None) -> int:
    return min(max(int(value), 1), SPAN_MAX) if value and value.strip().isdecimal() else 1
