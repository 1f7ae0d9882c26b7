"""Registers a tenant's flows and moves them through their life: the gates, and who passes one.

A change is a saga whose every step may be repeated: its policy is made first, so that a flow that
cannot run changes nothing; then the database decides; what follows (the account's seats, the log)
is made to agree with it, at a start too. Whatever makes a flow stop holds at once, before it is
written down.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.intelligence.flows.flow import Flow, flow_digest, parse_flow
from plan2.intelligence.flows.gates import Finding, Standing, findings
from plan2.intelligence.flows.life import (
    OWN_NAME,
    SEATED,
    STEPS,
    TRADING,
    FlowMove,
    FlowState,
    FlowVersion,
    check_step,
)
from plan2.intelligence.flows.store import FlowStore

STOPS: Final = frozenset({FlowState.PAUSED, FlowState.RETIRED})


class FlowGateClosed(InputError):
    """A condition of the gate is not met."""

    code = "gate_closed"


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The account that a tenant's flows trade, as the gates see it."""

    account_id: str
    is_real: bool
    is_armed: bool


class FlowStage(Protocol):
    """Where flows trade: the seats of the tenant's account."""

    def standing(self) -> AccountStanding:
        """How the account stands now."""
        ...

    def check(self, flow: Flow) -> None:
        """Refuse a flow that could never run here.

        Raises:
            InputError: its symbol is not on offer, or an expression cannot be used; it says which.
        """
        ...

    def hold(self, name: str) -> None:
        """Let a flow open nothing more, from the next tick on; harmless when it does not trade."""
        ...

    async def show(self, versions: Sequence[FlowVersion]) -> None:
        """Let exactly these versions have a seat, paused where they are paused.

        Raises:
            InputError: one cannot run; the others are as they should be.
        """
        ...


