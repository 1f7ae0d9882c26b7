"""Commands: pause, resume, halt, reduce-only, kill; each carried out once per idempotency key.

An answer says that the command was taken; its effect arrives as an event. Repeating a request with
the same key gives the same receipt, also while the first one is still under way.
"""

import asyncio
from typing import Annotated, Final, Literal

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.sessions import Session
from plan2.foundation.ids import derived_id
from plan2.intelligence.risk.switch import Scope
from plan2.intelligence.trading.control import Selector
from plan2.interface.api.ports import TradingControl
from plan2.interface.books import Books
from plan2.interface.items import CommandReceipt
from plan2.interface.switch_items import TradingItem, item_of

RECEIPTS_KEPT: Final = 10_000
BODY_MAX_BYTES: Final = 16_384

CommandName = Literal["pause", "resume", "halt", "reduce-only", "kill"]
STATE_AFTER: Final[dict[CommandName, str]] = {
    "pause": "paused",
    "resume": "armed",
    "halt": "halted",
    "reduce-only": "reduce_only",
}
NAMES: Final[tuple[CommandName, ...]] = ("pause", "resume", "halt", "reduce-only", "kill")

Key = Annotated[
    str,
    Parameter(header="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$"),
]
SignedRequest = Request[None, Session, State]


Line = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
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
    """Carries commands out, once per key; `resume` wants a reason."""

    def __init__(self, control: TradingControl, books: Books) -> None:
        self._control = control
        self._books = books
        self._taken: dict[str, _Taken] = {}

    async def carry_out(
        self, name: CommandName, session: Session, key: str, body: CommandBody
    ) -> CommandReceipt:
        """The receipt of a command; a repetition waits for the first one's.

        Raises:
            RequestRefused: 409 when the key was used for something else, 422 without a reason.
        """
        if name == "resume" and not body.reason.strip():
            raise RequestRefused(
                422, "reason_missing", "To resume trading, say why.", remedy="Give a reason."
            )
        command_id = derived_id("command", session.user.tenant_id, session.user.user_id, key)
        taken = self._taken.get(command_id)
        if taken is None:
            work = asyncio.create_task(self._run(name, session, body, command_id))
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

    async def _run(
        self, name: CommandName, session: Session, body: CommandBody, command_id: str
    ) -> CommandReceipt:
        actor = f"user:{session.user.name}"
        is_done = False
        try:
            if name == "kill":
                await self._control.kill(
                    actor, body.reason, body.selector, closes_foreign=body.closes_foreign
                )
            else:
                await self._control.set_state(
                    STATE_AFTER[name], actor, body.reason, body.selector, body.mode
                )
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


class CommandRoutes:
    """`/api/v1/commands/…`, and how the switches stand."""

    def __init__(self, commands: Commands, control: TradingControl) -> None:
        self._commands = commands
        self._control = control

    def handlers(self) -> list[HTTPRouteHandler]:
        """One handler on five paths, and one question."""
        paths = [f"/api/v1/commands/{name}" for name in NAMES]
        return [
            post(paths, status_code=202, request_max_body_size=BODY_MAX_BYTES, tags=["commands"])(
                self.command
            ),
            get("/api/v1/trading", tags=["commands"])(self.trading),
        ]

    async def command(self, request: SignedRequest, data: CommandBody, key: Key) -> CommandReceipt:
        """Pause, resume, halt, only reduce, or kill; the effect arrives as events."""
        path = request.scope["path"].rpartition("/")[2]
        name = next(known for known in NAMES if known == path)
        return await self._commands.carry_out(name, request.auth, key, data)

    async def trading(self) -> TradingItem:
        """Every switch of every account, what keeps it from being resumed, and its kills."""
        return TradingItem(accounts=[item_of(account) for account in self._control.overview()])
