"""Tenants that cannot be opened or served keep no other from it, and are tried again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from virtual_time import run_virtual

from plan2.connectivity.identity.directory import Tenant, TenantDirectory, TenantState
from plan2.foundation.errors import StoreBusy
from plan2.foundation.health import Status
from plan2.foundation.values import TenantId
from plan2.wiring.tenant_folder import WindingDown, folder_of
from plan2.wiring.tenant_opening import Ground, Opened
from plan2.wiring.tenant_places import ON_PAPER
from plan2.wiring.tenant_run import TenantRun
from plan2.wiring.tenant_runs import DRAIN_S, TenantRuns
from plan2.wiring.venue import Venue

ACME = TenantId("acme")


class Away:
    """A database that does not answer when a tenant is to be opened."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def admit(self, tenant_id: TenantId) -> None:
        """Fail, and count."""
        self.asked.append(tenant_id)
        raise StoreBusy("The database does not answer.")


class Paper:
    """The places of tenants that are bound to no broker."""

    def name_of(self, _tenant_id: TenantId) -> str:
        """Where everybody deals."""
        return ON_PAPER

    def on_change(self, _listener: object) -> None:
        """Nobody is ever bound."""

    def has_dealt(self, _tenant_id: TenantId) -> bool:
        """Nobody was ever anywhere else."""
        return False

    async def rest(self, _tenant_id: TenantId) -> None:
        """No terminal is let in."""


def runs_on(away: Away, folder: Path) -> TenantRuns:
    """All tenants of a process that could open none but the main one."""
    nothing: Any = None  # what an opening that fails at its first step never touches
    ground = Ground(
        settings_of=nothing, seal_of=nothing, admit=away.admit, room=nothing, follow=nothing,
        count=nothing, brokers=cast(Any, Paper()),
        folder=folder, market=nothing, venue=nothing, pipeline=nothing, lag=nothing,
    )  # fmt: skip
    main = cast("TenantRun", SimpleNamespace(tenant_id=TenantId("default")))
    return TenantRuns(main, nothing, ground, print)


async def test_a_tenant_that_could_not_be_opened_is_tried_again(tmp_path: Path) -> None:
    """Health names it until it is open, or nobody wants it any more."""
    away, served = Away(), {ACME}
    runs = runs_on(away, tmp_path)
    runs.follow(
        cast(
            "TenantDirectory",
            SimpleNamespace(
                all=list, on_change=lambda _: None, is_served=lambda tenant: tenant in served
            ),
        )
    )
    await runs.drain(ACME)
    assert runs.check().status is Status.DEGRADED
    assert "acme" in runs.check().detail
    await runs.retry_failed()
    assert away.asked == [ACME, ACME]
    served.clear()
    await runs.retry_failed()
    assert away.asked == [ACME, ACME]
    assert runs.check().status is Status.OK


async def test_a_chore_that_fails_for_one_tenant_is_done_for_the_others(tmp_path: Path) -> None:
    """All are tried; the error names who failed."""
    runs, done = runs_on(Away(), tmp_path), []
    runs.all = lambda: [  # type: ignore[method-assign]
        cast("TenantRun", SimpleNamespace(tenant_id=name)) for name in ("a", "broken", "c")
    ]

    async def act(run: TenantRun) -> None:
        if run.tenant_id == "broken":
            raise StoreBusy("Its tables are in use.")
        done.append(run.tenant_id)

    with pytest.raises(StoreBusy, match="broken: Its tables are in use"):
        await runs.on_each(act)
    assert done == ["a", "c"]


class Guest:
    """A tenant that is open: it notes its kills, and is flat when told to be."""

    def __init__(self) -> None:
        self.tenant_id = ACME
        nothing = SimpleNamespace(open=())
        self.account = SimpleNamespace(positions=nothing, orders=nothing)
        self.is_flat = False
        self.kills: list[str] = []
        self.appender = self

    def wind_down(self, reason: str) -> None:
        """As the run's."""
        self.kills.append(reason)

    async def flush(self) -> None:
        """Nothing waits."""


class Places:
    """Pipeline, venue, terminal and hub in one: they only let go."""

    def __init__(self) -> None:
        self.left = 0

    def leave(self, _part: object) -> None:
        """A seat or a terminal goes."""
        self.left += 1

    async def stop(self) -> None:
        """The terminal, then the hub."""
        self.left += 1


