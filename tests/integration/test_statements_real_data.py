"""The real reports: every figure agrees to the cent, and nothing that is changed goes unseen.

What they must add up to is stated in the data's own description, counted by hand from the files.
"""

import warnings
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from plan2.dataflow.statements.check import Check, check_report
from plan2.dataflow.statements.report import Kind, Mode
from plan2.foundation.errors import InputError

WORKBOOK = "mt5_trade_history_hedging_2025.xlsx"
PAGE = "mt5_trade_history_hedging_2016.html"
TESTER = "mt5_tester_usdjpy_h1_2016.html"


def compared(result: Check) -> dict[str, int]:
    """How many comparisons of each kind were made."""
    return {each.what: each.compared for each in result.comparisons}


def test_the_workbook_of_2025(shared_data: Path) -> None:
    """Nine positions, one of them open at the end; a deposit in between; two opened earlier."""
    result = check_report(shared_data / "reports" / WORKBOOK)
    totals = result.totals

    assert (result.agrees, result.differences) == (True, [])
    assert (result.kind, result.mode, result.currency) == (Kind.ACCOUNT, Mode.HEDGING, "USD")
    assert (totals.profit, totals.net_profit) == (Decimal("-49.67"), Decimal("-49.67"))
    assert (totals.commission, totals.swap, totals.fee) == (0, 0, 0)
    assert (totals.opening_balance, totals.operations) == (Decimal("50.61"), Decimal("50.00"))
    assert totals.final_balance == Decimal("50.94")
    assert (result.deals, result.orders) == (18, 24)
    assert compared(result) == {
        "running balance": 18,
        "totals of deals": 5,
        "closed positions": 88,
        "open positions": 4,
        "totals of open positions": 2,
        "profits by prices": 5,
        "filled orders": 17,
        "figures of the summary": 11,
    }


def test_the_page_of_2016(shared_data: Path) -> None:
    """The older layout: no list of closed positions, swaps, one position and one order left."""
    result = check_report(shared_data / "reports" / PAGE)
    totals = result.totals

    assert (result.agrees, result.differences) == (True, [])
    assert (result.kind, result.mode, result.mode_is_stated) == (Kind.ACCOUNT, Mode.HEDGING, False)
    assert (totals.profit, totals.swap) == (Decimal("1335.49"), Decimal("-1.72"))
    assert totals.net_profit == Decimal("1333.77")
    assert totals.final_balance == Decimal("11333.77")
    assert compared(result)["running balance"] == result.deals == 18
    assert compared(result)["profits by prices"] == 8


def test_the_strategy_test(shared_data: Path) -> None:
    """152 trades with swaps; each profit follows from its prices and one contract size."""
    result = check_report(shared_data / "reports" / TESTER)
    totals = result.totals

    assert (result.agrees, result.differences) == (True, [])
    assert (result.kind, result.deals) == (Kind.TESTER, 305)
    assert (totals.profit, totals.swap) == (Decimal("1671.02"), Decimal("-5.64"))
    assert (totals.net_profit, totals.operations) == (Decimal("1665.38"), Decimal(10_000))
    assert totals.final_balance == Decimal("11665.38")
    assert [(p.symbol, p.contract_size, p.agreeing) for p in result.prices] == [
        ("USDJPY", Decimal(100_000), 152)
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-be", "utf-16-le"])
def test_the_same_page_in_other_encodings(shared_data: Path, tmp_path: Path, encoding: str) -> None:
    """Saved again by an editor or a browser, it is the same report."""
    text = (shared_data / "reports" / PAGE).read_text(encoding="utf-16")
    copy = tmp_path / PAGE
    copy.write_bytes(text.encode(encoding))

    assert check_report(copy) == check_report(shared_data / "reports" / PAGE)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (">-14.28<", ">-14.27<", {("deal 78558766", "Balance"), ("totals", "Profit")}),
        (">11 311.61<", ">11 311.62<", {("deal 78558766", "Balance")}),
        (">-1.72<", ">-1.73<", {("totals", "Swap")}),
        (">1 333.77<", ">1 333.78<", {("Total Net Profit", "Value")}),
        (">11333.77<", ">11333.87<", {("Balance", "Value")}),
        (">0.98073</td><td nowrap>93331389<", ">0.98083</td><td nowrap>93331389<",
         {("deal 78558766", "Profit by prices")}),
        (">1.00</td><td>1.10831<", ">2.00</td><td>1.10831<", {("position 93448920", "Volume")}),
        (">out</td><td nowrap>1.00</td><td nowrap>0.98073<",
         ">in</td><td nowrap>1.00</td><td nowrap>0.98073<", {("Total Trades", "Value")}),
    ],
)  # fmt: skip
def test_a_changed_figure_is_found(
    shared_data: Path, tmp_path: Path, before: str, after: str, expected: set[tuple[str, str]]
) -> None:
    """One cent, one pip or one word, wherever it stands."""
    text = (shared_data / "reports" / PAGE).read_text(encoding="utf-16")
    assert before in text
    copy = tmp_path / PAGE
    copy.write_text(text.replace(before, after, 1), encoding="utf-16")

    result = check_report(copy)

    assert not result.agrees
    assert expected <= {(each.subject, each.field) for each in result.differences}


@pytest.mark.parametrize(
    ("cell", "value", "subject", "field"),
    [
        ("M10", -264.08, "position 35539894", "Profit"),
        ("K14", -0.01, "position 36864085", "Commission"),
        ("L8", 0.02, "position 35324172", "Swap"),
        ("M57", 292.11, "deal 27167825", "Balance"),
        ("L63", 0.34, "totals", "Profit"),
        ("D93", -49.66, "Total Net Profit", "Value"),
        ("D71", 48.58, "Equity", "Value"),
        ("E9", "0.2", "position 35324758", "Volume"),
    ],
)
def test_a_changed_cell_is_found(
    shared_data: Path, tmp_path: Path, cell: str, value: object, subject: str, field: str
) -> None:
    """The row of the difference is the row of the sheet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # MetaTrader writes no default style
        book = openpyxl.load_workbook(shared_data / "reports" / WORKBOOK, data_only=True)
    book.worksheets[0][cell] = value
    copy = tmp_path / WORKBOOK
    book.save(copy)

    result = check_report(copy)

    row = int(cell.lstrip("ABCDEFGHIJKLMNO"))
    assert (row, subject, field) in {(d.row, d.subject, d.field) for d in result.differences}


@pytest.mark.parametrize("name", [WORKBOOK, PAGE, TESTER])
@pytest.mark.parametrize("kept", [0.02, 0.25, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off(shared_data: Path, tmp_path: Path, name: str, kept: float) -> None:
    """Wherever the cut is, nothing is computed from half a report."""
    raw = (shared_data / "reports" / name).read_bytes()
    copy = tmp_path / name
    copy.write_bytes(raw[: int(len(raw) * kept)])

    with pytest.raises(InputError, match="cut off"):
        check_report(copy)
