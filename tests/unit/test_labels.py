"""Labels against hand arithmetic on short tapes."""

import itertools

import numpy as np
import pytest
from model_fixtures import EURUSD, MONDAY_NS, random_walk

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND
from plan2.intelligence.training.assemble import Labeller
from plan2.intelligence.training.horizons import demand_worthwhile
from plan2.intelligence.training.labels import (
    LABEL,
    LONG,
    SHORT,
    Costs,
    LabelRules,
    Status,
    Tape,
    costs_of,
    open_events,
    resolve,
)

RULES = LabelRules(horizon_s=60, bar_period_s=60, barrier_sigmas=1.0, latency_ms=1_000, gap_s=40)
"""Horizon one bar, so that the barrier is sigma itself."""
FREE = Costs()


def tape(*rows: tuple[float, float, float]) -> Tape:
    """Seconds after Monday midnight, bid, ask."""
    seconds, bid, ask = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return Tape(MONDAY_NS + (seconds * NS_PER_SECOND).astype(np.int64), bid, ask)


def labelled(ticks: Tape, sigma: float, rules: LabelRules = RULES, costs: Costs = FREE):
    """The label of an event at the first tick."""
    first = Tape(ticks.ts_ns[:1], ticks.bid[:1], ticks.ask[:1])
    rows = open_events(first, np.array([sigma]), rules)
    resolve(rows, ticks, rules, costs)
    return rows[0]


SIX_TICKS = tape(
    (0.0, 1.1000, 1.1002),  # the event: mid 1.1001
    (0.5, 1.1010, 1.1012),  # before the latency is over: no entry here
    (1.0, 1.1001, 1.1003),  # entry: long at 1.1003, short at 1.1001
    (10.0, 1.1005, 1.1007),
    (20.0, 1.1020, 1.1022),  # bid 1.1020 and mid 1.1021: up by 0.0020
    (30.0, 1.0980, 1.0982),
)


def test_long_enters_at_the_ask_and_leaves_at_the_bid_after_the_latency():
    """The first tick at or after 1 s is the entry; the bid reaches mid + 19 pips at 20 s."""
    row = labelled(SIX_TICKS, 0.0019)

    assert row["status"] == Status.RESOLVED
    assert row["net"][LONG] == pytest.approx(1.1020 - 1.1003, abs=1e-12)
    assert row["hold_s"][LONG] == pytest.approx(19.0)


def test_short_enters_at_the_bid_and_leaves_at_the_ask():
    """The short is stopped at 20 s, where the ask is above mid + 19 pips."""
    row = labelled(SIX_TICKS, 0.0019)

    assert row["net"][SHORT] == pytest.approx(1.1001 - 1.1022, abs=1e-12)
    assert row["mae"][SHORT] == pytest.approx(1.1001 - 1.1022, abs=1e-12)
    assert row["mfe"][SHORT] == pytest.approx(1.1001 - 1.1003, abs=1e-12)


def test_a_trade_that_enters_a_tick_later_gets_the_next_prices():
    """At 10 s the ask is 1.1007 and the bid 1.1005; both leave at 20 s as before."""
    row = labelled(SIX_TICKS, 0.0019, costs=Costs(commission=7e-5))

    assert row["late"][LONG] == pytest.approx(1.1020 - 1.1007 - 7e-5, abs=1e-12)
    assert row["late"][SHORT] == pytest.approx(1.1005 - 1.1022 - 7e-5, abs=1e-12)


def test_a_late_entry_at_the_very_exit_pays_the_spread():
    """Stopped by the tick after the entry: one tick later there is nothing but the spread."""
    ticks = tape((0, 1.1, 1.1001), (1, 1.1, 1.1001), (5, 1.0940, 1.1200), (70, 1.1, 1.1001))

    assert labelled(ticks, 0.005)["late"][LONG] == pytest.approx(1.0940 - 1.1200, abs=1e-12)


