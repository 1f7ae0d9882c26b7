"""The alerts of one tenant: its rules, what they remember, and what waits to be acknowledged.

Synchronous and without time of its own: whoever drives it says which symbols moved and what came.
What changed is kept by `save`; an alert is told before it is kept, because the day on which the
database is away is one on which people want to hear. So after a crash it may be told twice, never
not at all.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.foundation.events.alerts import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    AlertRuleChanged,
    AlertSnoozed,
)
from plan2.foundation.events.base import Event
from plan2.foundation.ids import IdSource, derived_id
from plan2.foundation.values import NS_PER_MINUTE, TenantId
from plan2.intelligence.alerts import alert as life
from plan2.intelligence.alerts.alert import Alert, Telling
from plan2.intelligence.alerts.conditions import (
    Happened,
    bounds_of,
)
from plan2.intelligence.alerts.happenings import matches, told
from plan2.intelligence.alerts.memory import Memory, advanced, event_came
from plan2.intelligence.alerts.readings import (
    Readings,
    Sighting,
    sighting_of,
    threshold_words,
    title_of,
    value_of,
)
from plan2.intelligence.alerts.rule import RULES_MAX, AlertRule, checked
from plan2.intelligence.alerts.store import AlertTable, KeptRule
from plan2.intelligence.alerts.trial import Trial, tried

WAITING_MAX: Final = 1_000
"""Alerts that wait to be acknowledged; beyond it the oldest are closed."""
SYSTEM: Final = "system"

Tell = Callable[[Telling], None]
"""Hands an alert to the channels; quick, must not raise."""
Note = Callable[[Event, str], None]
"""Writes a fact into the tenant's log: the event, and who caused it."""


class DeskParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk works with; `clock` is the wall clock, `ids` names new rules."""

    tenant_id: TenantId
    readings: Readings
    table: AlertTable
    clock: Clock
    ids: IdSource
    note: Note
    tell: Tell


class AlertDesk:
    """Rules and alerts of a tenant.

    Attributes:
        rules: by id. waiting: alerts that nobody has acknowledged, by id, oldest first.
        unsaved: whether something waits for `save`.
    """

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self.rules: dict[str, KeptRule] = {}
        self.waiting: dict[str, Alert] = {}
        self._dirty_rules: set[str] = set()
        self._dirty_alerts: dict[str, Alert] = {}

    @property
    def unsaved(self) -> bool:
        """Whether something is not kept yet."""
        return bool(self._dirty_rules or self._dirty_alerts)

    async def load(self) -> None:
        """Take up what an earlier run left.

        Raises:
            StoreBusy: the database does not answer.
        """
        table, tenant = self._parts.table, self._parts.tenant_id
        self.rules = {kept.rule_id: kept for kept in await table.rules(tenant)}
        self.waiting = {each.alert_id: each for each in await table.waiting(tenant)}

    async def save(self) -> None:
        """Keep what changed since the last time.

        Raises:
            StoreBusy: the database does not answer; the same is tried at the next call.
        """
        if not self.unsaved:
            return
        rules = [self.rules[each] for each in self._dirty_rules if each in self.rules]
        alerts = dict(self._dirty_alerts)
        names = set(self._dirty_rules)
        await self._parts.table.save(self._parts.tenant_id, rules, list(alerts.values()))
        self._dirty_rules -= names
        for alert_id, kept in alerts.items():
            if self._dirty_alerts.get(alert_id) is kept:
                del self._dirty_alerts[alert_id]

    # --- what happens -----------------------------------------------------------------------

    def look(self, symbols: Collection[str]) -> None:
        """Look at the rules that move with these symbols' quotes; "" = those looked at by time."""
        for kept in list(self.rules.values()):
            if kept.rule.is_enabled and kept.symbol in symbols:
                self._look_at(kept)

    def on_event(self, name: str, members: Callable[[], Mapping[str, Any]]) -> None:
        """A fact of the log came; `members` is asked only when a rule waits for such a one."""
        for kept in list(self.rules.values()):
            condition = kept.rule.condition
            if not isinstance(condition, Happened) or condition.event != name:
                continue
            if kept.rule.is_enabled and matches(condition, members()):
                self._take_event(kept, condition, members())

    def follow_up(self) -> None:
        """Escalate what nobody acknowledged, and wake what was put off."""
        now_ns = self._parts.clock.now_ns()
        for alert in list(self.waiting.values()):
            after, telling = life.followed_up(alert, now_ns)
            if telling is None:
                continue
            self._put(after)
            if telling.cause == "escalated":
                to = tuple(f"{each.way}:{each.to}" for each in telling.to)
                self._parts.note(
                    AlertEscalated(
                        ts_ns=now_ns, alert_id=after.alert_id, rule_id=after.rule_id,
                        step=after.step, to=to,
                    ), SYSTEM,
                )  # fmt: skip
            self._parts.tell(telling)

    # --- what people do ---------------------------------------------------------------------

    async def put(self, rule: AlertRule, by: str, rule_id: str = "") -> KeptRule:
        """Add a rule, or change one; it begins anew. Kept when this returns.

        Raises:
            InputError: it cannot hold, its name is taken, there are too many, or no such rule.
            StoreBusy: the database does not answer; nothing changed.
        """
        checked(rule)
        before = self._rule(rule_id) if rule_id else None
        if any(k.rule.name == rule.name and k.rule_id != rule_id for k in self.rules.values()):
            raise InputError(f"There is a rule {rule.name!r} already.", remedy="Name it otherwise.")
        if before is None and len(self.rules) >= RULES_MAX:
            raise InputError(f"A tenant has at most {RULES_MAX} rules.", remedy="Remove some.")
        parts = self._parts
        now_ns = parts.clock.now_ns()
        kept = KeptRule(
            rule_id=rule_id or parts.ids.next_id("alert_rule"),
            rule=rule,
            memory=Memory(fired=before.memory.fired if before is not None else 0),
            changed_by=by,
            changed_ns=now_ns,
        )
        await parts.table.save(parts.tenant_id, [kept], [])
        self.rules[kept.rule_id] = kept
        self._note_rule(kept, "added" if before is None else "changed", by)
        return kept

    async def remove(self, rule_id: str, by: str) -> None:
        """Take a rule away; what it raised and nobody acknowledged is closed.

        Raises:
            InputError: no such rule. StoreBusy: the database does not answer; nothing changed.
        """
        kept = self._rule(rule_id)
        await self._parts.table.remove(self._parts.tenant_id, rule_id)
        del self.rules[rule_id]
        self._dirty_rules.discard(rule_id)
        now_ns = self._parts.clock.now_ns()
        for alert in [each for each in self.waiting.values() if each.rule_id == rule_id]:
            self._put(life.closed(alert, by, now_ns))
        self._note_rule(kept, "removed", by)

    def acknowledge(self, alert_id: str, by: str) -> Alert:
        """Say that somebody has seen an alert; once is enough.

        Raises:
            InputError: no such alert waits.
        """
        now_ns = self._parts.clock.now_ns()
        alert = self._put(life.acknowledged(self._alert(alert_id), by, now_ns))
        fact = AlertAcknowledged(ts_ns=now_ns, alert_id=alert_id, rule_id=alert.rule_id, by=by)
        self._parts.note(fact, by)
        return alert

    def snooze(self, alert_id: str, minutes: int, by: str) -> Alert:
        """Put an alert off; until then its rule raises nothing new either.

        Raises:
            InputError: no such alert waits, or for longer than a week.
        """
        if not 1 <= minutes <= life.SNOOZE_MAX_MINUTES:
            raise InputError(
                f"An alert is put off for 1 to {life.SNOOZE_MAX_MINUTES} minutes, not {minutes}."
            )
        now_ns = self._parts.clock.now_ns()
        until_ns = now_ns + minutes * NS_PER_MINUTE
        alert = self._put(life.snoozed(self._alert(alert_id), by, now_ns, until_ns))
        self._parts.note(
            AlertSnoozed(
                ts_ns=now_ns, alert_id=alert_id, rule_id=alert.rule_id, until_ns=until_ns, by=by
            ), by,
        )  # fmt: skip
        return alert

    def try_out(self, rule: AlertRule) -> Trial:
        """What a rule would see now; nothing is kept and nobody is told.

        Raises:
            InputError: it cannot hold.
        """
        return tried(rule, self._parts.readings, self._parts.clock.now_ns())

    # --- inside -----------------------------------------------------------------------------

    def _look_at(self, kept: KeptRule) -> None:
        rule, now_ns = kept.rule, self._parts.clock.now_ns()
        if isinstance(rule.condition, Happened) or not rule.hours.hold(now_ns):
            return
        readings = self._parts.readings
        value = value_of(rule.condition, readings, now_ns)
        step = advanced(kept.memory, bounds_of(rule.condition), value, now_ns, rule.cooldown_s)
        self._remember(kept, step.memory)
        if step.fires:
            seen = sighting_of(rule.condition, readings, now_ns)
            self._fire(self.rules[kept.rule_id], seen)

    def _take_event(
        self,
        kept: KeptRule,
        condition: Happened,
        members: Mapping[str, Any],  # JSON
    ) -> None:
        rule, now_ns = kept.rule, self._parts.clock.now_ns()
        if not rule.hours.hold(now_ns):
            return
        step = event_came(kept.memory, now_ns, rule.cooldown_s)
        self._remember(kept, step.memory)
        if step.fires:
            self._fire(self.rules[kept.rule_id], Sighting(math.nan, told(condition, members)))

    def _remember(self, kept: KeptRule, memory: Memory) -> None:
        if memory != kept.memory:
            self.rules[kept.rule_id] = msgspec.structs.replace(kept, memory=memory)
            self._dirty_rules.add(kept.rule_id)

    def _fire(self, kept: KeptRule, seen: Sighting) -> None:
        parts, rule = self._parts, kept.rule
        if rule.repeat == "once":
            self._spend(kept)
        if any(a.rule_id == kept.rule_id and a.state == "snoozed" for a in self.waiting.values()):
            return
        now_ns = parts.clock.now_ns()
        alert = life.raised(
            Alert(
                alert_id=derived_id("alert", parts.tenant_id, kept.rule_id, kept.memory.fired),
                rule_id=kept.rule_id,
                rule=rule,
                raised_ns=now_ns,
                market_ns=parts.readings.now_ns(),
                title=f"{rule.name}: {title_of(rule.condition)} {threshold_words(rule.condition)}",
                words=seen.words,
                value=None if math.isnan(seen.value) else seen.value,
                changed_ns=now_ns,
            )
        )
        self._put(alert)
        self._make_room(now_ns)
        parts.note(
            AlertRaised(
                ts_ns=alert.market_ns,
                alert_id=alert.alert_id,
                rule_id=alert.rule_id,
                name=rule.name,
                severity=rule.severity,
                title=alert.title,
                words=alert.words,
                value=alert.value,
            ),
            SYSTEM,
        )
        parts.tell(Telling(alert=alert, to=rule.recipients, cause="raised"))

    def _spend(self, kept: KeptRule) -> None:
        """Switch a rule off that was to fire once."""
        rule = msgspec.structs.replace(kept.rule, is_enabled=False)
        self.rules[kept.rule_id] = spent = msgspec.structs.replace(kept, rule=rule)
        self._dirty_rules.add(kept.rule_id)
        self._note_rule(spent, "spent", SYSTEM)

    def _make_room(self, now_ns: int) -> None:
        while len(self.waiting) > WAITING_MAX:
            self._put(life.closed(next(iter(self.waiting.values())), SYSTEM, now_ns))

    def _put(self, alert: Alert) -> Alert:
        self._dirty_alerts[alert.alert_id] = alert
        if alert.is_waiting:
            self.waiting[alert.alert_id] = alert
        else:
            self.waiting.pop(alert.alert_id, None)
        return alert

    def _rule(self, rule_id: str) -> KeptRule:
        found = self.rules.get(rule_id)
        if found is None:
            raise InputError(f"There is no alert rule {rule_id!r}.")
        return found

    def _alert(self, alert_id: str) -> Alert:
        found = self.waiting.get(alert_id)
        if found is None:
            raise InputError(
                f"No alert {alert_id!r} waits.", remedy="It was acknowledged, or there is none."
            )
        return found

    def _note_rule(self, kept: KeptRule, change: str, by: str) -> None:
        text = "" if change == "removed" else msgspec.json.encode(kept.rule).decode()
        self._parts.note(
            AlertRuleChanged(
                ts_ns=self._parts.clock.now_ns(), rule_id=kept.rule_id, name=kept.rule.name,
                change=change, rule=text, by=by,
            ), by,
        )  # fmt: skip
