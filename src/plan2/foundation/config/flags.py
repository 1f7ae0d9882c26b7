"""Feature flags: what can be switched on and off while Plan2 runs, for whom, and where it counts.

A flag is declared here with the place that asks for it; there is no other. It is asked in memory:
what a person has wins over the tenant, that over the installation, that over the default.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.config.overlay import STREAM, Listener
from plan2.foundation.config.overlay_keys import GLOBAL, TENANT, USER, SettingScope
from plan2.foundation.config.overlay_memory import NOBODY
from plan2.foundation.config.overlay_merge import Entry
from plan2.foundation.config.overlay_store import OverlayStore
from plan2.foundation.errors import InputError
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import FlagChanged
from plan2.foundation.values import TenantId

PREFIX: Final = "flag."
"""Flags are kept beside the settings, under keys of their own."""


class Flag(msgspec.Struct, frozen=True):
    """A switch.

    Attributes:
        name: snake_case. doc: what is possible while it is on. used_by: where it is asked.
        scopes: where it may be set.
    """

    name: str
    doc: str
    used_by: str
    default: bool
    scopes: tuple[SettingScope, ...] = (GLOBAL, TENANT)


FLAGS: Final = (
    Flag(
        "manual_trading",
        "People and programs may place orders; closing, cancelling and killing need no flag.",
        "POST /api/v1/orders",
        default=True,
        scopes=(GLOBAL, TENANT, USER),
    ),
    Flag(
        "foreign_claims",
        "Positions that Plan2 did not open may be handed to its care.",
        "POST /api/v1/positions/{position_id}/claim",
        default=True,
    ),
    Flag(
        "exploration",
        "Paper accounts trade the smallest volume now and then, to learn when nothing is worth it.",
        "decision.explore_after_s",
        default=True,
    ),
    Flag(
        "programs",
        "API keys may be made, and those that exist are accepted.",
        "POST /api/v1/keys",
        default=True,
    ),
)


class FlagUnknown(InputError):
    """There is no such flag, or it cannot be set there."""

    code = "flag_unknown"


class Flags:
    """How the flags stand.

    Args:
        store: keeps what was set. record: takes `FlagChanged`. clock: the machine's.
        main: the tenant whose tables and log keep what holds for the whole installation.
        flags: those that are declared.
    """

    def __init__(
        self,
        store: OverlayStore,
        record: Record,
        clock: Clock,
        main: TenantId,
        flags: Iterable[Flag] = FLAGS,
    ) -> None:
        self.declared: Mapping[str, Flag] = {flag.name: flag for flag in flags}
        self._store = store
        self._record = record
        self._clock = clock
        self._main = main
        self._set: dict[tuple[TenantId, str, str], bool] = {}
        self._listeners: list[Listener] = []
        self._switching = asyncio.Lock()

    def on_change(self, listener: Listener) -> None:
        """Call `listener(tenant, flag)` after a switch; an empty tenant is the installation."""
        self._listeners.append(listener)

    async def load(self, tenants: Iterable[TenantId]) -> None:
        """Read what was set for the installation and these tenants."""
        self._set.clear()
        await self._take(self._main, NOBODY)
        for tenant in tenants:
            await self.admit(tenant)

    async def admit(self, tenant: TenantId) -> None:
        """Read what was set for a tenant and its people."""
        await self._take(tenant, tenant)

    def forget(self, tenant: TenantId, user_id: str = "") -> None:
        """Drop what is in memory of a tenant that is deleted, or of a person who is erased."""
        for place in [each for each in self._set if each[0] == tenant]:
            if not user_id or place[1] == user_id:
                del self._set[place]

    def is_on(self, flag: str, tenant: TenantId, user_id: str = "") -> bool:
        """Whether a flag is on for a tenant or person; from memory.

        Raises:
            FlagUnknown: it is not declared.
        """
        return self.level(flag, tenant, user_id)[0]

    def level(
        self, flag: str, tenant: TenantId, user_id: str = ""
    ) -> tuple[bool, SettingScope | None]:
        """Whether a flag is on, and which scope says so; None is the default.

        Raises:
            FlagUnknown: it is not declared.
        """
        declared = self._flag(flag)
        places = ((USER, tenant, user_id), (TENANT, tenant, ""), (GLOBAL, NOBODY, ""))
        for scope, whose, subject in places:
            if scope is USER and not user_id:
                continue
            found = self._set.get((whose, subject, flag))
            if found is not None:
                return found, scope
        return declared.default, None

    def set_in(self, flag: str, tenant: TenantId, user_id: str = "") -> bool | None:
        """What was set in exactly one scope; an empty tenant is the installation."""
        return self._set.get((tenant, user_id, flag))

    async def switch(
        self, flag: str, tenant: TenantId, user_id: str, is_on: bool | None, *, by: str, reason: str
    ) -> None:
        """Set a flag in one scope, or (None) leave it to the scope above; durable when it returns.

        Raises:
            FlagUnknown: it is not declared, or cannot be set in this scope.
        """
        scope = USER if user_id else TENANT if tenant else GLOBAL
        if scope not in self._flag(flag).scopes:
            raise FlagUnknown(f"Flag {flag!r} cannot be set for a {scope}.")
        async with self._switching:
            old = self._set.get((tenant, user_id, flag))
            if old == is_on:
                return
            entry = None
            if is_on is not None:
                entry = Entry(
                    value=_json(is_on),
                    changed_ns=self._clock.now_ns(),
                    changed_by=by,
                    reason=reason,
                )
            await self._store.put(tenant or self._main, (scope, user_id, PREFIX + flag), entry)
            if is_on is None:
                self._set.pop((tenant, user_id, flag), None)
            else:
                self._set[(tenant, user_id, flag)] = is_on
            event = FlagChanged(
                ts_ns=self._clock.now_ns(),
                scope=scope.value,
                subject=user_id or tenant,
                flag=flag,
                old_value=_json(old),
                new_value=_json(is_on),
                by=by,
            )
            self._record(tenant or self._main, STREAM, event, actor=by)
            for listener in self._listeners:
                listener(tenant, flag)

    async def _take(self, tables_of: TenantId, tenant: TenantId) -> None:
        """Take over stored flags that are still declared, in place of what was in memory."""
        async with self._switching:
            found = await self._store.read(tables_of)
            self.forget(tenant)
            for (scope, subject, key), entry in found.items():
                flag = key.removeprefix(PREFIX)
                is_ours = key.startswith(PREFIX) and flag in self.declared
                if is_ours and (scope is GLOBAL) == (tenant == NOBODY):
                    self._set[(tenant, subject, flag)] = entry.value == _json(True)

    def _flag(self, flag: str) -> Flag:
        found = self.declared.get(flag)
        if found is None:
            names = ", ".join(self.declared)
            raise FlagUnknown(f"There is no flag {flag!r}; the flags are {names}.")
        return found


def _json(is_on: bool | None) -> str:
    return "" if is_on is None else str(is_on).lower()
