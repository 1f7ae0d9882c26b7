# ruff: noqa: D102 - the protocol that the fake implements says what its methods do
"""Settings above the file around fakes: a store in memory, facts in a list."""

import asyncio
from pathlib import Path

import msgspec

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.load import Loaded, load
from plan2.foundation.config.overlay import Overlay
from plan2.foundation.config.overlay_changes import Author, Target
from plan2.foundation.config.overlay_keys import GLOBAL, TENANT, USER
from plan2.foundation.config.overlay_merge import Entry
from plan2.foundation.config.overlay_store import Place
from plan2.foundation.events.base import Event
from plan2.foundation.values import NS_PER_SECOND, TenantId

MAIN, ACME, RIVAL = TenantId("main"), TenantId("acme"), TenantId("rival")
EVERYBODY = TenantId("")
ANYTHING = Author(by="user:ann", reason="because", may_loosen=True)
ONLY_TIGHTER = Author(by="user:ann", reason="because", may_loosen=False)


class MemoryOverlay:
    """The table `setting` of each tenant in dictionaries; `is_broken` plays a lost database."""

    def __init__(self) -> None:
        self.rows: dict[TenantId, dict[Place, Entry]] = {}
        self.error: Exception | None = None

    async def read(self, tenant: TenantId) -> dict[Place, Entry]:
        return dict(self.rows.get(tenant, {}))

    async def put(self, tenant: TenantId, place: Place, entry: Entry | None) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        rows = self.rows.setdefault(tenant, {})
        rows.pop(place, None)
        if entry is not None:
            rows[place] = entry

    async def remove_person(self, tenant: TenantId, user_id: str) -> int:
        rows = self.rows.get(tenant, {})
        gone = [place for place in rows if place[0] is USER and place[1] == user_id]
        for place in gone:
            del rows[place]
        return len(gone)


class Facts:
    """A `Record` that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Event, str]] = []
        self.arrived = asyncio.Event()

    def __call__(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        self.events.append((tenant_id, stream, event, actor))
        self.arrived.set()


class SettingsRoom:
    """An overlay over the defaults, or over a file with this text."""

    def __init__(self, base: Loaded | None = None) -> None:
        self.base = base or load(None, {})
        self.store = MemoryOverlay()
        self.facts = Facts()
        self.clock = SimulatedClock(1_000 * NS_PER_SECOND)
        self.overlay = Overlay(self.base, self.store, self.facts, self.clock, MAIN)

    @classmethod
    def over(cls, folder: Path, text: str) -> "SettingsRoom":
        """With a configuration file."""
        path = folder / "plan2.toml"
        path.write_text(text, encoding="utf-8")
        return cls(load(path, {}))

    async def open(self) -> Overlay:
        """The overlay with two tenants admitted."""
        assert await self.overlay.load([MAIN, ACME, RIVAL]) == {}
        return self.overlay


def everywhere(key: str) -> Target:
    """A key of the whole installation."""
    return Target(scope=GLOBAL, key=key)


def of_tenant(key: str, tenant: TenantId = ACME) -> Target:
    """A key of a tenant."""
    return Target(scope=TENANT, key=key, tenant_id=tenant)


def of_person(key: str, user_id: str = "u1", tenant: TenantId = ACME) -> Target:
    """A key of a person."""
    return Target(scope=USER, key=key, tenant_id=tenant, user_id=user_id)


def said(value: object) -> Entry:
    """An entry that sets a value."""
    return Entry(value=msgspec.json.encode(value).decode())
