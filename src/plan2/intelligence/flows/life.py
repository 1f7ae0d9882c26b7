"""The life of a flow's versions: what each is, how far it has come, and where it may go.

    DRAFT → BACKTESTED → PAPER → LIVE → PAUSED → RETIRED

A version's text never changes; another text is another version. At most one version of a flow
trades (paper, live or paused) at a time.
"""

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.intelligence.flows.flow import Flow, parse_flow


class FlowState(enum.StrEnum):
    """How far a version has come."""

    DRAFT = "draft"
    BACKTESTED = "backtested"
    PAPER = "paper"
    LIVE = "live"
    PAUSED = "paused"
    RETIRED = "retired"


_S = FlowState
STEPS: Final[Mapping[FlowState, frozenset[FlowState]]] = {
    _S.DRAFT: frozenset({_S.BACKTESTED, _S.RETIRED}),
    _S.BACKTESTED: frozenset({_S.PAPER, _S.RETIRED}),
    _S.PAPER: frozenset({_S.LIVE, _S.PAUSED, _S.RETIRED}),
    _S.LIVE: frozenset({_S.PAPER, _S.PAUSED, _S.RETIRED}),
    _S.PAUSED: frozenset({_S.PAPER, _S.LIVE, _S.RETIRED}),
    _S.RETIRED: frozenset(),
}
"""Where each state may go; anything else is refused, by the database too."""

TRADING: Final = frozenset({FlowState.PAPER, FlowState.LIVE})
SEATED: Final = TRADING | {FlowState.PAUSED}
"""States in which a version belongs to an account."""

OWN_NAME: Final = "main"
"""What orders of the account's own decision are named after; no flow may be called so."""


class FlowVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a flow: its text, and how far it has come. Times UTC."""

    name: str
    version: int
    digest: str
    body: str
    symbol: str
    by: str
    created_ns: int
    since_ns: int
    state: FlowState = FlowState.DRAFT
    account_id: str = ""

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.version}"

    def flow(self) -> Flow:
        """What its text declares."""
        return parse_flow(self.body, self.label)


class FlowMove(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state as it was written down; `at_ns`: UTC. `move_id` 0 = not written yet."""

    move_id: int = 0
    name: str
    version: int
    before: FlowState
    to: FlowState
    account_id: str
    by: str
    reason: str
    evidence: tuple[str, ...]
    is_override: bool
    at_ns: int


class IllegalStep(InputError):
    """A version cannot go from its state to the wanted one."""


def check_step(version: FlowVersion, to: FlowState) -> None:
    """Refuse a step that the life of a flow does not know.

    Raises:
        IllegalStep: the state does not lead there.
    """
    leads_to = STEPS[version.state]
    if to not in leads_to:
        known = ", ".join(sorted(leads_to)) or "nowhere: it is the end"
        raise IllegalStep(
            f"Flow {version.label} is {version.state} and cannot become {to}.",
            remedy=f"From {version.state} it goes to: {known}.",
        )
