"""The same ticks give the same decisions, however they arrive, and a restart goes on exactly."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from plan2.dataflow.sources import RecordedSource
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.market import SyntheticMarket
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_recorded
from plan2.dataflow.terminals.simulated.terminal import SimulatedTerminal
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Decision, Settings
from plan2.foundation.events.fact import Fact
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.latency import Latency
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TenantId, TickBlock
from plan2.intelligence.models.forecast import Forecast, Vote
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import AccountIdentity
from plan2.intelligence.trading.journal import FileJournal, Journal, MemoryJournal
from plan2.intelligence.trading.reconcile import rebuild, reconcile
from plan2.intelligence.trading.stored import book_events, drain, new_event
from plan2.intelligence.warm_state import WarmState, feed_block
from plan2.wiring.assembly import Floor, FloorPlan, build_floor
from plan2.wiring.recovery import save_warm_state

TUESDAY_NS = 1_709_596_800_000_000_000  # 2024-03-05 00:00 UTC
TENANT = TenantId("default")
SYMBOL = "EURUSD"
SETTINGS = Settings(decision=Decision(explore_after_s=1800.0, cooldown_s=60.0))


class Momentum:
    """A forecaster without models: follows the last hour's return, in place of an ensemble."""

    model_ids = ("momentum",)
    horizon_s = 3600

    def __init__(self) -> None:
        self.bars = 0

    def commit(self, reading: object) -> None:
        """Count bars; the count is its whole memory."""
        self.bars += 1

    def forecast(self, ts_ns: int, reading) -> Forecast:
        """Up when the last 60 bars rose."""
        rise = float(reading.values[reading.plan.names.index("return_60")])
        p_up = 0.5 if np.isnan(rise) else float(np.clip(0.5 + 200.0 * rise, 0.2, 0.8))
        vote = Vote(model_id="momentum", family="rule", raw=p_up, calibrated=p_up, weight=1.0)
        return Forecast(
            symbol=SYMBOL,
            ts_ns=ts_ns,
            p_up=round(p_up, 5),
            barrier=max(reading.sigma * 6.0, 0.0005) if reading.ready else 0.0,
            horizon_s=self.horizon_s,
            disagreement=0.0,
            standard_error=0.01,
            calibration_id="none",
            votes=(vote,),
            abstained="" if reading.ready else "warming_up",
        )

    def states(self) -> dict[str, bytes]:
        """Only its name."""
        return {"bars": self.state_bytes()}

    def state_bytes(self) -> bytes:
        """The count."""
        return self.bars.to_bytes(8, "little")

    def set_state(self, data: bytes) -> None:
        """The count."""
        self.bars = int.from_bytes(data, "little")


