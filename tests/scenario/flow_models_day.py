"""A recorded day that a flow trades on the forecasts of models, which change hands meanwhile."""

import contextlib
import shutil
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import msgspec
import numpy as np
from flow_day import ACCOUNT, DAY_NS, SYMBOL, TENANT, Sink, live_floor
from model_fixtures import small_report

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.economic_calendar import HIGH, Stated
from plan2.dataflow.sources import RecordedSource
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_recorded
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Data, Settings
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TenantId, Tick, TickBlock
from plan2.intelligence.flows.flow import flow_digest, parse_flow
from plan2.intelligence.flows.life import FlowState, FlowVersion
from plan2.intelligence.learning.skew import EngineStates
from plan2.intelligence.models.candidate_files import candidate_id_of
from plan2.intelligence.models.lifecycle import Alias, Candidate, State
from plan2.intelligence.models.moves import Book
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.standing import Expiry
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.swap import LaneStage
from plan2.intelligence.trading.flow_seats import FlowSeat
from plan2.wiring.assembly import Floor
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.flow_policies import make_policy
from plan2.wiring.learning_states import StateKeeper
from plan2.wiring.markets import simulated_home
from plan2.wiring.skew import states_folder
from plan2.wiring.surroundings import calendar_of

TEXT = """\
name = "reader"
[source]
symbol = "EURUSD"
[models]
use = true
[policy]
on = "tick"
long = "p_up > 0.5"
short = "p_up < 0.5"
[exits]
stop_loss = "3 * barrier"
time_s = 1200
[size]
risk_fraction = 0.0005
"""
CANARY_NS = DAY_NS + 4 * NS_PER_HOUR
"""Eight hours hold three whole rounds of ten horizons of a quarter of an hour."""
CHANGE_NS = DAY_NS + 12 * NS_PER_HOUR
DRIFT_NS = DAY_NS + 15 * NS_PER_HOUR
EVENT_NS = DAY_NS + 16 * NS_PER_HOUR
TOLD_NS = DAY_NS - NS_PER_DAY


def market() -> TickBlock:
    """Eighteen hours of quotes twelve seconds apart."""
    rng, count = np.random.default_rng(4), 5_400
    ts_ns = DAY_NS + np.cumsum(rng.integers(100, 24_000, count)) * 1_000_000
    mid = 110_000 + np.cumsum(rng.normal(0.0, 7.0, count)).round().astype(np.int64)
    return TickBlock(SYMBOL, ts_ns, mid / 1e5, (mid + rng.integers(4, 8, count)) / 1e5)


def version_on_paper(account: str = ACCOUNT) -> FlowVersion:
    """The flow as the registry keeps it, on paper."""
    return FlowVersion(
        name="reader", version=1, digest=flow_digest(parse_flow(TEXT)), body=TEXT, symbol=SYMBOL,
        by="user:anna", created_ns=1, since_ns=1, state=FlowState.PAPER, account_id=account,
    )  # fmt: skip


class Installation:
    """A data folder with the day's ticks, an event at 16:00, and trained trees, net and line."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data=Data(dir=str(folder)))
        self.home = simulated_home(folder)
        TickArchive(self.home / "archive").merge(market())
        event = Stated(at_ns=EVENT_NS, currency="USD", name="CPI", impact=HIGH)
        calendar_of(self.home).add([event], TOLD_NS, is_record=True)
        self.registry = Registry(self.home / "models")
        report = small_report(("xgboost", "lstm", "logistic"), horizon_minutes=15)
        ids = {each.manifest.family: self.registry.register(each) for each in report.models}
        schema_id = report.models[0].manifest.schema_id
        self.champion = _candidate((ids["xgboost"], ids["lstm"]), schema_id, State.CHAMPION)
        self.next = _candidate((ids["logistic"],), schema_id, State.CANARY)

    @contextlib.contextmanager
    def without(self, candidate: Candidate, aside: Path) -> Iterator[None]:
        """As long as a candidate's models are not there."""
        folder = self.home / "models"
        for model_id in candidate.model_ids:
            shutil.move(folder / model_id, aside / model_id)
        yield
        for model_id in candidate.model_ids:
            shutil.move(aside / model_id, folder / model_id)

    async def traded(self, account: str = ACCOUNT, tenant: TenantId = TENANT) -> Sink:
        """The day live: a canary from 4:00 on, champion from 12:00 on, doubted from 15:00 on."""
        settings = self.settings
        archive = TickArchive(self.home / "archive")
        source = RecordedSource((SYMBOL,), archive.read, DAY_NS, DAY_NS + NS_PER_DAY)
        broker = msgspec.structs.replace(settings.simulated, order_latency_ms=40)
        terminal = open_recorded(broker, source, PaperAccount(account=account, is_paced=False))
        sink = Sink()
        floor = live_floor(settings, terminal.clock, terminal.submit, sink, (tenant, account))
        floor.account.flows.seat(self._seat(floor))
        floor.account.set_state(TradingState.ARMED, DAY_NS, "test", "test")
        await terminal.start(Served(self, floor))
        await terminal.wait()
        await terminal.stop()
        return sink

    def _seat(self, floor: Floor) -> FlowSeat:
        flow, instrument = parse_flow(TEXT), instruments((SYMBOL,), 30.0)[SYMBOL]
        folder, plan = Path(self.settings.data.dir), plan_of(self.settings)
        policy = make_policy(flow, instrument, floor.account.rules, lambda: 1.0, plan, folder)
        return FlowSeat(flow, 1, flow_digest(flow), policy)


