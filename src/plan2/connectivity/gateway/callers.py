"""Who calls: one chain of look-ups from what a request shows to a checked `Session`.

A cookie, or one thing in the Authorization header: the key of this machine, a token, a program's
key. Whoever shows an Authorization header is judged by it alone, so that a cookie that a browser
adds by itself never helps. A socket is opened with a cookie or a ticket.
"""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from litestar.types import Scope

from plan2.connectivity.gateway.addresses import client_address, is_loopback, is_secure
from plan2.connectivity.gateway.headers import header
from plan2.connectivity.gateway.middleware import WEBSOCKET, cookie_name, method_of
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.tickets import Tickets, shown_ticket
from plan2.connectivity.identity.directory import TenantDirectory
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.identity.sessions import Sessions

PLAIN_NAME: Final = cookie_name(is_tls=False).encode()
SECURE_NAME: Final = cookie_name(is_tls=True).encode()
AUTHORIZATION: Final = b"authorization"
PERSON_HEADER: Final = b"x-plan2-person"
TENANT_HEADER: Final = b"x-plan2-tenant"
BEARER: Final = "bearer "
WITHIN: Final = "within"
"""In the state of a request that Plan2 makes itself, for a person: their session. No header or
address of a request from outside can put anything there."""
BEARER_MAX: Final = 4_096
"""Characters of an Authorization header that are looked at; longer ones are nobody's."""
KEY_PREFIX: Final = "p2_"
TOKEN_PREFIX: Final = "ey"  # noqa: S105 - how every JWT begins: {"
"""By their beginning a key, a token and the key of this machine are told apart."""


class Bearers(Protocol):
    """Finds who shows a token; synchronous, from memory, whatever it is given."""

    def find(self, shown: str, address: str) -> Session | None:
        """The caller of a token at an address, or None."""
        ...


class KeyBearers(Bearers, Protocol):
    """Finds who shows a program's key, and says whether a key is still good."""

    def is_live(self, key_id: str) -> bool:
        """Whether a key has neither ended nor been revoked."""
        ...


class CallerSources(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that knows callers; None where an installation does without."""

    sessions: Sessions
    local: LocalAccess | None = None
    tokens: Bearers | None = None
    keys: KeyBearers | None = None
    directory: TenantDirectory | None = None
    tickets: Tickets | None = None


class Callers:
    """Looks callers up, and says whether one who came in may still be here."""

    def __init__(self, sources: CallerSources) -> None:
        self._sources = sources

    def find(self, scope: Scope) -> Session | None:
        """The caller of a request or handshake, or None; the tenant is not looked at yet.

        Raises:
            RequestRefused: 404 when the key of this machine speaks for an unknown tenant.
        """
        within = scope.get("state", {}).get(WITHIN)
        if isinstance(within, Session):
            return within
        if method_of(scope) == WEBSOCKET:
            return self._by_ticket(scope) or self._by_cookie(scope)
        shown = header(scope, AUTHORIZATION)
        return self._by_bearer(shown, scope) if shown else self._by_cookie(scope)

    def is_served(self, session: Session) -> bool:
        """Whether the caller's tenant may do anything now."""
        directory = self._sources.directory
        return directory is None or directory.is_served(session.user.tenant_id)

    def is_live(self, session: Session) -> bool:
        """Whether a caller who came in may stay; open streams ask every second."""
        if not self.is_served(session):
            return False
        if session.via is Via.LOCAL:
            return True
        if session.via is Via.KEY:
            keys = self._sources.keys
            return keys is not None and keys.is_live(session.session_id)
        return self._sources.sessions.is_live(session.session_id)

    def _by_cookie(self, scope: Scope) -> Session | None:
        name = SECURE_NAME if is_secure(scope) else PLAIN_NAME
        return self._sources.sessions.find(_cookie(scope, name))

    def _by_ticket(self, scope: Scope) -> Session | None:
        tickets, shown = self._sources.tickets, shown_ticket(scope)
        session = tickets.redeem(shown) if tickets is not None and shown else None
        return session if session is not None and self.is_live(session) else None

    def _by_bearer(self, shown: str, scope: Scope) -> Session | None:
        if len(shown) > BEARER_MAX or shown[: len(BEARER)].lower() != BEARER:
            return None
        secret, sources = shown[len(BEARER) :].strip(), self._sources
        # First, because a random key of this machine may begin like any other.
        local = self._by_local_key(secret, scope)
        if local is not None:
            return local
        if secret.startswith(KEY_PREFIX):
            return _found(sources.keys, secret, scope)
        if secret.startswith(TOKEN_PREFIX) and "." in secret:
            return _found(sources.tokens, secret, scope)
        return None

    def _by_local_key(self, secret: str, scope: Scope) -> Session | None:
        local = self._sources.local
        if local is None or not is_loopback(scope):
            return None
        tenant_id = header(scope, TENANT_HEADER)
        session = local.find(secret, header(scope, PERSON_HEADER), tenant_id)
        directory = self._sources.directory
        is_known = not tenant_id or (directory is not None and directory.find(tenant_id))
        if session is not None and not is_known and tenant_id != local.tenant_id:
            raise RequestRefused(404, "tenant_unknown", f"There is no tenant {tenant_id!r}.")
        return session


def _found(bearers: Bearers | None, secret: str, scope: Scope) -> Session | None:
    return bearers.find(secret, client_address(scope)) if bearers is not None else None


def _cookie(scope: Scope, name: bytes) -> str:
    """The value of a cookie; of several with one name the first, as browsers order them."""
    for key, value in scope["headers"]:
        if key == b"cookie":
            if name not in value:
                continue
            for part in value.split(b";"):
                shown, _, content = part.strip().partition(b"=")
                if shown == name:
                    return str(content.decode("latin-1"))
    return ""


NeedsFactor = Callable[[Session, str, str], bool]
"""Whether a caller must set up a second factor before this: session, method, path template."""
