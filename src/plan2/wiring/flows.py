"""Wires the flows of one tenant: tables, seats of its account, log, finished backtests."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError, JournalLost
from plan2.foundation.events.base import Event
from plan2.foundation.events.flows import FlowMoved, FlowRegistered, LiveComparisonMade
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import Health, Status
from plan2.foundation.hub import Component
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.intelligence.comparison.traded import Traded, TradedBooks
from plan2.intelligence.flows.desk import FlowDesk, FlowDeskParts
from plan2.intelligence.flows.evidence import RunFiles
from plan2.intelligence.flows.life import FlowMove, FlowVersion
from plan2.intelligence.flows.store import PostgresFlows
from plan2.intelligence.trading.account import TradingAccount
from plan2.interface.api.flow_items import FlowHouse
from plan2.wiring.flow_stage import AccountStage, StagePlan
from plan2.wiring.markets import Market
from plan2.wiring.order_log import TRADED, AccountLog

SYSTEM: Final = "system"
COMPARISONS_SHOWN: Final = 30
COMPARISONS_LOOKED_AT: Final = 1_000
TIDY_EVERY_S: Final = 1.0


class FlowTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a tenant's flows: its settings of now; `room` refuses beyond its quota."""

    settings: Callable[[], Settings]
    room: Callable[[], None]


class FlowsPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant's flows are built on; `folder` is the tenant's."""

    tenant_id: TenantId
    folder: Path
    database: Database
    appender: Appender
    account: TradingAccount
    market: Market
    terms: FlowTerms


class Flows:
    """The flows of one tenant."""

    def __init__(self, plan: FlowsPlan) -> None:
        self._plan = plan
        self._books = TradedBooks()
        self._log = AccountLog(
            (plan.database.store, plan.tenant_id),
            plan.account.identity.account_id,
            TRADED,
            self._books.take,
        )
        terms = plan.terms
        self.stage = AccountStage(
            StagePlan(
                account=plan.account,
                market=plan.market,
                settings=terms.settings(),
                folder=plan.folder,
            )
        )
        self.desk = FlowDesk(
            FlowDeskParts(
                store=PostgresFlows(plan.database.uow, plan.tenant_id),
                stage=self.stage,
                clock=LiveClock(),
                runs=RunFiles(plan.folder).of,
                paper_days=lambda: terms.settings().flows.paper_days,
                room=terms.room,
                tell=self._tell,
            )
        )

    @property
    def house(self) -> FlowHouse:
        """The flows as routes see them."""
        account = self._plan.account
        return FlowHouse(
            desk=self.desk,
            result=account.flows.result,
            troubles=lambda: self.stage.troubles,
            comparisons=self._comparisons,
        )

    async def open(self) -> None:
        """Read what there is, before the first tick: what a flow trades is the flow's alone."""
        await self.desk.open()
        self.stage.expect(self.desk.seated())

    async def begin(self) -> None:
        """Let everything trade that did before; what cannot any more is told and left out."""
        try:
            await self.desk.take_seats()
        except InputError:
            return  # logged, and on the health page

    @property
    def tenant_id(self) -> TenantId:
        """Whose they are."""
        return self._plan.tenant_id

    def seated(self) -> list[FlowVersion]:
        """The versions that trade."""
        return self.desk.seated()

    def compared(self, event: LiveComparisonMade) -> None:
        """Write down how a day of live trading differs from its replay; once, however often."""
        self._put(event.flow, event, SYSTEM, event.day)

    def components(self) -> tuple[Component, ...]:
        """How the flows stand, on the health page; what retired ones leave is closed."""
        return (Component(name="flows", level=4, run=self._tidy, check=self.check),)

    async def _tidy(self) -> None:
        while True:
            with contextlib.suppress(JournalLost):  # trading is halted then; it is tried again
                self.stage.close_orphans()
            await asyncio.sleep(TIDY_EVERY_S)

    def check(self) -> Health:
        """How many trade, and which cannot."""
        seats = self._plan.account.flows.all()
        troubles = self.stage.troubles
        words = "; ".join(troubles.values()) or ", ".join(seat.name for seat in seats)
        status = Status.DEGRADED if troubles else Status.OK
        return Health(status, words, {"trading": float(len(seats))})

    def _tell(self, versions: Sequence[FlowVersion], moves: Sequence[FlowMove]) -> None:
        """Write into the log under ids of their own: once, however often it is told."""
        for each in versions:
            registered = FlowRegistered(
                ts_ns=each.created_ns,
                name=each.name,
                version=each.version,
                digest=each.digest,
                symbol=each.symbol,
                by=each.by,
            )
            self._put(each.name, registered, each.by, each.version)
        for move in moves:
            moved = FlowMoved(
                ts_ns=move.at_ns,
                name=move.name,
                version=move.version,
                from_state=move.before.value,
                to_state=move.to.value,
                account_id=move.account_id,
                by=move.by,
                reason=move.reason,
                evidence=move.evidence,
                is_override=move.is_override,
            )
            self._put(move.name, moved, move.by, move.move_id)

    async def _comparisons(self, name: str) -> list[LiveComparisonMade]:
        stored = await self._plan.database.store.read_all(
            self._plan.tenant_id,
            limit=COMPARISONS_LOOKED_AT,
            newest_first=True,
            types=("LiveComparisonMade",),
        )
        found = [msgspec.json.decode(each.payload, type=LiveComparisonMade) for each in stored]
        return [each for each in found if each.flow == name][:COMPARISONS_SHOWN]

    async def traded(self, name: str, digest: str) -> list[Traded]:
        """What the versions of a flow with this text have earned since they trade.

        Raises:
            StoreBusy: the database does not answer.
        """
        versions = [each for each in self.desk.versions() if each.name == name]
        wanted = [each.version for each in versions if each.digest == digest]
        if not wanted:
            return []
        await self._log.catch_up()
        return self._books.of(name, wanted)

    def _put(self, name: str, event: Event, actor: str, *identity: object) -> None:
        event_id = derived_id(type(event).__name__, self._plan.tenant_id, name, *identity)
        stream = f"flow:{name}"
        self._plan.appender.put(
            NewEvent(stream_id=stream, event=event, event_id=event_id, actor=actor)
        )
