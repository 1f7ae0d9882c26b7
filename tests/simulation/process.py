"""What dies in a crash: the account with its books, the journal's handle, the appender, the watch.

A process is made from what the last one left behind, exactly as `plan2 serve` does it: drain the
journal, fold the events, connect, reconcile, go on.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from plan2.dataflow.terminals.port import ApprovedOrder, LinkChange, OrderUpdate
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.foundation.bus import Bus
from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.config.schema import Risk
from plan2.foundation.errors import Recoverable, Unrecoverable
from plan2.foundation.events.fact import Fact
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.latency import Latency
from plan2.foundation.values import Tick
from plan2.intelligence.decision.decide import Rules
from plan2.intelligence.decision.keeping import DecisionKeeper, Scene, parameters_of
from plan2.intelligence.decision.material import Owner
from plan2.intelligence.models.forecast import Forecast, Vote
from plan2.intelligence.trading.account import AccountIdentity, AccountServices, TradingAccount
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.journal import Entry, FileJournal
from plan2.intelligence.trading.kill_watch import KillWatch
from plan2.intelligence.trading.placing import facts_of
from plan2.intelligence.trading.reconcile import Reconciler, rebuild
from plan2.intelligence.trading.saga import SAGA_EVENTS, SagaBook
from plan2.intelligence.trading.saga_watch import SagaWatch
from plan2.intelligence.trading.stored import StoreSink, book_events, drain
from simulation.world import ACCOUNT, TENANT, CrashPlan, Terminal, World

RULES = Rules(
    account_id=ACCOUNT,
    decision=DecisionConfig(explore_after_s=0.0, cooldown_s=5.0),
    risk=Risk(
        positions_max=3,
        positions_per_symbol_max=2,
        orders_per_minute_max=30,
        duplicate_window_s=1.0,
        executions_max=10_000,
    ),
)
SEGMENT_BYTES = 64 * 1024


class TrackedJournal(FileJournal):
    """The real journal, with places to die at, a record that may be torn, and a list of facts."""

    def __init__(self, folder: Path, world: World, durable: dict[str, str]) -> None:
        super().__init__(folder, SEGMENT_BYTES)
        self._world = world
        self._durable = durable

    def append(self, entries: Sequence[Entry], *, adds_risk: bool = False) -> int:
        """Write; the process may die before, in the middle, or right after."""
        plan = self._world.plan
        plan.pass_by("journal_before")
        began = self._offset if self._fd >= 0 else 0
        segment = len(self._segments)
        sequence = super().append(entries, adds_risk=adds_risk)
        if len(self._segments) == segment and plan.armed.get("journal_torn") == 0:
            self._tear(began)
        plan.pass_by("journal_torn")
        for entry in entries:
            for fact in facts_of(entry):
                order_id = getattr(fact.event, "order_id", "")
                if type(fact.event).__name__ == "OrderPlaced":
                    self._durable[order_id] = fact.event_id
        plan.pass_by("journal_after")
        return sequence

    def _tear(self, began: int) -> None:
        """Only the first half of the record reached the disk."""
        path, _ = self._segments[-1]
        length = self._offset - began
        with path.open("r+b") as file:
            file.seek(began + length // 2)
            file.write(bytes(length - length // 2))


class Sink(StoreSink):
    """The way into the event store; the process may die between two facts."""

    def __init__(self, appender: Appender, plan: CrashPlan) -> None:
        super().__init__(appender)
        self._plan = plan

    def put(self, fact: Fact, on_stored: Callable[[], None] | None) -> None:
        """Queue a fact, or die before."""
        self._plan.pass_by("announce")
        super().put(fact, on_stored)


class Ears:
    """What the terminal talks to: the account, and a record of everything said."""

    def __init__(self, account: TradingAccount, trace: "Trace", plan: CrashPlan) -> None:
        self._account = account
        self._trace = trace
        self._plan = plan

    def on_tick(self, tick: Tick) -> None:
        """Ticks are handed over by the driver."""

    def on_order_update(self, update: OrderUpdate) -> None:
        """The broker said something."""
        self._plan.pass_by("heard")
        deal = update.deal.ticket if update.deal is not None else ""
        self._trace.note("heard", update.kind.value, update.order_id, deal, update.reason)
        self._account.on_order_update(update)

    def on_link(self, change: LinkChange) -> None:
        """The way to the broker changed."""
        self._trace.note("link", change.state.value)
        self._account.on_link(change)


class Trace:
    """Everything that happened, in order, and a hash of it."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self.lines: list[str] = []
        self._now_ns = now_ns

    def note(self, *words: object) -> None:
        """Remember that something happened now."""
        self.lines.append(f"{self._now_ns() // 1_000_000} " + " ".join(map(str, words)))

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


MakeAccount = Callable[..., TradingAccount]
MakeJournal = Callable[..., FileJournal]