class House:
    """An open tenant, and a directory in which its state can be changed."""

    def __init__(self, folder: Path, *, is_open: bool = True) -> None:
        folder_of(folder, ACME).mkdir(parents=True)
        self.guest, self.places = Guest(), Places()
        self.state = TenantState.READY
        self.runs = runs_on(Away(), folder)
        self.runs._ground = msgspec.structs.replace(
            self.runs._ground, venue=cast("Venue", self.places), pipeline=cast(Any, self.places)
        )
        self.runs._open = self._open  # type: ignore[method-assign]
        self.marks = WindingDown(folder)
        if is_open:
            self.put_in()

    def put_in(self) -> None:
        """Seat the guest."""
        market = SimpleNamespace(is_paper=True)
        place = SimpleNamespace(
            name=ON_PAPER, market=market, terminal=self.places, taker=self.places
        )
        parts = cast(Any, (self.guest, place, self.places, self.places, self.places))
        self.runs._opened[ACME] = Opened(*parts)

    async def _open(self, _tenant_id: TenantId) -> None:
        self.put_in()

    def tenant(self) -> Tenant:
        """As the directory shows it."""
        return Tenant(
            tenant_id=ACME, name="Acme", state=self.state, detail="late fees", created_ns=0
        )

    def follow(self) -> "House":
        """Let the runs hear of changes."""
        directory = SimpleNamespace(
            all=lambda: [self.tenant()],
            on_change=self._keep,
            is_served=lambda _: self.state is TenantState.READY,
        )
        self.runs.follow(cast("TenantDirectory", directory))
        return self

    def _keep(self, listener: Callable[[Tenant], None]) -> None:
        self._tell = listener

    def becomes(self, state: TenantState) -> None:
        """Its state changes, and whoever listens is told."""
        self.state = state
        self._tell(self.tenant())


async def seconds(house: House, count: float) -> None:
    """Let the runs look for so long."""
    running = asyncio.create_task(house.runs.run())
    await asyncio.sleep(count)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_who_is_suspended_is_killed_at_once_and_closed_when_flat(tmp_path: Path) -> None:
    """The kill is out when the change returns; the account is watched until nothing is open."""

    async def story() -> None:
        house = House(tmp_path).follow()
        house.becomes(TenantState.SUSPENDED)
        assert house.guest.kills == ["the tenant is suspended: late fees"]
        assert house.marks.is_marked(ACME)
        await seconds(house, 100)
        assert house.runs.find(ACME) is house.guest, "its market is closed"
        assert "1 of them wound down" in house.runs.check().detail
        house.guest.is_flat = True
        await seconds(house, 2)
        assert house.runs.find(ACME) is None
        assert house.places.left == 4
        assert not house.marks.is_marked(ACME)
        assert len(house.guest.kills) == 1

    run_virtual(story())


def test_a_crash_while_it_is_wound_down_opens_it_once_more_for_nobody(tmp_path: Path) -> None:
    """Suspended at the next start, with its mark: opened, killed, and closed when flat."""

    async def story() -> None:
        house = House(tmp_path, is_open=False)
        house.state = TenantState.SUSPENDED
        await seconds(house.follow(), 2)
        assert house.runs.find(ACME) is None, "without a mark nothing of it is open"
        house.marks.begin(ACME)
        await seconds(house.follow(), 2)
        assert house.runs.find(ACME) is house.guest
        assert len(house.guest.kills) == 1
        house.guest.is_flat = True
        await seconds(house, 2)
        assert house.runs.find(ACME) is None
        assert not house.marks.is_marked(ACME)

    run_virtual(story())


def test_one_suspended_before_it_was_open_is_opened_to_be_wound_down(tmp_path: Path) -> None:
    """What an earlier run left open is not forgotten because this one came too late to open it."""

    async def story() -> None:
        house = House(tmp_path, is_open=False).follow()
        house.becomes(TenantState.SUSPENDED)
        house.guest.is_flat = True
        await seconds(house, 2)
        assert house.guest.kills == ["the tenant is not served"]
        assert house.runs.find(ACME) is None

    run_virtual(story())


def test_who_is_served_again_meanwhile_stays_open(tmp_path: Path) -> None:
    """Its kill goes on; suspended again, it is killed again."""

    async def story() -> None:
        house = House(tmp_path).follow()
        house.becomes(TenantState.SUSPENDED)
        await seconds(house, 2)
        house.becomes(TenantState.READY)
        await seconds(house, 2)
        assert house.runs.find(ACME) is house.guest
        assert not house.marks.is_marked(ACME)
        house.becomes(TenantState.SUSPENDED)
        assert len(house.guest.kills) == 2

    run_virtual(story())


def test_a_deletion_waits_for_a_closed_market_only_so_long(tmp_path: Path) -> None:
    """Then what is open on paper goes with its tenant."""

    async def story() -> float:
        house = House(tmp_path).follow()
        house.becomes(TenantState.SUSPENDED)
        began_s = asyncio.get_running_loop().time()
        await house.runs.drain(ACME)
        assert house.runs.find(ACME) is None
        return asyncio.get_running_loop().time() - began_s

    assert run_virtual(story()) == DRAIN_S
