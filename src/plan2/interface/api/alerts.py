"""Routes of alerts: rules, what was raised, acknowledging and putting off, heartbeats."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from litestar import delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.foundation.values import TenantId
from plan2.intelligence.alerts.store import NEWEST, AlertTable
from plan2.interface.alerts.service import AlertService
from plan2.interface.api.alert_items import (
    AlertItem,
    BeatReceipt,
    RuleBody,
    RuleItem,
    RuleList,
    SnoozeBody,
    TrialItem,
    alert_item,
    rule_item,
)
from plan2.interface.api.paging import Cursor, ItemId, ItemLimit
from plan2.interface.items import Page

PATH: Final = "/api/v1/alerts"
TAGS: Final = ("alerts",)
BODY_MAX_BYTES: Final = 32_768

Wanted = Annotated[
    Literal["", "open", "acknowledged", "snoozed", "closed"],
    Parameter(query="state", description="Only alerts that stand so; all if empty."),
]
ServiceOf = Callable[[str], AlertService | None]
"""The alerts of a tenant; None while it is being opened."""


class AlertRoutes:
    """`/api/v1/alerts…`.

    Args:
        find: the service of a tenant. table: the history.
    """

    def __init__(self, find: ServiceOf, table: AlertTable) -> None:
        self._find = find
        self._table = table

    def handlers(self) -> list[HTTPRouteHandler]:
        """Every route but those of channels."""
        rules, one = PATH + "/rules", PATH + "/rules/{rule_id:str}"
        alert, most = PATH + "/{alert_id:str}", BODY_MAX_BYTES
        return [
            get(PATH, tags=TAGS)(self.history),
            get(rules, tags=TAGS)(self.rules),
            post(rules, tags=TAGS, request_max_body_size=most)(self.add),
            post(rules + "/try", status_code=200, tags=TAGS, request_max_body_size=most)(
                self.try_out
            ),
            put(one, tags=TAGS, request_max_body_size=most)(self.change),
            delete(one, status_code=200, tags=TAGS)(self.remove),
            post(alert + "/acknowledge", status_code=200, tags=TAGS)(self.acknowledge),
            post(alert + "/snooze", status_code=200, tags=TAGS, request_max_body_size=most)(
                self.snooze
            ),
            post(PATH + "/heartbeat/{name:str}", status_code=200, tags=TAGS)(self.beat),
        ]

    async def history(
        self,
        request: SignedRequest,
        standing: Wanted = "",
        limit: ItemLimit = 100,
        cursor: Cursor = "",
    ) -> Page[AlertItem]:
        """Alerts of your tenant, newest first."""
        tenant = TenantId(request.auth.user.tenant_id)
        before_ns = int(cursor) * 1_000 if cursor else NEWEST
        found = await self._table.history(tenant, before_ns, standing, limit + 1)
        items = [alert_item(each) for each in found[:limit]]
        more = len(found) > limit
        return Page(items, str(items[-1].raised_us) if more else None)

    async def rules(self, request: SignedRequest) -> RuleList:
        """Your tenant's rules with what each sees now."""
        desk = self._service(request).desk
        kept = sorted(desk.rules.values(), key=lambda each: each.rule.name.casefold())
        return RuleList([self._item(request, each.rule_id) for each in kept])

    async def add(self, request: SignedRequest, data: RuleBody) -> RuleItem:
        """Declare a rule; it looks from now on."""
        kept = await self._service(request).put_rule(data.rule(), request.auth.actor)
        return self._item(request, kept.rule_id)

    async def change(self, request: SignedRequest, rule_id: ItemId, data: RuleBody) -> RuleItem:
        """Change a rule; it begins anew."""
        self._known(request, rule_id)
        await self._service(request).put_rule(data.rule(), request.auth.actor, rule_id)
        return self._item(request, rule_id)

    async def remove(self, request: SignedRequest, rule_id: ItemId) -> RuleItem:
        """Take a rule away; what it raised stays in the history."""
        self._known(request, rule_id)
        item, service = self._item(request, rule_id), self._service(request)
        await service.desk.remove(rule_id, request.auth.actor)
        await service.save()
        return item

    async def try_out(self, request: SignedRequest, data: RuleBody) -> TrialItem:
        """What a rule would see now, and whether it would fire; nothing is kept, nobody told."""
        found = self._service(request).desk.try_out(data.rule())
        return TrialItem(
            value=found.value,
            would_fire=found.would_fire,
            now=found.words,
            threshold=found.threshold,
        )

    async def acknowledge(self, request: SignedRequest, alert_id: ItemId) -> AlertItem:
        """Say that you have seen an alert: it escalates no more."""
        service = self._waiting(request, alert_id)
        alert = service.desk.acknowledge(alert_id, request.auth.actor)
        await service.save()
        return alert_item(alert)

    async def snooze(self, request: SignedRequest, alert_id: ItemId, data: SnoozeBody) -> AlertItem:
        """Put an alert off; it comes back after so many minutes, its rule is quiet until then."""
        service = self._waiting(request, alert_id)
        alert = service.desk.snooze(alert_id, data.minutes, request.auth.actor)
        await service.save()
        return alert_item(alert)

    async def beat(self, request: SignedRequest, name: ItemId) -> BeatReceipt:
        """Report that a program of yours lives; a rule about its silence hears it."""
        self._service(request).beat(name)
        return BeatReceipt(name)

    def _service(self, request: SignedRequest) -> AlertService:
        return service_of(self._find, request)

    def _item(self, request: SignedRequest, rule_id: str) -> RuleItem:
        desk = self._service(request).desk
        kept = desk.rules[rule_id]
        seen = desk.try_out(kept.rule)
        return rule_item(kept, seen.value, seen.words)

    def _known(self, request: SignedRequest, rule_id: str) -> None:
        if rule_id not in self._service(request).desk.rules:
            raise RequestRefused(404, "not_found", f"There is no alert rule {rule_id!r}.")

    def _waiting(self, request: SignedRequest, alert_id: str) -> AlertService:
        service = self._service(request)
        if alert_id not in service.desk.waiting:
            raise RequestRefused(404, "not_found", f"No alert {alert_id!r} waits.")
        return service


def service_of(find: ServiceOf, request: SignedRequest) -> AlertService:
    """The alerts of a caller's tenant.

    Raises:
        RequestRefused: 503 while it is being opened.
    """
    found = find(request.auth.user.tenant_id)
    if found is None:
        raise RequestRefused(
            503,
            "tenant_starting",
            "Your account is being opened.",
            remedy="Try again in a few seconds.",
        )
    return found
