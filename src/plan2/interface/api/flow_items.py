"""Flows as the API shows them."""

import difflib
from collections.abc import Awaitable, Callable

import msgspec

from plan2.foundation.errors import Plan2Error
from plan2.foundation.events.flows import LiveComparisonMade
from plan2.intelligence.flows.desk import FlowDesk
from plan2.intelligence.flows.gates import GATED
from plan2.intelligence.flows.life import SEATED, STEPS, FlowMove, FlowState, FlowVersion
from plan2.intelligence.flows.places import line_of
from plan2.intelligence.trading.flow_seats import FlowResult
from plan2.interface.screen import to_us


class FlowHouse(msgspec.Struct, frozen=True, kw_only=True):
    """The flows of one tenant: their registry, what each earned, and which cannot trade and why."""

    desk: FlowDesk
    result: Callable[[str], FlowResult]
    troubles: Callable[[], dict[str, str]]
    comparisons: Callable[[str], Awaitable[list[LiveComparisonMade]]]
    """The newest comparisons of a flow with its replay, newest first."""


class FlowItem(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a flow.

    `account_id`, "" = none; money in account currency, None while the version has no seat;
    `positions`: ids; `decided_us`, `sentence`: its last decision since the start; `trouble`: why it
    cannot trade although it should.
    """

    name: str
    version: int
    newest: int
    description: str
    symbol: str
    state: str
    account_id: str
    digest: str
    by: str
    created_us: int
    since_us: int
    leads_to: list[str]
    realised: str | None = None
    floating: str | None = None
    trades: int | None = None
    positions: list[str] = []
    decided_us: int | None = None
    sentence: str = ""
    trouble: str = ""


class FlowConditionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a gate, and whether a person may pass over it."""

    name: str
    is_met: bool
    sentence: str
    may_be_passed: bool


class FlowGateItem(msgspec.Struct, frozen=True, kw_only=True):
    """What has to hold to enter a state."""

    state: str
    is_open: bool
    conditions: list[FlowConditionItem]


class FlowMoveItem(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a version's state."""

    version: int
    from_state: str
    to_state: str
    account_id: str
    by: str
    reason: str
    evidence: list[str]
    is_override: bool
    at_us: int


class FlowCard(msgspec.Struct, frozen=True, kw_only=True):
    """A version with its text, every gate, and the history of all versions, newest move first."""

    flow: FlowItem
    text: str
    versions: list[FlowItem]
    gates: list[FlowGateItem]
    history: list[FlowMoveItem]


class FlowDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two versions, as lines of a unified diff."""

    name: str
    before: int
    after: int
    lines: list[str]


class FlowVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a text declares a flow that could trade here; `line` counts from 1, 0 = unknown."""

    is_usable: bool
    message: str = ""
    remedy: str = ""
    line: int = 0


class DifferenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A trade of a live day that its replay does not have, or has differently; `cause` says why."""

    cause: str
    detail: str
    opened_us: int
    live_net: str | None
    replay_net: str | None


class ComparisonItem(msgspec.Struct, frozen=True, kw_only=True):
    """A day of live trading beside its replay; money in account currency."""

    version: int
    account_id: str
    day: str
    live_trades: int
    replay_trades: int
    paired: int
    live_net: str
    replay_net: str
    causes: dict[str, int]
    differences: list[DifferenceItem]


class FlowReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a wish: `done`, or `proposed` and waiting for a second person."""

    outcome: str
    flow: FlowItem
    approval_id: str = ""


def flow_item(house: FlowHouse, version: FlowVersion) -> FlowItem:
    """A version for a screen."""
    newest = max(v.version for v in house.desk.versions() if v.name == version.name)
    item = FlowItem(
        name=version.name,
        version=version.version,
        newest=newest,
        description=version.flow().description,
        symbol=version.symbol,
        state=version.state.value,
        account_id=version.account_id,
        digest=version.digest,
        by=version.by,
        created_us=to_us(version.created_ns),
        since_us=to_us(version.since_ns),
        leads_to=sorted(state.value for state in STEPS[version.state]),
    )
    return _with_result(house, item) if version.state in SEATED else item


def flow_card(house: FlowHouse, version: FlowVersion) -> FlowCard:
    """A version with everything that is known of its flow."""
    desk = house.desk
    same = [each for each in desk.versions() if each.name == version.name]
    return FlowCard(
        flow=flow_item(house, version),
        text=version.body,
        versions=[flow_item(house, each) for each in same],
        gates=[_gate(desk, version, state) for state in GATED],
        history=[move_item(move) for move in reversed(desk.moves(version.name))],
    )


def flow_diff(before: FlowVersion, after: FlowVersion) -> FlowDiff:
    """The lines that changed, with three around each change."""
    lines = difflib.unified_diff(
        before.body.splitlines(),
        after.body.splitlines(),
        before.label,
        after.label,
        lineterm="",
    )
    return FlowDiff(name=after.name, before=before.version, after=after.version, lines=list(lines))


def refusal_of(text: str, error: Plan2Error) -> FlowVerdict:
    """Why a text cannot be used, and in which line."""
    return FlowVerdict(
        is_usable=False,
        message=error.message,
        remedy=error.remedy,
        line=line_of(text, error.message),
    )


def move_item(move: FlowMove) -> FlowMoveItem:
    """A move for a screen."""
    return FlowMoveItem(
        version=move.version,
        from_state=move.before.value,
        to_state=move.to.value,
        account_id=move.account_id,
        by=move.by,
        reason=move.reason,
        evidence=list(move.evidence),
        is_override=move.is_override,
        at_us=to_us(move.at_ns),
    )


def comparison_item(event: LiveComparisonMade) -> ComparisonItem:
    """A compared day for a screen."""
    return msgspec.convert(event, ComparisonItem, from_attributes=True)


def _with_result(house: FlowHouse, item: FlowItem) -> FlowItem:
    result = house.result(item.name)
    return msgspec.structs.replace(
        item,
        realised=str(result.realised),
        floating=str(result.floating),
        trades=result.trades,
        positions=list(result.positions),
        decided_us=to_us(result.decided_ns) if result.decided_ns else None,
        sentence=result.sentence,
        trouble=house.troubles().get(item.name, ""),
    )


def _gate(desk: FlowDesk, version: FlowVersion, state: FlowState) -> FlowGateItem:
    found = desk.findings(version, state)
    return FlowGateItem(
        state=state.value,
        is_open=all(each.is_met for each in found),
        conditions=[
            FlowConditionItem(
                name=each.name,
                is_met=each.is_met,
                sentence=each.sentence,
                may_be_passed=each.may_be_passed,
            )
            for each in found
        ],
    )
