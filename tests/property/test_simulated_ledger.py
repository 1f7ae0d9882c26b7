"""The paper account's books balance whatever happens, and the same orders give the same trace."""

import hashlib
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind, Trigger, UpdateKind
from plan2.dataflow.terminals.simulated.account_file import open_account_file
from plan2.dataflow.terminals.simulated.book import deal_number
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.dataflow.terminals.simulated.orders import OrderState
from plan2.dataflow.terminals.simulated.requests import BrokerRequest
from plan2.foundation.values import NS_PER_HOUR, Side
from simulated_world import LATENCY_NS, Desk, desk, order

START = {"EURUSD": 1.10000, "USDJPY": 150.000}
POINT = {"EURUSD": 0.00001, "USDJPY": 0.001}
DIGITS = {"EURUSD": 5, "USDJPY": 3}

TRIGGERS = (Trigger.LIMIT, Trigger.STOP, Trigger.STOP_LIMIT)
SHARES = {
    "move": 0.45,
    "open": 0.12,
    "close": 0.06,
    "pending": 0.15,
    "protect": 0.05,
    "change": 0.04,
    "cancel": 0.03,
    "close_by": 0.05,
    "person": 0.03,
    "deposit": 0.02,
}
"""How often each step is taken; enough quotes between them for orders to come to something."""
Step = tuple[Any, ...]


