"""One seeded run: wishes and misfortunes for a while, then a quiet minute in which all must settle.

The seed decides everything: which kinds of misfortune this run knows at all, when they strike, what
is wished for, how the market moves. Time is simulated; the event loop's time moves with it.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from virtual_time import run_virtual

from plan2.dataflow.terminals.port import LinkState
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from simulation.invariants import Invariants, Violated, hold
from simulation.process import Parts, Process, Trace
from simulation.twin_venue import TwinVenue, twin_parts
from simulation.wishes import Wisher
from simulation.world import TENANT, TUESDAY_NS, Crash, World

GAPS_MS = (100, 250, 500, 1_000)
TURNS = 160
QUIET_MS = 60_000
QUIET_GAP_MS = 500
HEDGING, NETTING = "hedging", "netting"
PAPER, TWIN = "paper", "twin"
"""The simulated broker, or the module-shaped twin behind the engine of a MetaTrader host."""
PLACES = (
    "journal_before",
    "journal_torn",
    "journal_after",
    "submit_before",
    "submit_after",
    "question",
    "store_before",
    "store_after",
    "drain_before",
    "drain_after",
    "announce",
    "heard",
)
"""Where the process may die."""


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    seed: int
    digest: str
    violated: str
    lines: list[str]
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """Which misfortunes a run knows: swarm testing, so that none hides another for good."""

    crash: float
    link: float
    store: float
    mute: float
    manual: float
    kill: float
    wish: float
    faults: Faults


def profile_of(rng: np.random.Generator, seed: int) -> Profile:
    """Each kind of misfortune is absent in half of the runs."""

    def chance(most: float) -> float:
        return float(rng.random() * most) if rng.random() < 0.5 else 0.0

    return Profile(
        crash=chance(0.12),
        link=chance(0.05),
        store=chance(0.05),
        mute=chance(0.3),
        manual=chance(0.05),
        kill=chance(0.02),
        wish=0.15 + float(rng.random()) * 0.3,
        faults=Faults(
            seed=seed,
            lost_order=chance(0.3),
            lost_reply=chance(0.3),
            duplicate_reply=chance(0.4),
            delay=chance(0.4),
            partial_fill=chance(0.4),
            late_reply=chance(0.3),
            reorder=chance(0.4),
            late_history=chance(0.3),
            rejected=chance(0.2),
        ),
    )


class Run:
    """One seed, from the first turn to the last check."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        parts: Parts | None = None,
        rules: str = HEDGING,
        venue: str = PAPER,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.profile = profile_of(self.rng, seed)
        broker = parts.broker if parts else PaperBroker
        make_world = TwinVenue if venue == TWIN else World
        self.world = make_world(seed, self.profile.faults, broker, rules == HEDGING)
        if venue == TWIN:
            parts = parts or twin_parts(folder / "host" / "engine.json")
        self.trace = Trace(self.world.clock.now_ns)
        self.durable: dict[str, str] = {}
        self.invariants = Invariants(self.world, self.durable)
        self.wisher = Wisher(self.world, self.rng)
        self.counts = {"crashes": 0, "lives": 0, "cuts": 0, "outages": 0}
        self._folder = folder
        self._parts = parts
        self._process: Process | None = None
        self._last_wish: Callable[[Process], None] | None = None
        self._away = {"process": 0, "link": 0, "store": 0}

    async def play(self) -> None:
        """Everything, or `Violated`."""
        for _ in range(TURNS):
            self._strike()
            gap_ms = GAPS_MS[int(self.rng.integers(len(GAPS_MS)))]
            await self._turn(gap_ms, self._want)
        self._calm()
        self._last_wish = self.wisher.kill if self.rng.random() < 0.5 else self.wisher.withdraw
        for _ in range(QUIET_MS // QUIET_GAP_MS):
            await self._turn(QUIET_GAP_MS, self._end)
        await self._check_the_end()

    # --- a turn ---------------------------------------------------------------------------

    async def _turn(self, gap_ms: int, act) -> None:
        ticks = self.world.next_ticks(gap_ms)
        try:
            for tick in ticks:
                self.world.broker.on_tick(tick)
            process = await self._living()
            if process is not None:
                act(process)
                opinion = self.wisher.opinion() if act == self._want else {}
                await process.step(ticks, opinion)
        except Crash as crash:
            self._bury(crash)
        await asyncio.sleep(gap_ms / 1000)
        task = self._process.task if self._process is not None else None
        if task is not None and task.done() and isinstance(task.exception(), Crash):
            self._bury(task.exception())
        self.invariants.each_turn()

    async def _living(self) -> Process | None:
        """The process that runs now; a dead one is started again when its time has come."""
        if self._process is not None:
            return self._process
        if self._away["process"] > 0:
            self._away["process"] -= 1
            return None
        self._process = Process(self.world, self._folder, self.trace, self.durable, self._parts)
        if not await self._process.boot():
            self._process.die()
            self._process = None
            return None
        self.counts["lives"] += 1
        if self._away["link"]:
            self._process.terminal.link.cut(LinkState.DOWN, "still away")
        return self._process

    def _bury(self, crash: BaseException | None) -> None:
        self.trace.note("crash", crash)
        self.counts["crashes"] += 1
        if self._process is not None:
            self._process.die()
            self._process = None
        self._away["process"] = int(self.rng.integers(0, 12))

    # --- misfortunes and wishes -----------------------------------------------------------

    def _strike(self) -> None:
        rng, profile, world = self.rng, self.profile, self.world
        if rng.random() < profile.crash:
            place = PLACES[int(rng.integers(len(PLACES)))]
            world.plan.arm(place, int(rng.integers(0, 4)))
        self._toggle("link", profile.link)
        self._toggle("store", profile.store)
        world.mute_chance = profile.mute
        if rng.random() < profile.manual:
            self.trace.note("by hand", self._guarded_hand())

    def _guarded_hand(self) -> str:
        try:
            return self.wisher.trade_by_hand()
        except Crash as crash:
            self._bury(crash)
            return "crash"

    def _toggle(self, what: str, chance: float) -> None:
        """Something goes away for some turns, and comes back."""
        if self._away[what] > 0:
            self._away[what] -= 1
            if self._away[what] == 0:
                self._set(what, is_there=True)
        elif self.rng.random() < chance:
            self._away[what] = int(self.rng.integers(1, 25))
            self._set(what, is_there=False)
        elif what == "store" and chance and self.rng.random() < 0.1:
            self.world.store.answers_to_lose = 1

    def _set(self, what: str, *, is_there: bool) -> None:
        self.trace.note(what, is_there)
        if what == "store":
            self.counts["outages"] += not is_there
            self.world.store.is_up = is_there
            return
        self.counts["cuts"] += not is_there
        if self._process is None:
            return
        link = self._process.terminal.link
        try:
            if is_there:
                link.restore()
            else:
                states = (LinkState.DOWN, LinkState.DEGRADED)
                link.cut(states[int(self.rng.integers(2))], "cut")
        except Crash as crash:
            self._bury(crash)

    def _want(self, process: Process) -> None:
        account = process.account
        if account.state is not TradingState.ARMED and self.rng.random() < 0.1:
            self._arm(process)
        if self.rng.random() < self.profile.kill:
            self.trace.note("kill")
            self.wisher.kill(process)
        if self.rng.random() < self.profile.wish:
            said = self.wisher.wish(process)
            if said:
                self.trace.note("wish", said)

    def _arm(self, process: Process) -> None:
        now_ns, mode = self.world.clock.now_ns(), self.world.mode
        try:
            process.account.set_state(TradingState.ARMED, now_ns, "user:sim", "go on", mode=mode)
        except InputError:
            self.trace.note("not armed")

    # --- the end --------------------------------------------------------------------------

    def _calm(self) -> None:
        """No more misfortunes; what is under way goes on."""
        world = self.world
        world.plan.disarm()
        world.mute_chance = 0.0
        world.store.answers_to_lose = 0
        world.calm()
        self._away["process"] = 0
        for what in ("link", "store"):
            if self._away[what]:
                self._away[what] = 0
                self._set(what, is_there=True)
        self.trace.note("calm")

    def _end(self, process: Process) -> None:
        """Ask once for everything to end; what follows from it goes on by itself."""
        if self._last_wish is not None:
            self._last_wish(process)
            self._last_wish = None

    async def _check_the_end(self) -> None:
        process = self._process
        assert process is not None
        await process.appender.flush()
        self.invariants.one_order_for_one_intent()
        self.invariants.books_are_equal(process)
        self.invariants.all_is_settled(process)
        await self._check_restart(process)
        events = self.world.store.inner._logs[TENANT].events
        self.invariants.verdicts_were_right(events)
        stored = {each.event_id for each in events}
        lost = [key for key, event_id in self.durable.items() if event_id not in stored]
        hold(not lost, f"durable orders that are not in the event store: {lost}")
        self.trace.note("stored", len(events), events[-1].hash.hex())

    async def _check_restart(self, process: Process) -> None:
        """A start from what is on disk alone gives the same books."""
        before = (process.account.positions.open, process.account.portfolio.balance)
        process.die()
        again = Process(self.world, self._folder, self.trace, self.durable, self._parts)
        hold(await again.boot(), "it does not start again")
        found = await again.reconciler.settle()
        hold(found.agrees and found.late_fills == 0, f"a restart finds {found}")
        after = (again.account.positions.open, again.account.portfolio.balance)
        hold(before == after, f"a restart has other books: {before} → {after}")
        again.die()


def simulate(
    seed: int, parts: Parts | None = None, rules: str = HEDGING, venue: str = PAPER
) -> Result:
    """Play one seed from scratch, at an account of these rules and this kind of broker."""
    folder = Path(tempfile.mkdtemp(prefix="plan2-sim-", dir=memory_folder()))
    run = Run(seed, folder, parts, rules, venue)
    violated = ""
    try:
        run_virtual(run.play())
    except Violated as found:
        violated = str(found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    run.trace.note("violated", violated)
    seconds = (run.world.clock.now_ns() - TUESDAY_NS) // NS_PER_SECOND
    if isinstance(run.world, TwinVenue):
        run.counts["reversals"] = run.world.reversals()
    counts = {**run.counts, "sent": len(run.invariants.sent), "clock_s": seconds}
    return Result(seed, run.trace.digest, violated, run.trace.lines, counts)


def memory_folder() -> str | None:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder in it
    return str(memory) if memory.is_dir() else None
