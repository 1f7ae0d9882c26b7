"""Settings above the file: for everybody, for a tenant, for a person; changed while Plan2 runs.

What holds is computed in memory and kept until something changes. A change is checked with all
that it bears on, stored, taken over, and only then told. A tenant whose settings contradict the
file (which may have changed since) is refused, rather than run with other limits than it set.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.config.load import Loaded
from plan2.foundation.config.overlay_changes import Author, SettingLoosens, Target
from plan2.foundation.config.overlay_keys import (
    GLOBAL,
    TENANT,
    USER,
    Value,
    is_loosening,
    value_of,
)
from plan2.foundation.config.overlay_memory import (
    NOBODY,
    Holding,
    OverlayMemory,
    Who,
    place_of,
)
from plan2.foundation.config.overlay_merge import Entry, Merged
from plan2.foundation.config.overlay_store import OverlayStore
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import SettingChanged
from plan2.foundation.values import TenantId

STREAM: Final = "settings"
DEFAULT: Final = "default"

Listener = Callable[[TenantId, str], None]


class Overlay:
    """Settings of the installation, its tenants and its people.

    Args:
        base: file, variables and defaults. store: what was set above them.
        record: takes `SettingChanged`. clock: the machine's.
        main: the tenant whose tables and log keep what holds for the whole installation.
    """

    def __init__(
        self, base: Loaded, store: OverlayStore, record: Record, clock: Clock, main: TenantId
    ) -> None:
        self._memory = OverlayMemory(base)
        self._store = store
        self._record = record
        self._clock = clock
        self._main = main
        self._listeners: list[Listener] = []
        self._changing = asyncio.Lock()

    async def load(self, tenants: Iterable[TenantId]) -> dict[TenantId, ConfigError]:
        """Read what was set for the installation and these tenants.

        Returns:
            The tenants whose settings cannot hold, each with the reason; they must not be served.

        Raises:
            ConfigError: what was set for the installation cannot hold.
        """
        found = await self._store.read(self._main)
        everywhere = {at: entry for at, entry in found.items() if at[0] is GLOBAL}
        self._memory.replace(NOBODY, everywhere)
        self._memory.holding(NOBODY)
        errors = {tenant: await self.admit(tenant) for tenant in tenants}
        return {tenant: error for tenant, error in errors.items() if error is not None}

    async def admit(self, tenant: TenantId) -> ConfigError | None:
        """Read what a tenant has set, before it is served; the reason when it cannot hold."""
        async with self._changing:
            return await self._take(tenant)

    async def _take(self, tenant: TenantId) -> ConfigError | None:
        found = await self._store.read(tenant)
        own = {at: entry for at, entry in found.items() if at[0] is not GLOBAL}
        self._memory.replace(tenant, own)
        try:
            self._memory.holding(tenant)
        except ConfigError as error:
            return error
        return None

    def forget(self, tenant: TenantId) -> None:
        """Drop what is in memory of a tenant that is deleted."""
        self._memory.drop(tenant)

    async def forget_person(self, tenant: TenantId, user_id: str) -> int:
        """Delete what a person has set, when they are erased; how many keys."""
        async with self._changing:
            removed = await self._store.remove_person(tenant, user_id)
            await self._take(tenant)
            return removed

    def effective(self, tenant: TenantId, user_id: str = "") -> Settings:
        """The settings that hold for a tenant or person, from memory; "" is the installation.

        Raises:
            ConfigError: the tenant was not admitted, or what it set contradicts the file.
        """
        return self._memory.holding(tenant, user_id).settings

    def merged(self, tenant: TenantId, user_id: str = "") -> Mapping[str, Merged]:
        """What decided each key that was set somewhere: origin, locks, ignored values."""
        return self._memory.holding(tenant, user_id).merged

    def origin(self, key: str, tenant: TenantId, user_id: str = "") -> str:
        """Where a key's value comes from: `default`, a file, a variable, or a scope."""
        found = self.merged(tenant, user_id).get(key)
        if found is None or found.origin is None:
            return self._memory.base.origins.get(key, DEFAULT)
        words = {
            GLOBAL: "set for the installation",
            TENANT: f"set for tenant {tenant}",
            USER: "set by this person",
        }
        return words[found.origin]

    def entry(self, target: Target) -> Entry | None:
        """What was set in exactly this scope."""
        return self._memory.entry(target)

    def on_change(self, listener: Listener) -> None:
        """Call `listener(tenant, key)` after a value changed that holds for a tenant or a person.

        It is called synchronously and must not fail.
        """
        self._listeners.append(listener)

    def loosens(self, target: Target, entry: Entry | None) -> bool:
        """Whether this entry (None: taking it away) would permit more to anybody it bears on.

        Raises:
            SettingUnknown, SettingLocked, SettingInvalid: it cannot be set.
        """
        return _loosens(
            target.key, self._memory.concerned(target), self._memory.trial(target, entry)
        )

    async def set(
        self, target: Target, value: Value, author: Author, *, is_locked: bool | None = None
    ) -> None:
        """Set a value; durable and in force when this returns. None leaves the lock as it is.

        Raises:
            SettingUnknown, SettingLocked, SettingInvalid, SettingLoosens: nothing was changed.
        """
        async with self._changing:
            await self._change(target, author, msgspec.json.encode(value).decode(), is_locked)

    async def lock(self, target: Target, author: Author, *, is_locked: bool) -> None:
        """Keep the scopes below from overriding a key, or let them again.

        Raises:
            SettingUnknown, SettingLocked, SettingInvalid, SettingLoosens: nothing was changed.
        """
        async with self._changing:
            old = self.entry(target)
            await self._change(target, author, old.value if old else None, is_locked)

    async def unset(self, target: Target, author: Author) -> None:
        """Take away what was set in this scope, with its lock.

        Raises:
            SettingUnknown, SettingInvalid, SettingLoosens: nothing was changed.
        """
        async with self._changing:
            await self._change(target, author, None, is_locked=False)

    async def _change(
        self, target: Target, author: Author, value: str | None, is_locked: bool | None
    ) -> None:
        """Check, store, take over and tell; `_changing` is held."""
        old = self.entry(target)
        new = self._entry(old, author, value, is_locked)
        before, after = self._memory.concerned(target), self._memory.trial(target, new)
        if _says(old) == _says(new):
            return
        if not author.may_loosen and _loosens(target.key, before, after):
            raise SettingLoosens(
                f"This change of {target.key} would permit more than now.",
                remedy="Prove who you are, or have it approved, and try again.",
            )
        await self._store.put(target.tenant_id or self._main, place_of(target), new)
        self._memory.put(target, new)
        self._tell(target, old, new, author)
        for tenant in _tenants_that_differ(target.key, before, after):
            for listener in self._listeners:
                listener(tenant, target.key)

    def _entry(
        self, old: Entry | None, author: Author, value: str | None, is_locked: bool | None
    ) -> Entry | None:
        is_kept = old is not None and old.is_locked if is_locked is None else is_locked
        if value is None and not is_kept:
            return None
        return Entry(
            value=value,
            is_locked=is_kept,
            changed_ns=self._clock.now_ns(),
            changed_by=author.by,
            reason=author.reason,
        )

    def _tell(self, target: Target, old: Entry | None, new: Entry | None, author: Author) -> None:
        event = SettingChanged(
            ts_ns=self._clock.now_ns(),
            scope=target.scope.value,
            subject=target.subject,
            key=target.key,
            old_value=_says(old)[0],
            new_value=_says(new)[0],
            is_locked=_says(new)[1],
            reason=author.reason,
            by=author.by,
        )
        self._record(target.tenant_id or self._main, STREAM, event, actor=author.by)


def _says(entry: Entry | None) -> tuple[str, bool]:
    return ("", False) if entry is None else (entry.value or "", entry.is_locked)


def _loosens(key: str, before: Mapping[Who, Holding], after: Mapping[Who, Holding]) -> bool:
    return any(
        is_loosening(key, before[who].settings, after[who].settings)
        for who in after.keys() & before.keys()
    )


def _tenants_that_differ(
    key: str, before: Mapping[Who, Holding], after: Mapping[Who, Holding]
) -> list[TenantId]:
    """Tenants where another value holds now, also where none could hold before."""
    return [
        who[0]
        for who, holding in after.items()
        if who[0]
        and (
            who not in before
            or value_of(before[who].settings, key) != value_of(holding.settings, key)
        )
    ]
