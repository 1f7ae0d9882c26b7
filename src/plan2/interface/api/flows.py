"""Routes of flows: what there is, registering a text, and moving a version through its life.

Everything is the caller's tenant's own. What passes over a gate needs a fresh proof and, with
`security.four_eyes`, a second person.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.proposals import Kind, Payload, Proposal
from plan2.foundation.errors import InputError
from plan2.intelligence.flows.desk import FlowWish
from plan2.intelligence.flows.flow import LONGEST_FILE
from plan2.intelligence.flows.life import FlowState, FlowVersion, IllegalStep
from plan2.interface.api.flow_items import (
    ComparisonItem,
    FlowCard,
    FlowDiff,
    FlowHouse,
    FlowItem,
    FlowReceipt,
    FlowVerdict,
    comparison_item,
    flow_card,
    flow_diff,
    flow_item,
    refusal_of,
)
from plan2.interface.api.paging import LINE, ItemId

PATH: Final = "/api/v1/flows"
TAGS: Final = ("flows",)
TEXT_MAX_BYTES: Final = 4 * LONGEST_FILE
BODY_MAX_BYTES: Final = 8_192

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=LINE)]
Version = Annotated[int, Parameter(ge=0, le=1_000_000, description="0 = the one that trades.")]
HouseOf = Callable[[Session], FlowHouse]
Propose = Callable[[Session, Payload, str], Awaitable[str]]
"""Asks a second person to pass over a gate; returns the approval's id."""


class FlowText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The TOML text of a flow."""

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_FILE)]


class FlowMoveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version is to go where, and why; `account_id` "" = the tenant's account."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    to: FlowState
    reason: Reason
    account_id: Annotated[str, Meta(max_length=128, pattern=LINE)] = ""


class FlowParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes work with.

    `of`: a caller's flows, refused with 503 while the tenant is being opened. `four_eyes`: whether
    passing over a gate needs a second person there. `propose`: asks one.
    """

    of: HouseOf
    four_eyes: Callable[[Session], bool]
    propose: Propose


class FlowRoutes:
    """`/api/v1/flows`."""

    def __init__(self, parts: FlowParts) -> None:
        self._parts = parts

    def handlers(self) -> list[HTTPRouteHandler]:
        """Four questions and four wishes."""
        found: list[HTTPRouteHandler] = [
            get(PATH, tags=TAGS)(self.every_flow),
            get(f"{PATH}/{{name:str}}", tags=TAGS)(self.flow),
            get(f"{PATH}/{{name:str}}/diff", tags=TAGS)(self.flow_changes),
            get(f"{PATH}/{{name:str}}/comparisons", tags=TAGS)(self.flow_comparisons),
        ]
        wishes = (
            (PATH, self.register_flow, TEXT_MAX_BYTES),
            (f"{PATH}/check", self.check_flow, TEXT_MAX_BYTES),
            (f"{PATH}/{{name:str}}/move", self.move_flow, BODY_MAX_BYTES),
            (f"{PATH}/{{name:str}}/override", self.override_flow_gate, BODY_MAX_BYTES),
        )
        for path, handler, most in wishes:
            putting = post(path, status_code=200, request_max_body_size=most, tags=TAGS)
            found.append(putting(handler))
        return found

    async def every_flow(self, request: SignedRequest) -> list[FlowItem]:
        """Every version of every flow, by name, the newest first."""
        house = self._parts.of(request.auth)
        return [flow_item(house, each) for each in house.desk.versions()]

    async def flow(self, request: SignedRequest, name: ItemId, version: Version = 0) -> FlowCard:
        """One version with its text, every gate, and the history of the flow."""
        house = self._parts.of(request.auth)
        return flow_card(house, _known(house, name, version))

    async def flow_changes(
        self, request: SignedRequest, name: ItemId, before: Version = 1, after: Version = 0
    ) -> FlowDiff:
        """What changed in the text between two versions; `after` 0 = the one that trades."""
        house = self._parts.of(request.auth)
        return flow_diff(_known(house, name, before), _known(house, name, after))

    async def flow_comparisons(self, request: SignedRequest, name: ItemId) -> list[ComparisonItem]:
        """The newest days of live trading held against their replay, newest first."""
        house = self._parts.of(request.auth)
        _known(house, name, 0)
        return [comparison_item(each) for each in await house.comparisons(name)]

    async def check_flow(self, request: SignedRequest, data: FlowText) -> FlowVerdict:
        """Whether a text declares a flow that could trade here, and if not, what is wrong where."""
        try:
            self._parts.of(request.auth).desk.check(data.text)
        except InputError as error:
            return refusal_of(data.text, error)
        return FlowVerdict(is_usable=True)

    async def register_flow(self, request: SignedRequest, data: FlowText) -> FlowItem:
        """Keep a text as a new version; the same text again is the version that it was."""
        house = self._parts.of(request.auth)
        return flow_item(house, await house.desk.register(data.text, request.auth.actor))

    async def move_flow(
        self, request: SignedRequest, name: ItemId, data: FlowMoveBody
    ) -> FlowReceipt:
        """Take a version into another state; refused while a condition of its gate is not met."""
        house = self._parts.of(request.auth)
        _known(house, name, data.version)
        wish = _wish(name, data, request.auth.actor)
        moved = await _illegal_is_conflict(house.desk.move(wish))
        return FlowReceipt(outcome="done", flow=flow_item(house, moved))

    async def override_flow_gate(
        self, request: SignedRequest, name: ItemId, data: FlowMoveBody
    ) -> FlowReceipt:
        """`move` past the conditions that a person may pass over, recorded as that."""
        house = self._parts.of(request.auth)
        version = _known(house, name, data.version)
        if self._parts.four_eyes(request.auth):
            payload = {"name": name, "version": data.version, "to": data.to.value}
            approval_id = await self._parts.propose(request.auth, payload, data.reason)
            return FlowReceipt(
                outcome="proposed", flow=flow_item(house, version), approval_id=approval_id
            )
        wish = _wish(name, data, request.auth.actor)
        moved = await _illegal_is_conflict(house.desk.move(wish, is_override=True))
        return FlowReceipt(outcome="done", flow=flow_item(house, moved))


