"""Tickets: how a program, which has no cookie, opens the stream without a secret in the address.

A ticket is 256 random bits, good once, for 30 seconds, and for the session that asked for it. It
travels as the WebSocket subprotocol `ticket.<value>`, which no server or proxy logs. Only its hash
is kept, in memory: a restart ends every ticket.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.types import Scope

from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.sessions import hash_secret, new_secret
from plan2.foundation.fair_memory import FairMemory
from plan2.foundation.values import NS_PER_SECOND

TICKET_LIFE_S: Final = 30
TICKETS_MAX: Final = 10_000
"""Live tickets of a process; the tenant that has most makes room for the next."""
TICKET_MAX: Final = 128
PREFIX: Final = "ticket."


class _Issued(msgspec.Struct, frozen=True):
    session: Session
    expires_ns: int


class TicketInfo(msgspec.Struct, frozen=True):
    """A ticket for one handshake: offer `protocol` beside `plan2.v1` or `plan2.v1+json`."""

    ticket: str
    protocol: str
    expires_in_s: int


class Tickets:
    """All tickets that nobody has used yet.

    Args:
        now_ns: wall time. secret: source of tickets, for tests.
    """

    def __init__(self, now_ns: Callable[[], int], secret: Callable[[], str] = new_secret) -> None:
        self._now_ns = now_ns
        self._secret = secret
        self._issued: FairMemory[bytes, _Issued] = FairMemory(TICKETS_MAX)

    def issue(self, session: Session) -> str:
        """A new ticket of a session; shown only here."""
        now_ns = self._now_ns()
        self._issued.forget(lambda issued: issued.expires_ns <= now_ns)
        ticket = self._secret()
        issued = _Issued(session, now_ns + TICKET_LIFE_S * NS_PER_SECOND)
        self._issued.put(session.user.tenant_id, hash_secret(ticket), issued)
        return ticket

    def redeem(self, ticket: str) -> Session | None:
        """Use a ticket up: its session, or None when it is unknown, used or too old.

        Whether the session still lives is for the caller to ask.
        """
        issued = self._issued.pop(hash_secret(ticket[:TICKET_MAX]))
        if issued is None or issued.expires_ns <= self._now_ns():
            return None
        return issued.session


class TicketRoutes:
    """`/api/v1/stream/ticket`."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    def handlers(self) -> list[HTTPRouteHandler]:
        """The one route."""
        return [post("/api/v1/stream/ticket", tags=["session"])(self.issue)]

    async def issue(self, request: Request[None, Session, State]) -> TicketInfo:
        """A ticket that opens the stream once, within 30 seconds."""
        ticket = self._tickets.issue(request.auth)
        return TicketInfo(ticket, PREFIX + ticket, TICKET_LIFE_S)


def shown_ticket(scope: Scope) -> str:
    """The ticket among the subprotocols that a handshake offers, "" without one."""
    offered: list[str] = scope.get("subprotocols") or []  # type: ignore[assignment]  # a list of text
    shown = next((each for each in offered if each.startswith(PREFIX)), "")
    return shown.removeprefix(PREFIX)
