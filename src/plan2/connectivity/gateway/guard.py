"""Who gets in: looks up each route in the table of rights and holds the caller against it.

Runs after routing and before anything of the body is read. Deny by default: a route that the table
does not name is closed to everybody.
"""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from litestar.types import ASGIApp, Receive, Scope, Send

from plan2.connectivity.gateway.addresses import is_loopback
from plan2.connectivity.gateway.callers import Callers, NeedsFactor
from plan2.connectivity.gateway.headers import header
from plan2.connectivity.gateway.middleware import SAFE_METHODS, WEBSOCKET, method_of
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.right_table import RIGHTS, Route, rule_for
from plan2.connectivity.identity.rights import Entrance, Proof, Rule
from plan2.connectivity.identity.sessions import is_csrf
from plan2.foundation.log import speak_for, speak_no_more
from plan2.foundation.values import NS_PER_MINUTE

CSRF_HEADER: Final = b"x-plan2-csrf"
PROOF_LIFE_NS: Final = 5 * NS_PER_MINUTE
"""How long a proof of identity opens the routes that ask for one."""


Queries = Mapping[Route, frozenset[str]]
"""The query parameters that a route takes; a route that is not named takes any."""


def guarding(
    callers: Callers,
    now_ns: Callable[[], int],
    queries: Queries,
    needs_factor: NeedsFactor | None = None,
) -> Callable[[ASGIApp], "Guard"]:
    """The middleware that wraps every route; Litestar's own guards would cost a fifth of a GET."""
    return lambda app: Guard(app, callers, now_ns, queries, needs_factor)


BARRED: Final = "is_barred"
"""In the state of a socket: its caller is known, but may not have one yet."""


class Guard:
    """Lets a connection through to its route, or raises the problem that it is answered with."""

    def __init__(
        self,
        app: ASGIApp,
        callers: Callers,
        now_ns: Callable[[], int],
        queries: Queries,
        needs_factor: NeedsFactor | None = None,
    ) -> None:
        self._app = app
        self._callers = callers
        self._now_ns = now_ns
        self._queries = queries
        self._needs_factor = needs_factor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the caller against the table, then go on to the route.

        Raises:
            RequestRefused: 401 without a live session, 403 without the right, the CSRF value, a
                fresh proof or a tenant that is served.
        """
        if scope.get("method") == "OPTIONS":
            await _tell_methods(scope["path_template"], send)
            return
        self.check(scope)
        session: Session | None = scope["auth"]
        token = speak_for("" if session is None else session.user.tenant_id)
        try:
            await self._app(scope, receive, send)
        finally:
            speak_no_more(token)

    def check(self, scope: Scope) -> None:
        """Hold a routed connection against the table; puts the session into `scope["auth"]`.

        Raises:
            RequestRefused: see `__call__`.
        """
        scope["auth"] = None
        route = method, path_template = method_of(scope), scope["path_template"]
        rule = rule_for(method, path_template)
        if rule is None:
            raise _forbidden(f"Nobody may use {method} {path_template}.")
        if rule.entrance is Entrance.KEY:
            return
        if rule.entrance is Entrance.LOOPBACK:
            if not is_loopback(scope):
                raise _forbidden("This is answered on the server's own machine only.")
            return
        scope["auth"] = session = self._callers.find(scope)
        if method == WEBSOCKET:
            self._check_socket(route, session, scope)
        elif rule.entrance is Entrance.SESSION:
            self._check_session(rule, route, session, scope)
        if scope["query_string"]:
            self._check_query(route, scope["query_string"].decode("latin-1"))

    def _check_query(self, route: Route, shown: str) -> None:
        """A parameter that does nothing is a mistake of the caller's, and told as such."""
        known = self._queries.get(route)
        if known is None:
            return
        unknown = {name for name, _ in parse_qsl(shown, keep_blank_values=True)} - known
        if unknown:
            raise RequestRefused(
                400,
                "invalid_parameter",
                f"{min(unknown)!r} (query) is not a parameter of this address.",
                remedy="GET /api/openapi.json lists the parameters of every address.",
            )

    def _check_session(
        self, rule: Rule, route: Route, session: Session | None, scope: Scope
    ) -> None:
        if session is None:
            raise RequestRefused(
                401,
                "signed_out",
                "No live session came with this request.",
                remedy="Sign in, or show a key or token that has not ended.",
            )
        if not ((session.user.is_operator and rule.operator) or self._callers.is_served(session)):
            raise RequestRefused(
                403, "tenant_suspended", "This tenant is not served at the moment.",
                remedy="Ask the operator of this installation.",
            )  # fmt: skip
        _check_right(rule, session)
        is_unsafe = route[0] not in SAFE_METHODS
        if is_unsafe and rule.proof is Proof.HEADER and session.csrf:
            _check_csrf(session, header(scope, CSRF_HEADER))
        if rule.step_up and session.proven_ns < self._now_ns() - PROOF_LIFE_NS:
            raise RequestRefused(
                403,
                "step_up_needed",
                "This needs a proof of identity that is at most five minutes old.",
                remedy="POST /api/v1/session/prove first: a code, or without one your password.",
            )
        if self._lacks_factor(route, session):
            raise RequestRefused(
                403,
                "second_factor_required",
                "Your role asks for a second factor, and you have none yet.",
                remedy="Set up your authenticator first: POST /api/v1/second-factor.",
            )

    def _check_socket(self, route: Route, session: Session | None, scope: Scope) -> None:
        """A socket has no answer to be refused with: its route closes it with a code.

        Who is not served counts as nobody; who lacks a second factor is somebody who is barred.
        """
        if session is None:
            return
        if not self._callers.is_served(session):
            scope["auth"] = None
        elif self._lacks_factor(route, session):
            scope.setdefault("state", {})[BARRED] = True

    def _lacks_factor(self, route: Route, session: Session) -> bool:
        return self._needs_factor is not None and self._needs_factor(session, *route)


async def _tell_methods(path_template: str, send: Send) -> None:
    """The methods of a path, as the table has them; Litestar's own answer misses some."""
    methods = sorted({method for method, path in RIGHTS if path == path_template} - {WEBSOCKET})
    headers = [(b"allow", ", ".join([*methods, "OPTIONS"]).encode())]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _check_right(rule: Rule, session: Session) -> None:
    """Role, scope of a key, and whether it takes an operator."""
    if session.user.role not in rule.roles:
        raise _forbidden(f"The role {session.user.role} may not do this.")
    if session.scopes is not None and rule.scope not in session.scopes:
        raise RequestRefused(
            403,
            "scope_missing",
            f"This key may not do that: it lacks the scope {rule.scope}.",
            remedy="Make a key with that scope.",
        )
    if rule.operator and not session.user.is_operator:
        raise _forbidden("Only an operator of this installation may do this.")


def _check_csrf(session: Session, shown: str) -> None:
    if not is_csrf(session, shown):
        raise RequestRefused(
            403,
            "csrf_missing",
            "The header X-Plan2-CSRF is missing or does not belong to this session.",
            remedy="Send the `csrf` value of GET /api/v1/session.",
        )


def _forbidden(message: str) -> RequestRefused:
    return RequestRefused(403, "forbidden", message)
