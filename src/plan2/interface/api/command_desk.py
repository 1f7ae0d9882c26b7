"""Commands: pause, resume, halt, reduce-only, kill; each carried out once per idempotency key.

An answer says that the command was taken; its effect arrives as an event. Repeating a request with
the same key gives the same receipt, also while the first one is still under way.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.principal import Session
from plan2.foundation.ids import derived_id
from plan2.intelligence.risk.switch import Scope
from plan2.intelligence.trading.control import Selector
from plan2.interface.api.paging import Line
from plan2.interface.api.ports import TradingSwitches
from plan2.interface.books import Books
from plan2.interface.items import CommandReceipt

RECEIPTS_KEPT: Final = 10_000
BODY_MAX_BYTES: Final = 16_384

CommandName = Literal["pause", "resume", "halt", "reduce-only", "kill"]
STATE_AFTER: Final[dict[CommandName, str]] = {
    "pause": "paused",
    "resume": "armed",
    "halt": "halted",
    "reduce-only": "reduce_only",
}
KILLED: Final = "kill:"
"""How the reason of a switch begins that a kill has thrown."""
NAMES: Final[tuple[CommandName, ...]] = ("pause", "resume", "halt", "reduce-only", "kill")

Key = Annotated[
    str,
    Parameter(header="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$"),
]
Name = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9._#+-]*$")]


class CommandBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the command is about, and why; to resume, a reason must be given.

    Without an account it is about every one. `target` names the symbol or flow of those scopes;
    `mode` the kind of an account with somebody's money that is to be armed; `closes_foreign` lets a
    kill touch orders and positions that Plan2 did not make.
    """

    reason: Line = ""
    scope: Scope = Scope.ACCOUNT
    target: Name = ""
    account_id: Name = ""
    mode: Name = ""
    closes_foreign: bool = False

    @property
    def selector(self) -> Selector:
        """What is meant."""
        return Selector(scope=self.scope, target=self.target, account_id=self.account_id)


class _Taken(msgspec.Struct, frozen=True):
    """A command that was taken, and the work that carries it out."""

    name: CommandName
    body: CommandBody
    work: "asyncio.Task[CommandReceipt]"


class Commands:
    """Carries commands out, once per key; `resume` wants a reason.

    Args:
        control: the tenant's. books: its account. everywhere: every tenant's, for operators.
        four_eyes: whether going live, and trading on after a kill, need a second person.
    """

    def __init__(
        self,
        control: TradingSwitches,
        books: Books,
        everywhere: TradingSwitches | None = None,
        four_eyes: Callable[[], bool] = lambda: False,
    ) -> None:
        self._control = control
        self._books = books
        self._everywhere = everywhere
        self._four_eyes = four_eyes
        self._taken: dict[str, _Taken] = {}

    async def carry_out(
        self, name: CommandName, session: Session, key: str, body: CommandBody
    ) -> CommandReceipt:
        """The receipt of a command; a repetition waits for the first one's.

        Raises:
            RequestRefused: 409 when the key was used for something else, 422 without a reason,
                403 when it is about all tenants and the caller is no operator.
        """
        control = self._control_for(session, body)
        if name == "resume" and self._four_eyes() and _is_grave(control):
            raise RequestRefused(
                403,
                "approval_needed",
                "Going live, and trading on after a kill, need a second person here.",
                remedy="Propose it under Approvals (kind go_live or kill_release).",
            )
        if name == "resume" and not body.reason.strip():
            raise RequestRefused(
                422, "reason_missing", "To resume trading, say why.", remedy="Give a reason."
            )
        command_id = derived_id("command", session.user.tenant_id, session.user.user_id, key)
        taken = self._taken.get(command_id)
        if taken is None:
            work = asyncio.create_task(self._run(control, name, session, body, command_id))
            taken = self._taken[command_id] = _Taken(name, body, work)
            self._forget_oldest()
        if (taken.name, taken.body) != (name, body):
            raise RequestRefused(
                409,
                "idempotency_conflict",
                f"This Idempotency-Key was used for another command, {taken.name!r}.",
                remedy="Use a new key for a new command.",
            )
        # A caller that goes away must not stop what was taken.
        return await asyncio.shield(taken.work)

    def _control_for(self, session: Session, body: CommandBody) -> TradingSwitches:
        """The tenant's own switches, or everybody's when the command is about the installation."""
        if body.scope is not Scope.GLOBAL or self._everywhere is None:
            return self._control
        if not session.user.is_operator:
            raise RequestRefused(
                403,
                "forbidden",
                "Only operators of this installation may switch every tenant.",
                remedy="Use the scope tenant.",
            )
        return self._everywhere

    async def _run(
        self,
        control: TradingSwitches,
        name: CommandName,
        session: Session,
        body: CommandBody,
        command_id: str,
    ) -> CommandReceipt:
        actor = session.actor
        is_done = False
        try:
            if name == "kill":
                await control.kill(
                    actor, body.reason, body.selector, closes_foreign=body.closes_foreign
                )
            else:
                # Only arming names a mode: naming one would rewrite why a halt stands.
                mode = body.mode if name == "resume" else ""
                await control.set_state(STATE_AFTER[name], actor, body.reason, body.selector, mode)
            is_done = True
        finally:
            if not is_done:
                # What failed may be tried again with the same key.
                del self._taken[command_id]
        return CommandReceipt(command_id=command_id, trading_state=self._books.trading_state())

    def _forget_oldest(self) -> None:
        if len(self._taken) > RECEIPTS_KEPT:
            finished = (key for key, taken in self._taken.items() if taken.work.done())
            oldest = next(finished, None)
            if oldest is not None:
                del self._taken[oldest]


def _is_grave(control: TradingSwitches) -> bool:
    """Whether arming moves somebody's money, or undoes a kill."""
    return any(
        account.needs_mode
        or account.kills
        or any(switch.reason.startswith(KILLED) for switch in account.switches)
        for account in control.overview()
    )
