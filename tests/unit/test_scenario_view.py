"""What the risk page is told of stress: an account of 10,000 USD long 0.3 lots of EURUSD."""

import numpy as np
import pytest
from click.testing import CliRunner
from interface_fixtures import NOON_NS as MARKET_NOON_NS
from interface_fixtures import Stage
from trading_fixtures import NOON_NS

from plan2.commands import risk as verb
from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.risk.stress import Holding
from plan2.interface.risk_view import risk_of
from plan2.interface.scenario_items import ScenarioItem, ScenarioReport
from plan2.interface.scenario_view import returns_of, scenarios_of, stress_book_of
from unit.test_risk_view import EQUITY, LOSS, LOTS, VALUE, holding, limit

HOUR_NS = 3_600_000_000_000
BID, STOP = 1.10000, 1.08


def past(changes: list[float]) -> dict[str, tuple[Int64Array, Float64Array]]:
    """Hours before noon with these changes of EURUSD."""
    starts = NOON_NS - HOUR_NS * np.arange(len(changes), 0, -1, dtype=np.int64)
    return {"EURUSD": (starts, np.array(changes))}


def one(report: ScenarioReport, kind: str, subject: str = "") -> ScenarioItem:
    """The one scenario of a kind."""
    (found,) = [s for s in report.scenarios if (s.kind, s.subject) == (kind, subject)]
    return found


def test_every_scenario_of_one_position_by_hand() -> None:
    """2 % of the value; from the bid to the stop; euros down 2 %; the worst of three hours."""
    report = scenarios_of(stress_book_of(holding()), past([0.001, -0.004, 0.002]))
    assert report.symbols == ["EURUSD"]
    against = one(report, "all_against")
    assert (against.move, against.reaches) == (-0.02, ["daily_loss", "weekly_loss"])
    assert against.profit == pytest.approx(-0.02 * VALUE)
    assert against.fraction == pytest.approx(-0.02 * VALUE / EQUITY)
    stops = one(report, "stops")
    assert (stops.profit, stops.count) == (pytest.approx(LOTS * 100_000 * (STOP - BID)), 0)
    euro = one(report, "currency", "EUR")
    assert (euro.move, euro.profit) == (-0.02, pytest.approx(-0.02 * VALUE))
    worst = one(report, "worst_hour")
    assert (worst.count, worst.profit) == (3, pytest.approx(-0.004 * VALUE))
    assert worst.at_us == (NOON_NS - 2 * HOUR_NS) // 1_000
    assert one(report, "bad_hours").profit == pytest.approx(-0.004 * VALUE)


def test_a_scenario_names_the_limits_that_it_would_reach() -> None:
    """0.8 % of 33,000 USD is 264 USD, not 3 % of the day's start; 1 % is."""
    mild = scenarios_of(stress_book_of(holding()), past([-0.008]))
    assert one(mild, "worst_hour").reaches == []
    assert (0.008 * VALUE + LOSS) / 10_000 < 0.03 < (0.01 * VALUE + LOSS) / 10_000
    hard = scenarios_of(stress_book_of(holding()), past([-0.010]))
    assert one(hard, "worst_hour").reaches == ["daily_loss"]


def test_limits_on_all_positions_together_are_listed_with_their_use() -> None:
    """σ of one position is its value times 0.5 %; its shortfall the largest of three figures."""
    risk = risk_of(holding())
    deviation = limit(risk, "volatility_target")
    assert (deviation.effect, deviation.setting) == ("deny", "risk.volatility_target_fraction")
    assert deviation.used == pytest.approx(0.005 * VALUE / EQUITY)
    shortfall = limit(risk, "expected_shortfall")
    assert shortfall.used == pytest.approx(0.02 * VALUE / EQUITY)  # 1.5 · 2.3378 · 0.5 % is less
    assert shortfall.limit == 0.10


def test_without_positions_there_is_nothing_to_stress() -> None:
    """No scenario, no correlation, no error."""
    account = holding()
    account.positions.open.clear()
    report = scenarios_of(stress_book_of(account), {})
    assert (report.positions, report.scenarios, report.correlations) == (0, [], [])


def test_returns_are_from_close_to_close() -> None:
    """1.0 → 1.1 → 1.045 is +10 %, −5 %."""
    prices = np.full((8, 3), np.nan)
    prices[3] = (1.0, 1.1, 1.045)
    times = HOUR_NS * np.arange(3, dtype=np.int64)
    none = np.zeros(3, np.int64)
    starts, changes = returns_of(BarSeries("EURUSD", 3600, times, prices, none, none))
    assert starts.tolist() == [HOUR_NS, 2 * HOUR_NS]
    assert changes == pytest.approx([0.1, -0.05])


async def test_the_route_stresses_the_account_of_whoever_asks_over_its_archive() -> None:
    """The worst archived hour is found; a stranger sees nothing."""
    stage = Stage()
    stage.books.holdings = (
        Holding(symbol="EURUSD", base="EUR", quote="USD", value=10_000.0, to_stop=-50.0),
    )
    prices = np.full((8, 3), np.nan)
    prices[:4] = (1.0, 1.01, 0.9999)
    times = MARKET_NOON_NS - HOUR_NS * np.arange(3, 0, -1, dtype=np.int64)
    none = np.zeros(3, np.int64)
    stage.archive.series["EURUSD", 3600] = BarSeries("EURUSD", 3600, times, prices, none, none)
    async with await stage.signed_in() as client:
        shown = await client.get("/api/v1/risk/scenarios")
    assert shown.status_code == 200, shown.text
    (worst,) = [each for each in shown.json()["scenarios"] if each["kind"] == "worst_hour"]
    assert (worst["profit"], worst["count"]) == (pytest.approx(-100.0), 2)
    async with stage.client() as stranger:
        assert (await stranger.get("/api/v1/risk/scenarios")).status_code == 401


def test_the_verbs_print_limits_and_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares as percent, counts as they are, a dash for what is not known."""
    answers = {
        "risk": {
            "account_id": "paper", "trading_state": "armed", "holds": "",
            "limits": [
                {"rule": "exposure", "unit": "fraction", "used": 0.5, "limit": 10.0,
                 "effect": "x", "resets_us": None},
                {"rule": "positions", "unit": "count", "used": None, "limit": 4.0,
                 "effect": "x", "resets_us": None},
            ],
            "symbols": [], "currencies": [],
        },
        "risk/scenarios": {
            "scenarios": [
                {"kind": "all_against", "subject": "", "move": -0.02, "profit": -320.0,
                 "fraction": -0.032, "at_us": None, "reaches": ["daily_loss"]}
            ],
            "correlations": [
                {"first": "A", "second": "B", "value": 0.456, "low": 0.1, "high": 0.7, "hours": 99}
            ],
        },
    }  # fmt: skip
    monkeypatch.setattr(verb, "ask", lambda _folder, path: answers[path])
    told = CliRunner().invoke(verb.command, ["limits", "--data-dir", "."]).output
    assert "50.00%" in told
    assert told.splitlines()[3].split()[:2] == ["positions", "–"]
    told = CliRunner().invoke(verb.command, ["scenarios", "--data-dir", "."]).output
    assert "-3.20%" in told
    assert "daily_loss" in told
    assert "0.46" in told
