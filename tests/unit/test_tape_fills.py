"""Hand-computed tapes of the compiled account: when, at what price and for how much is filled.

A lot is 100,000 euros: 0.10 lots move 0.10 USD with every point (0.00001).
"""

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from account_tape import EURUSD, Tape, tape
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MS
from plan2.intelligence.backtest.account import entries
from plan2.intelligence.backtest.account.codes import (
    CLOSED,
    FILLED,
    INJECTED,
    REFUSED,
    SENT,
    VOLUME,
)


def opened(tape: Tape, side: int = 1, lots: float = 0.10) -> Tape:
    """A position opened at 1.10000 / 1.10010."""
    tape.quote(1.10000, 1.10010)
    assert tape.enter(side, lots) == SENT
    assert tape.quote(1.10000, 1.10010) == FILLED
    return tape


def test_a_long_opens_at_the_ask_and_closes_at_the_bid() -> None:
    """1.10010 → 1.10080 is 70 points of 0.10 USD; half a spread of 10 points at each end: 1.00."""
    long = opened(tape())
    long.leave()
    assert long.quote(1.10080, 1.10090) == CLOSED

    trade = long.frames().trades.row(0, named=True)
    assert (trade["open_price"], trade["close_price"]) == (1.10010, 1.10080)
    assert (trade["gross"], trade["net"], trade["spread_cost"]) == (7.00, 7.00, -1.00)
    assert long.balance == Decimal("10007.00")


def test_a_short_opens_at_the_bid_and_closes_at_the_ask() -> None:
    """1.10000 → 1.10090 against it is 90 points: −9.00."""
    short = opened(tape(), side=-1)
    short.leave()
    short.quote(1.10080, 1.10090)

    assert short.balance == Decimal("9991.00")


def test_a_request_meets_the_first_quote_after_its_latency() -> None:
    """Decided at 0 with 100 ms: not the quote at 99 ms, but the one at 100 ms."""
    late = tape(latency_ms=100.0)
    late.quote(1.10000, 1.10010)
    decided_ns = late.now_ns
    late.enter(1)
    assert late.quote(1.20000, 1.20010, after_s=0.099) == 0
    assert late.quote(1.30000, 1.30010, after_s=0.001) == FILLED

    order = late.frames().orders.row(0, named=True)
    assert (order["ts_ns"], order["filled_ns"] - decided_ns) == (decided_ns, 100 * NS_PER_MS)
    assert order["price"] == 1.30010


def test_random_latency_is_a_shift_with_an_exponential_tail() -> None:
    """Mean 40 + 100 ms: the mean of 2,000 waits lies within 4 standard errors, 9 ms; none < 40."""
    waits = []
    jittery = tape(latency_ms=40.0, latency_spread_ms=100.0, balance="1000000.00")
    jittery.quote(1.10000, 1.10010)
    for _ in range(2_000):
        jittery.enter(1, 0.01)
        waits.append(int(jittery.accounts["requests"][0, 0]["due_ns"]) - jittery.now_ns)
        jittery.quote(1.10000, 1.10010, after_s=3.0)
        jittery.leave()
        jittery.quote(1.10000, 1.10010, after_s=3.0)

    assert min(waits) >= 40 * NS_PER_MS
    assert abs(np.mean(waits) / NS_PER_MS - 140) < 9


def test_a_yardstick_fills_at_the_quote_of_its_signal() -> None:
    """Bought at 1.10010 and sold at 1.10000 without another quote: −10 points, −1.00."""
    quick = tape(fill="signal_quote")
    quick.quote(1.10000, 1.10010)
    quick.enter(1)
    assert len(quick.held) == 1
    quick.leave()

    assert (len(quick.held), quick.balance) == (0, Decimal("9999.00"))


def test_slippage_is_paid_at_both_ends() -> None:
    """3 points worse each: bought at 1.10013, sold at 1.10077: 64 points, 6.40; 0.60 slipped."""
    slow = opened(tape(slippage_points=3.0))
    slow.leave()
    slow.quote(1.10080, 1.10090)

    trade = slow.frames().trades.row(0, named=True)
    assert (trade["open_price"], trade["close_price"]) == (1.10013, 1.10077)
    assert (trade["gross"], trade["slippage_cost"]) == (6.40, -0.60)


def test_slippage_can_be_what_was_measured() -> None:
    """Samples of 2 points and −1: every fill is one of 1.10012 and 1.10009, both occur."""
    measured = tape(slippage="empirical", slips=np.array([2.0, -1.0]))
    measured.quote(1.10000, 1.10010)
    for _ in range(20):
        measured.enter(1, 0.01)
    measured.quote(1.10000, 1.10010)

    assert set(measured.held["open"].tolist()) == {110_012_000, 110_009_000}


def test_measured_slippage_needs_measurements() -> None:
    """It says what to do instead."""
    with pytest.raises(InputError, match="needs recorded fills"):
        tape(slippage="empirical")


