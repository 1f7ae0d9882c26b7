"""Holds a day of a flow's live trading against its replay from the archive, in a child process."""

import datetime as dt
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np

from plan2.connectivity.identity.tenant_store import PostgresTenantStore
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.quality import QualityGate
from plan2.foundation.clock import Clock
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.flows import LiveComparisonMade
from plan2.foundation.log import logger
from plan2.foundation.scheduler import Job
from plan2.foundation.storage import Database, open_database
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, TenantId, TickBlock
from plan2.foundation.workers import run_worker
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.comparison.causes import Comparison, Ground, compare
from plan2.intelligence.comparison.trades import LiveDay, SeenTrade, live_day
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.life import SEATED, FlowVersion
from plan2.intelligence.flows.source import write_source
from plan2.intelligence.flows.store import PostgresFlows
from plan2.intelligence.warm_state import ticks_of
from plan2.wiring.contracts import known_contracts
from plan2.wiring.flow_backtest import PipelineRun, play
from plan2.wiring.flow_stage import WARM_UP_NS
from plan2.wiring.markets import paper_account_of, simulated_home
from plan2.wiring.order_log import order_events
from plan2.wiring.served_again import ServedAgain, kept_states
from plan2.wiring.surroundings import Span

TIMEOUT_S: Final = 3_600.0
EPOCH: Final = dt.date(1970, 1, 1)
TOLERANCE_NS: Final = 5 * NS_PER_SECOND
"""Decisions that lie this far apart may still be the same one."""


class FlowDay(msgspec.Struct, frozen=True, kw_only=True):
    """A flow's day on an account, compared."""

    flow: str
    version: int
    account_id: str
    day: str
    comparison: Comparison


class ComparedTenant(Protocol):
    """What the nightly job needs of a tenant's flows."""

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        ...

    def seated(self) -> list[FlowVersion]:
        """Those that trade."""
        ...

    def compared(self, event: LiveComparisonMade) -> None:
        """Write a comparison into the tenant's own log."""
        ...


class ComparisonJob:
    """The nightly job of the running program; each flow is replayed in a child, in turn.

    Args:
        tenants: those that are open now, the main one first.
    """

    def __init__(
        self, loaded: Loaded, clock: Clock, tenants: Callable[[], Sequence[ComparedTenant]]
    ) -> None:
        self._loaded = loaded
        self._clock = clock
        self._tenants = tenants

    def jobs(self) -> list[Job]:
        """Every night at `flows.compare_at`, UTC."""
        hour, minute = self._loaded.settings.flows.compare_at.split(":")
        return [Job("compare_flows", self.compare, f"{int(minute)} {int(hour)} * * *")]

    async def compare(self) -> None:
        """Compare the last whole day of every flow that trades, tenant by tenant.

        What cannot be compared is logged with the reason and keeps no other from it.
        """
        day = self._clock.now_ns() // NS_PER_DAY - 1
        for tenant in self._tenants():
            for version in tenant.seated():
                found = await self._compared(tenant.tenant_id, version.name, day)
                # A tenant may have been closed meanwhile: nobody stores what is told of it then.
                if found is not None and tenant in self._tenants():
                    tenant.compared(event_of(found, (day + 1) * NS_PER_DAY))

    async def _compared(self, tenant_id: TenantId, name: str, day: int) -> FlowDay | None:
        argv = [sys.executable, "-m", "plan2", "flow", "compare", name, "--worker"]
        argv += ["--tenant", tenant_id, "--day", day_text(day)]
        argv += ["--data-dir", str(data_dir(self._loaded.settings))]
        result = await run_worker(argv, lambda _: None, TIMEOUT_S)
        if result.failure is not None:
            reason = result.failure.message
            logger("flows").error("not_compared", tenant_id=tenant_id, flow=name, reason=reason)
            return None
        return msgspec.convert(result.value, FlowDay)


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


