"""Routes of the ways on which alerts leave: mailboxes and webhooks, each with a test."""

from collections.abc import Callable
from typing import Final

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.signin import SignedRequest
from plan2.interface.alerts.channel_book import ChannelRow
from plan2.interface.alerts.service import AlertService
from plan2.interface.api.alert_items import (
    ChannelBody,
    ChannelItem,
    ChannelList,
    ChannelMade,
    TestResult,
    channel_item,
)
from plan2.interface.api.alerts import ServiceOf, service_of
from plan2.interface.api.paging import ItemId
from plan2.interface.notify.notification import Delivered

PATH: Final = "/api/v1/alerts/channels"
TAGS: Final = ("alerts",)
BODY_MAX_BYTES: Final = 4_096


class AlertChannelRoutes:
    """`/api/v1/alerts/channels…`.

    Args:
        find: the service of a tenant.
        has_mail_server, has_telegram: whether there is such a way at all.
    """

    def __init__(
        self,
        find: ServiceOf,
        has_mail_server: Callable[[], bool],
        has_telegram: Callable[[], bool],
    ) -> None:
        self._find = find
        self._has_mail_server = has_mail_server
        self._has_telegram = has_telegram

    def handlers(self) -> list[HTTPRouteHandler]:
        """The four routes."""
        one = PATH + "/{name:str}"
        return [
            get(PATH, tags=TAGS)(self.listed),
            post(PATH, tags=TAGS, request_max_body_size=BODY_MAX_BYTES)(self.add),
            delete(one, status_code=200, tags=TAGS)(self.remove),
            post(one + "/test", status_code=200, tags=TAGS)(self.test),
        ]

    async def listed(self, request: SignedRequest) -> ChannelList:
        """Your tenant's channels and how each is."""
        service = service_of(self._find, request)
        return ChannelList(
            items=[self._item(service, row) for _, row in sorted(service.book.rows.items())],
            has_mail_server=self._has_mail_server(),
            has_telegram=self._has_telegram(),
        )

    async def add(self, request: SignedRequest, data: ChannelBody) -> ChannelMade:
        """Add a mailbox of yours, or a webhook; the answer shows the webhook's secret once."""
        session = request.auth
        row, secret = await service_of(self._find, request).add_channel(
            data.name, data.way, data.target, session.user.user_id, session.actor
        )
        return ChannelMade(name=row.name, way=row.way, secret=secret)

    async def remove(self, request: SignedRequest, name: ItemId) -> ChannelItem:
        """Take a channel away that no rule names."""
        service = service_of(self._find, request)
        item = self._item(service, service.channel(name))
        await service.remove_channel(name, request.auth.actor)
        return item

    async def test(self, request: SignedRequest, name: ItemId) -> TestResult:
        """Send a test message now and say what came of it."""
        outcome = await service_of(self._find, request).test_channel(name)
        if isinstance(outcome, Delivered):
            return TestResult(is_delivered=True, detail="")
        return TestResult(is_delivered=False, detail=outcome.reason)

    def _item(self, service: AlertService, row: ChannelRow) -> ChannelItem:
        if row.way == "email" and not self._has_mail_server():
            return channel_item(row, "down", "No mail server is configured (alerts.smtp_host).")
        health = service.delivery.healths().get(row.name)
        status = str(health.status) if health is not None else "ok"
        return channel_item(row, status, health.detail if health is not None else "")
