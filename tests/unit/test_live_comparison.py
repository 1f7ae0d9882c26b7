"""Live against backtest: trades rebuilt from events, paired, and each difference with its cause."""

from decimal import Decimal

import msgspec
import pytest

from plan2.foundation.events.order import OrderExecuted
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.comparison.causes import Ground, compare, pair
from plan2.intelligence.comparison.trades import LiveDay, Refused, SeenTrade, live_day
from unit.flow_fixtures import EXIT, LONG, at, fill_last, flow_desk
from unit.trading_fixtures import NOON_NS, SELL

S = NS_PER_SECOND
QUOTES = {0: (1.10000, 1.10010), 1: (1.10004, 1.10014), 2: (1.10004, 1.10020), 60: (1.1, 1.1001)}


def quote(ts_ns: int) -> tuple[float, float] | None:
    """The newest of a few quotes; their key is the second after noon."""
    second = (ts_ns - NOON_NS) / S
    return QUOTES[max(key for key in QUOTES if key <= second)]


GROUND = Ground(quote=quote, was_seen=lambda _: True, pip=0.0001, tolerance_ns=S)
TRADE = SeenTrade(
    side=1,
    lots=0.1,
    decided_ns=NOON_NS,
    opened_ns=NOON_NS,
    open_price=1.10010,
    closed_ns=NOON_NS + 60 * S,
    close_price=1.10000,
    net=Decimal("-1.70"),
)


def changed(**changes: object) -> LiveDay:
    """A live day with the trade, changed."""
    return LiveDay(trades=(msgspec.structs.replace(TRADE, **changes),), refused=())


def test_the_day_is_rebuilt_from_stored_events() -> None:
    """0.10 lots from 1.10010 to 1.10100: 9.00 less twice 0.35."""
    desk = flow_desk({1: LONG, 10: EXIT})
    at(desk, 1)
    fill_last(desk, 1.10010, "1", commission=Decimal("-0.35"))
    at(desk, 10)
    money = {"commission": Decimal("-0.35"), "profit": Decimal("9.00")}
    fill_last(desk, 1.10100, "2", is_exit=True, side=SELL, **money)
    events = [fact.event for fact in desk.sink.facts]
    (trade,) = live_day(events, "ema-cross").trades
    assert (trade.decided_ns, trade.opened_ns) == (NOON_NS + S, NOON_NS + 2 * S)
    assert (trade.close_price, trade.net) == (1.10100, Decimal("8.30"))
    assert live_day(events, "other").trades == ()


def test_a_part_of_a_position_is_a_trade_and_pays_its_share_of_the_entry() -> None:
    """0.04 of 0.10 lots leave first: 0.28 of 0.70 entry commission, the other 0.42 later."""
    desk = flow_desk({1: LONG})
    at(desk, 1)
    fill_last(desk, 1.10010, "1", commission=Decimal("-0.70"))
    events = [fact.event for fact in desk.sink.facts]
    entry = next(each for each in events if isinstance(each, OrderExecuted))
    part = msgspec.structs.replace(
        entry, is_exit=True, executed_quantity=0.04, profit="3.60", commission="-0.28",
        executed_price=1.10100, ts_ns=NOON_NS + 20 * S,
    )  # fmt: skip
    first, rest = live_day([*events, part], "ema-cross").trades
    assert (first.lots, first.net) == (0.04, Decimal("3.04"))
    assert (rest.lots, rest.closed_ns, rest.net) == (0.06, 0, Decimal(0))
    last = msgspec.structs.replace(part, executed_quantity=0.06, profit="0", commission="-0.42")
    assert live_day([*events, part, last], "ema-cross").trades[1].net == Decimal("-0.84")


def test_trades_that_are_open_at_the_end_are_compared_by_their_entries() -> None:
    """Alike without a word; with another entry by its cause; closed on one side only is said."""
    open_ = msgspec.structs.replace(TRADE, closed_ns=0, close_price=0.0, net=Decimal(0))
    held = LiveDay(trades=(open_,), refused=())
    assert compare(held, [open_], GROUND).causes == {}
    worse = msgspec.structs.replace(open_, open_price=1.10015)
    assert compare(held, [worse], GROUND).causes == {"slippage": 1}
    (part,) = compare(held, [TRADE], GROUND).differences
    assert part.detail == "closed in the replay, still open live at the end"