class Sink:
    """Facts in order, as the event store would get them."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def put(self, fact: Fact, on_stored: object) -> None:
        """Keep it."""
        self.facts.append(fact)


@pytest.fixture(scope="module")
def day() -> TickBlock:
    """One synthetic day of EURUSD."""
    return SyntheticMarket(11, (SYMBOL,), TUESDAY_NS).generate(TUESDAY_NS + NS_PER_DAY)[SYMBOL]


def terminal_on(
    day: TickBlock, folder: Path | None = None, end_ns: int = TUESDAY_NS + NS_PER_DAY, gate=None
) -> SimulatedTerminal:
    """A paper terminal that replays the day as fast as it goes."""

    def read(symbol: str, start_ns: int, stop_ns: int) -> TickBlock:
        first, last = np.searchsorted(day.ts_ns, [start_ns, min(stop_ns, end_ns)])
        return day.slice(int(first), int(last))

    source = RecordedSource((SYMBOL,), read, TUESDAY_NS, TUESDAY_NS + NS_PER_DAY)
    paper = PaperAccount(
        account="day", data_dir=folder, is_paced=False, gate=gate or (lambda: True)
    )
    return open_recorded(SETTINGS.simulated, source, paper)


def floor_on(terminal: SimulatedTerminal, journal: Journal, sink: Sink) -> Floor:
    """The whole trading part around a terminal."""
    floor = build_floor(
        FloorPlan(
            settings=SETTINGS,
            config_hash="config",
            identity=AccountIdentity(
                tenant_id=TENANT,
                account_id="day",
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            instruments=instruments((SYMBOL,), 30.0),
            ensembles={SYMBOL: Momentum()},
            clock=terminal.clock,
            bus=Bus(),
            latency=Latency(),
            journal=journal,
            sink=sink,
            submit=terminal.submit,
            on_fault=_raise,
        )
    )
    floor.account.guard.know_mode("replay")
    return floor


def _raise(fault: Exception) -> None:
    raise fault


async def played(day: TickBlock, gate=None) -> tuple[Floor, Sink, SimulatedTerminal]:
    """The day from start to end in one go."""
    terminal, sink = terminal_on(day, gate=gate), Sink()
    floor = floor_on(terminal, MemoryJournal(), sink)
    floor.account.set_state(TradingState.ARMED, TUESDAY_NS, "test", "test")
    await terminal.start(floor.pipeline)
    await terminal.wait()
    return floor, sink, terminal


def bare_loop(day: TickBlock) -> tuple[Floor, Sink]:
    """The same day without player, terminal task or asyncio: broker and pipeline called in turn."""
    terminal, sink = terminal_on(day), Sink()
    floor = floor_on(terminal, MemoryJournal(), sink)
    floor.account.set_state(TradingState.ARMED, TUESDAY_NS, "test", "test")
    broker = terminal._broker
    terminal._link.connect(floor.pipeline)
    for block in terminal._source.blocks(TUESDAY_NS):
        for tick in block.ticks(0, len(block)):
            terminal.clock.advance_to(tick.ts_ns)
            broker.on_tick(tick)
            floor.pipeline.on_tick(tick)
    return floor, sink


async def test_replay_and_bare_loop_decide_the_same(day: TickBlock) -> None:
    """Player with slices, a stuttering gate, and a plain loop: one digest, the same facts."""
    turns = iter(range(10**9))
    whole, facts, _ = await played(day)
    stutter, stutter_facts, _ = await played(day, gate=lambda: next(turns) % 3 != 0)
    bare, bare_facts = bare_loop(day)
    kinds = [type(item.event).__name__ for item in facts.facts]
    assert kinds.count("PositionClosed") >= 3
    assert whole.keeper.digest == stutter.keeper.digest == bare.keeper.digest
    assert facts.facts == stutter_facts.facts == bare_facts.facts


async def test_our_books_equal_the_brokers_at_the_end(day: TickBlock) -> None:
    """Balance, equity and positions, to the cent, from two independent ledgers."""
    floor, _, terminal = await played(day)
    theirs = await terminal.account()
    assert theirs is not None
    assert floor.account.portfolio.balance == theirs.balance
    held = {item.ticket for item in await terminal.positions() or ()}
    assert {item.ticket for item in floor.account.positions.open.values()} == held


async def test_a_crash_and_restart_go_on_as_if_nothing_had_happened(
    day: TickBlock, tmp_path: Path
) -> None:
    """Journal drained, books folded, state restored: the second half decides as uninterrupted."""
    cut_ns = TUESDAY_NS + 14 * NS_PER_HOUR
    store, kept = InMemoryEventStore(SimulatedClock(1)), WarmState(tmp_path / "state")
    journal = FileJournal(tmp_path / "journal")
    journal.open()
    first, sink = terminal_on(day, tmp_path, cut_ns), Sink()
    floor = floor_on(first, journal, sink)
    floor.account.set_state(TradingState.ARMED, TUESDAY_NS, "test", "test")
    await first.start(floor.pipeline)
    await first.wait()
    save_warm_state(floor, kept)
    await first.stop()  # the account file is let go; everything else is simply forgotten
    undurable = [item for item in sink.facts if type(item.event).__name__ == "EquityRecorded"]
    await store.append(TENANT, [new_event(item) for item in undurable[-1:]])

    second, rest = terminal_on(day, tmp_path), Sink()
    journal = FileJournal(tmp_path / "journal")
    again = floor_on(second, journal, rest)
    await drain(journal.open(), store, TENANT)
    folded = await rebuild(again.account, book_events(store, TENANT, "day"))
    state = kept.load(again.lanes[SYMBOL], second.clock.now_ns())
    assert state is not None
    feed_block(
        again.lanes[SYMBOL],
        await second.history(SYMBOL, state.ts_ns, second.clock.now_ns()),
        (state.ts_ns, state.seq),
    )
    await second.start(again.pipeline)
    found = await reconcile(again.account, second, folded, second.clock)
    assert (found.agrees, found.late_fills) == (True, 0)
    assert again.account.state is TradingState.ARMED
    await second.wait()

    whole, facts, _ = await played(day)
    orders = _orders(sink) + _orders(rest)
    assert orders == _orders(facts)
    assert again.account.portfolio.balance == whole.account.portfolio.balance
    await second.stop()


def _orders(sink: Sink) -> list[object]:
    """What was ordered and executed, in order."""
    wanted = {"OrderPlaced", "OrderExecuted", "PositionClosed"}
    return [item.event for item in sink.facts if type(item.event).__name__ in wanted]
