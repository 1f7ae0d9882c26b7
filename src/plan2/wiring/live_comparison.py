"""Holds a day of a flow's live trading against its replay from the archive, in a child process."""

import datetime as dt
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.quality import QualityGate
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import STORED
from plan2.foundation.events.flows import LiveComparisonMade
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.log import logger
from plan2.foundation.scheduler import Job
from plan2.foundation.storage import open_database
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, TenantId, TickBlock
from plan2.foundation.workers import run_worker
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.comparison.causes import Comparison, Ground, compare
from plan2.intelligence.comparison.trades import LiveDay, SeenTrade, live_day
from plan2.intelligence.flows.life import SEATED, FlowVersion
from plan2.intelligence.flows.store import PostgresFlows
from plan2.intelligence.warm_state import ticks_of
from plan2.wiring.contracts import known_contracts
from plan2.wiring.flow_backtest import PipelineRun, play
from plan2.wiring.flow_stage import WARM_UP_NS
from plan2.wiring.markets import Market, simulated_home

TIMEOUT_S: Final = 3_600.0
PAGE: Final = 500
EPOCH: Final = dt.date(1970, 1, 1)
SEEN: Final = ("OrderPlaced", "OrderExecuted", "OrderRejected", "OrderDenied")
TOLERANCE_NS: Final = 5 * NS_PER_SECOND
"""Decisions that lie this far apart may still be the same one."""


class FlowDay(msgspec.Struct, frozen=True, kw_only=True):
    """A flow's day on an account, compared."""

    flow: str
    version: int
    account_id: str
    day: str
    comparison: Comparison


class ComparisonJob:
    """The nightly job of the running program; each flow is replayed in a child."""

    def __init__(
        self,
        loaded: Loaded,
        market: Market,
        seated: Callable[[], list[FlowVersion]],
        record: Callable[[LiveComparisonMade], None],
    ) -> None:
        self._loaded = loaded
        self._market = market
        self._seated = seated
        self._record = record

    def jobs(self, at: str) -> list[Job]:
        """Every night at a time such as `00:50`, UTC."""
        hour, minute = at.split(":")
        return [Job("compare_flows", self.compare, f"{int(minute)} {int(hour)} * * *")]

    async def compare(self) -> None:
        """Compare the last whole day of every flow that trades."""
        day = self._market.clock.now_ns() // NS_PER_DAY - 1
        for version in self._seated():
            argv = [sys.executable, "-m", "plan2", "flow", "compare", version.name, "--worker"]
            argv += ["--data-dir", str(data_dir(self._loaded.settings)), "--day", day_text(day)]
            result = await run_worker(argv, lambda _: None, TIMEOUT_S)
            if result.failure is not None:
                reason = result.failure.message
                logger("flows").error("not_compared", flow=version.name, reason=reason)
                continue
            self._record(event_of(msgspec.convert(result.value, FlowDay), (day + 1) * NS_PER_DAY))


def event_of(found: FlowDay, ts_ns: int) -> LiveComparisonMade:
    """The fact that a day was compared."""
    return LiveComparisonMade(
        ts_ns=ts_ns,
        account_id=found.account_id,
        flow=found.flow,
        version=found.version,
        day=found.day,
        **msgspec.structs.asdict(found.comparison),
    )


def day_text(day: int) -> str:
    """Days since 1970 as YYYY-MM-DD."""
    return (EPOCH + dt.timedelta(days=day)).isoformat()


async def compare_day(loaded: Loaded, name: str, day: dt.date) -> FlowDay:
    """Replay a UTC day of a flow that trades, and compare.

    The replay begins a day earlier, so that it holds what live held when the day began; limits of
    the account do not bear on it, so what they denied live is named as that.

    Raises:
        InputError: the flow does not trade, reads forecasts, or nothing of that day is archived.
    """
    async with open_database(loaded.settings, lambda _: None, may_join=True) as database:
        versions = await PostgresFlows(database.uow, MAIN_TENANT).versions()
        version = next((v for v in versions if v.name == name and v.state in SEATED), None)
        if version is None:
            raise InputError(
                f"No version of flow {name!r} trades.", remedy="`plan2 flow list` shows which do."
            )
        events = await order_events(database.store, version.account_id)
    return await compared(loaded.settings, version, events, day)


async def compared(
    settings: Settings, version: FlowVersion, events: Sequence[Event], day: dt.date
) -> FlowDay:
    """Hold what an account's events say of a flow's UTC day against its replay.

    Raises:
        InputError: the flow reads forecasts, or nothing of that day is archived.
    """
    flow, begin_ns = version.flow(), (day - EPOCH).days * NS_PER_DAY
    if flow.models.use or flow.policy.kind == "models":
        raise InputError(
            f"Flow {version.name} reads forecasts, which the replay of a day does not have."
        )
    block = _archive(settings).read(version.symbol, begin_ns, begin_ns + NS_PER_DAY)
    if not len(block):
        raise InputError(f"No tick of {version.symbol} on {day.isoformat()} is archived.")
    live = live_day(events, version.name)
    run = await play(_wish(settings, version, live, begin_ns))
    replayed = [t for t in trades_of(run) if t.decided_ns >= begin_ns]
    contract = known_contracts(settings)[version.symbol]
    found = compare(_within(live, begin_ns), replayed, ground_of(block, settings, contract.pip))
    return FlowDay(
        flow=version.name,
        version=version.version,
        account_id=version.account_id,
        day=day.isoformat(),
        comparison=found,
    )


