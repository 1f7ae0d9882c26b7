"""Hand-computed tapes of the compiled account: limits of a flow, equity, drawdown, extremes."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from account_tape import Tape, tape
from plan2.foundation.errors import InvariantBroken
from plan2.intelligence.backtest.account.codes import (
    DAILY_LOSS,
    DRAIN,
    DRAWDOWN,
    FILLED,
    HALTED,
    HOURS,
    ORDERS_PER_DAY,
    POSITIONS,
    SENT,
    SPREAD,
)
from plan2.intelligence.backtest.account.records import RESERVE, ROWS

HOUR_S = 3_600.0


def held(tape: Tape, lots: float = 0.10, side: int = 1) -> Tape:
    """A position opened at 1.10000 without a spread."""
    tape.quote(1.10000, 1.10000)
    assert tape.enter(side, lots) == SENT
    assert tape.quote(1.10000, 1.10000) & FILLED
    return tape


def limited(**risk: Any) -> Tape:
    """An account whose flow has these limits."""
    return tape(risk=risk)


def test_a_wide_spread_denies_an_entry() -> None:
    """At most 12 points: 13 are denied and counted, 12 are not."""
    narrow = limited(spread_max_points=12.0)
    narrow.quote(1.10000, 1.10013)
    assert narrow.enter(1) == SPREAD
    narrow.quote(1.10000, 1.10012)
    assert narrow.enter(1) == SENT

    assert narrow.frames().denials == {"spread": 1}


@pytest.mark.parametrize(
    ("hours", "verdicts"),
    [
        ("08:00-09:00", [SENT, HOURS, HOURS]),
        ("22:00-08:30", [SENT, HOURS, SENT]),
        ("09:30-17:00", [HOURS, SENT, HOURS]),
        ("", [SENT, SENT, SENT]),
    ],
)
def test_entries_keep_to_their_hours(hours: str, verdicts: list[int]) -> None:
    """At 08:00, 10:00 and 23:00 UTC; hours may span midnight, the end is not among them."""
    part_time = limited(hours=hours)
    said = []
    for after_s in (0.0, 2 * HOUR_S, 13 * HOUR_S):
        part_time.quote(1.10000, 1.10000, after_s=after_s)
        said.append(part_time.enter(1))

    assert said == verdicts


def test_orders_of_a_day_are_counted_until_the_broker_turns_the_day() -> None:
    """Two a day; from 22:00 UTC on two more. What leaves is not counted."""
    busy = limited(orders_per_day_max=2)
    busy.quote(1.10000, 1.10000)
    said = [busy.enter(1) for _ in range(3)]
    busy.quote(1.10000, 1.10000, after_s=14 * HOUR_S - 2)
    said.append(busy.enter(1))
    busy.quote(1.10000, 1.10000, after_s=1.0)
    said.append(busy.enter(1))

    assert said == [SENT, SENT, ORDERS_PER_DAY, ORDERS_PER_DAY, SENT]


def test_positions_and_entries_under_way_are_counted() -> None:
    """Two at most: the third is denied while two are under way, and once they are held."""
    few = limited(positions_max=2)
    few.quote(1.10000, 1.10000)
    assert [few.enter(1), few.enter(-1), few.enter(1)] == [SENT, SENT, POSITIONS]
    few.quote(1.10000, 1.10000)
    assert few.enter(1) == POSITIONS
    few.leave(-1)
    assert few.enter(1) == SENT


def test_a_loss_of_the_day_halts_entries_until_the_day_turns() -> None:
    """1 % of 10,000: a lot that falls by 99 points halts nothing, 100 points do (−100.00).

    What is held goes on. After 22:00 UTC the day begins with the equity of then.
    """
    careful = held(limited(daily_loss_max_fraction=0.01), lots=1.00)
    assert careful.quote(1.09901, 1.09901) == 0
    assert careful.enter(1) == SENT
    careful.accounts["waiting"] = 0
    assert careful.quote(1.09900, 1.09900) & HALTED
    assert careful.enter(1) == DAILY_LOSS
    assert len(careful.held) == 1
    careful.quote(1.09900, 1.09900, after_s=14 * HOUR_S)
    assert careful.enter(1) == SENT

    assert careful.money("day_start") == Decimal("9900.00")


def test_a_drawdown_halts_entries_for_good() -> None:
    """2 % of the peak: from 10,100.00 (100 points of a lot up) to 9,898.00; 202 points down."""
    careful = held(limited(drawdown_max_fraction=0.02), lots=1.00)
    careful.quote(1.10100, 1.10100)
    assert not careful.quote(1.09899, 1.09899) & HALTED
    assert careful.quote(1.09898, 1.09898) & HALTED
    careful.quote(1.15000, 1.15000, after_s=48 * HOUR_S)

    assert careful.enter(1) == DRAWDOWN


def test_drawdown_is_seen_on_every_quote() -> None:
    """0.10 lots: 10,010.00 at the peak, 6.00 less at 60 points; 10,008.00 and 6.50 less come later.

    The share is 6.50 / 10,010: the second fall starts from the same peak, at 1.10035.
    """
    quiet = held(tape())
    for bid in (1.10100, 1.10040, 1.10080, 1.10035, 1.10090):
        quiet.quote(bid, bid)
    frames = quiet.frames()

    assert frames.max_drawdown == 6.50
    assert frames.max_drawdown_fraction == pytest.approx(6.50 / 10_010.00, rel=1e-12)


def test_the_best_and_the_worst_of_a_trade_are_those_of_every_quote() -> None:
    """From 1.10000 between 1.09970 and 1.10055, closed at 1.10020: −3.00, 5.50, 2.00."""
    quiet = held(tape())
    for bid in (1.10010, 1.09970, 1.10055, 1.10000):
        assert quiet.quote(bid, bid) == 0
    quiet.leave()
    quiet.quote(1.10020, 1.10020)

    trade = quiet.frames().trades.row(0, named=True)
    assert (trade["mae"], trade["mfe"], trade["gross"]) == (-3.00, 5.50, 2.00)


def test_the_curve_has_a_row_a_minute_and_one_at_the_end() -> None:
    """At the first quote, and at the first quote of each minute since; lots are net."""
    curve = held(tape())
    curve.quote(1.10010, 1.10010, after_s=57.0)
    curve.quote(1.10020, 1.10020, after_s=1.0)
    curve.quote(1.10030, 1.10030, after_s=200.0)
    frames = curve.finish()

    seconds = ((frames.equity["ts_ns"] - frames.equity["ts_ns"][0]) // 1_000_000_000).to_list()
    assert seconds == [0, 59, 259, 259]
    assert frames.equity["equity"].to_list() == [10_000.00, 10_002.00, 10_003.00, 10_003.00]
    assert frames.equity["balance"].to_list() == [10_000.00, 10_000.00, 10_000.00, 10_003.00]
    assert frames.equity["lots"].to_list() == [0.0, 0.1, 0.1, 0.0]


def test_the_rows_ask_to_be_taken_out_in_time() -> None:
    """The bit comes while as many rows are free as one quote can need; taken out, it is gone."""
    busy = tape(fill="signal_quote")
    busy.quote(1.10000, 1.10000)
    flags = 0
    while not flags & DRAIN:
        busy.enter(1)
        busy.leave()
        flags = busy.quote(1.10000, 1.10000)
        assert int(busy.accounts["orders"][0]) <= ROWS - RESERVE + 2
    busy.enter(1)

    assert not busy.quote(1.10000, 1.10000) & DRAIN
    assert len(busy.frames().orders) > ROWS - RESERVE


def test_lost_rows_are_an_error() -> None:
    """A caller that never takes rows out hears of it instead of a report with holes."""
    careless = tape(fill="signal_quote")
    careless.quote(1.10000, 1.10000)
    for _ in range(ROWS):
        careless.enter(1)
        careless.leave()

    with pytest.raises(InvariantBroken, match="rows of a backtest's account"):
        careless.frames()


def test_equal_runs_have_equal_digests() -> None:
    """Same seed, same digest; another seed meets other misfortunes; draining changes nothing."""

    def played(seed: int, *, drains: bool) -> str:
        one = tape(seed=seed, reject_fraction=0.3, latency_spread_ms=500.0, latency_ms=10.0)
        walk = np.cumsum(np.random.default_rng(5).integers(-9, 10, 400)) * 0.00001 + 1.1
        for price in walk.tolist():
            one.quote(price, price + 0.00010)
            if one.enter(1, 0.01) != SENT:
                one.leave()
            if drains:
                one.rows.take(one.accounts)
        return one.finish().log_digest

    assert played(1, drains=False) == played(1, drains=True)
    assert played(1, drains=False) != played(2, drains=False)
