"""Moves candidates through their life: the transitions, the gates, and who may pass over one."""

from collections.abc import Callable, Sequence

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.intelligence.models.candidate_ledger import Ledger
from plan2.intelligence.models.candidate_store import SYSTEM, MoveRow, SeatRow, Signature
from plan2.intelligence.models.gates import Evidence, Finding, findings, leak_finding
from plan2.intelligence.models.lifecycle import Alias, Candidate, Move, State
from plan2.intelligence.models.moves import Book, plan_move, plan_rollback
from plan2.intelligence.models.standing import Expiry

SERVING = frozenset({State.VALIDATED, State.SHADOW, State.CANARY, State.CHAMPION})


class GateClosed(InputError):
    """A condition of the gate is not met."""

    code = "gate_closed"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds at this market.

    `is_paper`: no real money is behind it, so a first candidate may serve unproven. `is_planted`:
    the market's structure is planted, so that it is no leak to forecast that. `code_hash`: of this
    program; `schema_id`: of the features it computes. `expiry`: asked anew each time.
    """

    is_paper: bool
    is_planted: bool
    code_hash: str
    schema_id: str
    expiry: Callable[[], Expiry]


class CandidateDesk:
    """Implements `Lifecycle` for one home; reads are from memory."""

    def __init__(self, ledger: Ledger, terms: Terms, evidence: Evidence, clock: Clock) -> None:
        self.ledger = ledger
        self.terms = terms
        self._evidence = evidence
        self._clock = clock

    @property
    def book(self) -> Book:
        """All candidates and aliases as they are now."""
        return self.ledger.book

    def candidates(self) -> Sequence[Candidate]:
        """See `Lifecycle.candidates`."""
        known = self.book.candidates.values()
        return sorted(known, key=lambda each: (-each.created_ns, each.candidate_id))

    def candidate(self, candidate_id: str) -> Candidate | None:
        """See `Lifecycle.candidate`."""
        return self.book.candidates.get(candidate_id)

    def holder(self, symbol: str, alias: Alias) -> Candidate | None:
        """See `Lifecycle.holder`."""
        return self.book.candidates.get(self.book.holders.get((symbol, alias), ""))

    def findings(self, candidate: Candidate, to: State) -> tuple[Finding, ...]:
        """How a candidate stands before the gate of a state."""
        found = findings(candidate, to, self._evidence.of(candidate.candidate_id))
        leak = leak_finding(candidate, is_planted=self.terms.is_planted)
        return tuple(leak if each.name == leak.name else each for each in found)

    def is_leak_suspect(self, candidate: Candidate) -> bool:
        """Whether its figures are too good to be believed on this market."""
        return not leak_finding(candidate, is_planted=self.terms.is_planted).is_met

    async def history(self, candidate_id: str) -> list[MoveRow]:
        """Every change of a candidate's state, oldest first."""
        return await self.ledger.history(candidate_id)

    async def seat_history(self, candidate_id: str) -> list[SeatRow]:
        """Every alias that came to a candidate or left it, oldest first."""
        rows = await self.ledger.seats()
        return [
            row
            for row in rows
            if (row.candidate_id == candidate_id) is not (row.before == candidate_id)
        ]

    async def move(self, move: Move) -> Candidate:
        """See `Lifecycle.move`; the figures of the gate are kept with the move.

        Raises:
            GateClosed: it says which conditions are not met.
            ModelMismatch: the models of a new champion cannot serve; nothing was changed.
        """
        return await self._move(move, is_override=False)

    async def override(self, move: Move) -> Candidate:
        """`move` past conditions that are not met, in the name of a person; recorded as that.

        Raises:
            IllegalTransition, InputError: as `move`.
            GateClosed: it is suspected of a leak, which nobody may pass over.
        """
        return await self._move(move, is_override=True)

    async def rollback(self, symbol: str, by: str, reason: str) -> Candidate:
        """Let the last good champion serve a symbol again, from the next tick on.

        Raises:
            InputError: there is none.
            ModelMismatch: its models cannot serve; nothing was changed.
        """
        async with self.ledger.turn:
            plan = plan_rollback(self.book, symbol)
            signature = self.signature(by, reason)
            signature = msgspec.structs.replace(signature, is_rollback=True)
            await self.ledger.write(plan, signature)
            await self.ledger.settle()
            return self.book.candidates[plan.seats[symbol, Alias.CHAMPION]]

    async def end_expired(self) -> None:
        """Suspend champions that are too old to serve (ML-079)."""
        now_ns, expiry = self._clock.now_ns(), self.terms.expiry()
        for each in self.candidates():
            if each.state is State.CHAMPION and expiry.is_over(each.created_ns, now_ns):
                reason = f"trained {expiry.suspend_days} days ago or more: train again"
                name = each.candidate_id
                await self.move(
                    Move(candidate_id=name, to=State.SUSPENDED, by=SYSTEM, reason=reason)
                )

    def signature(self, by: str, reason: str) -> Signature:
        """Somebody's name under a change, now."""
        return Signature(by=by, reason=reason, at_ns=self._clock.now_ns())

    async def _move(self, move: Move, *, is_override: bool) -> Candidate:
        if not (move.reason.strip() and move.by):
            raise InputError("A candidate is moved by somebody and for a reason.")
        async with self.ledger.turn:
            candidate = self._known(move.candidate_id)
            plan = plan_move(self.book, candidate, move.to)
            found = self.findings(candidate, move.to)
            is_rollback = candidate.state is State.RETIRED and bool(
                self.book.seats_of(candidate.candidate_id, Alias.LAST_GOOD)
            )
            if is_override:
                self._check_leak(candidate, move.to)
            elif not is_rollback:
                self._check(candidate, move.to, found)
            signature = msgspec.structs.replace(
                self.signature(move.by, move.reason),
                evidence=(*move.evidence, *(each.sentence for each in found)),
                is_override=is_override and not all(each.is_met for each in found),
                is_rollback=is_rollback,
            )
            await self.ledger.write(plan, signature)
            await self.ledger.settle()
            return self._known(move.candidate_id)

    def _known(self, candidate_id: str) -> Candidate:
        candidate = self.candidate(candidate_id)
        if candidate is None:
            raise InputError(
                f"There is no candidate {candidate_id!r}.",
                remedy="`plan2 models list` shows what there is.",
            )
        return candidate

    def _check(self, candidate: Candidate, to: State, found: Sequence[Finding]) -> None:
        unmet = [each.sentence for each in found if not each.is_met]
        if unmet:
            raise GateClosed(
                f"Candidate {candidate.candidate_id} may not become {to} yet: {'; '.join(unmet)}.",
                remedy="It stays as it is. A person may pass over this with a reason (--override).",
            )

    def _check_leak(self, candidate: Candidate, to: State) -> None:
        if to in SERVING and self.is_leak_suspect(candidate):
            raise GateClosed(
                f"Candidate {candidate.candidate_id} is suspected of a leak; nobody may pass over "
                "that.",
                remedy="Look for the leak and train again.",
            )
