"""Who gets in: looks up each route in the table of rights and holds the caller against it.

Runs after routing and before anything of the body is read. Deny by default: a route that the table
does not name is closed to everybody.
"""

from collections.abc import Callable

from litestar.types import ASGIApp, Receive, Scope, Send

from plan2.connectivity.gateway.middleware import SAFE_METHODS, WEBSOCKET, is_loopback, method_of
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.rights import Entrance, Proof, Rule, rule_for
from plan2.connectivity.identity.sessions import Session, Sessions, is_csrf

CSRF_HEADER = b"x-plan2-csrf"
PERSON_HEADER = b"x-plan2-person"
AUTHORIZATION = b"authorization"
BEARER = "Bearer "
COOKIE = "p2_session"
SECURE_COOKIE = "__Host-p2_session"


def cookie_name(*, is_tls: bool) -> str:
    """The session cookie's name; with the prefix browsers insist on Secure and Path=/."""
    return SECURE_COOKIE if is_tls else COOKIE


def guarding(
    sessions: Sessions, local: LocalAccess | None = None, *, is_tls: bool
) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware that wraps every route; Litestar's own guards would cost a fifth of a GET."""
    return lambda app: Guard(app, sessions, local, is_tls=is_tls)


class Guard:
    """Lets a connection through to its route, or raises the problem that it is answered with."""

    def __init__(
        self, app: ASGIApp, sessions: Sessions, local: LocalAccess | None = None, *, is_tls: bool
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._local = local
        self._cookie = cookie_name(is_tls=is_tls).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the caller against the table, then go on to the route.

        Raises:
            RequestRefused: 401 without a live session, 403 without the right or the CSRF value.
        """
        self.check(scope)
        await self._app(scope, receive, send)

    def check(self, scope: Scope) -> None:
        """Hold a routed connection against the table; puts the session into `scope["auth"]`.

        Raises:
            RequestRefused: see `__call__`.
        """
        method = method_of(scope)
        rule = rule_for(method, scope["path_template"])
        if rule is None:
            raise _forbidden(f"Nobody may use {method} {scope['path_template']}.")
        session = self._session_of(scope)
        scope["auth"] = session
        if rule.entrance is Entrance.LOOPBACK and not is_loopback(scope):
            raise _forbidden("This is answered on the server's own machine only.")
        if rule.entrance is Entrance.SESSION and method != WEBSOCKET:
            _check_session(rule, session, scope)

    def _session_of(self, scope: Scope) -> Session | None:
        """The live session of the cookie, or that of the local key when one is shown."""
        shown = _header(scope, AUTHORIZATION)
        if not shown:
            return self._sessions.find(_cookie(scope, self._cookie))
        if self._local is None or not shown.startswith(BEARER) or not is_loopback(scope):
            return None
        return self._local.find(shown.removeprefix(BEARER), _header(scope, PERSON_HEADER))


def _check_session(rule: Rule, session: Session | None, scope: Scope) -> None:
    if session is None:
        raise RequestRefused(
            401,
            "signed_out",
            "No live session came with this request.",
            remedy="Sign in with the address that `plan2 serve` prints.",
        )
    if session.user.role not in rule.roles:
        raise _forbidden(f"The role {session.user.role} may not do this.")
    is_checked = method_of(scope) not in SAFE_METHODS and rule.proof is Proof.HEADER
    if is_checked and not is_csrf(session, _header(scope, CSRF_HEADER)):
        raise RequestRefused(
            403,
            "csrf_missing",
            "The header X-Plan2-CSRF is missing or does not belong to this session.",
            remedy="Send the `csrf` value of GET /api/v1/session.",
        )


def _header(scope: Scope, wanted: bytes) -> str:
    shown = next((value for name, value in scope["headers"] if name == wanted), b"")
    return str(shown.decode("latin-1"))


def _cookie(scope: Scope, name: bytes) -> str:
    """The value of a cookie; of several with one name the first, as browsers order them."""
    for header, value in scope["headers"]:
        if header == b"cookie":
            for part in value.split(b";"):
                key, _, content = part.strip().partition(b"=")
                if key == name:
                    return str(content.decode("latin-1"))
    return ""


def _forbidden(message: str) -> RequestRefused:
    return RequestRefused(403, "forbidden", message)
