# ruff: noqa: D102 - the ports that the fakes implement say what their methods do
"""Fakes of privacy: a sealer whose seals bind and hide, and a recorder of facts."""

import hashlib

import msgspec

from plan2.foundation.events.base import Event
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, Place, SealBroken
from plan2.foundation.values import TenantId


class FakeSealer:
    """A sealer with one key per subject: XOR with a keyed stream and a checksum, no secrecy."""

    def __init__(self) -> None:
        self.gone: set[tuple[str, str]] = set()
        self.is_away = False
        self.failures: list[Exception] = []

    async def seal(self, place: Place, plain: bytes) -> bytes:
        self._check(place)
        return self._tag(place, plain) + self._hidden(place, plain)

    async def open(self, place: Place, sealed: bytes) -> bytes:
        self._check(place)
        plain = self._hidden(place, sealed[32:])
        if self._tag(place, plain) != sealed[:32]:
            raise SealBroken("The seal does not fit.")
        return plain

    async def destroy_subject(self, tenant_id: TenantId, subject: str) -> None:
        self.gone.add((tenant_id, subject))

    def _check(self, place: Place) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.is_away:
            raise KeysUnavailable("The keys are away.")
        if place.subject and (place.tenant_id, place.subject) in self.gone:
            raise KeyGone("The key was destroyed.")

    def _hidden(self, place: Place, data: bytes) -> bytes:
        stream = hashlib.shake_256(msgspec.json.encode(place)).digest(len(data))
        return bytes(a ^ b for a, b in zip(data, stream, strict=True))

    def _tag(self, place: Place, plain: bytes) -> bytes:
        return hashlib.sha256(msgspec.json.encode(place) + plain).digest()


class Facts:
    """Takes facts as the log would."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, Event, str]] = []

    def __call__(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        self.taken.append((tenant_id, stream, event, actor))

    @property
    def events(self) -> list[Event]:
        return [event for _, _, event, _ in self.taken]
