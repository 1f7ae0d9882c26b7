"""Where the life of candidates is kept: tables of the main tenant (migration 0010)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

import msgspec

from plan2.foundation.values import TenantId
from plan2.intelligence.models.lifecycle import Alias, Candidate, State
from plan2.intelligence.models.moves import Book, Plan
from plan2.intelligence.models.standing import UNPROVEN


class MoveRow(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state as it was written down; `at_ns`: UTC."""

    move_id: int
    candidate_id: str
    before: State
    to: State
    by: str
    reason: str
    evidence: tuple[str, ...]
    is_override: bool
    at_ns: int


class SeatRow(msgspec.Struct, frozen=True, kw_only=True):
    """An alias that went to another candidate, "" = nobody; `at_ns`: UTC."""

    seat_id: int
    symbol: str
    alias: Alias
    candidate_id: str
    before: str
    by: str
    reason: str
    is_rollback: bool
    at_ns: int


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a change, when, why and on what evidence.

    `is_override`: a gate was passed over. `is_rollback`: it returns to the last good champion.
    """

    by: str
    reason: str
    at_ns: int
    evidence: tuple[str, ...] = ()
    is_override: bool = False
    is_rollback: bool = False


class CandidateStore(Protocol):
    """Keeps candidates, moves and aliases of one home; durable when a method returns."""

    async def read(self) -> Book:
        """Every candidate with its state, and who holds which alias."""
        ...

    async def moves(self, candidate_id: str = "") -> list[MoveRow]:
        """The changes of a candidate, or of all, oldest first."""
        ...

    async def seats(self) -> list[SeatRow]:
        """Every change of an alias, oldest first."""
        ...

    async def add(self, candidate: Candidate) -> None:
        """Keep a new candidate as a draft; one that is there stays as it is."""
        ...

    async def write(self, book: Book, plan: Plan, signature: Signature) -> None:
        """Write down a plan that was made from `book`: all of it, or nothing."""
        ...


class Rows(Protocol):
    """What a query found."""

    def all(self) -> Sequence[Any]:  # rows with values of several SQL types
        """Every row."""
        ...


class Unit(Protocol):
    """What we need of a unit of work."""

    async def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Run a statement with `:name` parameters."""
        ...


OpenUnit = Callable[[TenantId], AbstractAsyncContextManager[Unit]]

SYSTEM: Final = "system"
"""Who signs what the program does by itself."""
MOVE_COLUMNS: Final = (
    "move_id, candidate_id, from_state, to_state, actor, reason, evidence, is_override, at_ns"
)