class FlowWish(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to change a version's state: who wants it, and why; `account_id` "" = the tenant's."""

    name: str
    version: int
    to: FlowState
    by: str
    reason: str
    account_id: str = ""


class FlowDeskParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk works with.

    Attributes:
        runs: ids of finished backtests of a digest, newest first.
        paper_days: that are asked for now.
        room: refuses when the tenant has as many flows as it may.
        tell: writes versions and moves into the log; hearing of one again changes nothing.
    """

    store: FlowStore
    stage: FlowStage
    clock: Clock
    runs: Callable[[str], tuple[str, ...]]
    paper_days: Callable[[], int]
    room: Callable[[], None]
    tell: Callable[[Sequence[FlowVersion], Sequence[FlowMove]], None]


class FlowDesk:
    """The flows of one tenant; reads are from memory."""

    def __init__(self, parts: FlowDeskParts) -> None:
        self._parts = parts
        self._versions: dict[tuple[str, int], FlowVersion] = {}
        self._moves: list[FlowMove] = []
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Read the tables and repeat into the log what a crash may have kept from it.

        Raises:
            StoreBusy: the database does not answer; so raises everything that asks it.
        """
        async with self._turn:
            await self._read()
            self._parts.tell(list(self._versions.values()), self._moves)

    async def take_seats(self) -> None:
        """Let everything trade that did before.

        Raises:
            InputError: a flow cannot run any more; the others trade.
        """
        async with self._turn:
            await self._parts.stage.show(self.seated())

    # --- questions ------------------------------------------------------------------------

    def versions(self) -> list[FlowVersion]:
        """Every version of every flow, by name, the newest first."""
        return sorted(self._versions.values(), key=lambda each: (each.name, -each.version))

    def find(self, name: str, version: int = 0) -> FlowVersion | None:
        """A version of a flow; 0 = the one that trades, else the newest."""
        if version:
            return self._versions.get((name, version))
        known = [each for each in self._versions.values() if each.name == name]
        seated = [each for each in known if each.state in SEATED]
        return max(seated or known, key=lambda each: each.version, default=None)

    def seated(self) -> list[FlowVersion]:
        """Those that trade, or are paused."""
        return [each for each in self._versions.values() if each.state in SEATED]

    def moves(self, name: str, version: int = 0) -> list[FlowMove]:
        """The changes of a version, or of all versions of a flow, oldest first."""
        return [m for m in self._moves if m.name == name and version in {0, m.version}]

    def count(self) -> int:
        """How many flows are not retired."""
        alive = {v.name for v in self._versions.values() if v.state is not FlowState.RETIRED}
        return len(alive)

    def findings(self, version: FlowVersion, to: FlowState) -> tuple[Finding, ...]:
        """How a version stands before the gate of a state."""
        account, parts = self._parts.stage.standing(), self._parts
        other = next((v.version for v in self.seated() if v.name == version.name), 0)
        standing = Standing(
            runs=parts.runs(version.digest),
            moves=tuple(self.moves(version.name, version.version)),
            now_ns=parts.clock.now_ns(),
            paper_days=parts.paper_days(),
            is_real=account.is_real,
            is_armed=account.is_armed,
            trading=other,
        )
        return findings(version, to, standing)

    # --- wishes ---------------------------------------------------------------------------

    def check(self, text: str) -> Flow:
        """The flow that a text declares, if it could run here.

        Raises:
            InputError: it could not; the message says what is wrong.
        """
        flow = parse_flow(text)
        if flow.name == OWN_NAME:
            raise InputError(
                f"A flow cannot be called {OWN_NAME!r}: the account's own decision is.",
                remedy="Give it another name.",
            )
        self._parts.stage.check(flow)
        return flow

    async def register(self, text: str, by: str) -> FlowVersion:
        """Keep a flow's text as a new version; the same text again is the version that it was.

        Raises:
            InputError: as `check`, or the tenant has as many flows as it may.
        """
        flow = self.check(text)
        async with self._turn:
            digest = flow_digest(flow)
            known = [each for each in self._versions.values() if each.name == flow.name]
            same = next((each for each in known if each.digest == digest), None)
            if same is not None:
                return same
            if not known:
                self._parts.room()
            now_ns = self._parts.clock.now_ns()
            new = FlowVersion(
                name=flow.name,
                version=max((each.version for each in known), default=0) + 1,
                digest=digest,
                body=text,
                symbol=flow.source.symbol,
                by=by,
                created_ns=now_ns,
                since_ns=now_ns,
            )
            await self._parts.store.add(new)
            await self._read()
            self._parts.tell([new], [])
            return new

    async def move(self, wish: FlowWish, *, is_override: bool = False) -> FlowVersion:
        """Take a version into another state; the figures of the gate are kept with the move.

        With `is_override` it passes over the conditions that a person may pass over.

        Raises:
            IllegalStep: the state does not lead there.
            FlowGateClosed: it says which conditions are not met.
            InputError: there is no such version, or it cannot run.
        """
        if not (wish.reason.strip() and wish.by):
            raise InputError("A flow is moved by somebody and for a reason.")
        if wish.to in STOPS:
            self._hold(wish)
        async with self._turn:
            version = self.known(wish.name, wish.version)
            check_step(version, wish.to)
            found = self.findings(version, wish.to)
            self._check(version, wish.to, found, is_override=is_override)
            if wish.to in TRADING:
                self._parts.stage.check(version.flow())
            before = len(self._moves)
            await self._parts.store.write(self._signed(version, wish, found, is_override))
            await self._read()
            self._parts.tell([], self._moves[before:])
            await self._parts.stage.show(self.seated())
            return self.known(wish.name, version.version)

    def known(self, name: str, version: int = 0) -> FlowVersion:
        """`find`, or an error that says what there is.

        Raises:
            InputError: there is no such flow or version.
        """
        found = self.find(name, version)
        if found is None:
            which = f"version {version} of flow {name!r}" if version else f"flow {name!r}"
            raise InputError(
                f"There is no {which}.", remedy="`plan2 flow list` shows what there is."
            )
        return found

    # --- inside ---------------------------------------------------------------------------

    async def _read(self) -> None:
        versions, self._moves = await self._parts.store.versions(), await self._parts.store.moves()
        self._versions = {(each.name, each.version): each for each in versions}

    def _hold(self, wish: FlowWish) -> None:
        """Stop a flow before it is written down; it stays stopped when that fails."""
        version = self.find(wish.name, wish.version)
        if version is not None and version.state in SEATED and wish.to in STEPS[version.state]:
            self._parts.stage.hold(wish.name)

    def _check(
        self,
        version: FlowVersion,
        to: FlowState,
        found: Sequence[Finding],
        *,
        is_override: bool,
    ) -> None:
        unmet = [each for each in found if not each.is_met]
        if is_override:
            unmet = [each for each in unmet if not each.may_be_passed]
        if unmet:
            words = "; ".join(each.sentence for each in unmet)
            may_pass = all(each.may_be_passed for each in unmet)
            remedy = "A person may pass over this with a reason (--override)." if may_pass else ""
            raise FlowGateClosed(
                f"Flow {version.label} may not become {to} yet: {words}.",
                remedy=f"It stays as it is. {remedy}".strip(),
            )

    def _signed(
        self, version: FlowVersion, wish: FlowWish, found: Sequence[Finding], is_override: bool
    ) -> FlowMove:
        account_id = self._parts.stage.standing().account_id
        if wish.account_id not in {"", account_id}:
            raise InputError(
                f"Account {wish.account_id!r} is not one of this tenant.",
                remedy=f"Its account is {account_id}.",
            )
        return FlowMove(
            name=version.name,
            version=version.version,
            before=version.state,
            to=wish.to,
            account_id=account_id if wish.to in SEATED else "",
            by=wish.by,
            reason=wish.reason,
            evidence=tuple(each.sentence for each in found),
            is_override=is_override and not all(each.is_met for each in found),
            at_ns=self._parts.clock.now_ns(),
        )
