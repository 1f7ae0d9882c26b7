"""The diagnosis: in each made-up run exactly one thing is wrong, and in one nothing is."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from research_fixtures import FIRST_DAY_NS, run_of

from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, Float64Array
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.research.diagnosis.diagnose import diagnose
from plan2.intelligence.research.diagnosis.finding import Evidence, Finding, Volatility

TRADES = 480


def sound(count: int = TRADES, **columns: Float64Array) -> BacktestRun:
    """Three trades a weekday, each side and eight hours in turn: wins of 30, losses of 20.

    Six of ten trades win whatever the day, side or hour; `columns` replace what is to be wrong.
    """
    at = np.arange(count)
    open_ns = FIRST_DAY_NS + (at // 3) * NS_PER_DAY + (6 + (at * 5) % 8) * NS_PER_HOUR
    frame = {
        "side": np.where(at % 2 == 0, 1, -1),
        "net": np.where((at * 7) % 10 < 6, 30.0, -20.0),
        "open_ns": open_ns,
        "close_ns": open_ns + NS_PER_HOUR,
        "commission": np.full(count, -0.5),
        "swap": np.zeros(count),
        "spread_cost": np.full(count, -1.0),
        **columns,
    }
    rows = []
    for i in range(count):
        net, commission, swap = (float(frame[key][i]) for key in ("net", "commission", "swap"))
        rows.append(
            {
                "trade": i, "side": int(frame["side"][i]), "lots": 1.0,
                "decided_ns": int(frame["open_ns"][i]), "open_ns": int(frame["open_ns"][i]),
                "open_price": 1.1, "close_ns": int(frame["close_ns"][i]), "close_price": 1.1,
                "exit_reason": "signal", "gross": net - commission - swap,
                "commission": commission, "swap": swap, "net": net, "mae": 0.0, "mfe": 0.0,
                "spread_cost": float(frame["spread_cost"][i]), "slippage_cost": 0.0,
            }
        )  # fmt: skip
    equity = 10_000.0 + np.cumsum([row["net"] for row in rows])
    return run_of(rows, np.asarray(frame["close_ns"]), equity)


def nets(count: int = TRADES) -> Float64Array:
    """The results of a sound run, to be changed."""
    return sound(count).trades["net"].to_numpy().copy()


def only(run: BacktestRun, **evidence: object) -> Finding:
    """The one finding that there is."""
    found = diagnose(Evidence(run=run, **evidence))
    assert [finding.code for finding in found] == [found[0].code], found
    assert found[0].advice
    return found[0]


def mood(run: BacktestRun) -> Volatility:
    """Calm, middling and wild days in turn, a third each."""
    days = np.unique(run.trades["open_ns"].to_numpy() // NS_PER_DAY)
    return Volatility(days * NS_PER_DAY, (np.arange(len(days)) % 3).astype(np.float64))


def test_nothing_is_wrong_with_a_sound_run() -> None:
    """Nothing is wrong with a sound run."""
    run = sound()
    assert not diagnose(
        Evidence(
            run=run, volatility=mood(run), cliff=0.1, efficiency=0.8,
            drawdown_low=0.5 * run.max_drawdown, drawdown_high=2.0 * run.max_drawdown,
        )
    )  # fmt: skip


@pytest.mark.parametrize(("count", "severity"), [(80, "warning"), (20, "serious")])
def test_too_few_trades(count: int, severity: str) -> None:
    """Too few trades."""
    finding = only(sound(count, open_ns=np.full(count, FIRST_DAY_NS)))
    assert (finding.code, finding.severity) == ("few_trades", severity)
    assert f"only {count} trades" in finding.says


def test_few_days_carry_the_profit() -> None:
    """Few days carry the profit."""
    result = nets()
    # 160 days of 30 on average; half of each goes to 15 trades on five days in five months.
    result -= 9.0
    for day in (3, 40, 75, 105, 140):
        result[3 * day : 3 * day + 3] += 150.0
    run = sound(net=result)
    finding = only(run)
    assert finding.code == "few_days"
    by_day = result.reshape(-1, 3).sum(axis=1)
    share = np.sort(by_day)[-5:].sum() / by_day.sum()
    assert finding.figures["share"] == pytest.approx(share)
    assert f"{share:.0%} of the profit" in finding.says


def test_one_trade_carries_the_profit() -> None:
    """One trade carries the profit."""
    result = nets()
    result[200] += 0.45 * result.sum()
    finding = only(sound(net=result))
    assert finding.code == "outlier_win"
    assert finding.figures["best"] == result[200]


def test_one_loss_dwarfs_the_others() -> None:
    """One loss dwarfs the others."""
    result = nets()
    result[np.flatnonzero(result < 0)[50]] = -500.0
    finding = only(sound(net=result))
    assert finding.code == "outlier_loss"
    assert "25 times" in finding.says


def test_costs_take_most_of_the_moves() -> None:
    """Costs take most of the moves."""
    # 10 a trade are left; commission of 8 and spread of 7 before: 15 of 25.
    finding = only(sound(commission=np.full(TRADES, -8.0), spread_cost=np.full(TRADES, -7.0)))
    assert (finding.code, finding.severity) == ("cost_share", "warning")
    assert finding.figures["share"] == pytest.approx(15 / 25)
    result = nets() - 14.0  # −4 a trade are left of moves of 11
    dear = sound(net=result, commission=np.full(TRADES, -8.0), spread_cost=np.full(TRADES, -7.0))
    assert only(dear).severity == "serious"


def test_a_rule_without_edge_is_told_so() -> None:
    """A rule without edge is told so."""
    assert only(sound(net=nets() - 12.0)).code == "no_edge"


def test_nights_take_much_of_the_profit() -> None:
    """Nights take much of the profit."""
    swap = np.where(np.arange(TRADES) % 2 == 0, -8.0, 0.0)
    finding = only(sound(swap=swap))
    assert finding.code == "swap_share"
    assert finding.figures["share"] == pytest.approx(4.0 / 14.0)
    assert "240 trades" in finding.says


def test_one_mood_of_the_market_earns_it_all() -> None:
    """One mood of the market earns it all."""
    at = np.arange(TRADES)
    result = nets() + np.where((at // 3) % 3 == 2, 25.0, -12.0)
    run = sound(net=result)
    finding = only(run, volatility=mood(run))
    assert finding.code == "volatility_dependence"
    assert "wild" in finding.says
    assert finding.figures["wild"] == pytest.approx(result[(at // 3) % 3 == 2].sum())


def test_one_month_earns_it_all() -> None:
    """One month earns it all."""
    at = np.arange(TRADES)
    day = at // 3  # from January 1; the leap February has days 31 to 59
    result = nets() + np.where((day >= 31) & (day < 60), 31.0, -5.0)
    longer = np.concatenate([result, np.zeros(90)])  # to have six months
    run = sound(len(longer), net=longer)
    finding = only(run)
    assert finding.code == "month_dependence"
    assert finding.says.startswith("2024-02 alone")


def test_one_side_loses_what_the_other_earns() -> None:
    """One side loses what the other earns."""
    result = nets() + np.where(np.arange(TRADES) % 2 == 0, 18.0, -18.0)
    finding = only(sound(net=result))
    assert finding.code == "side_asymmetry"
    assert finding.says.startswith("Only long trades earn")


def test_two_hours_carry_the_profit() -> None:
    """Two hours carry the profit."""
    at = np.arange(TRADES)
    hour = 6 + (at * 5) % 8
    result = nets() + np.where((hour == 7) | (hour == 12), 12.0, -8.0)
    finding = only(sound(net=result))
    assert finding.code == "few_hours"
    assert "07:00 and 12:00 UTC" in finding.says


@pytest.mark.parametrize(
    ("evidence", "code", "severity"),
    [
        ({"cliff": 0.7}, "parameter_cliff", "warning"),
        ({"cliff": 1.4}, "parameter_cliff", "serious"),
        ({"efficiency": 0.2}, "decay", "warning"),
        ({"efficiency": -0.5}, "decay", "serious"),
        ({"drawdown_low": 300.0, "drawdown_high": 900.0}, "lucky_drawdown", "warning"),
        ({"drawdown_low": 10.0, "drawdown_high": 20.0}, "clustered_losses", "warning"),
    ],
)
def test_what_other_research_says(evidence: dict[str, float], code: str, severity: str) -> None:
    """What other research says."""
    finding = only(replace(sound(), max_drawdown=120.0), **evidence)
    assert (finding.code, finding.severity) == (code, severity)


def test_the_most_serious_comes_first_and_no_trades_are_no_error() -> None:
    """The most serious comes first and no trades are no error."""
    found = diagnose(Evidence(run=sound(80, net=np.full(80, -5.0)), cliff=0.7))
    ranks = [finding.severity for finding in found]
    assert ranks == sorted(ranks, key=["serious", "warning", "note"].index)
    empty = replace(sound(40), trades=sound(40).trades.head(0))
    assert isinstance(empty.trades, pl.DataFrame)
    assert only(empty).code == "few_trades"
