"""R-110 against the simulated broker, slowed by 200 ms, with a database that stores nothing."""

from collections.abc import Callable

from kill_fixtures import LEVERED, PERSON, WIDE
from trading_fixtures import BUY, Desk, forecast, scene

import simulated_world
from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind, Trigger
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.account import KillFinished
from plan2.foundation.events.fact import Fact
from plan2.foundation.values import NS_PER_MS, Tick
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.control import Control
from plan2.intelligence.trading.kill_watch import KillWatch
from plan2.intelligence.trading.wishes import OrderWish

ORDERS = 1_000
SLOW_MS = 200
START_NS = simulated_world.TUESDAY_NS


class SilentSink:
    """A database that is read-only: takes facts, never stores one."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def put(self, fact: Fact, on_stored: Callable[[], None] | None) -> None:
        """Queue it for ever."""
        self.facts.append(fact)


class SlowBroker:
    """An account at a broker that answers after 200 ms; `pass_time` brings a quote."""

    def __init__(self) -> None:
        world = simulated_world.desk(("EURUSD",), latency_ms=SLOW_MS, max_orders=2 * ORDERS)
        self.broker: PaperBroker = world.broker
        self.clock = SimulatedClock(START_NS)
        self.left_ns: list[tuple[int, OrderKind]] = []
        self.desk = Desk(WIDE, instrument=LEVERED)
        self.desk.sink = SilentSink()  # type: ignore[assignment]
        self.desk.account._chronicle._sink = self.desk.sink
        self.account = self.desk.account
        self.account._placing._submit = self._submit
        self.broker.connect(self.account.on_order_update)
        self.pass_time(0)
        self.desk.arm()
        self.watch = KillWatch(self.account, self, self.clock)

    def _submit(self, order: ApprovedOrder) -> None:
        self.left_ns.append((self.clock.now_ns(), order.kind))
        self.broker.submit(order)

    def pass_time(self, ms: int, p_up: float | None = None) -> None:
        """A quote so much later: first the broker, then the account hears of it."""
        self.clock.advance_to(self.clock.now_ns() + ms * NS_PER_MS)
        quote = Tick("EURUSD", self.clock.now_ns(), 1.1, 1.1001)
        self.broker.on_tick(quote)
        self.account.on_tick(scene(quote, forecast(p_up) if p_up else None))

    async def orders(self) -> object:
        """What works at the broker."""
        return self.broker.orders()

    async def positions(self) -> object:
        """What is open at the broker."""
        return self.broker.positions()

    def ask(self, kind: OrderKind, count: int) -> None:
        """Entries of a person, answered when time passes."""
        is_pending = kind is OrderKind.PENDING
        wishes = [
            OrderWish(
                kind=kind,
                ask=PERSON,
                symbol="EURUSD",
                side=BUY,
                quantity=0.01,
                trigger=Trigger.LIMIT if is_pending else Trigger.MARKET,
                price=1.09 if is_pending else None,
                stop_loss=1.08,
                key=f"{kind}:{number}",
            )
            for number in range(count)
        ]
        outcomes = self.account.requests.request_all(wishes, self.clock.now_ns())
        assert not [outcome for outcome in outcomes if outcome.refusal is not None]


async def test_a_thousand_orders_and_three_positions_go() -> None:
    """All withdrawals leave at once, nothing new after them, and the broker's word ends it."""
    world = SlowBroker()
    world.ask(OrderKind.PENDING, ORDERS)
    world.ask(OrderKind.OPEN, 3)
    for _ in range(3):
        world.pass_time(SLOW_MS)
    assert len(world.broker.orders()) == ORDERS
    assert len(world.broker.positions()) == 3
    before, killed_ns = len(world.left_ns), world.clock.now_ns()
    await Control({"a": world.account}, world.clock).kill("user:ann", "test")
    issued = world.left_ns[before:]
    assert [kind for _, kind in issued].count(OrderKind.CANCEL) == ORDERS
    assert [kind for _, kind in issued].count(OrderKind.CLOSE) == 3
    assert all(at == killed_ns for at, _ in issued)
    for _ in range(20):
        world.pass_time(100, p_up=0.60)
        await world.watch.step()
    assert len(world.left_ns) == before + len(issued), "an order left after the kill"
    (told,) = [f.event for f in world.desk.sink.facts if isinstance(f.event, KillFinished)]
    assert (told.is_flat, told.orders_cancelled, told.positions_closed) == (True, ORDERS, 3)
    assert world.account.state is TradingState.HALTED
    assert (world.broker.orders(), world.broker.positions()) == ((), ())


async def test_a_question_without_an_answer_proves_nothing() -> None:
    """While the terminal cannot be asked, the kill goes on."""

    class Deaf(SlowBroker):
        async def positions(self) -> object:
            return None

    world = Deaf()
    await Control({"a": world.account}, world.clock).kill("user:ann", "test")
    for _ in range(20):
        world.pass_time(100)
        await world.watch.step()
    assert list(world.account.kills.live)


async def test_an_entry_accepted_after_the_halt_is_withdrawn() -> None:
    """It was on its way when the switch was thrown; the watch takes it back when it works."""
    world = SlowBroker()
    world.ask(OrderKind.PENDING, 1)
    world.account.set_state(TradingState.REDUCE_ONLY, world.clock.now_ns(), "user:ann", "test")
    assert [kind for _, kind in world.left_ns] == [OrderKind.PENDING]
    world.pass_time(SLOW_MS)
    await world.watch.step()
    world.pass_time(SLOW_MS)
    assert world.broker.orders() == ()
