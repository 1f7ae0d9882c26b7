"""Commands: pause, resume, halt, kill; each carried out once per idempotency key.

An answer says that the command was taken; its effect arrives as an event. Repeating a request with
the same key gives the same receipt, also while the first one is still under way.
"""

import asyncio
from typing import Annotated, Final, Literal

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.sessions import Session
from plan2.foundation.ids import derived_id
from plan2.interface.api.ports import TradingControl
from plan2.interface.books import Books
from plan2.interface.items import CommandReceipt

RECEIPTS_KEPT: Final = 10_000
BODY_MAX_BYTES: Final = 16_384

CommandName = Literal["pause", "resume", "halt", "kill"]
STATE_AFTER: Final[dict[CommandName, str]] = {
    "pause": "paused",
    "resume": "armed",
    "halt": "halted",
}
NAMES: Final[tuple[CommandName, ...]] = ("pause", "resume", "halt", "kill")

Key = Annotated[
    str,
    Parameter(header="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$"),
]
SignedRequest = Request[None, Session, State]


class CommandBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in one line; to resume, a reason must be given."""

    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class _Taken(msgspec.Struct, frozen=True):
    """A command that was taken, and the work that carries it out."""

    name: CommandName
    reason: str
    work: "asyncio.Task[CommandReceipt]"


class Commands:
    """Carries commands out, once per key; `resume` wants a reason."""

    def __init__(self, control: TradingControl, books: Books) -> None:
        self._control = control
        self._books = books
        self._taken: dict[str, _Taken] = {}

    async def carry_out(
        self, name: CommandName, session: Session, key: str, reason: str
    ) -> CommandReceipt:
        """The receipt of a command; a repetition waits for the first one's.

        Raises:
            RequestRefused: 409 when the key was used for something else, 422 without a reason.
        """
        if name == "resume" and not reason.strip():
            raise RequestRefused(
                422, "reason_missing", "To resume trading, say why.", remedy="Give a reason."
            )
        command_id = derived_id("command", session.user.tenant_id, session.user.user_id, key)
        taken = self._taken.get(command_id)
        if taken is None:
            work = asyncio.create_task(self._run(name, session, reason, command_id))
            taken = self._taken[command_id] = _Taken(name, reason, work)
            self._forget_oldest()
        if (taken.name, taken.reason) != (name, reason):
            raise RequestRefused(
                409,
                "idempotency_conflict",
                f"This Idempotency-Key was used for {taken.name!r} with another reason or name.",
                remedy="Use a new key for a new command.",
            )
        # A caller that goes away must not stop what was taken.
        return await asyncio.shield(taken.work)

    async def _run(
        self, name: CommandName, session: Session, reason: str, command_id: str
    ) -> CommandReceipt:
        actor = f"user:{session.user.name}"
        is_done = False
        try:
            if name == "kill":
                await self._control.kill(actor, reason)
            else:
                await self._control.set_state(STATE_AFTER[name], actor, reason)
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
    """`/api/v1/commands/…`."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def handlers(self) -> list[HTTPRouteHandler]:
        """One handler on four paths."""
        paths = [f"/api/v1/commands/{name}" for name in NAMES]
        return [
            post(paths, status_code=202, request_max_body_size=BODY_MAX_BYTES, tags=["commands"])(
                self.command
            )
        ]

    async def command(self, request: SignedRequest, data: CommandBody, key: Key) -> CommandReceipt:
        """Pause, resume, halt or kill; the effect arrives as TradingStateChanged."""
        path = request.scope["path"].rpartition("/")[2]
        name = next(known for known in NAMES if known == path)
        return await self._commands.carry_out(name, request.auth, key, data.reason)
