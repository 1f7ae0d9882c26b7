"""Statements: positions and profit rebuilt from hand-made reports; every amount by hand."""

from decimal import Decimal
from pathlib import Path

import pytest
from statement_fixtures import page, saved

from plan2.dataflow.statements.check import Check, check_report
from plan2.dataflow.statements.report import Mode

DEPOSIT = "2025.01.02 09:00:00|1||balance|||||0.00|0.00|0.00|10 000.00|10 000.00|\n"
NETTED = (
    DEPOSIT
    + """
    2025.01.02 10:00:00|2|EURUSD|buy |in    |1.00|1.10000|11|0.00|0.00| 0.00|   0.00|10 000.00|
    2025.01.02 11:00:00|3|EURUSD|buy |in    |1.00|1.10200|12|0.00|0.00| 0.00|   0.00|10 000.00|
    2025.01.02 12:00:00|4|EURUSD|sell|out   |0.50|1.10300|13|0.00|0.00| 0.00| 100.00|10 100.00|
    2025.01.02 13:00:00|5|EURUSD|sell|in/out|3.00|1.10000|14|0.00|0.00|-1.50|-150.00| 9 948.50|
    2025.01.02 14:00:00|6|EURUSD|buy |out   |1.50|1.09900|15|0.00|0.00| 0.00| 150.00|10 098.50|
    """.strip()
)
NETTED_ROWS = """
    2025.01.02 10:00:00|11|EURUSD|buy |2.00|1.10100|||2025.01.02 13:00:00|1.10075|0.00|-1.50|-50.00
    2025.01.02 13:00:00|14|EURUSD|sell|1.50|1.10000|||2025.01.02 14:00:00|1.09900|0.00| 0.00|150.00
"""
"""Bought at 1.10000 and 1.10200, so at 1.10100; 0.5 sold at +0.00200, 1.5 at -0.00100."""


def checked(folder: Path, text: str) -> Check:
    """The result for a page in MetaTrader's own encoding."""
    return check_report(saved(folder, text))


def agreed(result: Check, what: str) -> tuple[int, int]:
    """How many comparisons of a kind agreed, of how many."""
    return next(
        ((each.agreed, each.compared) for each in result.comparisons if each.what == what), (0, 0)
    )


def test_netting_reversal_closes_at_the_weighted_price_and_opens_the_rest(tmp_path: Path) -> None:
    """`in/out` of 3 lots closes 1.5 at the average price and opens 1.5 the other way."""
    result = checked(
        tmp_path,
        page(
            NETTED,
            "0.00|0.00|-1.50|10 100.00|10 098.50",
            account="1001 (USD, Server-Demo, demo, Netting)",
            closed=NETTED_ROWS,
            summary={
                "Total Net Profit": "98.50",
                "Gross Profit": "250.00",
                "Gross Loss": "-151.50",
                "Total Trades": "3",
                "Long Trades (won %)": "2 (50.00%)",
            },
        ),
    )

    assert result.differences == []
    assert (result.mode, result.mode_is_stated) == (Mode.NETTING, True)
    assert agreed(result, "profits by prices") == (3, 3)
    assert agreed(result, "figures of the summary") == (5, 5)
    assert (result.totals.net_profit, result.totals.swap) == (Decimal("98.50"), Decimal("-1.50"))


def test_netting_is_recognised_where_the_report_does_not_say_it(tmp_path: Path) -> None:
    """Older reports name no mode; `in/out` exists on netting accounts only."""
    result = checked(
        tmp_path,
        page(NETTED, "0.00|0.00|-1.50|100.00|10 098.50", account="1 (USD, 1:100, Demo, demo)"),
    )

    assert result.agrees
    assert (result.mode, result.mode_is_stated) == (Mode.NETTING, False)


def test_partial_closes_of_a_hedged_position(tmp_path: Path) -> None:
    """0.3 lots at +10 pips and 0.7 at -10: -40.00, closed on average at 1.19960."""
    deals = (
        DEPOSIT
        + """
        2025.01.02 10:00:00|2|GBPUSD|buy |in |1.00|1.20000|11|0.00|0.00|0.00|  0.00|10 000.00|
        2025.01.02 11:00:00|3|GBPUSD|sell|out|0.30|1.20100|12|0.00|0.00|0.00| 30.00|10 030.00|
        2025.01.02 12:00:00|4|GBPUSD|sell|out|0.70|1.19900|13|0.00|0.00|0.00|-70.00| 9 960.00|
        """.strip()
    )
    row = "2025.01.02 10:00:00|11|GBPUSD|buy|1.00|1.20000|||2025.01.02 12:00:00|1.19960|0.00|0.00|"
    whole = checked(tmp_path, page(deals, "0.00|0.00|0.00|-40.00|9 960.00", closed=f"{row}-40.00"))
    wrong = checked(tmp_path, page(deals, "0.00|0.00|0.00|-40.00|9 960.00", closed=f"{row}-41.00"))

    assert whole.differences == []
    assert [(d.subject, d.field, d.expected, d.found) for d in wrong.differences] == [
        ("position 11", "Profit", "-40.00", "-41.00")
    ]