class FlowOverriding:
    """Passing over a flow's gate as a thing that two people decide on.

    Args:
        house_of: the flows of a tenant; None while it is not open.
    """

    def __init__(self, house_of: Callable[[str], FlowHouse | None]) -> None:
        self._house_of = house_of

    def kind(self) -> Kind:
        """The kind of proposal."""
        return Kind(summarise=self._summary, carry_out=self._carry_out)

    def _summary(self, tenant_id: str, payload: Payload) -> str:
        house, version, to = self._meant(tenant_id, payload)
        found = house.desk.findings(version, to)
        unmet = "; ".join(each.sentence for each in found if not each.is_met) or "nothing"
        return f"Flow {version.label} becomes {to} although: {unmet}"

    async def _carry_out(self, proposal: Proposal) -> str:
        payload = msgspec.json.decode(proposal.payload)
        house, version, to = self._meant(proposal.tenant_id, payload)
        wish = FlowWish(
            name=version.name,
            version=version.version,
            to=to,
            by=f"user:{proposal.proposed_by}",
            reason=f"{proposal.ask_reason}; approved by {proposal.decided_by}: {proposal.reason}",
        )
        await house.desk.move(wish, is_override=True)
        return f"flow {version.label} is {to}"

    def _meant(self, tenant_id: str, payload: Payload) -> tuple[FlowHouse, FlowVersion, FlowState]:
        house = self._house_of(tenant_id)
        if house is None:
            raise InputError("The tenant is not open at present.")
        number = payload.get("version")
        version = house.desk.find(
            str(payload.get("name", "")), number if isinstance(number, int) else 0
        )
        to = str(payload.get("to", ""))
        if version is None or to not in set(FlowState):
            raise InputError("The proposal names no flow and state that there are.")
        return house, version, FlowState(to)


def _known(house: FlowHouse, name: str, version: int) -> FlowVersion:
    found = house.desk.find(name, version)
    if found is None:
        which = f"version {version} of flow {name!r}" if version else f"flow {name!r}"
        raise RequestRefused(404, "not_found", f"There is no {which}.")
    return found


def _wish(name: str, data: FlowMoveBody, by: str) -> FlowWish:
    return FlowWish(
        name=name,
        version=data.version,
        to=data.to,
        by=by,
        reason=data.reason,
        account_id=data.account_id,
    )


async def _illegal_is_conflict(moving: Awaitable[FlowVersion]) -> FlowVersion:
    """A step that the life of a flow does not know is a conflict with how things stand."""
    try:
        return await moving
    except IllegalStep as error:
        raise RequestRefused(
            409, "illegal_transition", error.message, remedy=error.remedy
        ) from None
