"""Alerts as signed HTTP requests; nothing that the other side answers is followed or kept."""

from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.secret import Secret
from plan2.foundation.values import NS_PER_SECOND
from plan2.interface.alerts.outbound import Outbound
from plan2.interface.alerts.signing import signed_headers
from plan2.interface.notify.notification import Delivered, Failed, Notification, Recipient

TIMEOUT_S: Final = 10.0
TRANSIENT: Final = frozenset({408, 425, 429})
RETRY_AFTER_MAX_S: Final = 3_600.0


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a webhook goes and what signs it; both are opened for each use."""

    url: Secret
    key: Secret


class WebhookChannel:
    """One webhook; implements `Channel` for the pseudo recipient that carries its name.

    Args:
        name: the channel's. endpoint: opens address and secret.
        outbound: says where may be sent to. clock: wall clock.
    """

    def __init__(
        self,
        name: str,
        endpoint: Callable[[], Awaitable[Endpoint]],
        outbound: Outbound,
        clock: Clock,
    ) -> None:
        self._name = name
        self._endpoint = endpoint
        self._outbound = outbound
        self._clock = clock

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return f"webhook {self._name}"

    def reaches(self, person: Recipient) -> bool:
        """See `Channel.reaches`."""
        return person.user_id == self._name

    async def send(self, person: Recipient, notification: Notification) -> Delivered | Failed:
        """See `Channel.send`; every try of a message carries the same id."""
        body = msgspec.json.encode(message_of(notification))
        try:
            endpoint = await self._endpoint()
            target = await self._outbound.target(endpoint.url.reveal())
        except InputError as error:
            return Failed(error.message, retry_after_s=None)
        except Plan2Error as error:
            return Failed(error.message, retry_after_s=60.0, holds_channel=True)
        at_s = self._clock.now_ns() // NS_PER_SECOND
        headers = signed_headers(endpoint.key, notification.notification_id, at_s, body)
        headers |= {"Content-Type": "application/json", "Host": target.host}
        try:
            async with httpx.AsyncClient(
                timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
            ) as client:
                request = client.build_request(
                    "POST",
                    target.url,
                    content=body,
                    headers=headers,
                    extensions={"sni_hostname": target.name},
                )
                answer = await client.send(request, stream=True)
                await answer.aclose()
        except httpx.HTTPError as error:
            return Failed(f"The webhook {person.user_id} does not answer: {type(error).__name__}.")
        return _outcome(person.user_id, answer)


def message_of(notification: Notification) -> dict[str, object]:
    """What a webhook's body says."""
    return {
        "id": notification.notification_id,
        "tenant": notification.tenant_id,
        "kind": notification.kind,
        "severity": str(notification.severity),
        "title": notification.title,
        "text": notification.sentence,
        "at_ms": notification.at_ns // 1_000_000,
        "data": notification.data,
    }


def _outcome(name: str, answer: httpx.Response) -> Delivered | Failed:
    status = answer.status_code
    if 200 <= status < 300:
        return Delivered()
    reason = f"The webhook {name} answers {status}."
    if 300 <= status < 400:
        return Failed(f"{reason} Redirects are not followed.", retry_after_s=None)
    if status in TRANSIENT or status >= 500:
        return Failed(reason, retry_after_s=_asked_pause_s(answer))
    return Failed(reason, retry_after_s=None)


def _asked_pause_s(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), RETRY_AFTER_MAX_S) if text.isdecimal() and len(text) < 10 else 0.0