@pytest.mark.parametrize(("lots", "filled"), [(0.10, 0.05), (0.03, 0.01), (0.01, 0.01)])
def test_a_partial_fill_is_half_rounded_down(lots: float, filled: float) -> None:
    """The rest is cancelled; the least volume cannot be halved."""
    unlucky = tape(partial_fraction=1.0)
    unlucky.quote(1.10000, 1.10010)
    unlucky.enter(1, lots)
    unlucky.quote(1.10000, 1.10010)

    order = unlucky.frames().orders.row(0, named=True)
    assert (order["lots"], order["filled_lots"]) == (lots, filled)
    assert order["retcode"] == (10010 if filled < lots else 10009)
    assert round(int(unlucky.held[0]["lots"]) * 0.01, 2) == filled


def test_a_rejected_request_changes_nothing_but_the_log() -> None:
    """Half of the requests, within 4 standard errors; only codes that MetaTrader gives."""
    unlucky = tape(reject_fraction=0.5, balance="1000000.00")
    unlucky.quote(1.10000, 1.10000)
    flags = 0
    for _ in range(400):
        unlucky.enter(1, 0.01)
        flags |= unlucky.quote(1.10000, 1.10000)
        unlucky.leave()
        unlucky.quote(1.10000, 1.10000)

    frames = unlucky.frames()
    assert flags & REFUSED
    assert unlucky.balance == Decimal(1_000_000)
    assert set(frames.rejects) <= set(INJECTED)
    assert abs(sum(frames.rejects.values()) / len(frames.orders) - 0.5) < 4 * 0.5 / 600**0.5


def test_a_volume_is_rounded_down_to_the_step() -> None:
    """0.37 lots in steps of 0.1 are 3 steps; 0.09 is less than the least; 700 is cut to 100."""
    coarse = tape(msgspec.structs.replace(EURUSD, volume_step=0.1, volume_min=0.1))
    steps = [entries.lots_entry(coarse.accounts, lots) for lots in (0.37, 0.3, 0.09, 700.0, -1.0)]

    assert steps == [3, 3, 0, 1_000, 0]
    coarse.quote(1.10000, 1.10010)
    assert entries.enter_entry(coarse.accounts, 1, 0) == VOLUME
    assert coarse.frames().denials == {"volume": 1}


def test_a_volume_above_the_most_is_refused() -> None:
    """100 lots are the most of a symbol: 100.01 are answered with 10014."""
    rich = tape(balance="100000000.00")
    rich.quote(1.10000, 1.10010)
    rich.enter(1, 100.01)
    assert rich.quote(1.10000, 1.10010) == REFUSED

    assert rich.frames().rejects == {10014: 1}


def test_a_volume_can_follow_from_the_risk() -> None:
    """1 % of 10,000 is 100 USD: at 50 points 2.00 lots; at 70 points 1.42 (142.86 steps)."""
    sized = tape()
    sized.quote(1.10000, 1.10010)

    assert [entries.risk_entry(sized.accounts, 0.01, stop) for stop in (50, 70, 0)] == [200, 142, 0]


def test_a_stop_too_near_is_refused() -> None:
    """Level 20 points: a stop 25 below the ask of 1.10010 is 1.09985, 15 from the bid: 10016."""
    strict = tape(msgspec.structs.replace(EURUSD, stops_level_points=20))
    strict.quote(1.10000, 1.10010)
    strict.enter(1, stop=0.00025)
    assert strict.quote(1.10000, 1.10010) == REFUSED
    strict.enter(1, stop=0.00030)
    assert strict.quote(1.10000, 1.10010) == FILLED

    assert strict.frames().rejects == {10016: 1}


def test_a_request_that_arrives_after_the_week_is_refused() -> None:
    """Decided 1 ms before Friday 22:00 UTC, due 39 ms after; the next quote is Sunday's: 10018."""
    closed = tape(latency_ms=40.0, quote_wait_s=60.0)
    closed.quote(1.10000, 1.10010, after_s=3 * 86_400 + 14 * 3_600 - 0.001)
    closed.enter(1)
    assert closed.quote(1.10000, 1.10010, after_s=2 * 86_400) == REFUSED

    assert closed.frames().rejects == {10018: 1}


def test_a_request_without_a_quote_is_refused() -> None:
    """In session, but the next quote comes 61 s after it was due: 10021; 60 s would do."""
    thin = tape(quote_wait_s=60.0)
    thin.quote(1.10000, 1.10010)
    thin.enter(1)
    thin.quote(1.10000, 1.10010, after_s=61.0)
    thin.enter(1)
    thin.quote(1.10000, 1.10010, after_s=60.0)

    assert thin.frames().orders["retcode"].to_list() == [10021, 10009]


def test_what_is_open_at_the_end_is_closed() -> None:
    """At the last bid: 1.10010 → 1.10000 is −1.00; a request still on its way is refused."""
    last = opened(tape(latency_ms=0.0))
    last.enter(1)
    frames = last.finish()

    assert frames.trades.row(0, named=True)["exit_reason"] == "end"
    assert frames.trades["net"].to_list() == [-1.00]
    assert frames.rejects == {10021: 1}
    assert (frames.start_balance, frames.end_balance) == (10_000.00, 9_999.00)
