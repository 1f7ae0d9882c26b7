"""Flows as research runs them: the fast way gives what the whole engine gives, to the cent."""

import pickle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.clock import LiveClock
from plan2.foundation.instrument import MarginMode
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND, TickBlock
from plan2.intelligence.flows.flow import Flow, parse_flow
from plan2.intelligence.research.carry_out import Laboratory, carry_out
from plan2.intelligence.research.fast import bar_columns
from plan2.intelligence.research.fast.bar_scores import BarScores, is_simple
from plan2.intelligence.research.flow_subject import FlowSubject
from plan2.intelligence.research.score import Score, score_of
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.stress import net_of
from plan2.intelligence.research.subject import Conditions, Window
from plan2.intelligence.research.tick_columns import write_columns
from plan2.intelligence.research.wish import Wish

TEXT = """
name = "ema-cross"
[source]
symbol = "EURUSD"
bars = "1m"
[parameters]
fast = 5
slow = 15
[features]
quick = "ema(close, fast)"
calm = "ema(close, slow)"
[policy]
long = "quick >= calm"
short = "quick < calm"
warm_up = 19
[size]
lots = 0.5
"""
EURUSD = instruments(("EURUSD",))["EURUSD"]
FIRST_NS = 19_722 * NS_PER_DAY + 22 * NS_PER_HOUR  # a Sunday evening
"""Rollovers, a Wednesday among them, lie within the ticks."""


def ticks(count: int = 40_000, seed: int = 1) -> TickBlock:
    """A walk of quotes about ten seconds apart, with longer gaps now and then."""
    rng = np.random.default_rng(seed)
    gaps = rng.integers(1, 20, count) * NS_PER_SECOND
    gaps[rng.integers(0, count, 40)] = 50 * NS_PER_SECOND
    mid = 110_000 + np.cumsum(rng.normal(0.0, 3.0, count))
    spread = rng.integers(2, 8, count)
    bid = np.rint(mid - spread / 2)
    return TickBlock("EURUSD", FIRST_NS + np.cumsum(gaps), bid * 1e-5, (bid + spread) * 1e-5)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Machine code of these tests."""
    return tmp_path_factory.mktemp("flows")


def subject_of(folder: Path, cache: Path, text: str = TEXT) -> FlowSubject:
    """A flow on the walk."""
    return FlowSubject(parse_flow(text), EURUSD, write_columns(folder, "EURUSD", [ticks()]), cache)


def same(fast: Score | None, whole: Score) -> None:
    """The same to the cent; the drawdown by bars is never smaller."""
    assert fast is not None
    assert fast.max_drawdown >= whole.max_drawdown - 0.01
    rounded = msgspec.structs.replace(
        whole, max_drawdown=fast.max_drawdown, daily=tuple(round(x, 2) for x in whole.daily)
    )
    assert msgspec.structs.replace(fast, daily=tuple(round(x, 2) for x in fast.daily)) == rounded


VARIANTS = {
    "next_quote": "",
    "signal_quote": '[execution]\nfill = "signal_quote"\nswap = false',
    "slow": "[execution]\nlatency_ms = 900\nslippage_points = 2",
    "netting": '[account]\nmode = "netting"',
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_bars_give_what_the_engine_gives(variant: str, tmp_path: Path, cache: Path) -> None:
    """Bars give what the engine gives."""
    subject = subject_of(tmp_path, cache, TEXT + VARIANTS[variant])
    fast = BarScores(subject.flow, EURUSD, subject.whole_points(subject.window), cache)
    for point in ({"fast": 5.0, "slow": 15.0}, {"fast": 3.0, "slow": 60.0}):
        score = fast.score(point)
        same(score, score_of(subject.run(point, subject.window)))
        assert score is not None
        assert score.trades > 20


def test_points_share_columns_and_columns_make_room(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for the columns of one point alone, points give what they give together."""
    subject = subject_of(tmp_path, cache)
    quotes = subject.whole_points(subject.window)
    points = [{"fast": float(a), "slow": float(b)} for a in (3, 5, 9) for b in (12, 30, 80)]
    together = BarScores(subject.flow, EURUSD, quotes, cache).scores(points)
    monkeypatch.setattr(bar_columns, "BYTES", 0)
    alone = BarScores(subject.flow, EURUSD, quotes, cache)
    assert [alone.score(point) for point in [*points, *reversed(points)]] == [
        *together, *reversed(together)
    ]  # fmt: skip
    assert len({score.net for score in together if score is not None}) == len(points)


