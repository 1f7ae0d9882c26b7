"""What a proposal is, what may become of it, and what exactly is agreed to."""

import enum
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.rights import TRADERS, Role
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId

PAYLOAD_MAX_BYTES: Final = 16_384

Payload = Mapping[str, object]


class State(enum.StrEnum):
    """Where a proposal stands; only `open` ever changes."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Something that needs a second person; times UTC ns.

    Attributes:
        payload: canonical JSON, what is carried out.
        content_hash: SHA-256 in hex over tenant, id, kind and payload.
        proposed_by, decided_by: user ids; "" while nobody decided.
        outcome: "" until it was carried out, then `done: …` or `failed: …`.
    """

    approval_id: str
    tenant_id: str
    kind: str
    payload: str
    summary: str
    content_hash: str
    ask_reason: str
    proposed_by: str
    proposed_ns: int
    expires_ns: int
    state: State = State.OPEN
    decided_by: str = ""
    decided_ns: int | None = None
    reason: str = ""
    outcome: str = ""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of thing that needs two people.

    Attributes:
        summarise: one sentence for the approver about a tenant's payload; refuses an unusable one
            with a Plan2Error.
        carry_out: does it and says what was done; its Plan2Error is the proposal's outcome.
        roles: who may propose and who may approve.
    """

    summarise: Callable[[str, Payload], str]
    carry_out: Callable[[Proposal], Awaitable[str]]
    roles: frozenset[Role] = TRADERS


class Denial(enum.StrEnum):
    """Why a decision was not taken."""

    UNKNOWN = "not_found"
    ALREADY_DECIDED = "already_decided"
    EXPIRED = "expired"
    OWN_PROPOSAL = "own_proposal"
    NOT_A_PERSON = "not_a_person"
    NO_RIGHT = "no_right"
    PROPOSER_LOST_RIGHT = "proposer_lost_right"
    CONTENT_CHANGED = "content_changed"
    NOT_PROVEN = "proof_needed"
    NOT_YOURS = "not_yours"


class ApprovalTable(Protocol):
    """Where proposals are kept."""

    async def insert(self, proposal: Proposal) -> None:
        """Keep a new proposal; durable when this returns."""
        ...

    async def find(self, tenant_id: TenantId, approval_id: str) -> Proposal | None:
        """A proposal of a tenant."""
        ...

    async def listed(self, tenant_id: TenantId, state: State | None, limit: int) -> list[Proposal]:
        """The newest proposals, of one state or of all."""
        ...

    async def decide(self, decided: Proposal) -> bool:
        """Move an open proposal to its new state; False when it was not open any more."""
        ...

    async def set_outcome(self, tenant_id: TenantId, approval_id: str, outcome: str) -> None:
        """Keep what came of an approved proposal."""
        ...


def content_hash(tenant_id: str, approval_id: str, kind: str, payload: str) -> str:
    """SHA-256 in hex of all that is agreed to, each part with its length before it."""
    parts = (part.encode() for part in (tenant_id, approval_id, kind, payload))
    framed = b"".join(len(part).to_bytes(8) + part for part in parts)
    return hashlib.sha256(framed).hexdigest()


def canonical(payload: Payload) -> str:
    """A payload as JSON in one form.

    Raises:
        InputError: it is too large, or not text.
    """
    try:
        text = msgspec.json.encode(payload, order="deterministic")
    except UnicodeEncodeError:
        raise InputError("A proposal holds characters that are none.") from None
    if len(text) > PAYLOAD_MAX_BYTES:
        raise InputError(f"A proposal has {PAYLOAD_MAX_BYTES} bytes at most.")
    return text.decode()