def test_a_partly_closed_position_keeps_the_rest_open(tmp_path: Path) -> None:
    """0.4 of 1.0 closed: the line of Positions and the open position share one ticket."""
    deals = (
        DEPOSIT
        + """
        2025.01.02 10:00:00|2|GBPUSD|buy |in |1.00|1.20000|11|-3.00|0.00|0.00| 0.00| 9 997.00|
        2025.01.02 11:00:00|3|GBPUSD|sell|out|0.40|1.20100|12|-1.20|0.00|0.00|40.00|10 035.80|
        """.strip()
    )
    closed = "2025.01.02 10:00:00|11|GBPUSD|buy|0.4 / 1|1.20000|||2025.01.02 11:00:00|1.20100|"
    left = "2025.01.02 10:00:00|11|GBPUSD|buy|{}|1.20000|||1.20200|0.00|120.00|"
    summary = {"Balance": "10 035.80", "Floating P/L": "120.00", "Equity": "10 155.80"}
    text = page(
        deals,
        "-4.20|0.00|0.00|40.00|10 035.80",
        closed=f"{closed}-4.20|0.00|40.00",
        opened=left.format("0.60"),
        summary=summary,
    )
    right = checked(tmp_path, text)
    wrong = checked(tmp_path, text.replace("<td>0.60</td>", "<td>0.50</td>"))

    assert right.differences == []
    assert [(d.section, d.field, d.expected, d.found) for d in wrong.differences] == [
        ("Open Positions", "Volume", "0.60", "0.50")
    ]


def test_positions_say_which_one_a_deal_closed(tmp_path: Path) -> None:
    """Two equal positions, the younger closed first: the stated lines win over first in."""
    deals = (
        DEPOSIT
        + """
        2025.01.02 10:00:00|2|EURGBP|buy |in |1.00|0.85000|11|0.00|0.00|0.00|   0.00|10 000.00|
        2025.01.02 10:30:00|3|EURGBP|buy |in |1.00|0.85100|12|0.00|0.00|0.00|   0.00|10 000.00|
        2025.01.02 11:00:00|4|EURGBP|sell|out|1.00|0.85200|13|0.00|0.00|0.00| 125.00|10 125.00|
        2025.01.02 12:00:00|5|EURGBP|sell|out|1.00|0.84900|14|0.00|0.00|0.00|-125.00|10 000.00|
        """.strip()
    )
    closed = """
    2025.01.02 10:00:00|11|EURGBP|buy|1.00|0.85000|||2025.01.02 12:00:00|0.84900|0.00|0.00|-125.00
    2025.01.02 10:30:00|12|EURGBP|buy|1.00|0.85100|||2025.01.02 11:00:00|0.85200|0.00|0.00|125.00
    """
    result = checked(tmp_path, page(deals, "0.00|0.00|0.00|0.00|10 000.00", closed=closed))

    assert result.differences == []
    assert result.prices[0].contract_size is None
    assert result.prices[0].why_not == "the rate to USD is not in the report"


def test_profits_say_which_one_a_deal_closed(tmp_path: Path) -> None:
    """Without a list of positions, the profit tells the younger from the older one.

    A third deal, about which there is no doubt, gives the contract size.
    """
    deals = (
        DEPOSIT
        + """
        2025.01.02 09:30:00|2|EURUSD|sell|in |0.10|1.10000|10|0.00|0.00|0.00|   0.00|10 000.00|
        2025.01.02 09:40:00|3|EURUSD|buy |out|0.10|1.09900|11|0.00|0.00|0.00|  10.00|10 010.00|
        2025.01.02 10:00:00|4|EURUSD|buy |in |1.00|1.10000|12|0.00|0.00|0.00|   0.00|10 010.00|
        2025.01.02 10:30:00|5|EURUSD|buy |in |1.00|1.10100|13|0.00|0.00|0.00|   0.00|10 010.00|
        2025.01.02 11:00:00|6|EURUSD|sell|out|1.00|1.10200|14|0.00|0.00|0.00| 100.00|10 110.00|
        """.strip()
    )
    opened = "2025.01.02 10:00:00|12|EURUSD|buy|1.00|1.10000|||1.10200|0.00|200.00|"
    sums = "0.00|0.00|0.00|110.00|10 110.00"
    stated = checked(tmp_path, page(deals, sums, opened=opened))
    guessed = checked(
        tmp_path,
        page(
            f"{deals}\n2025.01.02 12:00:00|7|EURUSD|sell|out|1.00|1.10200|15|0.00|0.00|0.00|"
            "200.00|10 310.00|",
            "0.00|0.00|0.00|310.00|10 310.00",
        ),
    )

    assert stated.differences == guessed.differences == []
    assert agreed(guessed, "profits by prices") == (3, 3)