def test_the_proposition_is_about_the_mid_and_its_first_touch():
    """Mid 1.1021 at 20 s is 20 pips above 1.1001, so a barrier of 19 pips is touched upward."""
    row = labelled(SIX_TICKS, 0.0019)

    assert row["side"] == 1
    assert row["t1"] == MONDAY_NS + 20 * NS_PER_SECOND


def test_without_a_touch_the_sign_of_the_change_at_the_horizon_decides():
    """The mid ends one pip below where it began."""
    row = labelled(
        tape((0, 1.1, 1.1), (30, 1.1002, 1.1002), (60, 1.0999, 1.0999), (61, 1.2, 1.2)), 0.01
    )

    assert row["side"] == -1
    assert row["t1"] == MONDAY_NS + 60 * NS_PER_SECOND
    assert row["net"][SHORT] == pytest.approx(1.1002 - 1.0999, abs=1e-12)


def test_a_spread_spike_stops_a_long_even_though_the_mid_went_up():
    """In one tick the mid touches the target and the bid the stop: the trade is stopped."""
    ticks = tape((0, 1.1, 1.1001), (1, 1.1, 1.1001), (5, 1.0940, 1.1200), (70, 1.1, 1.1001))
    row = labelled(ticks, 0.005)

    assert row["side"] == 1
    assert row["net"][LONG] == pytest.approx(1.0940 - 1.1001, abs=1e-12)
    assert row["hold_s"][LONG] == pytest.approx(4.0)


def test_every_cost_is_stored_and_they_add_up():
    """Gross less net is spread in + spread out + commission + swap + slippage."""
    costs = Costs(commission=7e-5, slippage=1e-5, swap_long=6e-5, swap_short=-2e-5)
    ticks = tape((0, 1.1, 1.1002), (1, 1.1, 1.1002), (30, 1.1005, 1.1009), (60, 1.1005, 1.1009))
    rules = LabelRules(horizon_s=60, bar_period_s=60, barrier_sigmas=1.0, rollover_hour_utc=0)
    start = Tape(ticks.ts_ns - 30 * NS_PER_SECOND, ticks.bid, ticks.ask)  # crosses midnight
    row = labelled(start, 0.01, rules, costs)

    assert row["swap"][LONG] == 6e-5
    assert row["swap"][SHORT] == -2e-5
    for side in (LONG, SHORT):
        parts = (row["spread_in"], row["spread_out"][side], row["swap"][side], 7e-5, 1e-5)
        assert row["gross"][side] - row["net"][side] == pytest.approx(sum(parts), abs=1e-12)
    assert row["spread_in"] == pytest.approx(1e-4)
    assert row["spread_out"][LONG] == pytest.approx(2e-4)


@pytest.mark.parametrize(("weekday", "nights"), [(0, 1), (2, 3), (4, 1), (5, 0)])
def test_the_rollover_books_three_nights_on_wednesday_and_none_on_saturday(weekday, nights):
    """Monday one, Wednesday three, Friday one, Saturday none; weekdays counted from Monday."""
    shift = weekday * 24 * NS_PER_HOUR + 22 * NS_PER_HOUR - 30 * NS_PER_SECOND
    ticks = tape((0, 1.1, 1.1), (1, 1.1, 1.1), (31, 1.1, 1.1), (60, 1.101, 1.101))
    moved = Tape(ticks.ts_ns + shift, ticks.bid, ticks.ask)
    row = labelled(moved, 0.01, costs=Costs(swap_long=1e-5))

    assert row["swap"][LONG] == pytest.approx(nights * 1e-5)


def test_nothing_after_the_event_moves_its_barrier():
    """Different futures, the same barrier, sigma and cost."""
    other = Tape(SIX_TICKS.ts_ns, SIX_TICKS.bid + np.arange(6.0), SIX_TICKS.ask + 5.0)
    other.ask[0] = SIX_TICKS.ask[0]
    one, two = labelled(SIX_TICKS, 0.0019), labelled(other, 0.0019)

    for name in ("barrier", "sigma", "mid", "cost"):
        assert one[name] == two[name]


