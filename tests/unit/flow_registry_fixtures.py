"""A registry of flows in memory: its tables as lists, its account as two switches."""

import itertools
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.events.flows import LiveComparisonMade
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.flows.desk import (
    AccountStanding,
    FlowDesk,
    FlowDeskParts,
    FlowWish,
)
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.life import FlowMove, FlowState, FlowVersion
from plan2.intelligence.trading.flow_seats import FlowResult
from plan2.interface.api.flow_items import FlowHouse
from unit.flow_fixtures import EMA_CROSS

NOW_NS = 1_709_640_000_000_000_000
SECOND_TEXT = EMA_CROSS.replace("fast = 10", "fast = 12")


class Wall:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.ns = NOW_NS

    def now_ns(self) -> int:
        """Now."""
        return self.ns

    def pass_days(self, days: float) -> None:
        """Let time pass."""
        self.ns += int(days * NS_PER_DAY)


class MemoryFlows:
    """The tables, and a database that can be away."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], FlowVersion] = {}
        self.written: list[FlowMove] = []
        self.is_away = False
        self._ids = itertools.count(1)

    async def versions(self) -> list[FlowVersion]:
        """All of them."""
        return list(self.rows.values())

    async def moves(self) -> list[FlowMove]:
        """All of them."""
        return list(self.written)

    async def add(self, version: FlowVersion) -> None:
        """One more."""
        self.rows[version.name, version.version] = version

    async def write(self, move: FlowMove) -> None:
        """Change the state, as the trigger does."""
        if self.is_away:
            raise StoreBusy("away")
        row = self.rows[move.name, move.version]
        assert row.state is move.before
        self.rows[move.name, move.version] = msgspec.structs.replace(
            row, state=move.to, account_id=move.account_id, since_ns=move.at_ns
        )
        self.written.append(msgspec.structs.replace(move, move_id=next(self._ids)))


class Stage:
    """An account that notes who trades it."""

    def __init__(self) -> None:
        self.is_real = False
        self.is_armed = True
        self.seated: list[tuple[str, int, str]] = []
        self.held: list[str] = []

    def standing(self) -> AccountStanding:
        """As the switches say."""
        return AccountStanding(account_id="paper", is_real=self.is_real, is_armed=self.is_armed)

    def check(self, flow: Flow) -> None:
        """Only EURUSD is on offer."""
        if flow.source.symbol != "EURUSD":
            raise InputError(f"{flow.source.symbol} is not on offer here.")

    def hold(self, name: str) -> None:
        """Note it."""
        self.held.append(name)

    async def show(self, versions: Sequence[FlowVersion]) -> None:
        """Note it."""
        self.seated = [(each.name, each.version, each.state.value) for each in versions]


def flow_house(registry: "Registry") -> FlowHouse:
    """A registry as routes see it: nothing is earned, and no day was compared."""
    nothing = Decimal(0)

    async def none(_: str) -> list[LiveComparisonMade]:
        return []

    def result(_: str) -> FlowResult:
        return FlowResult(
            realised=nothing, floating=nothing, trades=0, positions=(), decided_ns=0, sentence=""
        )

    return FlowHouse(desk=registry.desk, result=result, troubles=dict, comparisons=none)


class Registry:
    """A desk with everything around it in memory."""

    def __init__(self, store: MemoryFlows | None = None) -> None:
        self.store = store or MemoryFlows()
        self.stage, self.clock = Stage(), Wall()
        self.runs: dict[str, tuple[str, ...]] = {}
        self.told: list[str] = []
        self.is_full = False
        self.desk = FlowDesk(
            FlowDeskParts(
                store=self.store,
                stage=self.stage,
                clock=self.clock,
                runs=lambda digest: self.runs.get(digest, ()),
                paper_days=lambda: 10,
                room=self._room,
                tell=self._tell,
            )
        )

    async def at(self, state: FlowState, text: str = EMA_CROSS) -> FlowVersion:
        """A version that was taken to a state on the usual way."""
        version = await self.desk.register(text, "user:anna")
        self.runs[version.digest] = ("run-1",)
        way = [FlowState.BACKTESTED, FlowState.PAPER, FlowState.LIVE]
        if state is FlowState.PAUSED:
            way = [FlowState.BACKTESTED, FlowState.PAPER, FlowState.PAUSED]
        for to in way[: way.index(state) + 1] if state in way else []:
            if to is FlowState.LIVE:
                self.clock.pass_days(10)
            version = await self.move(version, to)
        return version

    async def move(
        self, version: FlowVersion, to: FlowState, reason: str = "test", *, over: bool = False
    ) -> FlowVersion:
        """Move it in Anna's name."""
        wish = FlowWish(
            name=version.name, version=version.version, to=to, by="user:anna", reason=reason
        )
        return await self.desk.move(wish, is_override=over)

    def _room(self) -> None:
        if self.is_full:
            raise InputError("quota")

    def _tell(self, versions: Sequence[FlowVersion], moves: Sequence[FlowMove]) -> None:
        self.told += [f"registered {each.label}" for each in versions]
        self.told += [f"moved {each.name} {each.version} to {each.to}" for each in moves]
