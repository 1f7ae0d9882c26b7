"""The short way of reading: a GET by cookie passes the same checks within one layer.

Of the layers in front of a route a GET with a session cookie needs two: the guard, and the limits
behind it. The account of requests and idempotency are about unsafe requests, the door about callers
without a session or with tokens. All others go through every layer.
"""

from collections.abc import Callable, Sequence
from typing import Final

from litestar.types import ASGIApp, Receive, Scope, Send

from plan2.connectivity.gateway.callers import AUTHORIZATION
from plan2.connectivity.gateway.guard import Guard
from plan2.connectivity.gateway.headers import header
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import Entrance
from plan2.foundation.log import speak_for, speak_no_more

READ: Final = frozenset(
    path
    for (method, path), rule in RIGHTS.items()
    if method == "GET" and rule.entrance is Entrance.SESSION
)
"""The paths that are read with a session."""

Admit = Callable[[Scope], ASGIApp | None]
"""Counts a request of somebody known; what answers it instead where a limit says no."""


class Reading:
    """Takes the short way where there is one.

    Args:
        app: the route. whole: the route behind every layer.
        guard: who gets in. admit: the limits behind it; None for none.
    """

    def __init__(self, app: ASGIApp, whole: ASGIApp, guard: Guard, admit: Admit | None) -> None:
        self._app = app
        self._whole = whole
        self._guard = guard
        self._admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check and go on to the route.

        Raises:
            RequestRefused: as the guard.
        """
        is_read = scope.get("method") == "GET" and scope["path_template"] in READ
        if not is_read or header(scope, AUTHORIZATION):
            await self._whole(scope, receive, send)
            return
        self._guard.check(scope)
        refusal = None if self._admit is None else self._admit(scope)
        token = speak_for(scope["auth"].user.tenant_id)
        try:
            await (self._app if refusal is None else refusal)(scope, receive, send)
        finally:
            speak_no_more(token)


def layered(
    layers: Sequence[Callable[[ASGIApp], ASGIApp]],
    guard: Callable[[ASGIApp], Guard],
    admit: Admit | None,
) -> Callable[[ASGIApp], ASGIApp]:
    """The one middleware of every route: the layers, outermost first, and the way past them."""

    def wrap(app: ASGIApp) -> ASGIApp:
        whole = app
        for layer in reversed(layers):
            whole = layer(whole)
        return Reading(app, whole, guard(app), admit)

    return wrap
