"""Consent, and what people may ask about their data: a copy of it, and its erasure."""

import tempfile
from collections.abc import AsyncIterator
from typing import IO, Annotated, Final

import msgspec
from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from litestar.response import Stream
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.consents import PURPOSES, Consents
from plan2.connectivity.identity.privacy import ErasureReport, NobodyThere, Privacy
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.room import Place, free_place
from plan2.connectivity.identity.subject_export import SubjectExport, data_map
from plan2.foundation.values import TenantId
from plan2.interface.api.paging import ItemId, Line
from plan2.interface.screen import to_us

IN_MEMORY_BYTES: Final = 8 * 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
BODY_MAX_BYTES: Final = 4_096

ARCHIVE: Final = ResponseSpec(
    bytes, description="A ZIP.", media_type="application/zip", generate_examples=False
)

PurposeName = Annotated[str, Parameter(pattern=r"^[a-z_]{1,32}$")]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]*$")]


class ConsentItem(msgspec.Struct, frozen=True, kw_only=True):
    """A purpose, its text of today, and what the caller said about it."""

    purpose: str
    version: int
    title: str
    text: str
    is_given: bool
    given_version: int
    changed_us: int


class ConsentFactItem(msgspec.Struct, frozen=True, kw_only=True):
    """That the caller agreed or withdrew."""

    purpose: str
    version: int
    is_given: bool
    at_us: int
    actor: str


class ConsentList(msgspec.Struct, frozen=True, kw_only=True):
    """Every purpose, and the caller's own history, newest first."""

    items: list[ConsentItem]
    history: list[ConsentFactItem]


class ConsentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which text was read; only today's can be agreed to."""

    version: Version


class EraseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and the person's id once more: there is no way back."""

    reason: Line
    confirm: Id


class MapItem(msgspec.Struct, frozen=True, kw_only=True):
    """A place with data about people: why it is kept, how long, and what erasure does to it."""

    place: str
    category: str
    purpose: str
    legal_basis: str
    retention: str
    on_erasure: str


class DataMap(msgspec.Struct, frozen=True):
    """Every such place."""

    items: list[MapItem]


class PrivacyRoutes:
    """`/api/v1/consents…` and `/api/v1/privacy/…`."""

    def __init__(
        self,
        consents: Consents,
        privacy: Privacy,
        export: SubjectExport,
        place: Place = free_place,
    ) -> None:
        self._consents = consents
        self._privacy = privacy
        self._export = export
        self._place = place

    def handlers(self) -> list[HTTPRouteHandler]:
        """The six routes."""
        one = "/api/v1/consents/{purpose:str}"
        person = "/api/v1/privacy/{user_id:str}"
        tags = ["privacy"]
        return [
            get("/api/v1/consents", tags=tags)(self.consents),
            put(one, tags=tags, request_max_body_size=BODY_MAX_BYTES)(self.give),
            delete(one, tags=tags, status_code=200)(self.withdraw),
            get("/api/v1/privacy/map", tags=tags)(self.map),
            post(f"{person}/export", tags=tags, status_code=200, responses={200: ARCHIVE})(
                self.export
            ),
            post(
                f"{person}/erase",
                tags=tags,
                status_code=200,
                request_max_body_size=BODY_MAX_BYTES,
            )(self.erase),
        ]

    async def consents(self, request: SignedRequest) -> ConsentList:
        """What the caller agreed to, and may agree to."""
        user = request.auth.user
        tenant = TenantId(user.tenant_id)
        items = []
        for purpose in PURPOSES.values():
            fact = self._consents.newest(tenant, user.user_id, purpose.name)
            items.append(
                ConsentItem(
                    purpose=purpose.name,
                    version=purpose.version,
                    title=purpose.title,
                    text=purpose.text,
                    is_given=fact is not None and fact.is_given and fact.version == purpose.version,
                    given_version=fact.version if fact is not None and fact.is_given else 0,
                    changed_us=to_us(fact.at_ns) if fact is not None else 0,
                )
            )
        history = [
            ConsentFactItem(
                purpose=fact.purpose,
                version=fact.version,
                is_given=fact.is_given,
                at_us=to_us(fact.at_ns),
                actor=fact.actor,
            )
            for fact in await self._consents.history(tenant, user.user_id)
        ]
        return ConsentList(items=items, history=history)

    async def give(
        self, request: SignedRequest, purpose: PurposeName, data: ConsentBody
    ) -> ConsentList:
        """Agree to today's text of a purpose."""
        user = request.auth.user
        _check_purpose(purpose)
        await self._consents.give(
            TenantId(user.tenant_id), user.user_id, purpose, data.version, request.auth.actor
        )
        return await self.consents(request)

    async def withdraw(self, request: SignedRequest, purpose: PurposeName) -> ConsentList:
        """No longer agree; holds at once."""
        user = request.auth.user
        _check_purpose(purpose)
        await self._consents.withdraw(
            TenantId(user.tenant_id), user.user_id, purpose, request.auth.actor
        )
        return await self.consents(request)

    async def map(self) -> DataMap:
        """Where data about people is kept, why and how long."""
        return DataMap([MapItem(**entry) for entry in data_map()])

    async def export(self, request: SignedRequest, user_id: ItemId) -> Response[bytes] | Stream:
        """Everything about a person as a ZIP; of others only for administrators."""
        user = request.auth.user
        if user_id != user.user_id and user.role is not Role.TENANT_ADMIN:
            raise _nobody(user_id)
        # Closed by the stream that sends it, or right here when it could not be written.
        target = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        is_written = False
        try:
            with self._place(user.tenant_id):
                sha256 = await self._export.write(
                    TenantId(user.tenant_id), user_id, request.auth.actor, target
                )
            is_written = True
        except NobodyThere:
            raise _nobody(user_id) from None
        finally:
            if not is_written:
                target.close()
        headers = {
            "content-disposition": 'attachment; filename="personal-data.zip"',
            "digest": f"sha-256={sha256}",
            "cache-control": "no-store",
        }
        return Stream(_chunks(target), media_type="application/zip", headers=headers)

    async def erase(
        self, request: SignedRequest, user_id: ItemId, data: EraseBody
    ) -> ErasureReport:
        """Erase a person for good; what is kept, and why, is in the answer."""
        if data.confirm != user_id:
            raise RequestRefused(
                422,
                "confirmation_missing",
                "`confirm` must repeat the person's id: an erasure cannot be undone.",
            )
        try:
            return await self._privacy.erase(
                TenantId(request.auth.user.tenant_id), user_id, request.auth.actor
            )
        except NobodyThere:
            raise _nobody(user_id) from None


async def _chunks(source: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        source.seek(0)
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
    finally:
        source.close()


def _check_purpose(purpose: str) -> None:
    if purpose not in PURPOSES:
        raise RequestRefused(404, "not_found", f"There is no purpose {purpose!r}.")


def _nobody(user_id: str) -> RequestRefused:
    return RequestRefused(404, "not_found", f"There is no person {user_id!r}.")