def test_positions_closed_by_each_other(tmp_path: Path) -> None:
    """`out by`: one deal each, the profit on the first; counts are left out, with a note."""
    deals = (
        DEPOSIT
        + """
        2025.01.02 10:00:00|2|EURUSD|buy |in    |1.00|1.10000|11|0.00|0.00|0.00|  0.00|10 000.00|
        2025.01.02 10:30:00|3|EURUSD|sell|in    |1.00|1.10300|12|0.00|0.00|0.00|  0.00|10 000.00|
        2025.01.02 11:00:00|4|EURUSD|sell|out by|1.00|1.10300|13|0.00|0.00|0.00|300.00|10 300.00|
        2025.01.02 11:00:00|5|EURUSD|buy |out by|1.00|1.10300|13|0.00|0.00|0.00|  0.00|10 300.00|
        """.strip()
    )
    closed = """
    2025.01.02 10:00:00|11|EURUSD|buy |1.00|1.10000|||2025.01.02 11:00:00|1.10300|0.00|0.00|300.00
    2025.01.02 10:30:00|12|EURUSD|sell|1.00|1.10300|||2025.01.02 11:00:00|1.10300|0.00|0.00|0.00
    """
    result = checked(
        tmp_path,
        page(
            deals, "0.00|0.00|0.00|300.00|10 300.00", closed=closed, summary={"Total Trades": "1"}
        ),
    )

    assert result.differences == []
    assert agreed(result, "profits by prices") == (2, 2)
    assert "closed by others" in " ".join(result.notes)


def test_commission_and_fee_are_in_the_balance(tmp_path: Path) -> None:
    """Costs on both deals: 50.00 - 2 * 3.50 commission - 2 * 0.25 fee = 42.50."""
    deals = (
        DEPOSIT
        + """
        2025.01.02 10:00:00|2|EURUSD|buy |in |1.00|1.10000|11|-3.50|-0.25|0.00| 0.00| 9 996.25|
        2025.01.02 11:00:00|3|EURUSD|sell|out|1.00|1.10050|12|-3.50|-0.25|0.00|50.00|10 042.50|
        """.strip()
    )
    closed = "2025.01.02 10:00:00|11|EURUSD|buy|1.00|1.10000|||2025.01.02 11:00:00|1.10050|{}|0|50"
    text = page(
        deals,
        "-7.00|-0.50|0.00|50.00|10 042.50",
        closed=closed.format("-7.00"),
        summary={"Total Net Profit": "42.50"},
    )
    result = checked(tmp_path, text)
    other = checked(tmp_path, text.replace(">-7.00</td><td>0<", ">-3.50</td><td>0<"))

    assert result.differences == []
    assert (result.totals.commission, result.totals.fee) == (Decimal("-7.00"), Decimal("-0.50"))
    assert [(d.field, d.expected, d.found) for d in other.differences] == [
        ("Commission", "-7.00", "-3.50")
    ]


def test_operations_on_the_account_are_no_trades(tmp_path: Path) -> None:
    """Withdrawal and charge change the balance, a credit does not; only the charge is a result."""
    deals = (
        DEPOSIT
        + """
        2025.01.03 10:00:00|2||balance|||||0|0|0|-2 500.00|7 500.00|
        2025.01.03 11:00:00|3||charge |||||0|0|0|-10.00   |7 490.00|
        2025.01.03 12:00:00|4||credit |||||0|0|0|300.00   |7 490.00|
        """.strip()
    )
    result = checked(
        tmp_path,
        page(
            deals,
            "0.00|0.00|0.00|7 490.00|7 490.00",
            summary={
                "Total Net Profit": "-10.00",
                "Balance": "7 490.00",
                "Credit Facility": "300.00",
                "Equity": "7 790.00",
            },
        ),
    )

    assert result.differences == []
    assert result.totals.net_profit == 0


