"""Odd moments on the way of an order: races, lost answers, infinite figures, odd volumes.

Each of these once sent, kept or forgot something that it should not have.
"""

import math
from collections.abc import Callable

import msgspec
import pytest
from kill_fixtures import PERSON, WIDE, KillScene
from test_kill import kill
from trading_fixtures import BUY, EURUSD, NOON_NS, RULES, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind, TerminalOrder, TerminalPosition
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import JournalLost
from plan2.foundation.events.account import KillFinished
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.decision.policy import edge_of, verdict_of
from plan2.intelligence.decision.record import Reason
from plan2.intelligence.risk.counters import Messages
from plan2.intelligence.trading.control import Control
from plan2.intelligence.trading.kill_watch import KillWatch
from plan2.intelligence.trading.wishes import Ask, OrderWish

S = NS_PER_SECOND
CARE = Ask("algorithm:plan2-care", "trailing")


def buy(lots: float = 0.1, key: str = "one") -> OrderWish:
    """A person wants EURUSD at market."""
    return OrderWish(
        kind=OrderKind.OPEN,
        ask=PERSON,
        symbol="EURUSD",
        side=BUY,
        quantity=lots,
        stop_loss=1.09,
        key=key,
    )


def know(desk: Desk, instrument: Instrument) -> None:
    """The broker's contract data are these from now on."""
    desk.account._sight.instruments["EURUSD"] = instrument  # one dictionary in all parts


class LateAnswer:
    """A terminal whose answer about positions is made before something happens, told after it."""

    def __init__(self, stage: KillScene, meanwhile: Callable[[], object]) -> None:
        self._stage = stage
        self._meanwhile = meanwhile

    async def orders(self) -> tuple[TerminalOrder, ...]:
        """What works at the broker."""
        return tuple(self._stage.working.values())

    async def positions(self) -> tuple[TerminalPosition, ...]:
        """What was open at the broker a moment ago."""
        answer = tuple(self._stage.positions.values())
        self._meanwhile()
        return answer


async def test_a_fill_while_a_kill_asks_for_proof_does_not_end_the_kill() -> None:
    """The answer is older than the fill: our own books know better, and the position is closed."""
    stage = KillScene()
    assert stage.account.requests.request(buy(), stage.now_ns).refusal is None
    entry = stage.desk.sent[-1]
    clock = SimulatedClock(NOON_NS)
    await Control({"a": stage.account}, clock).kill("user:ann", "test")
    terminal = LateAnswer(stage, lambda: stage.fill_entry(entry))
    await KillWatch(stage.account, terminal, clock).verify()  # type: ignore[arg-type]
    assert list(stage.account.positions.open) == ["test:p1"]
    assert list(stage.account.kills.live)
    before = len(stage.desk.sent)
    stage.account.kills.push(NOON_NS)
    assert [order.kind for order in stage.desk.sent[before:]] == [OrderKind.CLOSE]


def test_a_kill_ends_when_what_our_books_hold_is_known_to_be_gone() -> None:
    """A position that the broker no longer has, and that no deal explains, keeps no kill alive."""
    stage = KillScene()
    stage.open_position()
    stage.account.kills.begin(kill(), closes_foreign=False)
    stage.desk.account.orders.open.clear()  # the close was settled: never arrived
    stage.account.kills.verify((), (), NOON_NS)
    assert stage.account.kills.live
    stage.account.broker.see_missing(("test:p1",), NOON_NS)
    stage.account.kills.verify((), (), NOON_NS)
    told = [item.event for item in stage.desk.sink.facts if isinstance(item.event, KillFinished)]
    assert [event.is_flat for event in told] == [True]


def test_two_orders_in_one_breath_cannot_use_the_same_margin() -> None:
    """0.06 lots at leverage 1 take 6,600 of 10,000 USD; the same again is more than is left."""
    desk = Desk(WIDE).arm()
    know(desk, msgspec.structs.replace(EURUSD, leverage=1.0))
    desk.account.on_tick(scene(tick(), None))
    outcomes = desk.account.requests.request_all((buy(0.06), buy(0.06, "two")), NOON_NS)
    refusals = [outcome.refusal for outcome in outcomes]
    assert refusals[0] is None
    assert refusals[1] is not None
    assert refusals[1].rule == "margin"
    assert refusals[1].limit == pytest.approx(10_000.0 - 0.06 * 100_000 * 1.10005)


