"""Candidates as the API shows them."""

import msgspec

from plan2.intelligence.models.candidate_desk import CandidateDesk
from plan2.intelligence.models.candidate_store import MoveRow, SeatRow
from plan2.intelligence.models.gates import GATES
from plan2.intelligence.models.lifecycle import TRANSITIONS, Alias, Candidate, State
from plan2.intelligence.models.standing import age_days
from plan2.interface.screen import number_or_none, to_us


class CandidateItem(msgspec.Struct, frozen=True, kw_only=True):
    """Models that forecast together, how far they came, and where they serve.

    `champion_of`, `challenger_of`, `last_good_of`: symbols. `age_days`: since training.
    """

    candidate_id: str
    symbols: list[str]
    model_ids: list[str]
    schema_id: str
    state: str
    created_us: int
    since_us: int
    age_days: float
    verdict: str
    flags: list[str]
    metrics: dict[str, float | None]
    parent: str
    champion_of: list[str]
    challenger_of: list[str]
    last_good_of: list[str]
    leads_to: list[str]


class ConditionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a gate, and how the candidate stands before it."""

    name: str
    is_met: bool
    sentence: str


class GateItem(msgspec.Struct, frozen=True, kw_only=True):
    """What has to hold to enter a state."""

    state: str
    is_open: bool
    conditions: list[ConditionItem]


class MoveItem(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a candidate's state."""

    from_state: str
    to_state: str
    by: str
    reason: str
    evidence: list[str]
    is_override: bool
    at_us: int


class SeatItem(msgspec.Struct, frozen=True, kw_only=True):
    """An alias of a symbol that came to a candidate or left it.

    `alias`: champion, challenger or last_good. `other`: who had it before, or has it since; "" =
    nobody.
    """

    symbol: str
    alias: str
    is_gained: bool
    other: str
    by: str
    reason: str
    is_rollback: bool
    at_us: int


class CandidateCard(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with every gate and its whole history, the newest first.

    `history`: its states. `seats`: where it served, was watched or was the last good one.
    """

    candidate: CandidateItem
    gates: list[GateItem]
    history: list[MoveItem]
    seats: list[SeatItem]


class CandidateReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a wish: `done`, or `proposed` and waiting for a second person."""

    outcome: str
    candidate: CandidateItem
    approval_id: str = ""


def item_of(desk: CandidateDesk, candidate: Candidate, now_ns: int) -> CandidateItem:
    """A candidate for a screen."""
    seats = {alias: desk.book.seats_of(candidate.candidate_id, alias) for alias in Alias}
    return CandidateItem(
        candidate_id=candidate.candidate_id,
        symbols=list(candidate.symbols),
        model_ids=list(candidate.model_ids),
        schema_id=candidate.schema_id,
        state=candidate.state.value,
        created_us=to_us(candidate.created_ns),
        since_us=to_us(candidate.since_ns),
        age_days=round(age_days(candidate, now_ns), 2),
        verdict=candidate.verdict,
        flags=list(candidate.flags),
        metrics={name: number_or_none(value) for name, value in candidate.metrics.items()},
        parent=candidate.parent,
        champion_of=sorted(seats[Alias.CHAMPION]),
        challenger_of=sorted(seats[Alias.CHALLENGER]),
        last_good_of=sorted(seats[Alias.LAST_GOOD]),
        leads_to=sorted(state.value for state in TRANSITIONS[candidate.state]),
    )


def gates_of(desk: CandidateDesk, candidate: Candidate) -> list[GateItem]:
    """Every gate of the life cycle, with the candidate's figures."""
    return [_gate(desk, candidate, state) for state in GATES]


def move_item(move: MoveRow) -> MoveItem:
    """A move for a screen."""
    return MoveItem(
        from_state=move.before.value,
        to_state=move.to.value,
        by=move.by,
        reason=move.reason,
        evidence=list(move.evidence),
        is_override=move.is_override,
        at_us=to_us(move.at_ns),
    )


def seat_item(seat: SeatRow, candidate_id: str) -> SeatItem:
    """A change of an alias as it looks from one of both candidates."""
    is_gained = seat.candidate_id == candidate_id
    return SeatItem(
        symbol=seat.symbol,
        alias=seat.alias.value,
        is_gained=is_gained,
        other=seat.before if is_gained else seat.candidate_id,
        by=seat.by,
        reason=seat.reason,
        is_rollback=seat.is_rollback,
        at_us=to_us(seat.at_ns),
    )


def _gate(desk: CandidateDesk, candidate: Candidate, state: State) -> GateItem:
    found = desk.findings(candidate, state)
    return GateItem(
        state=state.value,
        is_open=all(each.is_met for each in found),
        conditions=[
            ConditionItem(name=each.name, is_met=each.is_met, sentence=each.sentence)
            for each in found
        ],
    )