def test_an_account_in_yen_has_no_decimals(tmp_path: Path) -> None:
    """The smallest amount is what the report shows: one yen of difference counts."""
    deals = """
        2025.01.02 09:00:00|1||balance|||||0|0|0|1 000 000|1 000 000|
        2025.01.02 10:00:00|2|USDJPY|buy |in |0.10|150.000|11|0|0|0|   0|1 000 000|
        2025.01.02 11:00:00|3|USDJPY|sell|out|0.10|150.125|12|0|0|0|1 250|1 001 250|
        """
    text = page(deals, "0|0|0|1 250|1 001 250", account="1 (JPY, Server-Demo, demo, Hedge)")
    right = checked(tmp_path, text)
    wrong = checked(tmp_path, text.replace("<td>1 001 250</td></tr>", "<td>1 001 251</td></tr>"))

    assert right.differences == []
    assert agreed(right, "profits by prices") == (1, 1)
    assert [(d.subject, d.field, d.found) for d in wrong.differences] == [
        ("totals", "Balance", "1001251")
    ]


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("-150.00</td><td>9 948.50", "-150.01</td><td>9 948.50", ("deal 5", "Balance", "9948.49")),
        ("9 948.50", "9 948.60", ("deal 5", "Balance", "9948.50")),
        (">-1.50</td><td>10 100.00", ">-1.51</td><td>10 100.00", ("totals", "Swap", "-1.50")),
        ("1.10075", "1.10065", ("position 11", "Close Price", "1.10075")),
        ("1.09900</td><td>0.00", "1.09910</td><td>0.00", ("position 14", "Close Price", "1.09900")),
        ("<td>2.00</td>", "<td>1.90</td>", ("position 11", "Volume", "2.00")),
        ("98.50</b>", "98.51</b>", ("Total Net Profit", "Value", "98.50")),
    ],
)
def test_one_wrong_figure_is_named(
    tmp_path: Path, before: str, after: str, place: tuple[str, str, str]
) -> None:
    """Row, subject and column of the figure that was changed, with what it should be."""
    text = page(
        NETTED,
        "0.00|0.00|-1.50|10 100.00|10 098.50",
        account="1001 (USD, Server-Demo, demo, Netting)",
        closed=NETTED_ROWS,
        summary={"Total Net Profit": "98.50"},
    )
    assert before in text

    result = checked(tmp_path, text.replace(before, after, 1))

    found = [(each.subject, each.field, each.expected) for each in result.differences]
    assert place in found
    assert all(each.row > 0 for each in result.differences)


def test_what_should_be_there_and_is_not(tmp_path: Path) -> None:
    """A filled order without a deal, a close without a position, an open position nobody lists."""
    deals = (
        DEPOSIT
        + """
        2025.01.02 10:00:00|2|EURUSD|buy |in |1.00|1.10000|11|0.00|0.00|0.00|0.00|10 000.00|
        2025.01.02 11:00:00|3|USDCHF|sell|out|1.00|0.90000|12|0.00|0.00|0.00|5.00|10 005.00|
        """.strip()
    )
    orders = """
    2025.01.02 10:00:00|11|EURUSD|buy |1.00 / 1.00|market|||2025.01.02 10:00:00|filled|
    2025.01.02 10:10:00|13|EURUSD|sell|1.00 / 1.00|market|||2025.01.02 10:10:00|filled|
    2025.01.02 10:20:00|14|EURUSD|sell|1.00 / 0.00|market|||2025.01.02 10:20:00|canceled|
    """
    result = checked(tmp_path, page(deals, "0.00|0.00|0.00|5.00|10 005.00", orders=orders))

    assert [(d.subject, d.expected) for d in result.differences] == [
        ("deal 3", "an open position of 1.00 lots to close"),
        ("position 11", "1.00 lots open"),
        ("order 13", "a deal of this order"),
    ]


def test_a_profit_that_its_prices_do_not_give(tmp_path: Path) -> None:
    """0.1 lots of 100,000 at +25 pips are 25.00; one cent more, booked everywhere, is found.

    A second deal shows the contract size; without one, 25.01 would only be a size of its own.
    """
    deals = (
        DEPOSIT
        + """
        2025.01.02 10:00:00|2|EURUSD|buy |in |0.10|1.10000|11|0.00|0.00|0.00| 0.00|10 000.00|
        2025.01.02 11:00:00|3|EURUSD|sell|out|0.10|1.10250|12|0.00|0.00|0.00|25.01|10 025.01|
        2025.01.02 12:00:00|4|EURUSD|buy |in |0.10|1.10000|13|0.00|0.00|0.00| 0.00|10 025.01|
        2025.01.02 13:00:00|5|EURUSD|sell|out|0.10|1.10500|14|0.00|0.00|0.00|50.00|10 075.01|
        2025.01.02 14:00:00|6|EURUSD|buy |in |0.10|1.10000|15|0.00|0.00|0.00| 0.00|10 075.01|
        2025.01.02 15:00:00|7|EURUSD|sell|out|0.10|1.10300|16|0.00|0.00|0.00|30.00|10 105.01|
        """.strip()
    )
    result = checked(tmp_path, page(deals, "0.00|0.00|0.00|105.01|10 105.01"))

    assert [(d.subject, d.field, d.expected, d.found) for d in result.differences] == [
        ("deal 3", "Profit by prices", "25.00", "25.01")
    ]
