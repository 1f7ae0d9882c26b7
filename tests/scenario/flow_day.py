"""A recorded day that a flow trades on paper, for tests of its replay."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.sources import RecordedSource
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_recorded
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Data, Settings
from plan2.foundation.events.base import Event
from plan2.foundation.events.fact import Fact
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.latency import Latency
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MS, TenantId, TickBlock
from plan2.intelligence.flows.flow import Flow, flow_digest, parse_flow
from plan2.intelligence.flows.life import FlowState, FlowVersion
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import AccountIdentity
from plan2.intelligence.trading.chronicle import EventSink
from plan2.intelligence.trading.flow_seats import FlowSeat
from plan2.intelligence.trading.journal import MemoryJournal
from plan2.intelligence.trading.stored import new_event
from plan2.wiring.assembly import Floor, FloorPlan, build_floor
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.flow_policies import make_policy
from plan2.wiring.markets import simulated_home
from plan2.wiring.order_log import order_events

SYMBOL = "EURUSD"
TENANT = TenantId("default")
ACCOUNT = "paper"
DAY = dt.date(2024, 3, 5)
DAY_NS = 1_709_596_800_000_000_000
OPEN_NS = DAY_NS + 8 * NS_PER_HOUR
"""A Tuesday; quotes come from 08:00 to 14:00 UTC."""
TEXT = """\
name = "quick"
[source]
symbol = "EURUSD"
[features]
quick = "ema(close, 3)"
calm = "ema(close, 8)"
[policy]
long = "crosses_above(quick, calm)"
short = "crosses_below(quick, calm)"
warm_up = 20
[exits]
stop_loss = "12 * pip"
take_profit = "20 * pip"
[[exits.partial]]
at_r = 0.5
fraction = 0.5
[size]
lots = 0.02
"""


class Sink:
    """What the event store would get, in order."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def put(self, fact: Fact, _: object) -> None:
        """Keep it."""
        self.facts.append(fact)


def archive_day(folder: Path) -> Settings:
    """An installation whose archive of the simulated market holds the day."""
    rng = np.random.default_rng(4)
    ts_ns = OPEN_NS + np.cumsum(rng.integers(2_000, 9_000, 4_000)) * NS_PER_MS
    mid = 110_000 + np.cumsum(rng.normal(0.0, 5.0, 4_000)).round().astype(np.int64)
    spread = rng.integers(5, 12, 4_000)
    block = TickBlock(SYMBOL, ts_ns, mid / 1e5, (mid + spread) / 1e5)
    TickArchive(simulated_home(folder) / "archive").merge(block)
    return Settings(data=Data(dir=str(folder)))


def version_on_paper(account: str = ACCOUNT) -> FlowVersion:
    """The flow as the registry keeps it, on paper."""
    return FlowVersion(
        name="quick", version=1, digest=flow_digest(parse_flow(TEXT)), body=TEXT, symbol=SYMBOL,
        by="user:anna", created_ns=1, since_ns=1, state=FlowState.PAPER, account_id=account,
    )  # fmt: skip


async def traded(
    settings: Settings,
    flow: Flow,
    latency_ms: int = 40,
    faults: Faults | None = None,
    identity: tuple[TenantId, str] = (TENANT, ACCOUNT),
) -> Sink:
    """The day on a tenant's paper account, through the whole pipeline with the usual limits."""
    archive = TickArchive(simulated_home(Path(settings.data.dir)) / "archive")
    source = RecordedSource((SYMBOL,), archive.read, DAY_NS, DAY_NS + NS_PER_DAY)
    broker = msgspec.structs.replace(settings.simulated, order_latency_ms=latency_ms)
    paper = PaperAccount(account=identity[1], is_paced=False, faults=faults or Faults())
    terminal, sink = open_recorded(broker, source, paper), Sink()
    floor = live_floor(settings, terminal.clock, terminal.submit, sink, identity)
    account, instrument = floor.account, instruments((SYMBOL,), 30.0)[SYMBOL]
    policy = make_policy(
        flow, instrument, account.rules, lambda: 1.0, plan_of(settings), Path(settings.data.dir)
    )
    account.flows.seat(FlowSeat(flow, 1, flow_digest(flow), policy))
    account.set_state(TradingState.ARMED, DAY_NS, "test", "test")
    await terminal.start(floor.pipeline)
    await terminal.wait()
    await terminal.stop()
    return sink


def live_floor(
    settings: Settings,
    clock: object,
    submit: object,
    sink: EventSink,
    identity: tuple[TenantId, str] = (TENANT, ACCOUNT),
    ensembles: dict[str, Ensemble] | None = None,
) -> Floor:
    """The trading part as `plan2 serve` builds it."""
    floor = build_floor(
        FloorPlan(
            settings=settings,
            config_hash="config",
            identity=AccountIdentity(
                tenant_id=identity[0],
                account_id=identity[1],
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            instruments=instruments((SYMBOL,), 30.0),
            ensembles=ensembles or {},
            clock=clock,  # type: ignore[arg-type]
            bus=Bus(),
            latency=Latency(),
            journal=MemoryJournal(),
            sink=sink,
            submit=submit,  # type: ignore[arg-type]
            on_fault=_raise,
        )
    )
    floor.account.guard.know_mode("simulated")
    return floor


def _raise(fault: Exception) -> None:
    raise fault


async def stored(sink: Sink, change=lambda event: event) -> list[Event]:
    """The facts through an event store and back, as the nightly job reads them."""
    store = InMemoryEventStore(SimulatedClock(1))
    await store.append(TENANT, [new_event(each) for each in changed(sink, change)])
    return await order_events(store, ACCOUNT)


def changed(sink: Sink, change: Callable[[Event], Event]) -> list[Fact]:
    """The facts with other events."""
    return [msgspec.structs.replace(each, event=change(each.event)) for each in sink.facts]