class Process:
    """One life of the order path."""

    def __init__(
        self,
        world: World,
        folder: Path,
        trace: Trace,
        durable: dict[str, str],
        parts: "Parts | None" = None,
    ) -> None:
        parts = parts or Parts()
        self.world, self.trace = world, trace
        self.faults: list[Unrecoverable] = []
        self.bus = Bus()
        self.sagas = SagaBook()
        for cls in SAGA_EVENTS:
            self.bus.subscribe(cls, self.sagas.apply)
        self.cut_off = asyncio.Event()
        self.appender = Appender(world.store, TENANT, on_outage=self._note_outage)
        self.task: asyncio.Task[None] | None = None
        self.journal = parts.journal(folder, world, durable)
        self.terminal = parts.terminal(world)
        self.account = parts.account(
            AccountIdentity(
                tenant_id=TENANT,
                account_id=ACCOUNT,
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            world.instruments,
            parts.rules,
            AccountServices(
                chronicle=Chronicle(self.journal, Sink(self.appender, world.plan), self.bus),
                keeper=DecisionKeeper(parts.rules, owner()),
                submit=self.submit,
                latency=Latency(),
            ),
        )
        self.reconciler = parts.reconciler(self.account, self.terminal, world.clock)
        self.watch = SagaWatch(self.sagas, self.reconciler, self.account.management, world.clock)
        self.kill_watch = KillWatch(self.account, self.terminal, world.clock)
        self.is_up = False

    def submit(self, order: ApprovedOrder) -> None:
        """Send, and remember having sent."""
        self.trace.note("submit", order.kind.value, order.symbol, order.quantity, order.order_id)
        self.terminal.submit(order)

    def _note_outage(self, reason: str) -> None:
        """The database went away, or came back."""
        self.trace.note("outage", bool(reason))
        self.cut_off.set()

    async def boot(self) -> bool:
        """Recover; whether it worked. What is not there yet is tried again later.

        Raises:
            Crash: it died while recovering.
        """
        try:
            await drain(self.journal.open(), self.world.store, TENANT)
            self.journal.release_all()
            await rebuild(self.account, book_events(self.world.store, TENANT, ACCOUNT), self.sagas)
        except Recoverable:
            self.journal.close()
            return False
        self.task = asyncio.create_task(self.appender.run())
        self.terminal.connect(Ears(self.account, self.trace, self.world.plan))
        self.is_up = True
        self.trace.note("booted", len(self.account.orders.open), len(self.account.positions.open))
        return True

    async def step(self, ticks: list[Tick], opinion: dict[str, float]) -> None:
        """One turn: ticks, then what reconciliation and sagas have to do."""
        self._guard(self.terminal.poll)
        for tick in ticks:
            self._guard(lambda tick=tick: self.account.on_tick(scene(tick, opinion)))
        now_ns = self.world.clock.now_ns()
        try:
            await self.reconciler.step(now_ns)
            await self.kill_watch.step()
        except Unrecoverable as fault:
            self.faults.append(fault)
        self._guard(lambda: self.watch.step(now_ns))

    def _guard(self, act: Callable[[], object]) -> None:
        """As the pipeline does: a fault halts and is reported."""
        try:
            act()
        except Unrecoverable as fault:
            self.faults.append(fault)

    def die(self) -> None:
        """Everything in memory is gone."""
        self.terminal.abandon()
        if self.task is not None:
            self.task.cancel()
        self.journal.close()
        self.is_up = False


@dataclass(frozen=True)
class Parts:
    """Which classes a run is made of; tests put broken ones in."""

    account: MakeAccount = TradingAccount
    journal: MakeJournal = TrackedJournal
    terminal: Callable[[World], Terminal] = Terminal
    broker: Callable[..., PaperBroker] = PaperBroker
    reconciler: Callable[..., Reconciler] = Reconciler
    rules: Rules = RULES


def owner() -> Owner:
    """In whose name; positions opened by a forecast live 40 s."""
    return Owner(TENANT, ACCOUNT, "config", parameters_of(RULES), 40, "test")


def scene(tick: Tick, opinion: dict[str, float]) -> Scene:
    """What the pipeline would hand over: a belief about the symbol, or none."""
    p_up = opinion.get(tick.symbol)
    return Scene(
        tick=tick,
        now_ns=tick.ts_ns,
        ready=True,
        schema_id="schema",
        features=np.array([1.0]),
        forecast=forecast(tick, p_up) if p_up is not None else None,
        states=dict,
        volatility=lambda: 0.005,
        novelty=float,
    )


def forecast(tick: Tick, p_up: float) -> Forecast:
    """A belief that is strong enough to trade on."""
    return Forecast(
        symbol=tick.symbol,
        ts_ns=tick.ts_ns,
        p_up=p_up,
        barrier=0.0015,
        horizon_s=40,
        disagreement=0.0,
        standard_error=0.0,
        calibration_id="c",
        votes=(Vote(model_id="m", family="rule", raw=p_up, calibrated=p_up, weight=1.0),),
    )
