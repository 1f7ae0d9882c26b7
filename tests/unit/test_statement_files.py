"""Report files: encodings, layouts and markup that must not matter, and files that are none."""

import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statement_fixtures import page, saved

from plan2.dataflow.statements.check import check_report
from plan2.dataflow.statements.figures import leading_number, number
from plan2.dataflow.statements.page import page_rows
from plan2.foundation.errors import InputError

DEALS = """
2025.01.02 09:00:00|1||balance|||||0.00|0.00|0.00|10 000.00|10 000.00|
2025.01.02 10:00:00|2|EURUSD|buy |in |0.10|1.10000|11|0.00|0.00|0.00| 0.00|10 000.00|
2025.01.02 11:00:00|3|EURUSD|sell|out|0.10|1.10250|12|0.00|0.00|0.00|25.00|10 025.00|
"""
CLOSED = "2025.01.02 10:00:00|11|EURUSD|buy|0.10|1.10000|||2025.01.02 11:00:00|1.10250|0|0|25.00"
GOOD = page(DEALS, "0.00|0.00|0.00|25.00|10 025.00", closed=CLOSED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 000.00", "10000.00"),
        ("-1\u00a0234\u00a0567.89", "-1234567.89"),
        ("1\u202f335.49", "1335.49"),
        ("\u22125.64", "-5.64"),
        ("0", "0"),
        ("1'000.5", "1000.5"),
    ],
)
def test_numbers_as_reports_print_them(text: str, expected: str) -> None:
    """Every kind of space may separate thousands."""
    assert number(" ".join(text.split())) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["", "1,335.49", "1 33.00", "12 34", "market", "1.2.3", "50%", "-"]
)
def test_what_is_no_number_is_not_guessed(text: str) -> None:
    """A comma may mean thousands or decimals, so it means nothing."""
    assert number(text) is None


def test_the_number_before_a_bracket() -> None:
    """Counts and volumes come with a second figure behind them."""
    assert leading_number("1 325.89 (2)") == Decimal("1325.89")
    assert leading_number("0.40 / 1.00") == Decimal("0.40")


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig", "utf-16-be-mark"]
)
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    """With a byte order mark or without one."""
    text, codec = GOOD, encoding
    if encoding == "utf-16-be-mark":
        text, codec = "\ufeff" + GOOD, "utf-16-be"

    assert check_report(saved(tmp_path, text, codec)).agrees


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<td>0.10</td><td>1.10000</td><td></td>", '<td class="hidden" colspan="8">by me</td>' * 2
         + "<td>0.10</td><td>1.10000</td><td></td>"),
        ("</td>", ""),
        ("</td></tr>", ""),
        ("10 000.00", "10&nbsp;000.00"),
        ("<td>25.00</td>", '<td colspan="1">25.00<!-- a note --></td>'),
        ("<td>EURUSD</td>", "<td>EURUSD<table><tr><td>why</td></tr></table></td>"),
        ("<table>", "<table><tr class=hidden><td>2025.01.02 10:00:00</td></tr>"),
        ("<td", "<TD"),
    ],
    ids=["hidden", "no-td", "no-tr", "nbsp", "span", "nested", "hidden-row", "upper"],
)  # fmt: skip
def test_markup_that_does_not_matter(tmp_path: Path, before: str, after: str) -> None:
    """Hidden comments, missing end tags, entities, a table in a cell."""
    changed = GOOD.replace(before, after, 1) if "nested" in after else GOOD.replace(before, after)
    assert changed != GOOD
    if "why" in after:
        changed = GOOD.replace("<table>", "<table><tr><td><table><tr><td>x</td></tr></table>", 1)

    assert check_report(saved(tmp_path, changed)).differences == []


def test_rows_of_nested_tables_keep_their_order() -> None:
    """A row is numbered when it begins, so an outer row comes before those inside it."""
    rows = page_rows(
        b"<html><table><tr><td>a<table><tr><td colspan=2>b<td>c</table>d<td>e</table></html>", "x"
    )

    assert [(row.number, dict(row.cells)) for row in rows] == [
        (1, {0: "ad", 1: "e"}),
        (2, {0: "b", 2: "c"}),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\0\0\0\0", "is empty"),
        (b"Time;Profit\n2025;1\n", "neither an HTML page nor an .xlsx"),
        (b"<html><table><tr><td>Sales</td></tr></table></html>", "not a report of MetaTrader 5"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted"),
        (b"PK\x03\x04" + bytes(40), "cut off or damaged"),
        (GOOD.replace("Deals", "Gesch\xe4fte").encode("cp1252"), "not valid UTF-8"),
        (GOOD.encode("utf-16")[:-1], "cut off"),
        (GOOD[: len(GOOD) // 2].encode(), "cut off"),
        (GOOD.replace("Deals", "Сделки").encode("utf-16"), "has no section Deals"),
        (
            GOOD.replace("Trade History Report", "Отчет торговой истории")
            .replace("Deals", "Сделки").encode("utf-16"),
            "not in English",
        ),
        (GOOD.replace("<b>Swap</b>", "<b>Своп</b>").encode("utf-16"), "no column Swap"),
        (GOOD.replace("<td>0.10</td>", "<td>0,10</td>").encode(), "column Volume"),
        (GOOD.replace("<td>out</td>", "<td>away</td>").encode(), "column Direction"),
        (GOOD.replace("<td>25.00</td>", "<td>25.0o</td>", 1).encode(), "column Profit"),
        (GOOD.replace("<td>2</td>", "<td>two</td>", 1).encode(), "column Deal"),
        (GOOD.replace("2025.01.02 10:00:00</td><td>2<", "yesterday</td><td>2<").encode(), "Row "),
        (
            b"<html><table><tr><td>Strategy Tester Report<tr><td>#<td>Time</table></html>",
            "MetaTrader 4",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_one_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    """What is wrong, in which file, and what to do."""
    path = tmp_path / "report.html"
    path.write_bytes(content)

    with pytest.raises(InputError, match=sentence) as caught:
        check_report(path)

    assert (
        "report.html" in caught.value.message
        or "Row" in caught.value.message
        or ("column" in caught.value.message)
    )
    assert caught.value.remedy


def test_a_line_of_totals_must_be_there(tmp_path: Path) -> None:
    """Without it the section may have lost lines."""
    sums = GOOD[GOOD.rindex("<tr align=right>") : GOOD.rindex("</table>")]

    with pytest.raises(InputError, match="without its line of totals"):
        check_report(saved(tmp_path, GOOD.replace(sums, "")))


def test_an_encrypted_zip_entry(tmp_path: Path) -> None:
    """The flag in the archive's directory says so; nothing is unpacked."""
    path = tmp_path / "report.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    raw = bytearray(path.read_bytes())
    directory = raw.index(b"PK\x01\x02")
    raw[directory + 8] |= 1
    path.write_bytes(bytes(raw))

    with pytest.raises(InputError, match="encrypted"):
        check_report(path)


def test_a_workbook_that_is_no_report(tmp_path: Path) -> None:
    """Any other spreadsheet."""
    path = tmp_path / "plan.xlsx"
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "Budget"
    book.save(path)

    with pytest.raises(InputError, match="not a report of MetaTrader 5"):
        check_report(path)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_sentence(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    """No file makes a traceback."""
    path = tmp_path_factory.mktemp("any") / "x"
    path.write_bytes(raw)

    with pytest.raises(InputError):
        check_report(path)
