"""What was set, in memory, and what it makes of the settings of everybody it bears on."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from plan2.foundation.config.load import Loaded, Tables, validated
from plan2.foundation.config.overlay_changes import (
    SettingInvalid,
    SettingLocked,
    SettingUnknown,
    Target,
    declared,
)
from plan2.foundation.config.overlay_keys import GLOBAL, TENANT, USER, SettingScope
from plan2.foundation.config.overlay_merge import Entry, Layer, Layers, Merged, merge
from plan2.foundation.config.overlay_store import Place
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError
from plan2.foundation.values import TenantId

COMPUTED_MAX: Final = 4_096
"""Tenants and people whose settings stay computed; the least used are computed again."""
NOBODY: Final = TenantId("")
"""Stands for the whole installation."""

Who = tuple[TenantId, str]
Entries = Mapping[Place, Entry]


class Holding(msgspec.Struct, frozen=True):
    """What holds for somebody, and what decided it where anything was set."""

    settings: Settings
    merged: Mapping[str, Merged]


class OverlayMemory:
    """Entries of the installation (under `NOBODY`) and of tenants.

    Args:
        base: file, variables and defaults.
    """

    def __init__(self, base: Loaded) -> None:
        self.base = base
        self._tables: Tables = msgspec.to_builtins(base.settings)
        self._entries: dict[TenantId, Entries] = {NOBODY: {}}
        self._computed: OrderedDict[Who, Holding] = OrderedDict()

    def replace(self, tenant: TenantId, entries: Entries) -> None:
        """Take over everything that was set for a tenant, or for the installation."""
        self._entries[tenant] = dict(entries)
        self._forget(tenant)

    def drop(self, tenant: TenantId) -> None:
        """Forget a tenant."""
        self._entries.pop(tenant, None)
        self._forget(tenant)

    def put(self, target: Target, entry: Entry | None) -> None:
        """Take over one change."""
        self._entries[target.tenant_id] = self._after(target, entry)
        self._forget(target.tenant_id)

    def entry(self, target: Target) -> Entry | None:
        """What was set in exactly this scope."""
        return self._entries.get(target.tenant_id, {}).get(place_of(target))

    def holding(self, tenant: TenantId, user_id: str = "") -> Holding:
        """What holds for somebody.

        Raises:
            ConfigError: the tenant was not admitted, or what was set cannot hold.
        """
        who = (tenant, user_id)
        found = self._computed.get(who)
        if found is not None:
            self._computed.move_to_end(who)
        else:
            if tenant not in self._entries:
                raise ConfigError(f"The settings of tenant {tenant} are not loaded.")
            found = self._computed[who] = self._compute(self._layers(who))
            if len(self._computed) > COMPUTED_MAX:
                self._computed.popitem(last=False)
        return found

    def concerned(self, target: Target) -> dict[Who, Holding]:
        """What holds now for everybody on whom a setting bears; without those where nothing can."""
        found = {}
        for who in self._whom(target):
            try:
                found[who] = self.holding(*who)
            except ConfigError:
                continue
        return found

    def trial(self, target: Target, entry: Entry | None) -> dict[Who, Holding]:
        """What would hold for everybody on whom a change bears.

        Raises:
            SettingUnknown, SettingLocked: it cannot be set there.
            SettingInvalid: the value is not allowed, or contradicts others of somebody.
        """
        declared(target)
        if target.tenant_id not in self._entries:
            raise SettingUnknown(f"The settings of tenant {target.tenant_id} are not loaded.")
        if entry is not None:
            self._check_lock(target)
        valid_now = self.concerned(target)
        found = {}
        for who in self._whom(target):
            try:
                found[who] = self._compute(self._layers(who, target, entry))
            except ConfigError as error:
                if who in valid_now or who[0] == target.tenant_id:
                    whose = f" For tenant {who[0]}." if who[0] != target.tenant_id else ""
                    raise SettingInvalid(error.message + whose) from None
        return found

    def _check_lock(self, target: Target) -> None:
        scopes = [scope for scope, _ in self._layers((target.tenant_id, target.user_id))]
        for scope in scopes[: scopes.index(target.scope)]:
            above = Target(
                scope=scope,
                key=target.key,
                tenant_id=target.tenant_id if scope is TENANT else NOBODY,
            )
            found = self.entry(above)
            if found is not None and found.is_locked:
                raise SettingLocked(
                    f"{target.key} is locked for the scopes below {scope}.",
                    remedy="Whoever locked it can unlock it: `plan2 config unlock`.",
                )

    def _whom(self, target: Target) -> Iterable[Who]:
        if target.scope is GLOBAL:
            return [(tenant, "") for tenant in self._entries]
        return [(target.tenant_id, target.user_id)]

    def _layers(self, who: Who, target: Target | None = None, entry: Entry | None = None) -> Layers:
        """The layers that bear on somebody, as they are or after a change."""
        tenant, user_id = who
        everywhere, own = self._entries[NOBODY], self._entries.get(tenant, {})
        if target is not None and target.tenant_id == NOBODY:
            everywhere = self._after(target, entry)
        elif target is not None:
            own = self._after(target, entry)
        found = [(GLOBAL, _layer(everywhere, GLOBAL, ""))]
        if tenant:
            found.append((TENANT, _layer(own, TENANT, "")))
        if user_id:
            found.append((USER, _layer(own, USER, user_id)))
        return found

    def _after(self, target: Target, entry: Entry | None) -> dict[Place, Entry]:
        entries = dict(self._entries.get(target.tenant_id, {}))
        entries.pop(place_of(target), None)
        if entry is not None:
            entries[place_of(target)] = entry
        return entries

    def _compute(self, layers: Layers) -> Holding:
        merged = merge(layers)
        values = {key: each.value for key, each in merged.items() if each.value is not None}
        if not values:
            return Holding(self.base.settings, merged)
        tables = {section: dict(keys) for section, keys in self._tables.items()}
        for key, text in values.items():
            section, name = key.split(".")
            tables[section][name] = msgspec.json.decode(text)
        return Holding(validated(tables), merged)

    def _forget(self, tenant: TenantId) -> None:
        for who in [each for each in self._computed if tenant in {NOBODY, each[0]}]:
            del self._computed[who]


def place_of(target: Target) -> Place:
    """Where a setting is kept."""
    return (target.scope, target.user_id, target.key)


def _layer(entries: Entries, scope: SettingScope, subject: str) -> Layer:
    return {
        key: entry
        for (at, whose, key), entry in entries.items()
        if at is scope and whose == subject
    }
