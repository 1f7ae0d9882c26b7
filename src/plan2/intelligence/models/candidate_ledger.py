"""The candidates in memory, and everything that has to agree with the database about them.

A change is a saga whose every step may be repeated. Its models are loaded first, so that one that
cannot serve changes nothing; then the database decides; what follows (`champion.json`, the lanes,
the log) is made to agree with it by `settle`, which a start and a job repeat until it does.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from plan2.intelligence.models.candidate_store import CandidateStore, MoveRow, SeatRow, Signature
from plan2.intelligence.models.lifecycle import Alias, Candidate
from plan2.intelligence.models.moves import Book, Plan
from plan2.intelligence.models.registry import Champion, Registry

Tell = Callable[[Book, Sequence[MoveRow], Sequence[SeatRow]], None]
"""Writes changes into the log; hearing of one again changes nothing."""


class Stage(Protocol):
    """Where champions serve: the lanes of the market."""

    async def prepare(self, candidate: Candidate) -> None:
        """Load and warm up its models beside those that serve; nothing is changed yet.

        Raises:
            ModelMismatch: they cannot serve.
        """
        ...

    async def show(self, book: Book) -> None:
        """Let each symbol be served by its champion from the next tick on.

        Raises:
            ModelMismatch: a champion cannot serve; the symbol goes on as before.
        """
        ...


class Ledger:
    """Candidates and aliases of one home.

    Attributes:
        book: all of them as they are now; one writer at a time, which holds `turn`.
        registry: the models' files, with what training left.
    """

    def __init__(self, store: CandidateStore, registry: Registry, tell: Tell) -> None:
        self.book = Book({}, {})
        self.registry = registry
        self.turn = asyncio.Lock()
        self._store = store
        self._tell = tell
        self._stage: Stage | None = None
        self._told = (0, 0)

    def attach(self, stage: Stage) -> None:
        """Champions serve on `stage` from now on."""
        self._stage = stage

    async def read(self) -> None:
        """See how things stand.

        Raises:
            StoreBusy: the database does not answer; so raises everything that asks it.
        """
        self.book = await self._store.read()

    async def history(self, candidate_id: str) -> list[MoveRow]:
        """Every change of a candidate's state, oldest first."""
        return await self._store.moves(candidate_id)

    async def seats(self) -> list[SeatRow]:
        """Every change of an alias, oldest first."""
        return await self._store.seats()

    async def add(self, candidate: Candidate) -> None:
        """Keep a new candidate; one that is there stays as it is."""
        await self._store.add(candidate)
        await self.read()

    async def write(self, plan: Plan, signature: Signature) -> None:
        """Load whoever is to serve, then write the change down.

        Raises:
            ModelMismatch: the models cannot serve; nothing was changed.
        """
        if self._stage is not None:
            for name in _crowned(plan):
                await self._stage.prepare(self.book.candidates[name])
        await self._store.write(self.book, plan, signature)
        await self.read()

    async def settle(self) -> None:
        """Let file, lanes and log agree with the database; harmless when repeated."""
        await asyncio.to_thread(self.registry.project, champions_of(self.book))
        if self._stage is not None:
            await self._stage.show(self.book)
        moves, seats = await self._store.moves(), await self._store.seats()
        new_moves = [row for row in moves if row.move_id > self._told[0]]
        new_seats = [row for row in seats if row.seat_id > self._told[1]]
        self._tell(self.book, new_moves, new_seats)
        last_move = moves[-1].move_id if moves else 0
        self._told = (last_move, seats[-1].seat_id if seats else 0)


def champions_of(book: Book) -> Mapping[str, Champion]:
    """Symbol → champion, as the file says it."""
    found = {}
    for (symbol, alias), name in book.holders.items():
        if alias is Alias.CHAMPION:
            candidate = book.candidates[name]
            found[symbol] = Champion(
                model_ids=candidate.model_ids,
                schema_id=candidate.schema_id,
                since_ts_ns=book.since[symbol, alias],
                candidate_id=name,
            )
    return found


def _crowned(plan: Plan) -> set[str]:
    """Whoever a plan lets serve."""
    return {name for (_, alias), name in plan.seats.items() if name and alias is Alias.CHAMPION}