def test_a_refused_exit_is_the_reason_why_a_trade_ended_later() -> None:
    """Refused before the replay was out; a refusal after that explains nothing."""
    late = changed(closed_ns=NOON_NS + 62 * S, close_price=1.10000)
    moved = msgspec.structs.replace(TRADE, closed_ns=NOON_NS + 2 * S, close_price=1.10004)
    for second, cause in ((1, "reject"), (30, "latency")):
        exits = (Refused(NOON_NS + second * S, "requote"),)
        live = msgspec.structs.replace(late, refused_exits=exits)
        assert compare(live, [moved], GROUND).causes == {cause: 1}


def test_the_same_trades_have_no_difference() -> None:
    """Paired, and nothing to explain."""
    found = compare(changed(), [TRADE], GROUND)
    assert (found.paired, found.causes, found.differences) == (1, {}, ())
    assert (found.live_net, found.replay_net) == ("-1.70", "-1.70")


@pytest.mark.parametrize(
    ("changes", "cause", "words"),
    [
        # A second later the middle is 0.4 pips higher, the spread the same.
        ({"opened_ns": NOON_NS + S, "open_price": 1.10014}, "latency", "latency +0.40"),
        # Two seconds later the spread is 1.6 pips instead of 1.0: half of 0.6, the middle +0.7.
        ({"opened_ns": NOON_NS + 2 * S, "open_price": 1.10020}, "latency", "spread +0.30"),
        # At the very same quote the fill was 0.5 pips worse.
        ({"open_price": 1.10015}, "slippage", "slippage +0.50"),
        ({"lots": 0.05}, "size", "0.05 lots live, 0.1"),
        ({"net": Decimal("-2.30")}, "cost", "commission or swap"),
    ],
)
def test_each_difference_has_its_cause(changes: dict[str, object], cause: str, words: str) -> None:
    """Figures from the quotes above."""
    found = compare(changed(**changes), [TRADE], GROUND)
    assert found.causes == {cause: 1}
    assert words in found.differences[0].detail


def test_a_wider_spread_alone_is_the_spread() -> None:
    """The middle stays at 1.10005, the spread grows from 1.0 to 2.0 pips."""
    wide = {0: (1.10000, 1.10010), 1: (1.09995, 1.10015), 60: (1.1, 1.1001)}
    ground = msgspec.structs.replace(
        GROUND, quote=lambda ts: wide[max(k for k in wide if k <= (ts - NOON_NS) / S)]
    )
    found = compare(changed(opened_ns=NOON_NS + S, open_price=1.10015), [TRADE], ground)
    assert found.causes == {"spread": 1}


def test_what_is_missing_live_was_refused_not_seen_or_decided_otherwise() -> None:
    """In this order."""
    refused = LiveDay(trades=(), refused=(Refused(NOON_NS, "no_money"),))
    assert compare(refused, [TRADE], GROUND).causes == {"reject": 1}
    nothing = LiveDay(trades=(), refused=())
    blind = msgspec.structs.replace(GROUND, was_seen=lambda _: False)
    assert compare(nothing, [TRADE], blind).causes == {"missing_tick": 1}
    assert compare(nothing, [TRADE], GROUND).causes == {"decided_otherwise": 1}
    assert compare(changed(), [], GROUND).causes == {"decided_otherwise": 1}


def test_models_that_are_gone_explain_another_decision_but_no_slip() -> None:
    """A trade that only they made, or left otherwise, is theirs; a worse fill is not."""
    gone = msgspec.structs.replace(GROUND, gone=lambda ts: "" if ts < NOON_NS else "lstm-1")
    (alone,) = compare(changed(), [], gone).differences
    assert (alone.cause, alone.detail.endswith("no longer kept: lstm-1")) == ("models_gone", True)
    open_ = msgspec.structs.replace(TRADE, closed_ns=0, close_price=0.0, net=Decimal(0))
    assert compare(changed(), [open_], gone).causes == {"models_gone": 1}
    assert compare(changed(open_price=1.10015), [TRADE], gone).causes == {"slippage": 1}


def test_the_nearest_decisions_of_a_side_belong_together() -> None:
    """Half a second apart pairs before 0.9 s; the other side and a later one stay alone."""
    late = msgspec.structs.replace(TRADE, decided_ns=NOON_NS + 9 * S // 10)
    near = msgspec.structs.replace(TRADE, decided_ns=NOON_NS + S // 2)
    short = msgspec.structs.replace(TRADE, side=-1)
    far = msgspec.structs.replace(TRADE, decided_ns=NOON_NS + 5 * S)
    pairs = pair([TRADE, far], [late, near, short], S)
    assert (TRADE, near) in pairs
    assert {p for p in pairs if None in p} == {(far, None), (None, late), (None, short)}