class Served:
    """The market as it is served: models change between ticks, states are kept at bars' ends.

    Implements the terminal's listener.
    """

    def __init__(self, installation: Installation, floor: Floor) -> None:
        self._pipeline = floor.pipeline
        self._lane = floor.lanes[SYMBOL]
        folder = states_folder(installation.home, ACCOUNT)
        self._keeper = StateKeeper(EngineStates(folder), floor.pipeline)
        self._stage = LaneStage(
            floor.lanes, installation.registry, _at_once, lambda: Expiry(days=30, suspend_days=45),
            SimulatedClock(DAY_NS),
        )  # fmt: skip
        self._stage.watched_by(self._keeper.look)
        self._drift = 1.0
        self._stage.heed(lambda _: self._drift)
        champion, second = installation.champion, installation.next
        crowned = msgspec.structs.replace(second, state=State.CHAMPION)
        self._changes: list[tuple[int, Callable[[], None]]] = [
            (DAY_NS, lambda: self._show(_book(champion))),
            (CANARY_NS, lambda: self._show(_book(champion, second))),
            (CHANGE_NS, lambda: self._show(_book(crowned))),
            (DRIFT_NS, lambda: self._doubt(_book(crowned))),
        ]
        self._bar = -1
        self.on_order_update = floor.pipeline.on_order_update
        self.on_link = floor.pipeline.on_link

    def on_tick(self, tick: Tick) -> None:
        """Changes that are due, then the tick, then what is kept of a closed bar."""
        while self._changes and self._changes[0][0] <= tick.ts_ns:
            self._changes.pop(0)[1]()
        self._pipeline.on_tick(tick)
        bar = self._lane.engine.closed_ns
        if bar != self._bar and self._pipeline.last_ticks:
            self._bar = bar
            self._keeper.on_bar(tick)

    def _show(self, book: Book) -> None:
        _run(self._stage.show(book))

    def _doubt(self, book: Book) -> None:
        self._drift = 0.5
        self._stage.judge(book)


def _candidate(model_ids: tuple[str, ...], schema_id: str, state: State) -> Candidate:
    return Candidate(
        candidate_id=candidate_id_of(model_ids), symbols=(SYMBOL,), model_ids=model_ids,
        schema_id=schema_id, state=state, created_ns=DAY_NS - NS_PER_DAY, since_ns=0,
        verdict="insufficient evidence", flags=(), metrics={},
    )  # fmt: skip


def _book(champion: Candidate, canary: Candidate | None = None) -> Book:
    held = {(SYMBOL, Alias.CHAMPION): champion.candidate_id}
    if canary is not None:
        held[SYMBOL, Alias.CHALLENGER] = canary.candidate_id
    known = [each for each in (champion, canary) if each is not None]
    return Book({each.candidate_id: each for each in known}, held)


async def _at_once() -> None:
    """No moment has to be waited for."""


def _run(work: Coroutine[None, None, None]) -> None:
    """To its end, as nothing in it waits: between two ticks."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("something waited")
