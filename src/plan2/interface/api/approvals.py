"""Routes of four eyes: what waits for a second person, and that person's answer."""

from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.accounting import note_change
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.approvals import Approvals
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.proposals import PAYLOAD_MAX_BYTES, Denial, Proposal, State
from plan2.interface.api.paging import ItemId, Line
from plan2.interface.api.settings_items import Name, SettingValue, plain
from plan2.interface.screen import for_screen, to_us, us_or_none

BODY_MAX_BYTES: Final = 2 * PAYLOAD_MAX_BYTES
TAGS: Final = ("approvals",)

KindName = Annotated[str, Meta(max_length=32, pattern=r"^[a-z_]*$")]
Members = Annotated[dict[Name, SettingValue | None], Meta(max_length=50)]
"""What a kind needs to know; each knows its own members and refuses others."""
Hash = Annotated[str, Meta(max_length=64, pattern=r"^[0-9a-f]*$")]
Wanted = Annotated[
    State | None, Parameter(query="state", description="Only proposals that stand so.")
]

SENTENCES: Final[dict[Denial, tuple[int, str, str]]] = {
    Denial.UNKNOWN: (404, "There is no such proposal.", ""),
    Denial.ALREADY_DECIDED: (409, "This proposal was decided already.", "Look at it again."),
    Denial.EXPIRED: (409, "Nobody decided within 24 hours.", "Propose it again."),
    Denial.OWN_PROPOSAL: (
        403,
        "Whoever proposes does not decide, by page, key or otherwise.",
        "Ask somebody else who may decide on this.",
    ),
    Denial.NOT_A_PERSON: (
        403,
        "Only a person who signed in decides, no program and no key.",
        "Sign in to the web page.",
    ),
    Denial.NO_RIGHT: (403, "Your role may not decide this now.", ""),
    Denial.PROPOSER_LOST_RIGHT: (
        409,
        "Who proposed this may not propose it any more.",
        "Refuse it, and propose it yourself if it should be.",
    ),
    Denial.CONTENT_CHANGED: (
        409,
        "What you agree to is not what is stored.",
        "Read the proposal again and send its content_hash.",
    ),
    Denial.NOT_PROVEN: (
        403,
        "To decide, prove who you are.",
        "POST /api/v1/session/prove, then try again within five minutes.",
    ),
    Denial.NOT_YOURS: (403, "Only who proposed it takes it back.", ""),
}
CODE_OF: Final[dict[Denial, str]] = {Denial.NOT_PROVEN: "step_up_needed"}
"""Codes that have another name for callers; all others are the denial's own."""


class ProposeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for: a kind, what it needs to know, and why."""

    kind: KindName
    payload: Members
    reason: Line


class ApproveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Agreement to exactly what was shown."""

    content_hash: Hash
    reason: Line = ""


class AnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why not."""

    reason: Line = ""


class ApprovalItem(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as the caller sees it; times in microseconds UTC, null for not yet.

    `outcome` is empty until it was carried out, then begins with `done:` or `failed:`. `may_decide`
    says whether the caller may approve or refuse it now, and `why_not` what stands against it.
    """

    approval_id: str
    kind: str
    summary: str
    payload: dict[str, Any]  # as it was proposed
    content_hash: str
    ask_reason: str
    state: str
    proposed_by: str
    proposed_us: int
    expires_us: int
    decided_by: str
    decided_us: int | None
    reason: str
    outcome: str
    may_decide: bool
    why_not: str


class ApprovalList(msgspec.Struct, frozen=True):
    """Proposals, newest first, at most 200."""

    items: list[ApprovalItem]


class ApprovalRoutes:
    """`/api/v1/approvals…`."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    def handlers(self) -> list[HTTPRouteHandler]:
        """The five routes."""
        limit, one = BODY_MAX_BYTES, "/api/v1/approvals/{approval_id:str}"
        options: dict[str, Any] = {"status_code": 200, "request_max_body_size": limit, "tags": TAGS}
        return [
            get("/api/v1/approvals", tags=TAGS)(self.listed),
            post("/api/v1/approvals", request_max_body_size=limit, tags=TAGS)(self.propose),
            post(f"{one}/approve", **options)(self.approve),
            post(f"{one}/refuse", **options)(self.refuse),
            post(f"{one}/withdraw", **options)(self.withdraw),
        ]

    async def listed(self, request: SignedRequest, wanted: Wanted = None) -> ApprovalList:
        """The newest proposals of the tenant."""
        found = await self._approvals.listed(request.auth.user.tenant_id, wanted)
        return ApprovalList([self._item(each, request.auth) for each in found])

    async def propose(self, request: SignedRequest, data: ProposeBody) -> ApprovalItem:
        """Ask for a second person's agreement; it ends by itself after 24 hours."""
        payload = {name: plain(value) for name, value in data.payload.items()}
        proposal = await self._approvals.propose(request.auth, data.kind, payload, data.reason)
        return self._item(proposal, request.auth)

    async def approve(
        self, request: SignedRequest, approval_id: ItemId, data: ApproveBody
    ) -> ApprovalItem:
        """Agree to what was shown, and have it carried out; `outcome` says what came of it."""
        decided = await self._approvals.approve(
            request.auth, approval_id, data.content_hash, data.reason
        )
        return self._answer(request, decided)

    async def refuse(
        self, request: SignedRequest, approval_id: ItemId, data: AnswerBody
    ) -> ApprovalItem:
        """Say no."""
        decided = await self._approvals.refuse(request.auth, approval_id, data.reason)
        return self._answer(request, decided)

    async def withdraw(
        self, request: SignedRequest, approval_id: ItemId, data: AnswerBody
    ) -> ApprovalItem:
        """Take one's own proposal back."""
        decided = await self._approvals.withdraw(request.auth, approval_id, data.reason)
        return self._answer(request, decided)

    def _answer(self, request: SignedRequest, decided: Proposal | Denial) -> ApprovalItem:
        if isinstance(decided, Denial):
            status, sentence, remedy = SENTENCES[decided]
            code = CODE_OF.get(decided, str(decided))
            raise RequestRefused(status, code, sentence, remedy=remedy)
        note_change(request, State.OPEN.value.encode(), str(decided.state).encode())
        return self._item(decided, request.auth)

    def _item(self, proposal: Proposal, caller: Session) -> ApprovalItem:
        denial: Denial | None = Denial.ALREADY_DECIDED
        if proposal.state is State.OPEN:
            denial = self._approvals.why_not(proposal, caller)
        # A missing proof does not take the buttons away: the page asks for it when one is used.
        may_decide = denial in {None, Denial.NOT_PROVEN}
        shown = for_screen(msgspec.json.decode(proposal.payload))
        return ApprovalItem(
            approval_id=proposal.approval_id,
            kind=proposal.kind,
            summary=proposal.summary,
            payload=shown if isinstance(shown, dict) else {},
            content_hash=proposal.content_hash,
            ask_reason=proposal.ask_reason,
            state=proposal.state,
            proposed_by=proposal.proposed_by,
            proposed_us=to_us(proposal.proposed_ns),
            expires_us=to_us(proposal.expires_ns),
            decided_by=proposal.decided_by,
            decided_us=us_or_none(proposal.decided_ns),
            reason=proposal.reason,
            outcome=proposal.outcome,
            may_decide=may_decide,
            why_not="" if denial is None or may_decide else SENTENCES[denial][1],
        )