def test_a_barrier_below_three_times_the_cost_is_untradeable():
    """Spread 2 pips, barrier 5.9 pips against 6.1 pips."""
    assert labelled(SIX_TICKS, 0.00059)["status"] == Status.UNTRADEABLE
    assert labelled(SIX_TICKS, 0.00061)["status"] == Status.RESOLVED


def test_a_very_wide_spread_makes_every_event_untradeable():
    """All of them are counted as such."""
    block = random_walk(1, 0.2)
    ticks = Tape(block.ts_ns, block.bid, block.bid + 0.01)
    rows = open_events(Tape(*(c[:1000:50] for c in ticks)), np.full(20, 1e-4), LabelRules())
    resolve(rows, ticks, LabelRules(), Costs())

    assert (rows["status"] == Status.UNTRADEABLE).all()


def test_an_event_that_the_tape_does_not_resolve_stays_pending():
    """Neither barrier nor horizon is reached when the data end."""
    row = labelled(Tape(*(column[:4] for column in SIX_TICKS)), 0.01)

    assert row["status"] == Status.PENDING


def test_a_hole_in_the_feed_interrupts_the_label():
    """41 s without a tick where 40 s are allowed."""
    row = labelled(tape((0, 1.1, 1.1), (1, 1.1, 1.1), (42, 1.1, 1.1), (60, 1.1, 1.1)), 0.01)

    assert row["status"] == Status.INTERRUPTED


@pytest.mark.parametrize("pieces", [2, 7, 50])
def test_labels_do_not_depend_on_how_the_ticks_arrive(pieces):
    """One block or many: byte-equal labels; live outcomes use the same function."""
    block, rules = random_walk(3, 1.0), LabelRules()
    events = np.arange(500, len(block), 97)
    bounds = np.linspace(0, len(block), pieces + 1).astype(int)
    whole, parts = Labeller(rules, Costs()), Labeller(rules, Costs())

    for labeller, edges in ((whole, [0, len(block)]), (parts, bounds)):
        for start, stop in itertools.pairwise(edges):
            mine = events[(events >= start) & (events < stop)]
            at = Tape(block.ts_ns[mine], block.bid[mine], block.ask[mine])
            labeller.take(
                block.slice(start, stop), open_events(at, np.full(len(mine), 1e-4), rules)
            )

    assert whole.rows().tobytes() == parts.rows().tobytes()
    assert (whole.rows()["status"] == Status.RESOLVED).sum() > 100


def test_costs_come_from_the_contract_in_quote_currency():
    """3.50 USD a side on 100,000 units is 7e-5 USD per unit; in yen at 150 it is 1.05e-2."""
    yen = Instrument(symbol="USDJPY", base="USD", quote="JPY", digits=3, swap_long_points=5.0)

    assert costs_of(EURUSD, 1.1).commission == pytest.approx(7e-5)
    assert costs_of(yen, 150.0).commission == pytest.approx(7e-5 * 150.0)
    assert costs_of(yen, 150.0).swap_long == pytest.approx(-0.005)


def test_a_horizon_below_an_hour_must_be_worth_its_cost():
    """ML-008 by hand: σ 1e-4, 25 bars → usual move 5e-4 · 0.798; 15 % of it is 5.98e-5."""
    rows = np.zeros(3, LABEL)
    rows["t0"] = [0, 30 * NS_PER_DAY, 31 * NS_PER_DAY]
    rows["sigma"], rows["cost"] = 1e-4, [1.0, 5.9e-5, 5.9e-5]  # the first one is too old to count
    short = LabelRules(horizon_s=25 * 60, bar_period_s=60)
    demand_worthwhile("EURUSD", rows, short)
    rows["status"][1], rows["cost"][1:] = Status.UNTRADEABLE, 6.1e-5
    with pytest.raises(InputError, match="15% of the usual move"):
        demand_worthwhile("EURUSD", rows, short)
    demand_worthwhile("EURUSD", rows, LabelRules(horizon_s=3_600, bar_period_s=60))