class Draw:
    """Numbers and choices from a seed."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def randint(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self._generator.integers(low, high + 1))

    def choice(self, among: Sequence[Any], shares: Sequence[float] | None = None) -> Any:
        """One of them."""
        return among[int(self._generator.choice(len(among), p=shares))]


def told_by(seed: int) -> list[Step]:
    """A story of eighty steps; drawn from a seed, as drawn lists turn out too uneventful."""
    draw = Draw(seed)
    names = [draw.choice(tuple(SHARES), tuple(SHARES.values())) for _ in range(80)]
    return [(name, *_arguments(name, draw)) for name in names]


def _arguments(name: str, draw: Draw) -> Step:
    symbol, side = draw.choice(sorted(START)), draw.choice((Side.BUY, Side.SELL))
    which, lots, stop = draw.randint(0, 5), draw.randint(1, 60), draw.choice((0, 60, 200))
    known: dict[str, Step] = {
        "move": (symbol, draw.randint(-80, 80), draw.randint(1, 30), draw.choice((0, 0, 0, 4, 30))),
        "open": (symbol, side, lots, stop),
        "close": (which, lots),
        "pending": (
            symbol,
            side,
            draw.choice(TRIGGERS),
            draw.randint(31, 90),
            lots,
            draw.choice((0, 0, 8, 50)),
        ),
        "protect": (which, stop),
        "change": (which, draw.randint(31, 90)),
        "cancel": (which,),
        "close_by": (which, draw.randint(0, 5)),
        "person": (symbol, side, lots),
        "deposit": (draw.randint(-20_000, 20_000),),
    }
    return known[name]


stories = st.integers(0, 10**9).map(told_by)
kinds = st.booleans()


class Play:
    """Acts a story out on a small account, with misfortunes."""

    def __init__(self, is_hedging: bool, seed: int, **more: Any) -> None:
        faults = Faults(
            seed=seed,
            lost_order=0.05,
            lost_reply=0.05,
            duplicate_reply=0.1,
            partial_fill=0.3,
            reorder=0.1,
            late_reply=0.1,
            late_history=0.1,
            rejected=0.05,
        )
        options = {"deposit": Decimal("2000.00"), "faults": faults, "quote_wait_s": 1e6, **more}
        self.desk = desk(is_hedging=is_hedging, **options)
        self.prices = dict(START)
        self.number = 0
        for symbol, bid in self.prices.items():
            self.desk.quote(symbol, bid, self.price(symbol, bid, 5))

    def price(self, symbol: str, price: float, points: float) -> float:
        """A price so many points away, on the grid."""
        return round(price + points * POINT[symbol], DIGITS[symbol])

    def act(self, step: Step) -> None:
        """One step of the story; a step that has nothing to act on is left out."""
        self.number += 1
        name, *arguments = step
        wanted: ApprovedOrder | None = getattr(self, f"step_{name}")(*arguments)
        if wanted is not None:
            self.desk.submit(msgspec.structs.replace(wanted, order_id=f"o{self.number}"))

    def order(self, symbol: str, side: Side, **fields: Any) -> ApprovedOrder:
        """An order with a token of its own."""
        return order(symbol, side, order_id=f"o{self.number}", **fields)

    def step_move(self, symbol: str, move: int, spread: int, hours: int) -> None:
        """The market moves, maybe overnight."""
        bid = self.prices[symbol] = self.price(symbol, self.prices[symbol], move)
        ask = self.price(symbol, bid, spread)
        self.desk.quote(symbol, bid, ask, after_ns=LATENCY_NS + hours * NS_PER_HOUR)

    def step_open(self, symbol: str, side: Side, lots: int, stop: int) -> ApprovedOrder:
        """A market order."""
        level = self.price(symbol, self.prices[symbol], -side * stop) if stop else 0.0
        return self.order(symbol, side, quantity=lots / 100, stop_loss=level)

    def step_close(self, which: int, lots: int) -> ApprovedOrder | None:
        """A close of some position, of more or less than it has."""
        held = self.desk.broker.positions()
        if not held:
            return None
        one = held[which % len(held)]
        fields = {"position_ticket": one.ticket, "quantity": lots / 100}
        return self.order(one.symbol, one.side.opposite, kind=OrderKind.CLOSE, **fields)

    def step_pending(
        self, symbol: str, side: Side, trigger: Trigger, points: int, lots: int, hours: int
    ) -> ApprovedOrder:
        """A pending order, sometimes with an expiry."""
        sign = -side if trigger is Trigger.LIMIT else side
        price = self.price(symbol, self.prices[symbol], sign * points)
        return self.order(
            symbol,
            side,
            kind=OrderKind.PENDING,
            trigger=trigger,
            quantity=lots / 100,
            price=price,
            limit_price=self.price(symbol, price, -side * 10),
            expires_ts_ns=self.desk.now_ns + hours * NS_PER_HOUR if hours else 0,
        )

    def step_protect(self, which: int, stop: int) -> ApprovedOrder | None:
        """New stops on both sides of the market."""
        held = self.desk.broker.positions()
        if not held:
            return None
        one = held[which % len(held)]
        low, high = (self.price(one.symbol, self.prices[one.symbol], d) for d in (-stop, stop))
        levels = (low, high) if one.side is Side.BUY else (high, low)
        fields = {"stop_loss": levels[0], "take_profit": levels[1]} if stop else {}
        return self.order(
            one.symbol, one.side, kind=OrderKind.PROTECT, position_ticket=one.ticket, **fields
        )

    def step_change(self, which: int, points: int) -> ApprovedOrder | None:
        """Another price for a working order."""
        working = self.desk.broker.orders()
        if not working:
            return None
        one = working[which % len(working)]
        sign = -one.side if one.trigger is Trigger.LIMIT else one.side
        price = self.price(one.symbol, self.prices[one.symbol], sign * points)
        fields = {"price": price, "limit_price": self.price(one.symbol, price, -one.side * 10)}
        return self.order(
            one.symbol, one.side, kind=OrderKind.CHANGE, order_ticket=one.ticket, **fields
        )

    def step_cancel(self, which: int) -> ApprovedOrder | None:
        """A working order is withdrawn."""
        working = self.desk.broker.orders()
        if not working:
            return None
        one = working[which % len(working)]
        return self.order(one.symbol, one.side, kind=OrderKind.CANCEL, order_ticket=one.ticket)

    def step_close_by(self, which: int, other: int) -> ApprovedOrder | None:
        """Two positions against each other, fitting or not."""
        held = self.desk.broker.positions()
        if not held:
            return None
        one, two = held[which % len(held)], held[other % len(held)]
        tickets = {"position_ticket": one.ticket, "opposite_ticket": two.ticket}
        return self.order(one.symbol, one.side, kind=OrderKind.CLOSE_BY, **tickets)

    def step_person(self, symbol: str, side: Side, lots: int) -> None:
        """A person trades."""
        request = BrokerRequest(
            kind=OrderKind.OPEN, symbol=symbol, side=side, quantity=lots / 100, reason="manual"
        )
        self.desk.broker.trade_manually(request)

    def step_deposit(self, cents: int) -> None:
        """Money comes or goes."""
        self.desk.broker.desk.operate(Decimal(cents) / 100, "transfer", self.desk.now_ns)


def play(story: list[Step], is_hedging: bool, seed: int) -> Desk:
    """The account after the story."""
    made = Play(is_hedging, seed)
    for step in story:
        made.act(step)
    return made.desk


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_books_balance(story: list[Step], is_hedging: bool, seed: int) -> None:
    """Balance = Σ operations + Σ deals; deals are 1, 2, 3…; lots in = lots out + lots open."""
    made = play(story, is_hedging, seed)
    book = made.broker.desk.book
    deals = book.deals
    account = made.broker.account()
    moved = sum((d.profit + d.commission + d.swap for d in deals), Decimal("0.00"))
    assert account.balance == sum(one.amount for one in book.operations) + moved
    assert all(amount.as_tuple().exponent == -2 for d in deals for amount in (d.profit, d.swap))
    assert list(dict.fromkeys(map(deal_number, deals))) == list(
        range(1, len({deal_number(deal) for deal in deals}) + 1)
    )
    for symbol in START:
        flow = sum(d.side * d.quantity for d in deals if d.symbol == symbol)
        held = [one for one in made.broker.positions() if one.symbol == symbol]
        assert abs(flow - sum(one.side * one.quantity for one in held)) < 1e-6
        assert is_hedging or len(held) <= 1
    assert account.margin >= 0
    assert made.broker.positions() or account.margin == 0


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_orders_are_whole(story: list[Step], is_hedging: bool, seed: int) -> None:
    """Lots asked for = executed + left; an ended order says how, a working one is open."""
    book = play(story, is_hedging, seed).broker.desk.book
    for known in (*book.working.values(), *book.history.values()):
        deals = [deal for deal in book.deals if deal.order_ticket == known.ticket]
        twice = 2 if known.kind is OrderKind.CLOSE_BY else 1
        executed = sum(deal.quantity for deal in deals) / twice
        assert abs(known.quantity - known.rest - executed) < 1e-9
        assert (known.ticket in book.working) == (known.done_ts_ns == 0)
        assert (known.state is OrderState.FILLED) == (known.rest == 0)
        assert bool(known.end_reason) == (known.rest > 0 and known.done_ts_ns > 0)
    tickets = sorted(int(ticket) for ticket in (*book.working, *book.history))
    assert tickets == list(range(1, len(tickets) + 1))


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_every_order_is_answered_once_and_executed_at_most_once(
    story: list[Step], is_hedging: bool, seed: int
) -> None:
    """One of ACCEPTED, DONE, REJECTED, UNKNOWN per order (replies may double); no twin orders."""
    made = play(story, is_hedging, seed)
    first = {UpdateKind.ACCEPTED, UpdateKind.DONE, UpdateKind.REJECTED, UpdateKind.UNKNOWN}
    verdicts: dict[str, set[UpdateKind]] = {}
    for update in made.updates:
        if update.order_id and update.kind in first:
            verdicts.setdefault(update.order_id, set()).add(update.kind)
    assert all(len(kinds_of_one) == 1 for kinds_of_one in verdicts.values())
    book = made.broker.desk.book
    taken = [one.token for one in (*book.working.values(), *book.history.values()) if one.token]
    assert len(taken) == len(set(taken))


def words(made: Desk) -> str:
    """A digest of everything that was said."""
    return hashlib.sha256(msgspec.json.encode(made.updates)).hexdigest()


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_same_story_same_trace(story: list[Step], is_hedging: bool, seed: int) -> None:
    """Two runs say the same words, byte for byte."""
    assert words(play(story, is_hedging, seed)) == words(play(story, is_hedging, seed))


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_looking_away_from_quiet_ticks_changes_nothing(
    story: list[Step], is_hedging: bool, seed: int
) -> None:
    """A broker that looks closely at every tick says the same as one that looks when it must."""
    quick, careful = Play(is_hedging, seed), Play(is_hedging, seed)
    for step in story:
        quick.act(step)
        careful.desk.broker._wake_ns = 0
        careful.act(step)
    assert words(quick.desk) == words(careful.desk)


def figures(broker: PaperBroker) -> tuple[object, ...]:
    """All that a restart must not change."""
    book = broker.desk.book
    state = broker.account(), broker.positions(), broker.orders()
    return *state, book.deals, book.operations, book.positions, book.working, book.history


@given(stories, kinds, st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_a_restart_changes_nothing(story: list[Step], is_hedging: bool, seed: int) -> None:
    """What comes back from the account file is the account, whatever has happened to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paper.sqlite"
        file = open_account_file(path)
        made = Play(is_hedging, seed, file=file)
        for step in story:
            made.act(step)
        made.step_move("EURUSD", 0, 5, 100)
        before, options = figures(made.desk.broker), made.desk.broker.options
        file.close()
        again = open_account_file(path)
        restored = PaperBroker(made.desk.broker.instruments, options, again)
        assert figures(restored) == before
        again.close()
