"""A life cycle in memory: a store that keeps the database's rules, drafts, a stage that notes."""

from pathlib import Path

import msgspec

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.models.candidate_desk import CandidateDesk, Terms
from plan2.intelligence.models.candidate_files import PARITY_SHARE, Draft, candidate_id_of
from plan2.intelligence.models.candidate_intake import Intake
from plan2.intelligence.models.candidate_ledger import Ledger
from plan2.intelligence.models.candidate_store import SYSTEM, MoveRow, SeatRow
from plan2.intelligence.models.gates import NoEvidence
from plan2.intelligence.models.lifecycle import TRANSITIONS, Candidate, Move, State
from plan2.intelligence.models.moves import Book
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.standing import UNPROVEN, Expiry

NOW_NS = 1_709_625_600_000_000_000
SCHEMA = "s" * 64
CODE = "c" * 64
EXPIRY = Expiry(days=30, suspend_days=45)
GOOD = {
    PARITY_SHARE: 0.1,
    "skill_vs_logistic_low": 0.001,
    "dsr": 0.97,
    "pbo": 0.1,
    "net_r_low_1_5x": 0.01,
    "accuracy": 0.53,
}
"""Figures that pass the gate of validation."""


class MemoryCandidates:
    """The tables of one home; refuses what the database refuses."""

    def __init__(self) -> None:
        self.known: dict[str, Candidate] = {}
        self.move_rows: list[MoveRow] = []
        self.seat_rows: list[SeatRow] = []

    async def read(self) -> Book:
        """As PostgreSQL answers it."""
        newest = {(row.symbol, row.alias): row for row in self.seat_rows}
        return Book(
            {name: self._flagged(each) for name, each in self.known.items()},
            {seat: row.candidate_id for seat, row in newest.items() if row.candidate_id},
            {seat: row.at_ns for seat, row in newest.items()},
            frozenset(s for s, row in newest.items() if not row.candidate_id and row.by != SYSTEM),
        )

    async def moves(self, candidate_id=""):
        """Oldest first."""
        return [row for row in self.move_rows if candidate_id in {"", row.candidate_id}]

    async def seats(self):
        """Oldest first."""
        return list(self.seat_rows)

    async def add(self, candidate):
        """Only once."""
        self.known.setdefault(candidate.candidate_id, candidate)

    async def write(self, book, plan, signature):
        """All or nothing."""
        for change in plan.changes:
            assert change.to in TRANSITIONS[change.before]
            assert self.known[change.candidate_id].state is change.before
        for change in plan.changes:
            self.known[change.candidate_id] = msgspec.structs.replace(
                self.known[change.candidate_id], state=change.to, since_ns=signature.at_ns
            )
            self.move_rows.append(
                MoveRow(
                    move_id=len(self.move_rows) + 1,
                    candidate_id=change.candidate_id,
                    before=change.before,
                    to=change.to,
                    by=signature.by,
                    reason=signature.reason,
                    evidence=signature.evidence,
                    is_override=signature.is_override,
                    at_ns=signature.at_ns,
                )
            )
        for (symbol, alias), name in plan.seats.items():
            self.seat_rows.append(
                SeatRow(
                    seat_id=len(self.seat_rows) + 1,
                    symbol=symbol,
                    alias=alias,
                    candidate_id=name,
                    before=book.holders.get((symbol, alias), ""),
                    by=signature.by,
                    reason=signature.reason,
                    is_rollback=signature.is_rollback,
                    at_ns=signature.at_ns,
                )
            )

    def _flagged(self, candidate: Candidate) -> Candidate:
        was_validated = any(
            row.to is State.VALIDATED and row.candidate_id == candidate.candidate_id
            for row in self.move_rows
        )
        if candidate.state is not State.CHAMPION or was_validated:
            return candidate
        return msgspec.structs.replace(candidate, flags=(*candidate.flags, UNPROVEN))


class NotingStage:
    """A market that notes who serves; `broken` candidates cannot."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.prepared: list[str] = []
        self.shown: list[Book] = []

    async def prepare(self, candidate):
        """Refuses the broken ones."""
        if candidate.candidate_id in self.broken:
            raise ModelMismatch("its file was changed")
        self.prepared.append(candidate.candidate_id)

    async def show(self, book):
        """Note it."""
        self.shown.append(book)


class Life:
    """One home with everything that moves its candidates."""

    def __init__(self, folder: Path, store=None, **terms) -> None:
        self.store = store or MemoryCandidates()
        self.clock = SimulatedClock(NOW_NS)
        self.registry = Registry(folder / "models")
        self.told: list[object] = []
        self.evidence = NoEvidence()
        self.ledger = Ledger(self.store, self.registry, self._tell)
        said = {"is_paper": True, "is_planted": False, **terms}
        self.desk = CandidateDesk(
            self.ledger,
            Terms(code_hash=CODE, schema_id=SCHEMA, expiry=lambda: EXPIRY, **said),
            self,
            self.clock,
        )
        self.intake = Intake(self.desk)

    def of(self, candidate_id):
        """The evidence of now."""
        return self.evidence.of(candidate_id)

    def leave(self, *models: str, **changes) -> str:
        """What a training run leaves; returns the candidate's id."""
        fields = {
            "candidate_id": candidate_id_of(models),
            "symbols": ("EURUSD",),
            "model_ids": models,
            "schema_id": SCHEMA,
            "created_ns": NOW_NS - NS_PER_DAY,
            "verdict": "skill",
            "flags": (),
            "metrics": GOOD,
            "code_hash": CODE,
        }
        draft = Draft(**{**fields, **changes})
        self.registry.drafts.put(draft)
        return draft.candidate_id

    def state(self, name: str) -> State:
        """How far a candidate has come."""
        found = self.desk.candidate(name)
        assert found is not None
        return found.state

    def served(self) -> dict[str, str]:
        """What `champion.json` says."""
        return {s: each.candidate_id for s, each in self.registry.champions().items()}

    def _tell(self, book, moves, seats) -> None:
        self.told += [*moves, *seats]


async def promoted(life, name, *states, reason="because"):
    """Take a candidate along past every gate."""
    for to in states:
        await life.desk.override(Move(candidate_id=name, to=to, by="user:anna", reason=reason))