def test_a_waiting_order_may_be_changed_within_the_margin_that_it_has() -> None:
    """What it reserves is not asked for twice."""
    stage = KillScene()
    know(stage.desk, msgspec.structs.replace(EURUSD, leverage=0.15))  # 0.01 lots take 7,334 USD
    (order_id,) = stage.pend()
    wish = OrderWish(kind=OrderKind.CHANGE, ask=PERSON, order_id=order_id, price=1.089)
    assert stage.account.requests.request(wish, stage.now_ns).refusal is None


def test_an_order_that_left_stays_reserved_when_the_event_store_takes_no_more() -> None:
    """It was durable and sent before its announcement failed: the broker will fill it."""
    desk = Desk(WIDE).arm()
    desk.account.on_tick(scene(tick(), None))

    def full(_fact: object, _on_stored: object) -> None:
        raise JournalLost("the queue is full")

    desk.sink.put = full  # type: ignore[method-assign]
    with pytest.raises(JournalLost):
        desk.account.requests.request(buy(), NOON_NS)
    assert len(desk.sent) == 1
    assert desk.account.figures(tick(), NOON_NS).exposure == pytest.approx(11_000.5)


def test_a_new_target_does_not_take_back_a_stop_that_is_on_its_way() -> None:
    """Trailing moves the stop to 1.095; before the broker says so a person sets a target."""
    stage = KillScene()
    name = f"test:{stage.open_position()}"
    tighter = OrderWish(kind=OrderKind.PROTECT, ask=CARE, position_id=name, stop_loss=1.095)
    target = OrderWish(kind=OrderKind.PROTECT, ask=PERSON, position_id=name, take_profit=1.2)
    for wish in (tighter, target):
        assert stage.account.requests.request(wish, stage.now_ns).refusal is None
    assert (stage.desk.sent[-1].stop_loss, stage.desk.sent[-1].take_profit) == (1.095, 1.2)


def test_an_algorithm_cannot_loosen_a_stop_that_is_on_its_way() -> None:
    """1.092 would tighten the 1.09 that is there, and loosen the 1.095 that is coming."""
    stage = KillScene()
    name = f"test:{stage.open_position()}"
    wishes = [
        OrderWish(kind=OrderKind.PROTECT, ask=CARE, position_id=name, stop_loss=stop)
        for stop in (1.095, 1.092, 1.096)
    ]
    refusals = [stage.account.requests.request(wish, stage.now_ns).refusal for wish in wishes]
    assert [refusal.rule if refusal else "" for refusal in refusals] == ["", "stop_kept", ""]


@pytest.mark.parametrize(
    ("contract", "lots"),
    [
        (msgspec.structs.replace(EURUSD, volume_max=0.04), [0.04]),
        (msgspec.structs.replace(EURUSD, volume_min=1.0, volume_step=1.0), [0.1]),
    ],
)
def test_a_kill_closes_what_no_longer_fits_the_grid(
    contract: Instrument, lots: list[float]
) -> None:
    """0.1 lots where an order takes at most 0.04, and where the least is 1 by now."""
    stage = KillScene()
    stage.open_position()
    know(stage.desk, contract)
    before = len(stage.desk.sent)
    stage.account.kills.begin(kill(), closes_foreign=False)
    assert [order.quantity for order in stage.desk.sent[before:]] == lots


def test_a_share_off_the_grid_is_still_refused() -> None:
    """Only the whole of a position is closed whatever the grid says."""
    stage = KillScene()
    name = f"test:{stage.open_position()}"
    wish = OrderWish(kind=OrderKind.CLOSE, ask=PERSON, position_id=name, quantity=0.055)
    refusal = stage.account.requests.request(wish, stage.now_ns).refusal
    assert refusal is not None
    assert refusal.rule == "volume"


def test_a_bet_of_unknown_worth_is_never_taken() -> None:
    """A barrier that is not a number makes the expected value one that is below nothing."""
    edge = edge_of(tick(), forecast(0.9, barrier=math.nan), EURUSD, 1.0, RULES.decision)
    assert verdict_of(edge) is Reason.COST_ABOVE_EDGE


def test_messages_of_the_last_second_are_counted_whatever_order_they_came_in() -> None:
    """Quotes of another symbol may be older; an order on one hides none before it."""
    messages = Messages()
    messages.note(100 * S)
    messages.note(98 * S)
    assert messages.last_second(100 * S) == 1
