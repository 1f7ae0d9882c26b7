"""Every figure of a report against an independent computation, on a small and on a long tape."""

import math

import numpy as np
import pandas as pd
import pytest

from plan2.intelligence.backtest.figures.definitions import DEFINITIONS
from plan2.intelligence.backtest.figures.terms import RunFigures
from plan2.intelligence.backtest.figures.whole import figures_of
from plan2.intelligence.backtest.run import BacktestRun
from unit import figures_oracle as oracle
from unit.backtest_fixtures import HOUR_NS, MONDAY_NS, run_of, trade

OTHERS = [0.01, -0.03, 0.06]
"""Daily Sharpe ratios of other tries."""
Tape = tuple[BacktestRun, RunFigures]


def tape_of(weeks: int, trades: int, seed: int) -> BacktestRun:
    """Hourly equity of whole weeks that begin on Sunday evenings, and trades with every cost."""
    rng = np.random.default_rng(seed)
    hours = [(7 * week - 1) * 24 + hour for week in range(weeks) for hour in range(22, 22 + 5 * 24)]
    equity = 10_000.0 * np.exp(np.cumsum(rng.normal(2e-5, 1.5e-3, len(hours))))
    points = [
        (MONDAY_NS + hour * HOUR_NS, round(value, 2))
        for hour, value in zip(hours, equity.tolist(), strict=True)
    ]
    rows = []
    for number, opened in enumerate(sorted(rng.integers(0, 24 * (7 * weeks - 4), trades).tolist())):
        gross, held = round(float(rng.normal(2.0, 30.0)), 2), int(rng.integers(1, 60)) * HOUR_NS
        spread, slip, commission, swap = (-round(float(x), 2) for x in rng.uniform(0, 3, 4))
        net = round(gross + commission + swap, 2)
        lots = round(float(rng.integers(1, 20)) / 100, 2)
        begin = MONDAY_NS + opened * HOUR_NS
        rows.append(
            trade(
                number, net, lots=lots, open_ns=begin, close_ns=begin + held, gross=gross,
                commission=commission, swap=swap, spread_cost=spread, slippage_cost=slip,
                mae=min(0.0, gross) - round(float(rng.uniform(0, 20)), 2),
                mfe=max(0.0, gross) + round(float(rng.uniform(0, 20)), 2),
            )
        )  # fmt: skip
    return run_of(rows, points)


@pytest.fixture(scope="module", params=[(7, 12, 1), (110, 900, 2)], ids=["small", "long"])
def tape(request: pytest.FixtureRequest) -> Tape:
    """Seven weeks with 12 trades; two years with 900."""
    run = tape_of(*request.param)
    return run, figures_of(run, OTHERS)


def test_every_figure_is_its_cited_formula(tape: Tape) -> None:
    """All that are defined, none left out, to eleven digits."""
    run, found = tape
    expected = oracle.of_run(run, OTHERS)
    assert set(expected) == set(DEFINITIONS)
    values = {name: figure.value for name, figure in found.metrics.items()}
    assert values == {name: pytest.approx(each, rel=1e-11) for name, each in expected.items()}


def test_the_table_of_months(tape: Tape) -> None:
    """Every month's return, trades and money."""
    run, found = tape
    shown = [(m.year, m.month, m.earned, m.trades, m.net) for m in found.months]
    expected = oracle.months(run)
    assert len(shown) == len(expected) >= 2
    for ours, theirs in zip(shown, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def test_the_deepest_drawdowns_and_their_lengths(tape: Tape) -> None:
    """Ten of them: depth, peak, bottom, and when they were made good."""
    run, found = tape
    shown = [(f.depth, f.start_ns, f.bottom_ns, f.end_ns) for f in found.falls]
    expected = oracle.falls(run)[:10]
    assert [each[1:] for each in shown] == [each[1:] for each in expected]
    assert [each[0] for each in shown] == pytest.approx([each[0] for each in expected])


def test_rolling_figures(tape: Tape) -> None:
    """Sharpe ratio and volatility of 21 days by pandas' own windows."""
    run, found = tape
    window = oracle.returns_of(run).rolling(21)
    deviation = window.std().dropna()
    ratio = (window.mean() / window.std()).dropna()
    pictures = found.pictures
    year = math.sqrt(252)
    assert pictures.rolling_volatility.values == pytest.approx((deviation * year).tolist())
    assert pictures.rolling_sharpe.values == pytest.approx((ratio * year).tolist())
    days = pd.to_datetime(list(pictures.rolling_sharpe.ts_ns)).normalize()
    assert list(days) == list(ratio.index)


def test_costs_groups_and_excursions(tape: Tape) -> None:
    """Where the money went; trades by hour, weekday, side; best and worst open profit of each."""
    run, found = tape
    trades = oracle.frame(run.trades)
    sums = trades[["spread_cost", "slippage_cost", "commission", "swap", "net"]].sum().round(2)
    costs = found.costs
    parts = (costs.spread, costs.slippage, costs.commission, costs.swap, costs.net)
    assert parts == pytest.approx(tuple(sums), abs=1e-9)
    assert costs.before + sum(parts[:4]) == pytest.approx(costs.net, abs=1e-6)
    opened = pd.to_datetime(trades["open_ns"], unit="ns")
    for name, key in (("hour", opened.dt.strftime("%H:00")), ("weekday", opened.dt.day_name())):
        expected = trades["net"].groupby(key).agg(["count", "sum"])
        shown = {group.name: (group.trades, group.net) for group in found.groups[name]}
        assert set(shown) == set(expected.index)
        for label, row in expected.iterrows():
            assert shown[str(label)] == (row["count"], pytest.approx(row["sum"], abs=0.006))
    shown_trades = [(e.mae, e.mfe, e.net) for e in found.pictures.excursions]
    assert shown_trades == list(trades[["mae", "mfe", "net"]].itertuples(index=False, name=None))


def test_intervals_are_those_of_another_stationary_bootstrap() -> None:
    """Whole days and trades are resampled by arch; 95 % intervals end within a tenth of each other.

    Two sets of resamples differ by chance: a 2.5 % point by some four hundredths of the interval.
    """
    from arch.bootstrap import StationaryBootstrap

    run = tape_of(110, 900, 2)
    found = figures_of(run, OTHERS).metrics
    for values, formulas in (
        (oracle.returns_of(run).to_numpy(), oracle.ratios_of_days),
        (oracle.frame(run.trades)["net"].to_numpy(), oracle.ratios_of_trades),
    ):
        block = math.ceil(len(values) ** (1 / 3))
        bootstrap = StationaryBootstrap(block, values, seed=5)
        drawn = bootstrap.apply(lambda x, own=formulas: np.array([*own(x).values()]), 1_000)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        for name, begin, end in zip(formulas(values), low, high, strict=True):
            near = 0.1 * (end - begin)
            assert found[name].low == pytest.approx(begin, abs=near), name
            assert found[name].high == pytest.approx(end, abs=near), name
    known = {*oracle.ratios_of_days(values), *oracle.ratios_of_trades(values)}
    assert known == {name for name, each in found.items() if each.low is not None}
