"""Monte Carlo, random entries and stress against what can be counted or computed by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from research_fixtures import EmaCross, account, random_walk

from plan2.foundation.values import NS_PER_HOUR
from plan2.intelligence.research.random_entries import entry_significance
from plan2.intelligence.research.resampling import (
    drawdowns,
    drawn_in_blocks,
    quantiles_of,
    shuffled,
    with_skips,
)
from plan2.intelligence.research.stress import Step, Stress, StressPlan, net_of, stressed
from plan2.intelligence.research.subject import Conditions, Window
from plan2.intelligence.research.trial_workers import TrialWorkers
from plan2.intelligence.research.volatility import daily_ranges

POINT = {"fast": 8.0, "slow": 24.0}


def test_drawdown_by_hand() -> None:
    """Drawdown by hand."""
    paths = np.asarray([[5.0, 2.0, 8.0, 1.0], [-3.0, -1.0, -4.0, 0.0], [1.0, 2.0, 3.0, 4.0]])
    assert drawdowns(paths).tolist() == [7.0, 4.0, 0.0]


def test_a_shuffle_finds_what_all_orders_have() -> None:
    """A shuffle finds what all orders have."""
    nets = np.asarray([50.0, -20.0, -30.0, 10.0, -5.0])
    orders = np.asarray(list(itertools.permutations(nets))).cumsum(axis=1)
    fan = shuffled(nets, seed=1, repetitions=20_000)
    exact = quantiles_of(drawdowns(orders))
    for share in ("p05", "p25", "p75", "p95"):
        assert getattr(fan.drawdown, share) == getattr(exact, share)
    assert 45.0 <= fan.drawdown.p50 <= 50.0  # half of the orders fall by 45, half by 50 or more
    assert fan.actual == (50.0, 30.0, 0.0, 10.0, 5.0)
    assert fan.actual_drawdown == 50.0
    assert all(band[-1] == pytest.approx(5.0) for band in fan.bands)
    # Of the first trades a fifth are −30 and a fifth 50; after four, −45 … 35 by what is left.
    assert (fan.bands[0][0], fan.bands[4][0]) == (-30.0, 50.0)
    assert (fan.bands[0][3], fan.bands[4][3]) == (-45.0, 35.0)


def test_a_fan_of_many_trades_keeps_few_points_and_repeats() -> None:
    """A fan of many trades keeps few points and repeats."""
    nets = np.random.default_rng(2).normal(1.0, 10.0, 5_000)
    fan = shuffled(nets, seed=3, repetitions=300)
    assert len(fan.at) <= 120
    assert fan.at[-1] == 5_000
    assert fan == shuffled(nets, seed=3, repetitions=300)
    assert fan != shuffled(nets, seed=4, repetitions=300)
    for lower, upper in itertools.pairwise(fan.bands):
        assert all(a <= b for a, b in zip(lower, upper, strict=True))


def test_blocks_of_one_are_the_ordinary_bootstrap() -> None:
    """Blocks of one are the ordinary bootstrap."""
    nets = np.random.default_rng(5).normal(2.0, 10.0, 400)
    drawn = drawn_in_blocks(nets, seed=1, block=1.0, repetitions=8_000)
    spread = 20.0 * nets.std()  # √400 deviations of one trade
    assert drawn.net.p50 == pytest.approx(nets.sum(), abs=0.05 * spread)
    assert drawn.net.p95 == pytest.approx(nets.sum() + 1.645 * spread, abs=0.1 * spread)


def test_long_blocks_keep_streaks_together() -> None:
    """Long blocks keep streaks together."""
    nets = np.repeat([10.0, -10.0], 50)  # one long streak of each
    torn = drawn_in_blocks(nets, seed=1, block=1.0)
    kept = drawn_in_blocks(nets, seed=1, block=50.0)
    assert kept.drawdown.p50 > 2.0 * torn.drawdown.p50


def test_skipped_trades_take_their_share() -> None:
    """Skipped trades take their share."""
    nets = np.full(1_000, 3.0)
    drawn = with_skips(nets, 0.1, seed=1)
    assert drawn.net.p50 == pytest.approx(2_700.0, abs=10.0)
    # The count left is binomial: 900 ± 1.645 · √(1000 · 0.1 · 0.9) trades of 3.
    assert drawn.net.p95 == pytest.approx(2_700.0 + 3.0 * 1.645 * np.sqrt(90.0), abs=8.0)
    assert drawn.losing == 0.0
    assert with_skips(nets, 1.0, seed=1).net.p95 == 0.0


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=40), st.integers(0, 1000))
def test_no_order_loses_or_makes_money(nets: list[float], seed: int) -> None:
    """No order loses or makes money."""
    values = np.asarray(nets)
    fan = shuffled(values, seed, repetitions=20)
    assert all(band[-1] == pytest.approx(values.sum(), abs=0.01) for band in fan.bands)
    assert 0.0 <= fan.drawdown.p05 <= fan.drawdown.p95
    assert fan.drawdown.p95 <= -values[values < 0].sum() + 1e-6


def test_entries_that_know_the_future_are_significant_and_blind_ones_are_not() -> None:
    """Entries that know the future are significant and blind ones are not."""
    quotes = random_walk(120, seed=9)
    subject = EmaCross(quotes)
    columns = subject.quotes(subject.window)
    ahead = np.append(quotes.mid[8:], np.full(8, quotes.mid[-1])) - quotes.mid
    block = np.arange(len(ahead)) // 8 * 8
    knowing = np.where(ahead[block] > 0.0, 1, -1)
    known = account(quotes.ts_ns, quotes.mid, knowing, quotes.half_spread, 0, 2.0)
    test = entry_significance(known.trades, columns, 1e-5, seed=1, repetitions=400)
    assert test is not None
    assert test.p_value == pytest.approx(1 / 401)
    blind = []
    for seed in range(12):
        guess = np.random.default_rng(seed).choice([-1, 1], len(ahead))[block]
        run = account(quotes.ts_ns, quotes.mid, guess, quotes.half_spread, 0, 2.0)
        found = entry_significance(run.trades, columns, 1e-5, seed=1, repetitions=200)
        assert found is not None
        blind.append(found.p_value)
    assert 0.2 < np.mean(blind) < 0.8
    assert sum(p < 0.05 for p in blind) <= 2


def test_random_entries_keep_the_hours_and_few_trades_say_nothing() -> None:
    """Random entries keep the hours and few trades say nothing."""
    quotes = random_walk(40, seed=1)
    subject = EmaCross(quotes)
    columns = subject.quotes(subject.window)
    # The market jumps by 50 points between 12:00 and 13:00 and back at night: who buys at noon
    # earns on any day, so noon entries are nothing special.
    hour = quotes.ts_ns // NS_PER_HOUR % 24
    mid = 1.1 + np.where(hour >= 13, 50e-5, 0.0)
    noon = replace(columns, bid=mid, ask=mid)
    wanted = np.where(hour == 12, 1, 0)
    run = account(quotes.ts_ns, mid, wanted, 0.0, 0, 0.0)
    test = entry_significance(run.trades, noon, 1e-5, seed=1, repetitions=100)
    assert test is not None
    assert test.p_value == 1.0
    assert test.random.p05 == pytest.approx(test.actual)
    assert entry_significance(run.trades.head(9), columns, 1e-5, seed=1) is None


def stress_of(subject: EmaCross, **plan: float) -> Stress:
    """Stress of the fixed point."""
    with TrialWorkers(subject, 1) as workers:
        return stressed(workers, POINT, subject.window, StressPlan(**plan), lambda *_: None)


def nets_of(stress: Stress, kind: str) -> dict[float, float]:
    """Net results by amount."""
    return {step.amount: step.net for step in stress.steps if step.kind == kind}


def test_costs_and_slippage_are_what_they_are_by_hand() -> None:
    """Costs and slippage are what they are by hand."""
    subject = EmaCross(random_walk(120, seed=2, memory=0.6))
    stress = stress_of(subject, noise_runs=3, jitter_runs=3)
    trades = next(step.trades for step in stress.steps)
    costs, slips = nets_of(stress, "cost"), nets_of(stress, "slippage")
    # A spread of 4 points of one dollar and two commissions of 2: 8 a trade.
    assert costs[0.0] - costs[1.0] == pytest.approx(8.0 * trades, abs=0.01 * trades)
    assert costs[1.0] - costs[2.0] == pytest.approx(8.0 * trades, abs=0.01 * trades)
    assert slips[0.0] - slips[2.0] == pytest.approx(2 * 2.0 * trades, abs=0.01 * trades)
    assert costs[1.0] == slips[0.0]
    assert stress.break_even_points == pytest.approx(slips[0.0] / (2.0 * trades), rel=0.01)


def test_nothing_is_left_at_the_break_even_factor() -> None:
    """Nothing is left at the break even factor."""
    subject = EmaCross(random_walk(120, seed=18, memory=0.3))
    stress = stress_of(subject, noise_runs=0, jitter_runs=0)
    factor = stress.break_even_factor
    assert factor is not None
    assert 0.0 < factor < 2.0
    run = subject.run(POINT, subject.window, Conditions(cost_factor=factor))
    assert net_of(run) == pytest.approx(0.0, abs=0.02 * len(run.trades))


def test_noise_and_other_starts_repeat_with_their_seed() -> None:
    """Noise and other starts repeat with their seed."""
    subject = EmaCross(random_walk(60, seed=2, memory=0.6))
    first = stress_of(subject, noise_runs=6, jitter_runs=4, noise_points=5.0)
    assert first == stress_of(subject, noise_runs=6, jitter_runs=4, noise_points=5.0)
    other = stress_of(subject, noise_runs=6, jitter_runs=4, noise_points=5.0, seed=50)
    assert first.noise != other.noise
    assert first.jitter == other.jitter
    assert first.noise.net.p05 < first.noise.net.p95
    assert {step.kind for step in first.steps} == {"cost", "slippage", "latency"}
    assert all(isinstance(step, Step) for step in first.steps)


def test_a_days_volatility_is_its_range() -> None:
    """A days volatility is its range."""
    quotes = random_walk(3, seed=1)
    subject = EmaCross(quotes)
    columns = subject.quotes(Window(int(quotes.ts_ns[0]), int(quotes.ts_ns[-1]) + 1))
    found = daily_ranges(columns)
    day = columns.bid[:24]
    assert len(found.value) == 3
    assert found.value[0] == pytest.approx((day.max() - day.min()) / day[0])