def trades_of(run: BacktestRun) -> list[SeenTrade]:
    """The trades of a replay; what was closed because the day was over is open."""
    trades = [
        SeenTrade(
            side=row["side"],
            lots=row["lots"],
            decided_ns=row["decided_ns"],
            opened_ns=row["open_ns"],
            open_price=row["open_price"],
            closed_ns=row["close_ns"],
            close_price=row["close_price"],
            net=_cents(row["net"]),
        )
        for row in run.trades.iter_rows(named=True)
    ]
    reasons = run.trades["exit_reason"].to_list()
    return [
        still_open(trade) if reason == "end" else trade
        for trade, reason in zip(trades, reasons, strict=True)
    ]


def still_open(trade: SeenTrade) -> SeenTrade:
    """The trade as it stood before it was closed."""
    return msgspec.structs.replace(trade, closed_ns=0, close_price=0.0, net=Decimal(0))


def ground_of(block: TickBlock, settings: Settings, pip: float) -> Ground:
    """Recorded quotes, and which ticks the live quality gate takes."""
    quality = QualityGate(block.symbol, settings.market.spike_sigmas)
    refused = {
        tick.ts_ns for tick in ticks_of(block) if not quality.check(tick, tick.ts_ns).is_accepted
    }

    def quote(ts_ns: int) -> tuple[float, float] | None:
        row = int(np.searchsorted(block.ts_ns, ts_ns, side="right")) - 1
        return (float(block.bid[row]), float(block.ask[row])) if row >= 0 else None

    return Ground(
        quote=quote,
        was_seen=lambda ts_ns: ts_ns not in refused,
        pip=pip,
        tolerance_ns=TOLERANCE_NS,
    )


def _cents(money: float) -> Decimal:
    return Decimal(f"{money:.2f}")


def _archive(settings: Settings) -> TickArchive:
    folder = data_dir(settings)
    home = simulated_home(folder) if settings.terminal.kind == "simulated" else folder
    return TickArchive(home / "archive")


def _wish(settings: Settings, version: FlowVersion, live: LiveDay, begin_ns: int) -> PipelineRun:
    """From a day before, but not from before the flow's first trade."""
    flow, archive = version.flow(), _archive(settings)
    first_ns = min((trade.decided_ns for trade in live.trades), default=begin_ns)
    start_ns = max(begin_ns - NS_PER_DAY, min(first_ns, begin_ns + NS_PER_DAY - 1))
    execution = msgspec.structs.replace(
        flow.execution,
        fill="next_quote",
        latency_ms=float(settings.simulated.order_latency_ms),
        latency_spread_ms=0.0,
        slippage="fixed",
        slippage_points=0.0,
        reject_fraction=0.0,
        partial_fraction=0.0,
        close_at_end=True,
    )
    return PipelineRun(
        flow=msgspec.structs.replace(flow, execution=execution),
        instrument=known_contracts(settings)[version.symbol],
        settings=settings,
        read=archive.read,
        start_ns=start_ns,
        end_ns=begin_ns + NS_PER_DAY,
        data_id="archive",
        folder=data_dir(settings),
        warm_ns=WARM_UP_NS,
    )


def _within(live: LiveDay, begin_ns: int) -> LiveDay:
    """What was decided on the day, as it stood at its end."""
    end_ns = begin_ns + NS_PER_DAY
    decided = [t for t in live.trades if begin_ns <= t.decided_ns < end_ns]
    trades = tuple(still_open(t) if t.closed_ns >= end_ns else t for t in decided)
    return msgspec.structs.replace(live, trades=trades)


async def order_events(store: EventStore, account_id: str) -> list[Event]:
    """What happened to the orders of an account of the first tenant, oldest first."""
    return await events_of(store, MAIN_TENANT, account_id, SEEN)


async def events_of(
    store: EventStore, tenant_id: TenantId, account_id: str, types: tuple[str, ...]
) -> list[Event]:
    """Events of these types in the order of the log; those of an account of this one alone."""
    found: list[Event] = []
    after = 0
    while True:
        page = await store.read_all(tenant_id, after=after, limit=PAGE, types=types)
        for stored in page:
            event = msgspec.json.decode(stored.payload, type=STORED[stored.type][1])
            if stored.type not in SEEN or getattr(event, "account_id", "") == account_id:
                found.append(event)
        if len(page) < PAGE:
            return found
        after = page[-1].position
