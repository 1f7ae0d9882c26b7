"""The audit explorer: the log by filters, single events with their proof, time travel.

Lists never open personal fields. A Tenant_Admin sees them in a single event, and every look at
somebody else's is written down like any other action; others see that they are there, and no more.
"""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.addresses import client_address
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.rights import Role
from plan2.foundation.clock import Clock
from plan2.foundation.events.catalog import STORED
from plan2.foundation.events.people import ActionTaken
from plan2.foundation.events.recording import Record
from plan2.foundation.eventstore.audit_file import STATEMENT
from plan2.foundation.eventstore.checkpointing import Checkpointer
from plan2.foundation.eventstore.checkpoints import Checkpoint
from plan2.foundation.eventstore.log_reading import FOREVER, LAST_US, LogFilter, event_at, search
from plan2.foundation.eventstore.proving import InclusionProof, Prover
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.sealing_events import (
    Opened,
    PersonalState,
    masked,
    open_personal,
)
from plan2.foundation.eventstore.store import OpenUnit
from plan2.foundation.health import Status
from plan2.foundation.secrets.sealing import Sealer
from plan2.foundation.values import TenantId
from plan2.interface.api.paging import ItemLimit, TimeUs
from plan2.interface.items import Page
from plan2.interface.screen import SAFE_INTEGER_MAX, for_screen
from plan2.interface.views.past import PastState, tenant_state

CHECKPOINTS_SHOWN: Final = 100
LOOK: Final = "GET /api/v1/audit/{position}"

Place = Annotated[int, Parameter(ge=0, le=SAFE_INTEGER_MAX, description="A position of the log.")]
PlaceInPath = Annotated[int, Parameter(ge=1, le=SAFE_INTEGER_MAX)]
Types = Annotated[
    str, Parameter(pattern=r"^[A-Za-z,]{0,512}$", description="Names of events, with commas.")
]
Word = Annotated[str, Parameter(pattern=r"^[\x21-\x7e]{0,128}$")]
AtUs = Annotated[
    int, Parameter(query="at_us", ge=0, le=SAFE_INTEGER_MAX, description="Microseconds UTC.")
]


class AuditItem(msgspec.Struct, frozen=True, kw_only=True):
    """A stored event; `subject` is whose personal fields it has, which are "" in the payload."""

    position: int
    at_us: int
    type: str
    stream_id: str
    version: int
    actor: str
    event_id: str
    correlation_id: str
    causation_id: str
    hash: str
    payload: dict[str, Any]  # any JSON: the payload's shape belongs to its type
    subject: str
    has_personal: bool


class AuditDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One event with its personal fields, as far as the caller may see them, and its proof.

    `proof` is None until a checkpoint covers the event.
    """

    event: AuditItem
    prev_hash: str
    personal_state: str
    personal: dict[str, str]
    proof: InclusionProof | None


class CheckpointList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoints, newest first, and what they promise."""

    public_key: str
    statement: str
    state: str
    detail: str
    items: list[Checkpoint]


class AuditParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes are built from."""

    open_unit: OpenUnit
    sealer: Sealer
    checkpointer: Checkpointer
    prover: Prover
    record: Record
    clock: Clock


class AuditRoutes:
    """`/api/v1/audit…`."""

    def __init__(self, parts: AuditParts) -> None:
        self._parts = parts

    def handlers(self) -> list[HTTPRouteHandler]:
        """The four routes."""
        return [
            get("/api/v1/audit", tags=["audit"])(self.listed),
            get("/api/v1/audit/checkpoints", tags=["audit"])(self.checkpoints),
            get("/api/v1/audit/state", tags=["audit"])(self.state),
            get("/api/v1/audit/{position:int}", tags=["audit"])(self.detail),
        ]

    async def listed(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        request: SignedRequest,
        after: Place = 0,
        before: Place = 0,
        limit: ItemLimit = 100,
        types: Types = "",
        actor: Word = "",
        stream: Word = "",
        from_us: TimeUs = None,
        to_us: TimeUs = None,
    ) -> Page[AuditItem]:
        """Events of the log that fit, newest first; `next_cursor` is the next page's `before`."""
        wanted = LogFilter(
            after=after,
            before=before or FOREVER,
            types=_known_types(types),
            actor=actor,
            stream=stream,
            from_us=from_us or 0,
            to_us=min(LAST_US if to_us is None else to_us, LAST_US),
        )
        async with self._parts.open_unit(_tenant(request)) as uow:
            found = await search(uow, wanted, limit + 1)
        items = [audit_item(each) for each in found[:limit]]
        return Page(items, str(items[-1].position) if len(found) > limit else None)

    async def detail(self, request: SignedRequest, position: PlaceInPath) -> AuditDetail:
        """One event: opened for an administrator, with proof that it is in the signed log."""
        tenant = _tenant(request)
        async with self._parts.open_unit(tenant) as uow:
            event = await event_at(uow, position)
        if event is None:
            raise RequestRefused(404, "not_found", f"There is no event {position}.")
        opened = await self._opened(request, tenant, event)
        proven = await self._parts.prover.prove(tenant, position)
        return AuditDetail(
            event=audit_item(event),
            prev_hash=event.prev_hash.hex(),
            personal_state=str(opened.state),
            personal=opened.fields,
            proof=proven.proof if proven is not None else None,
        )

    async def checkpoints(self, request: SignedRequest) -> CheckpointList:
        """The newest signed checkpoints, and what they prove."""
        checkpointer = self._parts.checkpointer
        file = checkpointer.folders.files(_tenant(request))[0]
        newest = await asyncio.to_thread(file.newest, CHECKPOINTS_SHOWN)
        health = checkpointer.check_of(_tenant(request))
        words = {Status.OK: "ok", Status.DEGRADED: "late", Status.DOWN: "broken"}
        return CheckpointList(
            public_key=checkpointer.signer.public_key,
            statement=STATEMENT,
            state=words.get(health.status, "late"),
            detail=health.detail,
            items=newest[::-1],
        )

    async def state(self, request: SignedRequest, at_us: AtUs) -> PastState:
        """Every account as it was at a time: figures, open positions, working orders."""
        async with self._parts.open_unit(_tenant(request)) as uow:
            return await tenant_state(uow, min(at_us, LAST_US))

    async def _opened(self, request: SignedRequest, tenant: TenantId, event: StoredEvent) -> Opened:
        if request.auth.user.role is not Role.TENANT_ADMIN:
            return masked(event)
        opened = await open_personal(self._parts.sealer, tenant, event)
        if opened.state is PersonalState.OPENED and event.key_id != request.auth.user.user_id:
            self._write_down(request, event)
        return opened

    def _write_down(self, request: SignedRequest, event: StoredEvent) -> None:
        """That somebody looked at another person's data."""
        session, asked = request.auth, request.scope["state"]
        self._parts.record(
            session.user.tenant_id,
            f"user:{session.user.user_id}",
            ActionTaken(
                ts_ns=self._parts.clock.now_ns(),
                user_id=session.user.user_id,
                role=str(session.user.role),
                via=str(session.via),
                session_id=session.session_id,
                ip_address=client_address(request.scope),
                request_id=str(asked["request_id"]),
                action=LOOK,
                target=f"position={event.position}",
                status=200,
                code="",
                before="",
                after="",
            ),
            actor=session.actor,
            correlation_id=str(asked["correlation_id"]),
        )


def audit_item(event: StoredEvent) -> AuditItem:
    """A stored event as the explorer shows it."""
    payload = for_screen(event.data)
    return AuditItem(
        position=event.position,
        at_us=event.at_us,
        type=event.type,
        stream_id=event.stream_id,
        version=event.version,
        actor=event.actor,
        event_id=event.event_id,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        hash=event.hash.hex(),
        payload=payload if isinstance(payload, dict) else {},
        subject=event.key_id,
        has_personal=event.sealed is not None,
    )


def _known_types(types: str) -> tuple[str, ...]:
    names = tuple(name for name in types.split(",") if name)
    unknown = [name for name in names if name not in STORED]
    if unknown:
        raise RequestRefused(
            422,
            "invalid_parameter",
            f"types (query): {unknown[0]!r} is not a stored event.",
            remedy=f"Any of {', '.join(sorted(STORED))}.",
        )
    return names


def _tenant(request: SignedRequest) -> TenantId:
    return TenantId(request.auth.user.tenant_id)