async def compare_day(
    loaded: Loaded, name: str, day: dt.date, tenant_id: TenantId = MAIN_TENANT
) -> FlowDay:
    """Replay a UTC day of a tenant's flow that trades, and compare.

    The replay begins a day earlier, so that it holds what live held when the day began; limits of
    the account do not bear on it, so what they denied live is named as that.

    Raises:
        InputError: there is no such tenant, the flow does not trade, deals at a broker whose quotes
            are not archived, nothing of that day is archived, or it cannot forecast again.
    """
    async with open_database(loaded.settings, lambda _: None, may_join=True) as database:
        await _check_tenant(database, tenant_id)
        versions = await PostgresFlows(database.uow, tenant_id).versions()
        version = next((v for v in versions if v.name == name and v.state in SEATED), None)
        if version is None:
            raise InputError(
                f"No version of flow {name!r} trades.", remedy="`plan2 flow list` shows which do."
            )
        if tenant_id != MAIN_TENANT and version.account_id != paper_account_of(tenant_id):
            raise InputError(
                f"Flow {name} deals at the own broker of tenant {tenant_id}, whose quotes are not "
                "archived: there is nothing to replay it from."
            )
        events = await order_events(database.store, version.account_id, tenant_id)
    return await compared(loaded.settings, version, events, day)


async def _check_tenant(database: Database, tenant_id: TenantId) -> None:
    """Refuse a tenant that nobody made; the installation's own is always there."""
    if tenant_id == MAIN_TENANT:
        return
    known = await PostgresTenantStore(database.access).read()
    if tenant_id not in {each.tenant_id for each in known}:
        raise InputError(
            f"There is no tenant {tenant_id!r}.", remedy="`plan2 tenant list` shows them."
        )


async def compared(
    settings: Settings, version: FlowVersion, events: Sequence[Event], day: dt.date
) -> FlowDay:
    """Hold what an account's events say of a flow's UTC day against its replay.

    Raises:
        InputError: nothing of that day is archived, or its forecasts cannot be made again.
    """
    begin_ns = (day - EPOCH).days * NS_PER_DAY
    block = _archive(settings).read(version.symbol, begin_ns, begin_ns + NS_PER_DAY)
    if not len(block):
        raise InputError(f"No tick of {version.symbol} on {day.isoformat()} is archived.")
    live = live_day(events, version.name)
    wish = _wish(settings, version, live, begin_ns)
    run = await play(wish)
    replayed = [t for t in trades_of(run) if t.decided_ns >= begin_ns]
    contract = known_contracts(settings)[version.symbol]
    ground = ground_of(block, settings, contract.pip)
    if wish.served is not None:
        ground = msgspec.structs.replace(ground, gone=wish.served.gone)
    found = compare(_within(live, begin_ns), replayed, ground)
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


def _home(settings: Settings) -> Path:
    """The folder of the market that is served: its archive, its models, its states."""
    folder = data_dir(settings)
    return simulated_home(folder) if settings.terminal.kind == "simulated" else folder


def _archive(settings: Settings) -> TickArchive:
    return TickArchive(_home(settings) / "archive")


def _served(settings: Settings, version: FlowVersion, span: Span) -> ServedAgain | None:
    """Who forecast for a flow in a span; None for one of rules alone."""
    flow, home = version.flow(), _home(settings)
    if not needs_lane(flow):
        return None
    states = kept_states(home, version.symbol, span.end_ns)
    return ServedAgain(states, home, settings, _archive(settings).read, span)


def needs_lane(flow: Flow) -> bool:
    """Whether a flow looks at what its symbol's lane says: forecasts, or catalogue features."""
    if flow.models.use or flow.policy.kind == "models":
        return True
    return bool(write_source(flow).program.outer)


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
        served=_served(settings, version, Span(start_ns, begin_ns + NS_PER_DAY)),
    )


def _within(live: LiveDay, begin_ns: int) -> LiveDay:
    """What was decided on the day, as it stood at its end."""
    end_ns = begin_ns + NS_PER_DAY
    decided = [t for t in live.trades if begin_ns <= t.decided_ns < end_ns]
    trades = tuple(still_open(t) if t.closed_ns >= end_ns else t for t in decided)
    return msgspec.structs.replace(live, trades=trades)