class PostgresCandidates:
    """The tables of one home: the simulated market, or the recorded and real ones."""

    def __init__(self, open_unit: OpenUnit, tenant: TenantId, home: str) -> None:
        self._unit = open_unit
        self._tenant = tenant
        self._home = home

    async def read(self) -> Book:
        """See `CandidateStore.read`."""
        where = {"home": self._home}
        async with self._unit(self._tenant) as uow:
            rows = await uow.execute(
                "select candidate_id, symbols, model_ids, schema_id, state, created_ns, since_ns, "
                "verdict, flags, metrics, parent, exists (select from candidate_move m "
                "where m.home = c.home and m.candidate_id = c.candidate_id "
                "and m.to_state = 'validated') from candidate c where home = :home",
                where,
            )
            held = await uow.execute(
                "select distinct on (symbol, alias) symbol, alias, candidate_id, at_ns, "
                "actor "
                "from candidate_seat where home = :home order by symbol, alias, seat_id desc",
                where,
            )
            newest = {(row[0], Alias(row[1])): row for row in held.all()}
            return Book(
                {row[0]: _candidate(row) for row in rows.all()},
                {seat: row[2] for seat, row in newest.items() if row[2]},
                {seat: row[3] for seat, row in newest.items()},
                frozenset(s for s, row in newest.items() if not row[2] and row[4] != SYSTEM),
            )

    async def moves(self, candidate_id: str = "") -> list[MoveRow]:
        """See `CandidateStore.moves`."""
        async with self._unit(self._tenant) as uow:
            rows = await uow.execute(
                f"select {MOVE_COLUMNS} from candidate_move where home = :home "  # noqa: S608
                "and (:name = '' or candidate_id = :name) order by move_id",
                {"home": self._home, "name": candidate_id},
            )
            return [_move(row) for row in rows.all()]

    async def seats(self) -> list[SeatRow]:
        """See `CandidateStore.seats`."""
        async with self._unit(self._tenant) as uow:
            rows = await uow.execute(
                "select seat_id, symbol, alias, coalesce(candidate_id, ''), before, actor, reason, "
                "is_rollback, at_ns from candidate_seat where home = :home order by seat_id",
                {"home": self._home},
            )
            return [_seat(row) for row in rows.all()]

    async def add(self, candidate: Candidate) -> None:
        """See `CandidateStore.add`."""
        async with self._unit(self._tenant) as uow:
            await uow.execute(
                "insert into candidate (home, candidate_id, symbols, model_ids, schema_id, "
                "created_ns, since_ns, verdict, flags, metrics, parent) values (:home, :name, "
                ":symbols, :model_ids, :schema_id, :created_ns, :created_ns, :verdict, :flags, "
                "cast(:metrics as jsonb), :parent) on conflict do nothing",
                {
                    "home": self._home,
                    "name": candidate.candidate_id,
                    "symbols": list(candidate.symbols),
                    "model_ids": list(candidate.model_ids),
                    "schema_id": candidate.schema_id,
                    "created_ns": candidate.created_ns,
                    "verdict": candidate.verdict,
                    "flags": list(candidate.flags),
                    "metrics": msgspec.json.encode(candidate.metrics).decode(),
                    "parent": candidate.parent,
                },
            )

    async def write(self, book: Book, plan: Plan, signature: Signature) -> None:
        """See `CandidateStore.write`."""
        signed = {
            "home": self._home,
            "by": signature.by,
            "reason": signature.reason,
            "at_ns": signature.at_ns,
        }
        async with self._unit(self._tenant) as uow:
            for change in plan.changes:
                await uow.execute(
                    "insert into candidate_move (home, candidate_id, from_state, to_state, actor, "
                    "reason, evidence, is_override, at_ns) values (:home, :name, :before, :to, "
                    ":by, :reason, :evidence, :is_override, :at_ns)",
                    {
                        **signed,
                        "name": change.candidate_id,
                        "before": change.before.value,
                        "to": change.to.value,
                        "evidence": list(signature.evidence),
                        "is_override": signature.is_override,
                    },
                )
            for (symbol, alias), name in plan.seats.items():
                await uow.execute(
                    "insert into candidate_seat (home, symbol, alias, candidate_id, before, actor, "
                    "reason, is_rollback, at_ns) values (:home, :symbol, :alias, :name, :before, "
                    ":by, :reason, :is_rollback, :at_ns)",
                    {
                        **signed,
                        "symbol": symbol,
                        "alias": alias.value,
                        "name": name or None,
                        "before": book.holders.get((symbol, alias), ""),
                        "is_rollback": signature.is_rollback,
                    },
                )


def _candidate(row: Sequence[Any]) -> Candidate:  # values of several SQL types
    state = State(row[4])
    is_unproven = state is State.CHAMPION and not row[11]
    return Candidate(
        candidate_id=row[0],
        symbols=tuple(row[1]),
        model_ids=tuple(row[2]),
        schema_id=row[3],
        state=state,
        created_ns=row[5],
        since_ns=row[6],
        verdict=row[7],
        flags=(*row[8], *((UNPROVEN,) if is_unproven else ())),
        metrics={name: float(value) for name, value in row[9].items() if value is not None},
        parent=row[10],
    )


def _move(row: Sequence[Any]) -> MoveRow:  # values of several SQL types
    return MoveRow(
        move_id=row[0],
        candidate_id=row[1],
        before=State(row[2]),
        to=State(row[3]),
        by=row[4],
        reason=row[5],
        evidence=tuple(row[6]),
        is_override=row[7],
        at_ns=row[8],
    )


def _seat(row: Sequence[Any]) -> SeatRow:  # values of several SQL types
    return SeatRow(
        seat_id=row[0],
        symbol=row[1],
        alias=Alias(row[2]),
        candidate_id=row[3],
        before=row[4],
        by=row[5],
        reason=row[6],
        is_rollback=row[7],
        at_ns=row[8],
    )
