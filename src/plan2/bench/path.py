"""The tick path whole: tick to decision, sustained rate, and decision to terminal with the journal.

Runs on the synthetic market with real models: the data folder's own, or small ones trained for it.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import msgspec

from plan2.bench.parts import bare_writes
from plan2.bench.table import Row, percentiles, timed
from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    LinkChange,
    LinkState,
    OrderUpdate,
    UpdateKind,
)
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock, stopwatch_ns
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import Unrecoverable
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency, LatencyHistogram, StageLatency
from plan2.foundation.values import NS_PER_DAY, TenantId, Tick, TickBlock
from plan2.intelligence.models.ensemble import load_ensembles
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import AccountIdentity
from plan2.intelligence.trading.chronicle import NoSink
from plan2.intelligence.trading.journal import Entry, FileJournal, Journal, MemoryJournal
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.train import register_report, train
from plan2.intelligence.warm_state import feed_block
from plan2.wiring.assembly import Floor, FloorPlan, build_floor
from plan2.wiring.feature_plan import plan_of

SYMBOL = "EURUSD"
WARM_DAYS = 2
TRAIN_DAYS = 12
HOT_TICKS = 8_000
IDLE_TICKS = 300
IDLE_S = 0.010
ORDERS = 300
SPEC_US = 1_000.0
ORDER_GOAL_US = 700.0
ORDER_RATIO = 1.3

Say = Callable[[str], None]


class Runner(msgspec.Struct, frozen=True):
    """A floor whose clock moves with its ticks."""

    floor: Floor
    latency: Latency
    clock: SimulatedClock

    def on_tick(self, tick: Tick) -> None:
        """Move the clock and take the tick."""
        self.clock.advance_to(tick.ts_ns)
        self.floor.pipeline.on_tick(tick)


class Course(msgspec.Struct, frozen=True):
    """Ticks to run and the models to run them with."""

    warm: TickBlock
    live: list[Tick]
    registry: Registry
    instrument: Instrument


def prepare(models: Path, scratch: Path, seed: int, say: Say) -> Course:
    """Generate the ticks; train small models when the data folder has none."""
    days = TRAIN_DAYS + WARM_DAYS + 1
    start_ns = FIRST_INSTANT_NS - days * NS_PER_DAY
    block = SyntheticMarket(seed, (SYMBOL,), start_ns).generate(FIRST_INSTANT_NS)[SYMBOL]
    registry = Registry(models)
    if SYMBOL not in registry.champions():
        say("no models in the data folder: training small ones …")
        registry = Registry(scratch / "models")
        request = TrainRequest(
            symbols=(SYMBOL,),
            instruments=instruments((SYMBOL,), 30.0),
            ts_ns=FIRST_INSTANT_NS,
            is_simulated=True,
        )
        register_report(registry, train(request, {SYMBOL: [block]}, lambda _text, _part: None))
    cut = int(len(block) * (1.0 - 1.0 / days))
    first = int(len(block) * (1.0 - (WARM_DAYS + 1.0) / days))
    live = block.slice(cut, len(block))
    rows = zip(live.ts_ns.tolist(), live.bid.tolist(), live.ask.tolist(), strict=True)
    ticks = [Tick(SYMBOL, *row, number) for number, row in enumerate(rows)]
    return Course(block.slice(first, cut), ticks, registry, instruments((SYMBOL,), 30.0)[SYMBOL])


def tick_to_decision(course: Course, settings: Settings) -> list[Row]:
    """Hot in a loop, after a pause of 10 ms, and as many as go through in a second."""
    runner = runner_of(course, settings, MemoryJournal(), lambda _: None)
    hot = timed(lambda n: runner.on_tick(course.live[n]), HOT_TICKS)
    rate = HOT_TICKS / (sum(hot) / 1e9)
    idle: list[int] = []
    for tick in course.live[HOT_TICKS : HOT_TICKS + IDLE_TICKS]:
        time.sleep(IDLE_S)
        started = stopwatch_ns()
        runner.on_tick(tick)
        idle.append(stopwatch_ns() - started)
    rows = [_row("tick → decision, hot", hot, SPEC_US)]
    rows.append(_row("tick → decision, after 10 ms idle", idle, SPEC_US))
    rows.append(
        Row(
            what="ticks through the whole path",
            per_second=round(rate),
            limit="≥ 1,000 /s",
            holds=rate >= 1_000.0,
        )
    )
    return rows + _stages(runner.latency)


def decision_to_terminal(course: Course, settings: Settings, folder: Path) -> Row:
    """A decision that trades: record and order durable in the journal, then the terminal call.

    After each order a bare durable write of the same size follows, so that both meet the same disk;
    both are rounded by a histogram of the same kind.
    """
    journal = WeighingJournal(folder / "orders")
    journal.open()
    sent: list[ApprovedOrder] = []
    runner = runner_of(course, eager(settings), journal, sent.append)
    bare, count = LatencyHistogram("bare"), 0
    with ExitStack() as stack:
        write: Callable[[int], None] | None = None
        for tick in course.live:
            runner.on_tick(tick)
            if sent:
                _refuse(runner.floor, sent.pop())
                if write is None:
                    write = stack.enter_context(bare_writes(folder / "bare", journal.heaviest))
                started = stopwatch_ns()
                write(count)
                bare.record_ns(stopwatch_ns() - started)
                count += 1
            if count >= ORDERS:
                break
    journal.close()
    return _order_row(runner.latency.stage("decision_to_terminal").snapshot(), bare.snapshot())


class WeighingJournal(FileJournal):
    """A journal that knows how many bytes its heaviest entry has: a decision with its order."""

    heaviest = 0

    def append(self, entries: Sequence[Entry], *, adds_risk: bool = False) -> int:
        """See `FileJournal.append`."""
        self.heaviest = max(self.heaviest, *(len(entry.payload) for entry in entries))
        return super().append(entries, adds_risk=adds_risk)


def _order_row(ours: StageLatency, bare: StageLatency) -> Row:
    ratio = round(ours.p50_us / bare.p50_us, 2)
    return Row(
        what="decision → terminal call, durable",
        p50_us=ours.p50_us,
        p99_us=ours.p99_us,
        worst_us=ours.max_us,
        peer=f"bare durable write of that size, p50 {bare.p50_us} p99 {bare.p99_us} µs",
        ratio=ratio,
        limit=f"p99 < {ORDER_GOAL_US:,.0f} µs, p50 ratio ≤ {ORDER_RATIO}",
        holds=ours.p99_us < ORDER_GOAL_US and ratio <= ORDER_RATIO,
    )


def eager(settings: Settings) -> Settings:
    """The same settings, but every tick may trade."""
    return msgspec.structs.replace(
        settings,
        decision=msgspec.structs.replace(settings.decision, explore_after_s=0.001, cooldown_s=0.0),
        risk=msgspec.structs.replace(
            settings.risk,
            orders_per_minute_max=1_000_000,
            messages_per_second_max=1_000_000,
            messages_per_minute_max=1_000_000,
            executions_max=1_000_000,
            duplicate_window_s=0.0,
            spread_max_fraction_of_stop=1.0,
            stop_distance_min_spreads=0.0,
        ),
    )


def _refuse(floor: Floor, order: ApprovedOrder) -> None:
    """The broker says no at once, so that the next decision may trade."""
    floor.pipeline.on_order_update(
        OrderUpdate(
            kind=UpdateKind.REJECTED, ts_ns=order.ts_ns, order_id=order.order_id, reason="bench"
        )
    )


def quiet_runner(course: Course, settings: Settings, bus: Bus) -> Runner:
    """A warm, armed floor that announces on `bus` and sends its orders nowhere."""
    return runner_of(course, settings, MemoryJournal(), lambda _: None, bus)


def runner_of(
    course: Course,
    settings: Settings,
    journal: Journal,
    submit: Callable[[ApprovedOrder], None],
    bus: Bus | None = None,
) -> Runner:
    """A warm, armed floor over this journal, which sends its orders to `submit`."""
    schema_id = plan_of(settings).schema_id
    latency, clock = Latency(), SimulatedClock()
    floor = build_floor(
        FloorPlan(
            settings=settings,
            config_hash="bench",
            identity=AccountIdentity(
                tenant_id=TenantId("bench"),
                account_id="bench",
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            instruments={SYMBOL: course.instrument},
            ensembles=load_ensembles(course.registry, (SYMBOL,), schema_id),
            clock=clock,
            bus=bus or Bus(),
            latency=latency,
            journal=journal,
            sink=NoSink(),
            submit=submit,
            on_fault=_raise,
        )
    )
    feed_block(floor.lanes[SYMBOL], course.warm)
    floor.account.guard.know_mode("simulated")
    floor.account.on_link(LinkChange(state=LinkState.UP, reason="bench", ts_ns=0))
    floor.account.set_state(TradingState.ARMED, course.live[0].ts_ns, "bench", "bench")
    return Runner(floor, latency, clock)


def _raise(fault: Unrecoverable) -> None:
    raise fault


def _row(what: str, durations: list[int], limit_us: float) -> Row:
    p50, p99, worst = percentiles(durations)
    return Row(
        what=what,
        p50_us=p50,
        p99_us=p99,
        worst_us=worst,
        limit=f"p99 < {limit_us:,.0f} µs",
        holds=p99 < limit_us,
    )


def _stages(board: Latency) -> list[Row]:
    return [
        Row(what=f"  stage {name}", p50_us=seen.p50_us, p99_us=seen.p99_us, worst_us=seen.max_us)
        for name in ("quality", "features", "forecast", "decision", "publish")
        for seen in (board.stage(name).snapshot(),)
    ]
