"""What two people decide together: limits, going live, trading after a kill, passing gates."""

from typing import Any, Final

import msgspec

from plan2.connectivity.identity.proposals import Kind, Payload, Proposal
from plan2.foundation.errors import InputError
from plan2.intelligence.trading.control import Selector
from plan2.interface.api.candidates import Overriding
from plan2.interface.api.flow_items import FlowHouse
from plan2.interface.api.flows import FlowOverriding
from plan2.wiring.broker_desk import BROKER_BINDING, TenantBrokerDesk
from plan2.wiring.installation import LIMIT_OVERRIDE, Installation

GO_LIVE: Final = "go_live"
KILL_RELEASE: Final = "kill_release"
GATE_OVERRIDE: Final = "gate_override"
FLOW_OVERRIDE: Final = "flow_override"


class ResumeWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account that is to trade (again); `mode` names whose money it is."""

    account_id: str = ""
    mode: str = ""


class Approving:
    """Carries out what was approved, in the name of whoever proposed it."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def kinds(self) -> dict[str, Kind]:
        """What may be proposed, by name."""
        return {
            LIMIT_OVERRIDE: self._installation.settings_desk.approvable(),
            GO_LIVE: Kind(summarise=_live_words, carry_out=self._resume),
            KILL_RELEASE: Kind(summarise=_release_words, carry_out=self._resume),
            FLOW_OVERRIDE: FlowOverriding(self._flows_of).kind(),
            BROKER_BINDING: TenantBrokerDesk(self._installation).kind(),
            GATE_OVERRIDE: Overriding(lambda: self._installation.lifecycle).kind(),
        }

    def _flows_of(self, tenant_id: str) -> FlowHouse | None:
        run = self._installation.runs.find(tenant_id)
        return run.flows.house if run is not None else None

    async def _resume(self, proposal: Proposal) -> str:
        wish = _wish(msgspec.json.decode(proposal.payload), ResumeWish)
        run = self._installation.runs.find(proposal.tenant_id)
        if run is None:
            raise InputError("The tenant is not open at present.")
        await run.safety.control.set_state(
            "armed",
            f"user:{proposal.proposed_by}",
            f"approved by {proposal.decided_by}: {proposal.reason}",
            Selector(account_id=wish.account_id),
            wish.mode,
        )
        return "trading resumed"


def _wish(payload: Payload, kind: type[Any]) -> Any:  # the struct that is asked for
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"The proposal cannot be understood: {error}.") from error


def _live_words(_: str, payload: Payload) -> str:
    wish = _wish(payload, ResumeWish)
    return f"Trade account {wish.account_id or 'of this tenant'} as {wish.mode or 'it is'}"


def _release_words(_: str, payload: Payload) -> str:
    wish = _wish(payload, ResumeWish)
    return f"Trade on after a kill: account {wish.account_id or 'of this tenant'}"
