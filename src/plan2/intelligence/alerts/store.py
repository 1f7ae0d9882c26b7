"""Where alerts are kept: rules, what they remember, and what was raised (migration 0013)."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.values import TenantId
from plan2.intelligence.alerts.alert import Alert
from plan2.intelligence.alerts.conditions import symbol_of
from plan2.intelligence.alerts.memory import Memory
from plan2.intelligence.alerts.rule import AlertRule

ALERTS_KEPT: Final = 5_000
"""Alerts of a tenant that are kept; the oldest that nobody waits for make room."""
NEWEST: Final = 2**62

PUT_RULE: Final = (
    "insert into alert_rule (rule_id, name, rule, memory, changed_by, changed_ns) "
    "values (%s, %s, %s::json, %s::json, %s, %s) on conflict (rule_id) do update set "
    "name = excluded.name, rule = excluded.rule, memory = excluded.memory, "
    "changed_by = excluded.changed_by, changed_ns = excluded.changed_ns"
)
PUT_ALERT: Final = (
    "insert into alert (alert_id, rule_id, raised_ns, state, acted_by, alert) "
    "values (%s, %s, %s, %s, %s, %s::json) on conflict (alert_id) do update set "
    "state = excluded.state, acted_by = excluded.acted_by, alert = excluded.alert"
)
WAITING: Final = (
    "select alert from alert where state in ('open', 'snoozed') order by raised_ns, alert_id"
)
HISTORY: Final = (
    "select alert from alert where raised_ns < %s and (%s = '' or state = %s) "
    "order by raised_ns desc, alert_id limit %s"
)
TRIM: Final = (
    "delete from alert where state not in ('open', 'snoozed') and alert_id in "
    "(select alert_id from alert order by raised_ns desc, alert_id offset %s)"
)


class KeptRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with what it remembers, and who declared it when (UTC ns)."""

    rule_id: str
    rule: AlertRule
    memory: Memory
    changed_by: str
    changed_ns: int

    @property
    def symbol(self) -> str:
        """With which symbol's quotes it is looked at; empty: by time."""
        return symbol_of(self.rule.condition)


class AlertTable(Protocol):
    """Keeps rules and alerts of every tenant; durable when a method returns."""

    async def rules(self, tenant: TenantId) -> Sequence[KeptRule]:
        """Every rule, in the order of their names."""
        ...

    async def waiting(self, tenant: TenantId) -> Sequence[Alert]:
        """Alerts that nobody has acknowledged, oldest first."""
        ...

    async def save(
        self, tenant: TenantId, rules: Sequence[KeptRule], alerts: Sequence[Alert]
    ) -> None:
        """Keep rules and alerts as they are now, all or nothing."""
        ...

    async def remove(self, tenant: TenantId, rule_id: str) -> None:
        """Take a rule away; its alerts stay in the history."""
        ...

    async def history(
        self, tenant: TenantId, before_ns: int, state: str, limit: int
    ) -> Sequence[Alert]:
        """Alerts raised before a time, newest first; of one state, or of all if empty."""
        ...


class PostgresAlerts:
    """Implements `AlertTable` in the tenant's own schema."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._unit = open_unit

    async def rules(self, tenant: TenantId) -> Sequence[KeptRule]:
        """See `AlertTable.rules`."""
        async with self._unit(tenant) as uow:
            cursor = await uow.raw.execute(
                "select rule_id, rule, memory, changed_by, changed_ns from alert_rule order by name"
            )
            rows = await cursor.fetchall()
        return [
            KeptRule(
                rule_id=row[0],
                rule=msgspec.convert(row[1], AlertRule),
                memory=msgspec.convert(row[2], Memory),
                changed_by=row[3],
                changed_ns=row[4],
            )
            for row in rows
        ]

    async def waiting(self, tenant: TenantId) -> Sequence[Alert]:
        """See `AlertTable.waiting`."""
        return await self._alerts(tenant, WAITING, ())

    async def save(
        self, tenant: TenantId, rules: Sequence[KeptRule], alerts: Sequence[Alert]
    ) -> None:
        """See `AlertTable.save`."""
        async with self._unit(tenant) as uow:
            for kept in rules:
                row = (
                    kept.rule_id, kept.rule.name, _json(kept.rule), _json(kept.memory),
                    kept.changed_by, kept.changed_ns,
                )  # fmt: skip
                await uow.raw.execute(PUT_RULE, row)
            for alert in alerts:
                values = (
                    alert.alert_id, alert.rule_id, alert.raised_ns, alert.state, alert.by,
                    _json(alert),
                )  # fmt: skip
                await uow.raw.execute(PUT_ALERT, values)
            if alerts:
                await uow.raw.execute(TRIM, (ALERTS_KEPT,))

    async def remove(self, tenant: TenantId, rule_id: str) -> None:
        """See `AlertTable.remove`."""
        async with self._unit(tenant) as uow:
            await uow.raw.execute("delete from alert_rule where rule_id = %s", (rule_id,))

    async def history(
        self, tenant: TenantId, before_ns: int, state: str, limit: int
    ) -> Sequence[Alert]:
        """See `AlertTable.history`."""
        return await self._alerts(tenant, HISTORY, (before_ns, state, state, limit))

    async def _alerts(
        self, tenant: TenantId, query: str, parameters: tuple[object, ...]
    ) -> list[Alert]:
        async with self._unit(tenant) as uow:
            rows: list[tuple[Any, ...]] = await (
                await uow.raw.execute(query, parameters)
            ).fetchall()
        return [msgspec.convert(row[0], Alert) for row in rows]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