def test_the_drawdown_sees_the_bar_that_is_not_over(tmp_path: Path, cache: Path) -> None:
    """A fall and a recovery after the newest whole bar count."""
    block = ticks(400)
    bid, ask = block.bid.copy(), block.ask.copy()
    bid[-2] -= 0.02
    ask[-2] -= 0.02
    ts_ns = block.ts_ns.copy()
    ts_ns[-3:] = (ts_ns[-4] // NS_PER_MINUTE + 2) * NS_PER_MINUTE + np.arange(3) * NS_PER_SECOND
    always = TEXT.replace('"quick >= calm"', '"close > 0"').replace('"quick < calm"', '"close < 0"')
    fallen = TickBlock("EURUSD", ts_ns, bid, ask)
    subject = FlowSubject(
        parse_flow(always), EURUSD, write_columns(tmp_path, "EURUSD", [fallen]), cache
    )
    fast = BarScores(subject.flow, EURUSD, subject.whole_points(subject.window), cache).score({})
    same(fast, score_of(subject.run({}, subject.window)))
    assert fast is not None
    assert fast.max_drawdown >= 0.5 * 100_000 * 0.0195


def test_exits_of_its_own_and_no_turning_round(tmp_path: Path, cache: Path) -> None:
    """Exits of its own and no turning round."""
    rules = TEXT.replace(
        'short = "quick < calm"',
        'short = "quick < calm and close < open"\n'
        'exit_long = "close < calm"\nexit_short = "close > calm"\nreverse = false\nentry_gap = 7',
    )
    subject = subject_of(tmp_path, cache, rules)
    fast = BarScores(subject.flow, EURUSD, subject.whole_points(subject.window), cache)
    same(fast.score({}), score_of(subject.run({}, subject.window)))


@settings(max_examples=12, deadline=None)
@given(start=st.floats(0.0, 0.5), length=st.floats(0.2, 0.5), fast=st.integers(2, 9))
def test_any_part_of_the_ticks(start: float, length: float, fast: int, cache: Path) -> None:
    """Any part of the ticks."""
    block = ticks()
    first, last = int(start * len(block)), int((start + length) * len(block)) - 1
    window = Window(int(block.ts_ns[first]), int(block.ts_ns[last]))
    subject = subject_of(cache / "ticks", cache)
    point = {"fast": float(fast)}
    bars = BarScores(subject.flow, EURUSD, subject.whole_points(window), cache)
    same(bars.score(point), score_of(subject.run(point, window)))


@pytest.mark.parametrize(
    "more",
    [
        '[exits]\nstop_loss = "20 * pip"',
        "[exits]\ntime_s = 60",
        "[risk]\nhours = '08:00-12:00'",
        "[execution]\nreject_fraction = 0.1",
        "[execution]\nlatency_spread_ms = 5",
        "[execution]\nslippage_points = 0.5",
        "[account]\ncurrency = 'EUR'",
    ],
)
def test_what_bars_cannot_know_is_run_whole(more: str) -> None:
    """What bars cannot know is run whole."""
    assert is_simple(parse_flow(TEXT), EURUSD)
    assert not is_simple(parse_flow(TEXT + more), EURUSD)
    on_ticks: Flow = parse_flow(TEXT.replace("warm_up = 19", 'on = "tick"'))
    assert not is_simple(on_ticks, EURUSD)


def test_an_account_near_its_margin_is_run_whole(tmp_path: Path, cache: Path) -> None:
    """An account near its margin is run whole."""
    poor = TEXT + '[account]\nbalance = "1900.00"'
    subject = subject_of(tmp_path, cache, poor)
    fast = BarScores(subject.flow, EURUSD, subject.whole_points(subject.window), cache)
    assert fast.score({}) is None
    (score,) = subject.scores([{}], subject.window)
    assert score == score_of(subject.run({}, subject.window))


@pytest.mark.parametrize(
    ("terms", "is_enough"),
    [
        # Half a lot at about 1.10: 1,833 dollars by leverage, 27,500 at half of the value.
        ({"margin_mode": MarginMode.LOT, "margin_initial": 3_000.0}, True),
        ({"margin_mode": MarginMode.LOT, "margin_initial": 25_000.0}, False),
        ({"margin_mode": MarginMode.VALUE, "margin_rate_short": 0.5}, False),
        ({"margin_mode": MarginMode.VALUE, "margin_rate_long": 0.02, "margin_rate_short": 0.02},
         True),
    ],
)  # fmt: skip
def test_the_margin_that_counts_is_the_symbols_own(
    tmp_path: Path, cache: Path, terms: dict[str, Any], is_enough: bool
) -> None:
    """By lot or by value, of the dearer side."""
    subject = subject_of(tmp_path, cache, TEXT + '[account]\nbalance = "10000.00"')
    instrument = msgspec.structs.replace(EURUSD, **terms)
    fast = BarScores(subject.flow, instrument, subject.whole_points(subject.window), cache)
    assert (fast.score({}) is not None) is is_enough


def test_worse_conditions_cost_what_they_should(tmp_path: Path, cache: Path) -> None:
    """Worse conditions cost what they should."""
    subject = subject_of(tmp_path, cache)
    plain = subject.run({}, subject.window)
    dear = subject.run({}, subject.window, Conditions(slippage_points=2.0))
    assert len(dear.trades) == len(plain.trades)
    # Two points more at each of two fills of half a lot: 2 · 2 · 0.50 dollars a trade.
    assert net_of(plain) - net_of(dear) == pytest.approx(2.0 * len(plain.trades), abs=0.01)
    free = subject.run({}, subject.window, Conditions(cost_factor=0.0))
    assert free.trades["commission"].sum() == 0.0
    assert free.trades["spread_cost"].sum() == 0.0
    noisy = [
        net_of(subject.run({}, subject.window, Conditions(noise_points=3.0, seed=seed)))
        for seed in (1, 2, 1)
    ]
    assert noisy[0] == noisy[2] != noisy[1]


def test_a_sweep_on_ticks_from_wish_to_report(tmp_path: Path, cache: Path) -> None:
    """A sweep on ticks from wish to report."""
    subject = subject_of(tmp_path / "ticks", cache)
    wish = Wish(kind="sweep", flow=TEXT, ranges=("fast=3:6", "slow=12:30:6"))
    assert len(pickle.dumps(subject)) < 10_000  # it is sent to processes, its ticks are not
    laboratory = Laboratory(subject, Shelf(tmp_path), LiveClock(), lambda _: None, "code")
    report = carry_out(wish, laboratory)
    assert report.sweep is not None
    assert report.sweep.trials == 16
    assert report.run is not None
    assert report.run.net == report.sweep.best.net
    assert {each.ok for each in report.detections} == {True}
    assert "no_edge" in {finding.code for finding in report.findings} or report.run.gross > 0
