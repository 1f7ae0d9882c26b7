"""Hand-computed tapes of the compiled account: stops, targets, trailing, parts, time, both modes.

0.10 lots of EURUSD move 0.10 USD with every point (0.00001).
"""

from decimal import Decimal
from typing import Any

from account_tape import Tape, tape
from plan2.intelligence.backtest.account.codes import CLOSED, FILLED, REFUSED
from plan2.intelligence.flows.flow import Exits, Partial


def opened(tape: Tape, side: int = 1, lots: float = 0.10, **exits: float) -> Tape:
    """A position opened at 1.10000 / 1.10010, with exits as distances in price units."""
    tape.quote(1.10000, 1.10010)
    tape.enter(side, lots, **exits)
    assert tape.quote(1.10000, 1.10010) & FILLED
    return tape


def last(tape: Tape) -> dict[str, Any]:
    """The newest trade."""
    return tape.frames().trades.row(-1, named=True)


def test_a_stop_is_reached_on_the_closing_side() -> None:
    """Stop 100 below the ask of the decision: 1.09910. A bid of 1.09911 is not there, 1.09910 is.

    1.10010 → 1.09910 is −10.00.
    """
    long = opened(tape(), stop=0.00100)
    assert long.quote(1.09911, 1.09921) == 0
    assert long.quote(1.09910, 1.09920) == CLOSED

    trade = last(long)
    assert (trade["gross"], trade["exit_reason"]) == (-10.00, "stop_loss")


def test_a_gap_through_a_stop_is_paid_in_full() -> None:
    """Stop at 1.09910, the next bid is 1.09700: filled there, −310 points, −31.00."""
    long = opened(tape(), stop=0.00100)
    long.quote(1.09700, 1.09710)

    assert (last(long)["close_price"], last(long)["gross"]) == (1.09700, -31.00)


def test_slippage_falls_on_stops_and_not_on_targets() -> None:
    """5 points: the entry 1.10015, the stop at 1.09905; −110 points, −11.00.

    The short enters at 1.09995 and its target at 1.09900 is met by an ask of 1.09898: 97 points.
    """
    long = opened(tape(slippage_points=5.0), stop=0.00100)
    long.quote(1.09910, 1.09920)
    assert (last(long)["close_price"], last(long)["gross"]) == (1.09905, -11.00)

    short = opened(tape(slippage_points=5.0), side=-1, target=0.00100)
    short.quote(1.09888, 1.09898)
    assert (last(short)["close_price"], last(short)["gross"]) == (1.09898, 9.70)


def test_a_gap_through_a_target_is_a_gift() -> None:
    """Target 100 above the ask: 1.10110; the next bid is 1.10300: filled there, 290 points."""
    long = opened(tape(), target=0.00100)
    assert long.quote(1.10109, 1.10119) == 0
    long.quote(1.10300, 1.10310)

    trade = last(long)
    assert (trade["close_price"], trade["gross"]) == (1.10300, 29.00)
    assert trade["exit_reason"] == "take_profit"


def test_one_quote_reaches_the_stop_of_one_and_the_target_of_another() -> None:
    """Long from 1.10010 with a stop at 1.09910, short from 1.10000 with a target at 1.09920.

    At 1.09900 / 1.09910 the long loses 110 points, the short gains 90: −11.00 and 9.00, in order.
    """
    both = opened(tape(), stop=0.00100)
    opened(both, side=-1, target=0.00080)
    both.quote(1.09900, 1.09910)

    trades = both.frames().trades
    assert trades["exit_reason"].to_list() == ["stop_loss", "take_profit"]
    assert trades["gross"].to_list() == [-11.00, 9.00]


def test_a_wide_spread_reaches_the_stops_of_both_sides() -> None:
    """Stops at 1.09910 and 1.10100; 1.09900 / 1.10110 closes both: −11.00 each."""
    both = opened(tape(), stop=0.00100)
    opened(both, side=-1, stop=0.00100)
    both.quote(1.09900, 1.10110)

    assert both.frames().trades["gross"].to_list() == [-11.00, -11.00]


def test_the_stop_is_asked_before_the_target() -> None:
    """A quote reaches both only where the stop lies beyond the target; no move brings that about.

    Written by hand into the record: stop 1.10050 above target 1.10030; a bid of 1.10040 reaches
    both.
    """
    long = tape()
    long.quote(1.10000, 1.10010)
    long.enter(1, stop_price=1.09990, target_price=1.10030)
    long.quote(1.10000, 1.10010)
    long.accounts["positions"][0, 0]["stop"] = 110_050
    long.quote(1.10040, 1.10050)

    assert last(long)["exit_reason"] == "stop_loss"


def test_a_trailing_stop_follows_in_steps() -> None:
    """Distance 50, step 20: first 1.09950 (bid 1.10000 − 50).

    1.10019 would move it by 19: no. 1.10020 moves it to 1.09970, and 1.09970 closes: −40 points.
    """
    long = opened(tape(), trailing=0.00050, trailing_step=0.00020)
    assert int(long.held[0]["stop"]) == 109_950
    long.quote(1.10019, 1.10029)
    assert int(long.held[0]["stop"]) == 109_950
    long.quote(1.10020, 1.10030)
    assert int(long.held[0]["stop"]) == 109_970
    assert long.quote(1.09971, 1.09981) == 0
    long.quote(1.09970, 1.09980)

    assert (last(long)["gross"], last(long)["exit_reason"]) == (-4.00, "trailing_stop")


def test_a_short_trails_downwards() -> None:
    """50 from the ask: 1.10060, after an ask of 1.09900 1.09950; closed there: 50 points, 5.00."""
    short = opened(tape(), side=-1, trailing=0.00050)
    assert int(short.held[0]["stop"]) == 110_060
    short.quote(1.09890, 1.09900)
    short.quote(1.09940, 1.09950)

    assert (last(short)["close_price"], last(short)["gross"]) == (1.09950, 5.00)


