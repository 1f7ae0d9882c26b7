"""Where a tenant's flows are kept (migration 0011)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from plan2.foundation.values import TenantId
from plan2.intelligence.flows.life import FlowMove, FlowState, FlowVersion


class FlowStore(Protocol):
    """Keeps the flows of one tenant; durable when a method returns."""

    async def versions(self) -> list[FlowVersion]:
        """Every version with its state, by name and version."""
        ...

    async def moves(self) -> list[FlowMove]:
        """Every change of a state, oldest first."""
        ...

    async def add(self, version: FlowVersion) -> None:
        """Keep a new version as a draft."""
        ...

    async def write(self, move: FlowMove) -> None:
        """Write a move down, which changes its version's state; all of it, or nothing."""
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
VERSION: Final = (
    "name, version, digest, body, symbol, actor, created_ns, since_ns, state, account_id"
)
MOVE: Final = (
    "name, version, from_state, to_state, account_id, actor, reason, evidence, is_override, at_ns"
)


class PostgresFlows:
    """The tables of one tenant."""

    def __init__(self, open_unit: OpenUnit, tenant: TenantId) -> None:
        self._unit = open_unit
        self._tenant = tenant

    async def versions(self) -> list[FlowVersion]:
        """See `FlowStore.versions`."""
        async with self._unit(self._tenant) as uow:
            rows = await uow.execute(
                f"select {VERSION} from flow_version order by name, version"  # noqa: S608
            )
            return [_version(row) for row in rows.all()]

    async def moves(self) -> list[FlowMove]:
        """See `FlowStore.moves`."""
        async with self._unit(self._tenant) as uow:
            rows = await uow.execute(
                f"select move_id, {MOVE} from flow_move order by move_id"  # noqa: S608
            )
            return [_move(row) for row in rows.all()]

    async def add(self, version: FlowVersion) -> None:
        """See `FlowStore.add`."""
        async with self._unit(self._tenant) as uow:
            await uow.execute(
                "insert into flow_version (name, version, digest, body, symbol, actor, created_ns, "
                "since_ns) values (:name, :version, :digest, :body, :symbol, :by, :created_ns, "
                ":created_ns)",
                {
                    "name": version.name,
                    "version": version.version,
                    "digest": version.digest,
                    "body": version.body,
                    "symbol": version.symbol,
                    "by": version.by,
                    "created_ns": version.created_ns,
                },
            )

    async def write(self, move: FlowMove) -> None:
        """See `FlowStore.write`."""
        async with self._unit(self._tenant) as uow:
            await uow.execute(
                f"insert into flow_move ({MOVE}) values (:name, :version, :before, "  # noqa: S608
                ":to, :account_id, :by, :reason, :evidence, :is_override, :at_ns)",
                {
                    "name": move.name,
                    "version": move.version,
                    "before": move.before.value,
                    "to": move.to.value,
                    "account_id": move.account_id,
                    "by": move.by,
                    "reason": move.reason,
                    "evidence": list(move.evidence),
                    "is_override": move.is_override,
                    "at_ns": move.at_ns,
                },
            )


def _version(row: Sequence[Any]) -> FlowVersion:  # values of several SQL types
    return FlowVersion(
        name=row[0],
        version=row[1],
        digest=row[2],
        body=row[3],
        symbol=row[4],
        by=row[5],
        created_ns=row[6],
        since_ns=row[7],
        state=FlowState(row[8]),
        account_id=row[9],
    )


def _move(row: Sequence[Any]) -> FlowMove:  # values of several SQL types
    return FlowMove(
        move_id=row[0],
        name=row[1],
        version=row[2],
        before=FlowState(row[3]),
        to=FlowState(row[4]),
        account_id=row[5],
        by=row[6],
        reason=row[7],
        evidence=tuple(row[8]),
        is_override=row[9],
        at_ns=row[10],
    )
