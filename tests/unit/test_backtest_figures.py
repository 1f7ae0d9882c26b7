"""Figures of a run against hand arithmetic and SciPy."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from plan2.intelligence.backtest.figures import performance as p
from plan2.intelligence.backtest.figures.breakdowns import groups_of, months_of
from plan2.intelligence.backtest.figures.curves import histogram, thinned
from plan2.intelligence.backtest.figures.days import days_of
from plan2.intelligence.backtest.figures.definitions import DEFINITIONS, SECTIONS
from plan2.intelligence.backtest.figures.drawdowns import falls_of
from plan2.intelligence.backtest.figures.evidence import EARNS, INSUFFICIENT, LOSES
from plan2.intelligence.backtest.figures.trading import costs_of, exposure, longest_row
from plan2.intelligence.backtest.figures.whole import figures_of
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import Made
from plan2.intelligence.backtest.publish import publish
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.training.multiple_testing import probability_above
from unit.backtest_fixtures import DAY_NS, HOUR_NS, MONDAY_NS, flow_of, run_of, trade, walk

RETURNS = np.array([0.01, -0.02, 0.03, 0.0, -0.01])


def weeks(values: list[float], balance: float = 100.0) -> BacktestRun:
    """One sample each weekday at 20:00, from a Monday on."""
    days = [7 * (i // 5) + i % 5 for i in range(len(values))]
    points = [
        (MONDAY_NS + day * DAY_NS + 20 * HOUR_NS, v) for day, v in zip(days, values, strict=True)
    ]
    return run_of([], points, balance=balance)


def test_days_are_weekdays_and_sunday_evening_is_monday() -> None:
    """Friday 102, Sunday 22:00 103, Monday 104: two days, and none in between."""
    friday, sunday = MONDAY_NS + 4 * DAY_NS + 20 * HOUR_NS, MONDAY_NS + 6 * DAY_NS + 22 * HOUR_NS
    run = run_of(
        [], [(friday, 102.0), (sunday, 103.0), (sunday + 12 * HOUR_NS, 104.0)], balance=100.0
    )
    days = days_of(run)
    assert days.equity.tolist() == [102.0, 104.0]
    assert days.returns == pytest.approx([0.02, 104.0 / 102.0 - 1.0])
    assert days.start_ns.tolist() == [MONDAY_NS + 4 * DAY_NS, MONDAY_NS + 7 * DAY_NS]
    assert days.a_year == 252


def test_a_market_with_quotes_on_saturday_trades_every_day() -> None:
    """Friday, Saturday and Monday: the Sunday between keeps its equity."""
    points = [
        (MONDAY_NS + day * DAY_NS, value) for day, value in ((4, 101.0), (5, 102.0), (7, 103.0))
    ]
    days = days_of(run_of([], points, balance=100.0))
    assert days.equity.tolist() == [101.0, 102.0, 102.0, 103.0]
    assert days.a_year == 365


def test_returns_and_risk_by_hand() -> None:
    """Five days of returns; every expected value is the formula written out."""
    mean, std = 0.002, math.sqrt(sum((r - 0.002) ** 2 for r in RETURNS) / 4)
    year = math.sqrt(252)
    assert p.volatility(RETURNS, 252) == pytest.approx(std * year)
    assert p.sharpe(RETURNS, 252) == pytest.approx(mean / std * year)
    # losses 0.02 and 0.01: root of their mean square over five days is 0.01
    assert p.sortino(RETURNS, 252) == pytest.approx(0.002 / 0.01 * year)
    assert p.omega(RETURNS) == pytest.approx(0.04 / 0.03)
    assert p.gain_to_pain(RETURNS) == pytest.approx(0.01 / 0.03)
    assert p.skew(RETURNS) == pytest.approx(stats.skew(RETURNS, bias=False))
    assert p.kurtosis(RETURNS) == pytest.approx(stats.kurtosis(RETURNS, bias=False))


def test_smart_sharpe_pays_for_autocorrelation() -> None:
    """The penalty of QuantStats, written as the loop that it is there."""
    rng = np.random.default_rng(2)
    returns = np.convolve(rng.normal(0.001, 0.01, 60), [0.6, 0.4], mode="valid")
    alike = abs(np.corrcoef(returns[:-1], returns[1:])[0, 1])
    count = len(returns)
    penalty = math.sqrt(1 + 2 * sum((count - k) / count * alike**k for k in range(1, count)))
    plain = returns.mean() / returns.std(ddof=1) * math.sqrt(252)
    assert p.smart_sharpe(returns, 252) == pytest.approx(plain / penalty)


def test_tails() -> None:
    """21 returns from −10 % to +10 %: the 5 % quantile is the second lowest, −9 %."""
    returns = np.arange(-10, 11) / 100.0
    assert p.value_at_risk(returns) == pytest.approx(-0.09)
    assert p.expected_shortfall(returns) == pytest.approx(-0.095)
    assert p.tail_ratio(returns) == pytest.approx(1.0)
    assert isinstance(p.value_at_risk(returns[:19]), str)


def test_drawdowns_by_hand() -> None:
    """100 → 110 → 99 → 110 → 104.5: one fall of 10 % over two days, one of 5 % that lasts."""
    run = weeks([110.0, 99.0, 110.0, 104.5])
    at = run.equity["ts_ns"].to_list()
    falls = falls_of(run.equity["ts_ns"].to_numpy(), run.equity["equity"].to_numpy(), 100.0)
    assert [(f.start_ns, f.bottom_ns, f.end_ns) for f in falls] == [
        (at[0], at[1], at[2]), (at[2], at[3], 0),
    ]  # fmt: skip
    assert [f.depth for f in falls] == pytest.approx([-0.1, -0.05])
    figures = figures_of(run).metrics
    assert figures["max_drawdown"].value == pytest.approx(-0.1)
    assert figures["longest_drawdown"].value == pytest.approx(2.0)
    assert figures["ulcer_index"].value == pytest.approx(math.sqrt((0.1**2 + 0.05**2) / 4))
    assert figures["total_return"].value == pytest.approx(0.045)
    assert figures["recovery_factor"].value == pytest.approx(4.5 / 11.0)


def test_a_return_a_year_needs_a_month() -> None:
    """31 days at 1 % in all; three days are refused with the reason."""
    run = run_of([], [(MONDAY_NS, 100.0), (MONDAY_NS + 31 * DAY_NS, 101.0)], balance=100.0)
    assert p.cagr(run) == pytest.approx(1.01 ** (365.25 / 31) - 1.0)
    short = figures_of(weeks([101.0, 102.0, 103.0])).metrics["cagr"]
    assert short.value is None
    assert "30 are needed" in short.reason


TAPE = [
    trade(0, 30.0, mae=-5.0, mfe=40.0, spread_cost=-1.0, commission=-2.0, gross=32.0),
    trade(1, 10.0, side=-1, mae=-5.0, mfe=20.0, exit_reason="take_profit"),
    trade(5, -20.0, mae=-30.0, mfe=0.0, swap=-4.0, slippage_cost=-1.0, gross=-16.0),
    trade(30, 0.0),
    trade(31, -5.0, side=-1, mae=-10.0, mfe=15.0),
]


def test_figures_of_trades_by_hand() -> None:
    """Five trades: +30, +10, −20, 0, −5."""
    found = figures_of(
        run_of(TAPE, [(MONDAY_NS, 10_000.0), (MONDAY_NS + 40 * HOUR_NS, 10_015.0)])
    ).metrics
    expected = {
        "trades": 5.0, "net_profit": 15.0, "win_rate": 0.4, "profit_factor": 40 / 25,
        "avg_trade": 3.0, "avg_win": 20.0, "avg_loss": -12.5, "payoff_ratio": 1.6,
        "expectancy": 3.0 / 12.5, "kelly": 0.4 - 0.6 / 1.6, "best_trade": 30.0,
        "worst_trade": -20.0, "consecutive_wins": 2.0, "consecutive_losses": 1.0,
        "exposure": 5 / 40, "avg_hold": 1 / 24, "turnover": 2 * 0.5 / 2,
        "edge_ratio": 75 / 50,
        # before costs: 33, 10, −15, 0, −5; costs 3 + 5 of 43 gained
        "cost_share": 8 / 43,
        # variance of the five is 332.5 / … by hand: Σ(x − 3)² = 729 + 49 + 529 + 9 + 64 = 1380
        "risk_of_ruin": math.exp(-2 * 5_000 * 3 / (1380 / 4)),
    }  # fmt: skip
    assert {name: found[name].value for name in expected} == pytest.approx(expected)


def test_costs_add_up() -> None:
    """Before costs 23; spread −1, slippage −1, commission −2, swap −4; net 15."""
    costs = costs_of(run_of(TAPE, []).trades)
    assert (costs.before, costs.spread, costs.slippage) == (23.0, -1.0, -1.0)
    assert (costs.commission, costs.swap, costs.net) == (-2.0, -4.0, 15.0)
    assert costs.before + costs.spread + costs.slippage + costs.commission + costs.swap == costs.net


def test_overlapping_positions_count_once_in_the_exposure() -> None:
    """0–4 h, 1–2 h and 6–7 h of ten: half the time."""
    trades = [trade(0, 1.0, close_ns=MONDAY_NS + 4 * HOUR_NS), trade(1, 1.0), trade(6, 1.0)]
    run = run_of(trades, [(MONDAY_NS, 1.0), (MONDAY_NS + 10 * HOUR_NS, 1.0)])
    assert exposure(run) == pytest.approx(0.5)
    assert longest_row(np.array([True, True, False, True])) == 2


def test_groups_and_months() -> None:
    """By side, reason, hour and weekday; the trade that closes in February counts there."""
    late = trade(0, 7.0, close_ns=MONDAY_NS + 32 * DAY_NS)
    run = run_of([*TAPE, late], [(MONDAY_NS, 10_000.0), (MONDAY_NS + 32 * DAY_NS, 10_200.0)])
    groups = groups_of(run.trades)
    sides = {g.name: (g.trades, g.wins, g.net) for g in groups["side"]}
    assert sides == {"long": (4, 2, 17.0), "short": (2, 1, 5.0)}
    assert {g.name: g.trades for g in groups["exit_reason"]} == {"signal": 5, "take_profit": 1}
    assert [(g.name, g.trades) for g in groups["hour"]] == [
        ("00:00", 2), ("01:00", 1), ("05:00", 1), ("06:00", 1), ("07:00", 1),
    ]  # fmt: skip
    assert [(g.name, g.trades) for g in groups["weekday"]] == [("Monday", 4), ("Tuesday", 2)]
    shorts = next(g for g in groups["side"] if g.name == "short")
    assert (shorts.profit_factor, shorts.average) == (2.0, 2.5)
    months = months_of(days_of(run), run.trades)
    assert [(m.year, m.month, m.trades, m.net) for m in months] == [
        (2024, 1, 5, 15.0), (2024, 2, 1, 7.0),
    ]  # fmt: skip
    assert [m.earned for m in months] == pytest.approx([0.0, 0.02])


def test_an_empty_run_says_why_there_is_nothing() -> None:
    """No trade: figures are null with reasons, never NaN; the verdict says so."""
    found = figures_of(weeks([100.0] * 40))
    assert list(found.metrics) == list(DEFINITIONS)
    assert found.metrics["sharpe"].value is None
    assert found.metrics["sharpe"].reason
    assert found.metrics["win_rate"].reason == "There were no trades."
    assert found.evidence.verdict == INSUFFICIENT
    assert "No trades" in found.evidence.sentence
    for figure in found.metrics.values():
        assert (figure.value is None) == bool(figure.reason)


def test_every_figure_is_in_one_section() -> None:
    """Sections name all figures, each once."""
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted(named) == sorted(DEFINITIONS)


def test_luck_is_what_the_papers_say() -> None:
    """Probabilistic Sharpe of 40 days from its formula; other tries deflate it."""
    rng = np.random.default_rng(5)
    returns = rng.normal(0.004, 0.01, 40)
    run = weeks((100.0 * np.cumprod(1.0 + returns)).tolist())
    own = float(returns.mean() / returns.std(ddof=1))
    expected = probability_above(
        own, 0.0, 40, float(stats.skew(returns)), float(stats.kurtosis(returns, fisher=False))
    )
    alone, after = figures_of(run), figures_of(run, [0.3, -0.2, 0.1, 0.0])
    assert alone.metrics["probabilistic_sharpe"].value == pytest.approx(expected)
    assert after.evidence.trials == 5
    lower = after.metrics["deflated_sharpe"].value
    assert lower is not None
    assert lower < expected


def test_intervals_hold_the_figure_and_shrink_with_more_trades() -> None:
    """The interval of a mean of independent trades is about ±1.96 standard errors."""
    rng = np.random.default_rng(8)
    nets = np.round(rng.normal(1.0, 10.0, 900), 2)
    trades = [trade(i, float(net)) for i, net in enumerate(nets)]
    figure = figures_of(run_of(trades, [(MONDAY_NS, 10_000.0)])).metrics["avg_trade"]
    error = nets.std() / 30.0
    assert figure.low == pytest.approx(nets.mean() - 1.96 * error, abs=0.35 * error)
    assert figure.high == pytest.approx(nets.mean() + 1.96 * error, abs=0.35 * error)
    few = figures_of(run_of(trades[:19], [(MONDAY_NS, 10_000.0)])).metrics["avg_trade"]
    assert (few.low, few.high) == (None, None)


def sixty_days(mean: float) -> BacktestRun:
    """Two trades a weekday whose mean result is this exactly."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0, 10.0, (60, 2))
    nets = mean + noise - noise.mean()
    days = [7 * (i // 5) + i % 5 for i in range(60)]
    trades = [
        trade(24 * day + k, round(float(nets[i, k]), 2))
        for i, day in enumerate(days)
        for k in (0, 1)
    ]
    ends = 10_000.0 + np.cumsum(nets.sum(axis=1))
    points = [
        (MONDAY_NS + day * DAY_NS + 20 * HOUR_NS, float(e))
        for day, e in zip(days, ends, strict=True)
    ]
    return run_of(trades, points)


@pytest.mark.parametrize(("mean", "verdict"), [(8.0, EARNS), (-8.0, LOSES), (0.0, INSUFFICIENT)])
def test_the_verdict_follows_the_interval(mean: float, verdict: str) -> None:
    """A clear gain over 60 days, a clear loss, and nothing but noise."""
    assert figures_of(sixty_days(mean)).evidence.verdict == verdict


@pytest.mark.parametrize(
    ("mean", "paths", "verdict", "span"),
    [
        (8.0, (950.0, 1_000.0), EARNS, ""),
        (-8.0, (-950.0, -0.01), LOSES, ""),
        (8.0, (-0.01, 1_000.0), INSUFFICIENT, "-0.01 to +1,000.00 USD"),
        (-8.0, (390.1, -1_000.0), INSUFFICIENT, "-1,000.00 to +390.10 USD"),
        (8.0, (0.0, 1_000.0), INSUFFICIENT, "+0.00 to +1,000.00 USD"),
    ],
)
def test_what_a_guess_inside_bars_turns_round_is_no_verdict(
    mean: float, paths: tuple[float, ...], verdict: str, span: str
) -> None:
    """The same flow on the other two paths that its bars allow."""
    found = figures_of(sixty_days(mean), paths=paths).evidence
    assert found.verdict == verdict
    assert found.sentence.startswith(span)


def test_a_kept_run_is_judged_with_its_other_paths(tmp_path: Path) -> None:
    """The list and the page say what the paths leave open."""
    made = Made(ts_ns=1, code_hash="c" * 64, other_paths={"high_first": -1.0, "low_first": 390.1})
    run, kept = sixty_days(-8.0), KeptRuns(tmp_path)
    assert publish(run, kept, made).verdict == INSUFFICIENT
    assert b"to +390.10 USD, depending on the path" in kept.page(run.run_id)


def test_equal_runs_have_equal_figures() -> None:
    """Resamples are seeded by the run."""
    assert figures_of(walk()) == figures_of(walk())


def test_flags_say_what_is_too_good() -> None:
    """Fills on the quote of the decision, ticks made of bars, a stop-out."""
    import msgspec

    flow = flow_of()
    flow = msgspec.structs.replace(
        flow, execution=msgspec.structs.replace(flow.execution, fill="signal_quote")
    )
    run = run_of(
        [trade(0, -1.0, exit_reason="stop_out")], [(MONDAY_NS, 1.0)], flow=flow, is_bars=True
    )
    flags = " ".join(figures_of(run).evidence.flags)
    assert all(word in flags for word in ("yardstick", "made of bars", "margin"))


def test_thinned_lines_keep_their_extremes() -> None:
    """One spike up and one down among 10,000 points survive; order and ends are kept."""
    values = np.zeros(10_000)
    values[1_234], values[8_765] = 5.0, -5.0
    curve = thinned(np.arange(10_000), values, most=200)
    assert len(curve.values) <= 200
    assert (max(curve.values), min(curve.values)) == (5.0, -5.0)
    assert list(curve.ts_ns) == sorted(curve.ts_ns)
    assert (curve.ts_ns[0], curve.ts_ns[-1]) == (0, 9_999)


def test_a_histogram_counts_everything() -> None:
    """Edges enclose all values; a single value is no division by zero."""
    bars = histogram(np.array([3.0, 3.0, 3.0]))
    assert sum(bars.counts) == 3
    many = histogram(np.random.default_rng(0).normal(size=500))
    assert sum(many.counts) == 500
    assert len(many.edges) == len(many.counts) + 1
