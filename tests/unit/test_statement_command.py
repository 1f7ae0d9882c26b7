"""`plan2 statement check`: exit codes, the text for people, the JSON for scripts."""

import json
from pathlib import Path

import pytest
from statement_fixtures import page, saved

from plan2 import cli

Captured = pytest.CaptureFixture[str]
DEALS = """
2025.01.02 09:00:00|1||balance|||||0.00|0.00|0.00|10 000.00|10 000.00|
2025.01.02 10:00:00|2|EURUSD|buy |in |0.10|1.10000|11|0.00|0.00|0.00| 0.00|10 000.00|
2025.01.02 11:00:00|3|EURUSD|sell|out|0.10|1.10250|12|0.00|0.00|0.00|25.00|10 025.00|
"""
SUMS = "0.00|0.00|0.00|25.00|10 025.00"


def test_a_report_that_agrees(tmp_path: Path, capsys: Captured) -> None:
    """Exit 0; totals and what was compared, one line each."""
    path = saved(tmp_path, page(DEALS, SUMS, summary={"Total Net Profit": "25.00"}))

    assert cli.run(["statement", "check", str(path)]) == 0

    shown = capsys.readouterr().out
    assert "account report, hedging, USD" in shown
    assert "  net profit              25.00\n" in shown
    assert "  running balance         3 of 3 agree\n" in shown
    assert "EURUSD  1 of 1 closing(s) by prices, contract 100000" in shown
    assert shown.endswith("The report agrees with its deals to the last digit.\n")


def test_a_report_that_does_not(tmp_path: Path, capsys: Captured) -> None:
    """Exit 1, and a table that says where, what follows and what is found."""
    path = saved(tmp_path, page(DEALS, SUMS, summary={"Total Net Profit": "26.00"}))

    assert cli.run(["statement", "check", str(path)]) == 1

    shown = capsys.readouterr().out.splitlines()
    assert shown[-1].split() == [
        "Summary",
        "9",
        "Total",
        "Net",
        "Profit",
        "Value",
        "25.00",
        "26.00",
    ]
    assert shown[-2].split() == ["section", "row", "subject", "field", "expected", "found"]
    assert shown[-4] == "1 difference(s) between what follows from the deals and this:"


def test_everything_is_in_the_json(tmp_path: Path, capsys: Captured) -> None:
    """Amounts are strings, so that no script turns them into binary fractions."""
    path = saved(tmp_path, page(DEALS, SUMS, summary={"Balance": "10 025.01"}))

    assert cli.run(["statement", "check", str(path), "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert told["agrees"] is False
    assert (told["kind"], told["mode"], told["mode_is_stated"]) == ("account", "hedging", True)
    assert told["totals"]["final_balance"] == "10025.00"
    assert told["comparisons"][0] == {"what": "running balance", "compared": 3, "agreed": 3}
    assert told["differences"] == [
        {
            "section": "Summary",
            "row": 9,
            "subject": "Balance",
            "field": "Value",
            "expected": "10025.00",
            "found": "10025.01",
        }
    ]


@pytest.mark.parametrize(
    ("content", "code"), [(None, 1), (b"Dear customer,", 3)], ids=["missing", "no-report"]
)
def test_a_file_that_cannot_be_used(
    tmp_path: Path, capsys: Captured, content: bytes | None, code: int
) -> None:
    """One line on stderr, nothing on stdout."""
    path = tmp_path / "mine.html"
    if content is not None:
        path.write_bytes(content)

    assert cli.run(["statement", "check", str(path)]) == code

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Error: ")
    assert shown.err.count("\n") == 1
    assert "mine.html" in shown.err
