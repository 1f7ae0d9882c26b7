"""What every unsafe request leaves behind: one `ActionTaken`, also when it was refused.

Written when the answer is known. A request without a session belongs to no tenant and is left to
`strangers`, and to sign-in, which writes events of its own.
"""

import hashlib
import sys
from collections.abc import Callable
from typing import Any, Final

from litestar import Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from plan2.connectivity.gateway.addresses import client_address
from plan2.connectivity.gateway.middleware import UNCHANGING, method_of
from plan2.connectivity.gateway.problems import problem_of
from plan2.connectivity.gateway.strangers import Strangers
from plan2.connectivity.identity.principal import Session
from plan2.foundation.events.people import ActionTaken
from plan2.foundation.events.recording import Record

CHANGE: Final = "audit"
TARGET_MAX: Final = 256


def note_change(request: Request[Any, Any, Any], before: bytes, after: bytes) -> None:
    """Tell what a request changed: hashes of both go into its `ActionTaken`; b"" = nothing."""
    request.scope["state"][CHANGE] = {"before": _hash(before), "after": _hash(after)}


def accounting(
    record: Record, now_ns: Callable[[], int], strangers: Strangers | None = None
) -> Callable[[ASGIApp], ASGIApp]:
    """The outermost middleware of every route."""
    return lambda app: Accounting(app, record, now_ns, strangers)


class Accounting:
    """Writes `ActionTaken` once the answer of an unsafe request is known."""

    def __init__(
        self,
        app: ASGIApp,
        record: Record,
        now_ns: Callable[[], int],
        strangers: Strangers | None = None,
    ) -> None:
        self._app = app
        self._record = record
        self._now_ns = now_ns
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, then write down what became of it."""
        if method_of(scope) in UNCHANGING:
            await self._app(scope, receive, send)
            return
        status = 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            error = sys.exception()
            if isinstance(error, Exception):
                # Answered further out; all that is wanted here is what it is answered with.
                told = problem_of(error, "")
                status = told.status
                scope["state"]["problem_code"] = told.code
            session: Session | None = scope.get("auth")
            if session is not None:
                self._write(scope, session, status)
            elif self._strangers is not None:
                self._strangers.note(scope, status, str(scope["state"].get("problem_code", "")))

    def _write(self, scope: Scope, session: Session, status: int) -> None:
        state = scope["state"]
        change = state.get(CHANGE, {})
        event = ActionTaken(
            ts_ns=self._now_ns(),
            user_id=session.user.user_id,
            role=session.user.role,
            via=session.via,
            session_id=session.session_id,
            ip_address=client_address(scope),
            request_id=str(state["request_id"]),
            action=f"{method_of(scope)} {scope['path_template']}",
            target=_target(scope),
            status=status,
            code=str(state.get("problem_code", "")) if status >= 400 else "",
            before=str(change.get("before", "")),
            after=str(change.get("after", "")),
        )
        self._record(
            session.user.tenant_id,
            f"user:{session.user.user_id}",
            event,
            actor=session.actor,
            correlation_id=str(state["correlation_id"]),
        )


def _target(scope: Scope) -> str:
    """The path's values as `name=value`, in the order of the path."""
    values = scope.get("path_params", {})
    return " ".join(f"{name}={value}" for name, value in values.items())[:TARGET_MAX]


def _hash(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest() if value else ""