def test_break_even_protects_what_was_risked() -> None:
    """Risk 100 from 1.10010; at 1.10110 the stop goes to the entry and 5 points: 1.10015.

    A bid of 1.10012 closes there: 2 points, 0.20.
    """
    long = opened(
        tape(exits=Exits(break_even_after_r=1.0)), stop=0.00100, break_even_offset=0.00005
    )
    long.quote(1.10109, 1.10119)
    assert int(long.held[0]["stop"]) == 109_910
    long.quote(1.10110, 1.10120)
    assert int(long.held[0]["stop"]) == 110_015
    long.quote(1.10012, 1.10022)

    assert (last(long)["gross"], last(long)["exit_reason"]) == (0.20, "break_even")


def test_parts_leave_at_multiples_of_the_risk() -> None:
    """Risk 100 from 1.10010: half at 1 R (asked at 1.10110, filled at 1.10115: 105 · 0.05 = 5.25).

    A third of the opened 0.10 at 2 R is 0.03 (asked at 1.10215, filled at 1.10210: 200 · 0.03).
    """
    parts = (Partial(at_r=1.0, fraction=0.5), Partial(at_r=2.0, fraction=0.33))
    long = opened(tape(exits=Exits(partial=parts)), stop=0.00100)
    for bid in (1.10110, 1.10115, 1.10215, 1.10210, 1.10230):
        long.quote(bid, bid + 0.00010)

    trades = long.frames().trades
    assert trades.select("lots", "gross", "exit_reason").rows() == [
        (0.05, 5.25, "partial"),
        (0.03, 6.00, "partial"),
    ]
    assert long.held["lots"].tolist() == [2]


def test_a_part_that_is_too_small_is_left_out() -> None:
    """Half of 0.01 is nothing, and half of 0.02 is 0.01: the first stays whole."""
    for lots, rest in ((0.01, [1]), (0.02, [1])):
        half = tape(exits=Exits(partial=(Partial(at_r=1.0, fraction=0.5),)))
        opened(half, lots=lots, stop=0.00100)
        half.quote(1.10120, 1.10130)
        half.quote(1.10120, 1.10130)
        assert half.held["lots"].tolist() == rest


def test_time_ends_a_position() -> None:
    """60 s after the fill it is asked for; the quote after that fills it: 20 points, 2.00."""
    long = opened(tape(exits=Exits(time_s=60.0)))
    assert long.quote(1.10010, 1.10020, after_s=59.9) == 0
    long.quote(1.10020, 1.10030, after_s=0.1)
    assert len(long.held) == 1
    assert long.quote(1.10030, 1.10040) == CLOSED

    assert (last(long)["gross"], last(long)["exit_reason"]) == (2.00, "time")


def test_a_refused_time_exit_is_asked_for_again() -> None:
    """Every request is refused: one more row with every quote, and the position stays."""
    long = opened(tape(exits=Exits(time_s=1.0)))
    long.accounts["terms"]["reject_fraction"] = 1.0
    for _ in range(4):
        long.quote(1.10000, 1.10010)

    assert len(long.held) == 1
    assert sum(long.frames().rejects.values()) == 3


def test_opposite_positions_close_each_other_without_a_spread() -> None:
    """Long 0.10 from 1.10010, short 0.06 from 1.10050: against each other 40 points of 0.06, 2.40.

    The short's own row brings nothing; 0.04 long stay.
    """
    both = opened(tape())
    both.quote(1.10050, 1.10060)
    both.enter(-1, 0.06)
    both.quote(1.10050, 1.10060)
    both.close_by(1, 2)
    both.quote(1.10000, 1.10070)

    assert both.frames().trades["gross"].to_list() == [2.40, 0.00]
    assert both.held["lots"].tolist() == [4]
    assert both.balance == Decimal("10002.40")


def test_netting_closes_and_turns() -> None:
    """Long 0.10 from 1.10010, sold 0.15 at 1.10030: 2.00 and a short of 0.05 under one ticket."""
    net = opened(tape(mode="netting"))
    net.quote(1.10030, 1.10040)
    net.enter(-1, 0.15)
    net.quote(1.10030, 1.10040)

    assert net.balance == Decimal("10002.00")
    turned = net.held[0]
    assert [int(turned[name]) for name in ("ticket", "side", "lots", "open")] == [
        1, -1, 5, 110_030_000
    ]  # fmt: skip


def test_netting_adds_at_the_average() -> None:
    """0.10 at 1.10010 and 0.20 at 1.10040 are 0.30 at 1.10030; at 1.10050 they bring 6.00."""
    net = opened(tape(mode="netting"))
    net.quote(1.10030, 1.10040)
    net.enter(1, 0.20)
    net.quote(1.10030, 1.10040)
    assert net.held["open"].tolist() == [110_030_000]
    net.leave()
    net.quote(1.10050, 1.10060)

    assert last(net)["gross"] == 6.00


def test_netting_cannot_close_by() -> None:
    """10035, invalid order."""
    net = opened(tape(mode="netting"))
    net.close_by(1, 1)
    assert net.quote(1.10000, 1.10010) == REFUSED

    assert net.frames().rejects == {10035: 1}


def test_what_is_closed_cannot_be_closed_again() -> None:
    """Its stop came first: 10036. A second `leave` sends nothing while the first is under way."""
    long = opened(tape(), stop=0.00100)
    assert long.leave() == 1
    assert long.leave() == 0
    assert long.quote(1.09900, 1.09910) == CLOSED | REFUSED

    assert long.frames().rejects == {10036: 1}
