"""Takes up what training left: each candidate gets a state, and the first of a symbol may serve."""

import asyncio

import msgspec

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.log import logger
from plan2.intelligence.models.candidate_desk import CandidateDesk
from plan2.intelligence.models.candidate_files import Draft
from plan2.intelligence.models.candidate_store import SYSTEM
from plan2.intelligence.models.gates import SAME_CODE
from plan2.intelligence.models.lifecycle import Alias, Candidate, State
from plan2.intelligence.models.moves import plan_move

FIRST = "the first candidate of a symbol"
WAITING = frozenset({State.TRAINED, State.VALIDATED})


class Intake:
    """The way of candidates from files into the life cycle; every step may be repeated."""

    def __init__(self, desk: CandidateDesk) -> None:
        self._desk = desk
        self._ledger = desk.ledger
        self._refused: set[str] = set()

    async def open(self) -> None:
        """Read the database, take up what is new, and write down who serves; at a start.

        Champions of before there were candidates go on serving, unproven; those of other features
        than this program computes are suspended.

        Raises:
            StoreBusy: the database does not answer.
        """
        async with self._ledger.turn:
            await self._ledger.read()
            drafts = self._ledger.registry.drafts
            for draft, symbols in await asyncio.to_thread(self._ledger.registry.unproposed):
                await self._give_state(draft)
                await self._serve(draft.candidate_id, symbols)
                drafts.put(draft)
            await self._end_strangers()
        await self.take_up()

    async def take_up(self) -> None:
        """Give every candidate that training left a state, and settle what follows.

        Raises:
            StoreBusy: the database does not answer; nothing is lost, call again.
        """
        drafts = self._ledger.registry.drafts
        async with self._ledger.turn:
            for name in sorted(await asyncio.to_thread(drafts.names) - self._refused):
                known = self._desk.candidate(name)
                if known is None or known.state is State.DRAFT:
                    await self._take_up(name)
            if self._desk.terms.is_paper:
                await self._begin()
            await self._ledger.settle()

    async def _take_up(self, name: str) -> None:
        """One candidate that cannot be taken up keeps no other from it."""
        try:
            await self._give_state(self._ledger.registry.drafts.read(name))
        except ModelMismatch as error:
            self._refused.add(name)
            logger("models").error("candidate_refused", candidate=name, reason=str(error))

    async def _give_state(self, draft: Draft) -> None:
        """Draft → trained, and → validated when its figures say so."""
        is_ours = float(draft.code_hash == self._desk.terms.code_hash)
        await self._ledger.add(
            Candidate(
                candidate_id=draft.candidate_id,
                symbols=draft.symbols,
                model_ids=draft.model_ids,
                schema_id=draft.schema_id,
                state=State.DRAFT,
                created_ns=draft.created_ns,
                since_ns=draft.created_ns,
                verdict=draft.verdict,
                flags=draft.flags,
                metrics={**draft.metrics, SAME_CODE: is_ours},
                parent=draft.parent,
            )
        )
        if self._candidate(draft.candidate_id).state is State.DRAFT:
            await self._step(draft.candidate_id, State.TRAINED, "training left it")
        candidate = self._candidate(draft.candidate_id)
        found = self._desk.findings(candidate, State.VALIDATED)
        if candidate.state is State.TRAINED and all(each.is_met for each in found):
            sentences = tuple(each.sentence for each in found)
            reason = "every condition of the gate is met"
            await self._step(draft.candidate_id, State.VALIDATED, reason, sentences)

    async def _begin(self) -> None:
        """Let the newest candidate serve the symbols that have no champion.

        A symbol whose champion somebody took away waits for somebody's decision.
        """
        for each in self._desk.candidates():
            if each.state not in WAITING or self._desk.is_leak_suspect(each):
                continue
            closed = self._desk.book.closed
            free = tuple(
                symbol
                for symbol in each.symbols
                if self._desk.holder(symbol, Alias.CHAMPION) is None
                and (symbol, Alias.CHAMPION) not in closed
            )
            if free and each.schema_id == self._desk.terms.schema_id:
                await self._serve(each.candidate_id, free)

    async def _end_strangers(self) -> None:
        """Suspend champions of other features than this program computes: they cannot serve."""
        for each in self._desk.candidates():
            is_stranger = each.schema_id != self._desk.terms.schema_id
            if each.state is State.CHAMPION and is_stranger:
                reason = "trained on other features than this version computes: train again"
                await self._step(each.candidate_id, State.SUSPENDED, reason)

    async def _serve(self, name: str, symbols: tuple[str, ...]) -> None:
        plan = plan_move(self._desk.book, self._candidate(name), State.CHAMPION, symbols)
        try:
            await self._ledger.write(plan, self._desk.signature(SYSTEM, FIRST))
        except ModelMismatch as error:
            logger("models").warning("candidate_not_servable", candidate=name, reason=str(error))

    async def _step(
        self, name: str, to: State, reason: str, evidence: tuple[str, ...] = ()
    ) -> None:
        plan = plan_move(self._desk.book, self._candidate(name), to)
        signature = msgspec.structs.replace(self._desk.signature(SYSTEM, reason), evidence=evidence)
        await self._ledger.write(plan, signature)

    def _candidate(self, name: str) -> Candidate:
        return self._desk.book.candidates[name]
