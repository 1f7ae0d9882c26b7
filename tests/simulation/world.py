"""What outlives a crash of ours: the broker with its market, the event store, the journal's folder.

The clock, the quotes and every misfortune come from one seed; nothing here looks at real time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    LinkState,
    OrderUpdate,
    TerminalListener,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.faults import FaultDraw, Faults
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.link import Link
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import StoreBusy, TerminalUnavailable
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import Encoded, StoredEvent
from plan2.foundation.values import NS_PER_MS, TenantId, Tick

SYMBOLS = ("EURUSD", "GBPUSD")
TUESDAY_NS = 1_709_625_600_000_000_000
"""2024-03-05 08:00 UTC."""
TENANT = TenantId("default")
ACCOUNT = "sim"


class Crash(BaseException):
    """The process is gone; nothing may catch it but the driver."""


class CrashPlan:
    """Says at which passage of which place the process dies; each place counts its passages."""

    def __init__(self) -> None:
        self.armed: dict[str, int] = {}
        self.died_at: list[str] = []

    def arm(self, place: str, passages: int) -> None:
        """Die at this place, `passages` passages from now."""
        self.armed[place] = passages

    def disarm(self) -> None:
        """No more crashes."""
        self.armed.clear()

    def pass_by(self, place: str) -> None:
        """A place where the process may die."""
        left = self.armed.get(place)
        if left is None:
            return
        if left > 0:
            self.armed[place] = left - 1
            return
        self.armed.clear()
        self.died_at.append(place)
        raise Crash(place)


@dataclass
class Store:
    """An event store that can be away, and can lose its answers; what it took is kept."""

    inner: InMemoryEventStore
    plan: CrashPlan
    is_up: bool = True
    answers_to_lose: int = 0

    async def append_encoded(self, tenant: TenantId, batch: Sequence[Encoded]) -> list[StoredEvent]:
        """Store a batch, or be away, or store it and not say so."""
        if not self.is_up:
            raise StoreBusy("the database is away")
        self.plan.pass_by("store_before")
        stored = await self.inner.append_encoded(tenant, batch)
        self.plan.pass_by("store_after")
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise StoreBusy("the answer was lost")
        return stored

    async def append(self, tenant, batch):
        """As `append_encoded`, of events."""
        if not self.is_up:
            raise StoreBusy("the database is away")
        self.plan.pass_by("drain_before")
        stored = await self.inner.append(tenant, batch)
        self.plan.pass_by("drain_after")
        return stored

    async def seen(self, tenant, event_ids):
        """Which of these are stored, or be away."""
        if not self.is_up:
            raise StoreBusy("the database is away")
        return await self.inner.seen(tenant, event_ids)

    async def read_all(self, tenant, **question):
        """Read, or be away."""
        if not self.is_up:
            raise StoreBusy("the database is away")
        return await self.inner.read_all(tenant, **question)


class Terminal:
    """The way to the broker, as a process of ours sees it; a new process gets a new one.

    Records every call that sends an order, over all processes.
    """

    def __init__(self, world: "World") -> None:
        self.name = "simulated"
        self.world = world
        self.clock = world.clock
        self.link = Link(world.broker, world.clock.now_ns)

    def connect(self, listener: TerminalListener) -> None:
        """Attach a listener; it hears that the link is up."""
        self.link.connect(listener)

    def abandon(self) -> None:
        """The process died: nobody listens, and what is said meanwhile is lost."""
        self.link.close()
        self.world.broker.connect(_unheard)

    def poll(self) -> None:
        """Hear what is new; this broker speaks by itself."""

    def submit(self, order: ApprovedOrder) -> None:
        """Send an order; a crash may come before or after."""
        plan = self.world.plan
        plan.pass_by("submit_before")
        if self.link.state is not LinkState.UP:
            raise TerminalUnavailable("not connected")
        self.world.on_submit(order)
        self.world.broker.submit(order)
        plan.pass_by("submit_after")

    @property
    def _is_askable(self) -> bool:
        self.world.plan.pass_by("question")
        return self.link.state is LinkState.UP and not self.world.is_mute()

    async def account(self) -> AccountState | None:
        """See `OrderSide`."""
        return self.world.broker.account() if self._is_askable else None

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """See `OrderSide`."""
        return self.world.broker.positions() if self._is_askable else None

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """See `OrderSide`."""
        return self.world.broker.orders() if self._is_askable else None

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """See `OrderSide`."""
        return self.world.broker.deals(since_ts_ns) if self._is_askable else None

    async def trace(self, token: str) -> Trace | None:
        """See `OrderSide`."""
        return self.world.broker.trace(token) if self._is_askable else None


@dataclass
class World:
    """Everything that a crash of ours does not touch."""

    seed: int
    faults: Faults = field(default_factory=Faults)
    make_broker: Callable[..., PaperBroker] = PaperBroker
    is_hedging: bool = True
    mode: str = "simulated"
    """What the account is, as a person who arms it has to say."""

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.clock = SimulatedClock(TUESDAY_NS)
        self.plan = CrashPlan()
        self.instruments = instruments(SYMBOLS, 30.0)
        self.broker = self._open_broker()
        self.store = Store(InMemoryEventStore(self.clock), self.plan)
        self.prices = {"EURUSD": 1.1000, "GBPUSD": 1.2700}
        self.mute_chance = 0.0
        self.submits: list[ApprovedOrder] = []
        self.on_submit: Callable[[ApprovedOrder], None] = self.submits.append

    def _open_broker(self) -> PaperBroker:
        options = BrokerOptions(
            account=ACCOUNT,
            start_ns=TUESDAY_NS,
            faults=self.faults,
            rules=AccountRules(is_hedging=self.is_hedging),
        )
        broker = self.make_broker(self.instruments, options, None, lambda _: True)
        broker.connect(_unheard)
        return broker

    def calm(self) -> None:
        """No more misfortunes of the broker's."""
        self.broker._draw = FaultDraw(Faults())

    def is_mute(self) -> bool:
        """Whether the broker does not answer this question."""
        return self.mute_chance > 0 and self.rng.random() < self.mute_chance

    def next_ticks(self, gap_ms: int) -> list[Tick]:
        """Let time pass and quote every symbol; the market is a seeded random walk."""
        self.clock.advance_to(self.clock.now_ns() + gap_ms * NS_PER_MS)
        ticks = []
        for symbol in SYMBOLS:
            step = self.rng.normal(0.0, 0.00006 * (gap_ms / 250) ** 0.5)
            self.prices[symbol] = round(self.prices[symbol] * (1 + step), 5)
            bid = self.prices[symbol]
            ticks.append(Tick(symbol, self.clock.now_ns(), bid, round(bid + 0.00010, 5)))
        return ticks


def _unheard(update: OrderUpdate) -> None:
    """Said to a process that is gone."""
