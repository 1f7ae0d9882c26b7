"""The paper account's books balance whatever happens, and the same orders give the same trace."""

import hashlib
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.dataflow.terminals.port import OrderKind, UpdateKind
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.foundation.values import NS_PER_HOUR, Side
from simulated_world import Desk, desk, order

START = {"EURUSD": 1.10000, "USDJPY": 150.000}
POINT = {"EURUSD": 0.00001, "USDJPY": 0.001}
DIGITS = {"EURUSD": 5, "USDJPY": 3}

symbols = st.sampled_from(sorted(START))
sides = st.sampled_from([Side.BUY, Side.SELL])
moves = st.tuples(
    st.just("move"), symbols, st.integers(-300, 300), st.integers(1, 30), st.integers(0, 30)
)
entries = st.tuples(
    st.just("open"), symbols, sides, st.integers(1, 120), st.sampled_from([0, 50, 200])
)
exits = st.tuples(st.just("close"), st.integers(0, 5), st.integers(1, 120))
stories = st.lists(st.one_of(moves, moves, entries, exits), max_size=60)
kinds = st.booleans()


def play(story: list[tuple[object, ...]], is_hedging: bool, seed: int) -> Desk:
    """Act a story out on a small account, with misfortunes."""
    faults = Faults(
        seed=seed, lost_order=0.1, lost_reply=0.1, duplicate_reply=0.1, partial_fill=0.2
    )
    made = desk(is_hedging=is_hedging, deposit=Decimal("2000.00"), faults=faults)
    prices = dict(START)
    for symbol, bid in prices.items():
        made.quote(symbol, bid, round(bid + 5 * POINT[symbol], DIGITS[symbol]))
    for number, step in enumerate(story):
        if step[0] == "move":
            _, symbol, move, spread, hours = step
            bid = round(prices[symbol] + move * POINT[symbol], DIGITS[symbol])
            ask = round(bid + spread * POINT[symbol], DIGITS[symbol])
            prices[symbol] = bid
            made.quote(symbol, bid, ask, after_ns=1 + hours * NS_PER_HOUR)
        elif step[0] == "open":
            _, symbol, side, lots, stop = step
            level = prices[symbol] - side * stop * POINT[symbol] if stop else 0.0
            stop_loss = round(level, DIGITS[symbol])
            made.submit(
                order(symbol, side, order_id=f"o{number}", quantity=lots / 100, stop_loss=stop_loss)
            )
        else:
            held = made.broker.positions()
            if held:
                one = held[step[1] % len(held)]
                made.submit(
                    order(
                        one.symbol,
                        one.side.opposite,
                        order_id=f"o{number}",
                        kind=OrderKind.CLOSE,
                        quantity=step[2] / 100,
                        position_ticket=one.ticket,
                    )
                )
    return made


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_books_balance(story: list[tuple[object, ...]], is_hedging: bool, seed: int) -> None:
    """Balance = deposit + Σ deals; tickets are 1, 2, 3…; lots in = lots out + lots open."""
    made = play(story, is_hedging, seed)
    deals = made.broker.deals(0)
    account = made.broker.account()
    moved = sum((d.profit + d.commission + d.swap for d in deals), Decimal("0.00"))
    assert account.balance == Decimal("2000.00") + moved
    assert all(amount.as_tuple().exponent == -2 for d in deals for amount in (d.profit, d.swap))
    assert [int(deal.ticket) for deal in deals] == list(range(1, len(deals) + 1))
    for symbol in START:
        flow = sum(d.side * d.quantity for d in deals if d.symbol == symbol)
        held = [one for one in made.broker.positions() if one.symbol == symbol]
        assert abs(flow - sum(one.side * one.quantity for one in held)) < 1e-6
        assert is_hedging or len(held) <= 1
    assert (account.margin == 0) == (not made.broker.positions())


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_every_order_is_answered_once_and_executed_at_most_once(
    story: list[tuple[object, ...]], is_hedging: bool, seed: int
) -> None:
    """One of ACCEPTED, REJECTED, UNKNOWN per order (replies may double); no twin deals."""
    made = play(story, is_hedging, seed)
    verdicts: dict[str, set[UpdateKind]] = {}
    for update in made.updates:
        if update.order_id and update.kind is not UpdateKind.FILLED:
            verdicts.setdefault(update.order_id, set()).add(update.kind)
    assert all(len(kinds_of_one) == 1 for kinds_of_one in verdicts.values())
    for order_id in verdicts:
        mine = made.broker.deals_by_token(f"token-{order_id}")
        assert mine is not None
        assert len({deal.order_ticket for deal in mine}) <= 1


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_same_story_same_trace(
    story: list[tuple[object, ...]], is_hedging: bool, seed: int
) -> None:
    """Two runs say the same words, byte for byte."""
    traces = [
        hashlib.sha256(msgspec.json.encode(play(story, is_hedging, seed).updates)).hexdigest()
        for _ in range(2)
    ]
    assert traces[0] == traces[1]
