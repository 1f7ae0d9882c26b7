"""Routes of the life cycle: candidates with their gates and history, and moving them.

Models serve every tenant of the installation, so only people of its own tenant, or its operators,
move them. What passes over a gate needs a fresh proof and, with `security.four_eyes`, a second
person.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.proposals import Kind, Payload, Proposal
from plan2.foundation.clock import Clock
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.intelligence.models.candidate_desk import CandidateDesk
from plan2.intelligence.models.lifecycle import Candidate, IllegalTransition, Move, State
from plan2.interface.api.candidate_items import (
    CandidateCard,
    CandidateItem,
    CandidateReceipt,
    gates_of,
    item_of,
    move_item,
    seat_item,
)
from plan2.interface.api.paging import LINE, ItemId

PATH: Final = "/api/v1/candidates"
TAGS: Final = ("models",)
BODY_MAX_BYTES: Final = 8_192

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=LINE)]
Propose = Callable[[Session, Payload, str], Awaitable[str]]
"""Asks a second person to pass over a gate; returns the approval's id."""


class MoveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a candidate is to go, and why."""

    to: State
    reason: Reason


class RollbackBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which symbol goes back to its last good champion, and why."""

    symbol: Annotated[str, Meta(min_length=1, max_length=32)]
    reason: Reason


class CandidateParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes work with.

    `take_up`: looks for what training left since. `four_eyes`: whether passing over a gate needs
    a second person. `propose`: asks one.
    """

    desk: CandidateDesk
    take_up: Callable[[], Awaitable[None]]
    four_eyes: Callable[[], bool]
    propose: Propose
    clock: Clock


class CandidateRoutes:
    """`/api/v1/candidates`."""

    def __init__(self, parts: CandidateParts) -> None:
        self._parts = parts
        self._desk = parts.desk

    def handlers(self) -> list[HTTPRouteHandler]:
        """Two questions and three wishes."""
        found: list[HTTPRouteHandler] = [
            get(PATH, tags=TAGS)(self.every),
            get(f"{PATH}/{{candidate_id:str}}", tags=TAGS)(self.card),
        ]
        wishes = (
            (f"{PATH}/rollback", self.rollback),
            (f"{PATH}/{{candidate_id:str}}/move", self.move),
            (f"{PATH}/{{candidate_id:str}}/override", self.override),
        )
        for path, handler in wishes:
            putting = post(path, status_code=200, request_max_body_size=BODY_MAX_BYTES, tags=TAGS)
            found.append(putting(handler))
        return found

    async def every(self) -> list[CandidateItem]:
        """Every candidate, newest first; what was trained a moment ago is taken up first."""
        await self._parts.take_up()
        return [self._item(each) for each in self._desk.candidates()]

    async def card(self, candidate_id: ItemId) -> CandidateCard:
        """One candidate with every gate, its figures before it, and its whole history."""
        candidate = await self._known(candidate_id)
        history = await self._desk.history(candidate_id)
        seats = await self._desk.seat_history(candidate_id)
        return CandidateCard(
            candidate=self._item(candidate),
            gates=gates_of(self._desk, candidate),
            history=[move_item(move) for move in reversed(history)],
            seats=[seat_item(seat, candidate_id) for seat in reversed(seats)],
        )

    async def move(
        self, request: SignedRequest, candidate_id: ItemId, data: MoveBody
    ) -> CandidateReceipt:
        """Take a candidate into another state; refused while a condition of its gate is not met."""
        _check_house(request.auth)
        await self._known(candidate_id)
        moved = await _illegal_is_conflict(
            self._desk.move(_wish(candidate_id, data, request.auth.actor))
        )
        return CandidateReceipt(outcome="done", candidate=self._item(moved))

    async def override(
        self, request: SignedRequest, candidate_id: ItemId, data: MoveBody
    ) -> CandidateReceipt:
        """`move` past conditions that are not met, recorded as that; no way past a leak."""
        _check_house(request.auth)
        candidate = await self._known(candidate_id)
        if self._parts.four_eyes():
            payload = {"candidate_id": candidate_id, "to": data.to.value}
            approval_id = await self._parts.propose(request.auth, payload, data.reason)
            return CandidateReceipt(
                outcome="proposed", candidate=self._item(candidate), approval_id=approval_id
            )
        moved = await _illegal_is_conflict(
            self._desk.override(_wish(candidate_id, data, request.auth.actor))
        )
        return CandidateReceipt(outcome="done", candidate=self._item(moved))

    async def rollback(self, request: SignedRequest, data: RollbackBody) -> CandidateReceipt:
        """Let the last good champion serve a symbol again, from the next tick on."""
        _check_house(request.auth)
        back = await self._desk.rollback(data.symbol, request.auth.actor, data.reason)
        return CandidateReceipt(outcome="done", candidate=self._item(back))

    async def _known(self, candidate_id: str) -> Candidate:
        if self._desk.candidate(candidate_id) is None:
            await self._parts.take_up()
        candidate = self._desk.candidate(candidate_id)
        if candidate is None:
            raise RequestRefused(
                404, "not_found", f"There is no candidate {candidate_id!r} at this market."
            )
        return candidate

    def _item(self, candidate: Candidate) -> CandidateItem:
        return item_of(self._desk, candidate, self._parts.clock.now_ns())


class Overriding:
    """Passing over a gate as a thing that two people decide on."""

    def __init__(self, desk: Callable[[], CandidateDesk]) -> None:
        self._desk = desk

    def kind(self) -> Kind:
        """The kind of proposal."""
        return Kind(summarise=self._summary, carry_out=self._carry_out)

    def _summary(self, tenant_id: str, payload: Payload) -> str:
        if tenant_id != MAIN_TENANT:
            raise InputError("Models are moved by the installation's own tenant only.")
        candidate, to = self._meant(payload)
        found = self._desk().findings(candidate, to)
        unmet = "; ".join(each.sentence for each in found if not each.is_met) or "nothing"
        return f"Candidate {candidate.candidate_id} becomes {to} although: {unmet}"

    async def _carry_out(self, proposal: Proposal) -> str:
        candidate, to = self._meant(msgspec.json.decode(proposal.payload))
        reason = f"{proposal.ask_reason}; approved by {proposal.decided_by}: {proposal.reason}"
        by = f"user:{proposal.proposed_by}"
        name = candidate.candidate_id
        await self._desk().override(Move(candidate_id=name, to=to, by=by, reason=reason))
        return f"candidate {name} is {to}"

    def _meant(self, payload: Payload) -> tuple[Candidate, State]:
        candidate = self._desk().candidate(str(payload.get("candidate_id", "")))
        to = str(payload.get("to", ""))
        if candidate is None or to not in set(State):
            raise InputError("The proposal names no candidate and state that there are.")
        return candidate, State(to)


def _wish(candidate_id: str, data: MoveBody, by: str) -> Move:
    return Move(candidate_id=candidate_id, to=data.to, by=by, reason=data.reason)


async def _illegal_is_conflict(moving: Awaitable[Candidate]) -> Candidate:
    """A step that the life cycle does not know is a conflict with how things stand."""
    try:
        return await moving
    except IllegalTransition as error:
        raise RequestRefused(
            409, "illegal_transition", error.message, remedy=error.remedy
        ) from None


def _check_house(session: Session) -> None:
    user = session.user
    if user.tenant_id != MAIN_TENANT and not user.is_operator:
        raise RequestRefused(
            403,
            "forbidden",
            "Models serve every tenant; only the installation's own people move them.",
        )
