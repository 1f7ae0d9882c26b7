"""Tickets, and what every unsafe request leaves behind."""

from pathlib import Path
from typing import Any

import pytest
from gateway_layers import Echo, at, call, scope_of, session, user

from plan2.connectivity.gateway.accounting import Accounting, note_change
from plan2.connectivity.gateway.addresses import client_address
from plan2.connectivity.gateway.callers import Callers, CallerSources
from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.strangers import WRITTEN_MAX, Strangers
from plan2.connectivity.gateway.tickets import TICKETS_MAX, Tickets
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.principal import Session, Via
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.base import Event
from plan2.foundation.events.people import ActionTaken
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND

# --- tickets ------------------------------------------------------------------------------


def test_a_ticket_is_good_once() -> None:
    """The session comes back, the second try gives nothing."""
    tickets = Tickets(at([0]))
    ticket = tickets.issue(session())
    assert len(ticket) == 43  # 256 bits, base64url
    assert tickets.redeem(ticket) == session()
    assert tickets.redeem(ticket) is None
    assert tickets.redeem("") is None
    assert tickets.redeem("x" * 100_000) is None


def test_a_ticket_is_too_old_after_thirty_seconds() -> None:
    """Good until the last nanosecond."""
    time_ns = [0]
    tickets = Tickets(at(time_ns))
    early, late = tickets.issue(session()), tickets.issue(session())
    time_ns[0] = 30 * NS_PER_SECOND - 1
    assert tickets.redeem(early) is not None
    time_ns[0] = 30 * NS_PER_SECOND
    assert tickets.redeem(late) is None


def test_tickets_are_bounded() -> None:
    """One more than the most ends the oldest."""
    tickets = Tickets(at([0]))
    issued = [tickets.issue(session()) for _ in range(TICKETS_MAX + 1)]
    assert tickets.redeem(issued[0]) is None
    assert tickets.redeem(issued[1]) is not None


class Alive:
    """Sessions, keys and tenants whose liveness a test decides."""

    def __init__(self) -> None:
        self.dead: set[str] = set()
        self.now = 0

    def find(self, *_: str) -> Session | None:
        """Nobody comes by cookie or key."""
        return None

    def is_live(self, shown: str) -> bool:
        """Unless it was ended."""
        return shown not in self.dead

    def is_served(self, tenant_id: str) -> bool:
        """Unless it was suspended."""
        return tenant_id not in self.dead


@pytest.mark.parametrize("via", [Via.COOKIE, Via.TOKEN, Via.KEY])
def test_a_ticket_of_an_ended_session_opens_nothing(via: Via) -> None:
    """Session, token or key ended, or the tenant was suspended, between ticket and handshake."""
    for dead in ("s-1", "main"):
        alive = Alive()
        tickets = Tickets(at([0]))
        sources: Any = {"sessions": alive, "keys": alive, "directory": alive, "tickets": tickets}
        callers = Callers(CallerSources(**sources))
        caller = session(via=via)
        offered = ["plan2.v1", "ticket." + tickets.issue(caller)]
        handshake = scope_of(subprotocols=offered, method="WEBSOCKET")
        assert callers.is_live(caller)
        alive.dead.add(dead)
        assert callers.find(handshake) is None  # type: ignore[arg-type]  # made by hand
        assert not callers.is_live(caller)
        alive.dead.clear()
        assert callers.find(handshake) is None  # type: ignore[arg-type]  # used up


def test_an_authorization_header_opens_no_socket() -> None:
    """Keys and tokens use tickets, so that one check covers every way in."""
    alive = Alive()
    alive.find = lambda *_: session()  # type: ignore[method-assign]
    sources: Any = {"sessions": Alive(), "keys": alive, "tokens": alive}
    callers = Callers(CallerSources(**sources))
    headers = {"Authorization": "Bearer p2_live_x"}
    assert callers.find(scope_of("GET", headers=headers)) is not None  # type: ignore[arg-type]
    socket = scope_of("WEBSOCKET", headers=headers, subprotocols=["plan2.v1"])
    assert callers.find(socket) is None  # type: ignore[arg-type]


def test_a_local_key_may_begin_like_any_other(tmp_path: Path) -> None:
    """A random key of this machine that looks like a program's key or a token still opens."""
    for secret in ("p2_" + "k" * 40, "ey." + "k" * 40):
        local = LocalAccess(tmp_path, "main", secret=lambda shown=secret: shown)  # type: ignore[misc]
        alive: Any = Alive()
        callers = Callers(CallerSources(sessions=alive, local=local, keys=alive, tokens=alive))
        found = callers.find(scope_of(headers={"Authorization": f"Bearer {secret}"}))  # type: ignore[arg-type]
        assert found is not None
        assert found.via is Via.LOCAL


# --- accounting ---------------------------------------------------------------------------


class Log:
    """A record that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, ActionTaken, str, str]] = []

    def __call__(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        """See the port."""
        assert isinstance(event, ActionTaken)
        self.taken.append((tenant_id, stream, event, actor, correlation_id))


async def test_an_unsafe_request_leaves_one_record() -> None:
    """Who, how, from where, what, on what, and how it ended."""
    log = Log()
    app = Accounting(Echo(202), log, at([5]))
    scope = scope_of("PATCH", path_template="/api/v1/users/{user_id}", path_params={"user_id": "u"})
    await call(app, scope)
    [(tenant, stream, event, actor, correlation)] = log.taken
    assert (tenant, stream, actor, correlation) == (
        "main",
        "user:main-ann",
        "user:main-ann",
        "c-1",
    )
    assert event == ActionTaken(
        ts_ns=5,
        user_id="main-ann",
        role="Tenant_Admin",
        via="cookie",
        session_id="s-1",
        ip_address="127.0.0.1",
        request_id="r-1",
        action="PATCH /api/v1/users/{user_id}",
        target="user_id=u",
        status=202,
        code="",
        before="",
        after="",
    )


async def test_a_refusal_leaves_one_too() -> None:
    """Raised by a layer inside: its status and code are those of the answer, and it goes on."""

    async def refusing(*_: Any) -> None:
        raise RequestRefused(403, "step_up_needed", "Prove it.")

    log = Log()
    with pytest.raises(RequestRefused):
        await call(Accounting(refusing, log, at([0])), scope_of())
    [(_, _, event, _, _)] = log.taken
    assert (event.status, event.code) == (403, "step_up_needed")


async def test_a_fault_of_ours_is_recorded_as_500() -> None:
    """Whatever went wrong, the request was made."""

    async def failing(*_: Any) -> None:
        raise ZeroDivisionError

    log = Log()
    with pytest.raises(ZeroDivisionError):
        await call(Accounting(failing, log, at([0])), scope_of())
    assert (log.taken[0][2].status, log.taken[0][2].code) == (500, "internal")


async def test_routes_may_tell_what_changed() -> None:
    """Only hashes are kept; SHA-256 of "abc" as in FIPS 180-2, appendix B.1."""

    async def changing(scope: Any, receive: Any, send: Any) -> None:
        class Asked:
            """As much of a request as is looked at."""

        asked: Any = Asked()
        asked.scope = scope
        note_change(asked, b"", b"abc")
        await Echo(204)(scope, receive, send)

    log = Log()
    await call(Accounting(changing, log, at([0])), scope_of())
    event = log.taken[0][2]
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (event.before, event.after) == ("", expected)


async def test_reads_and_strangers_leave_none() -> None:
    """A read changes nothing; without a session there is no tenant whose log it would be."""
    log = Log()
    app = Accounting(Echo(), log, at([0]))
    for scope in (scope_of("GET"), scope_of("HEAD"), scope_of("OPTIONS"), scope_of(auth=None)):
        await call(app, scope)
    assert log.taken == []


async def test_the_person_of_this_machine_is_named() -> None:
    """Events say the name of a local user, and pseudonyms for everybody else."""
    log = Log()
    app = Accounting(Echo(), log, at([0]))
    await call(app, scope_of(auth=session(user("root"), Via.LOCAL)))
    assert log.taken[0][3] == "user:root"


# --- strangers ----------------------------------------------------------------------------


async def test_a_refusal_of_nobody_is_written_once_a_minute() -> None:
    """In the log of the first tenant, with its address and code, and no person."""
    log, clock = Log(), SimulatedClock(0)
    strangers = Strangers(log, "home", clock.now_ns)

    async def refusing(*_: Any) -> None:
        raise RequestRefused(401, "signed_out", "Nobody.")

    app = Accounting(refusing, log, clock.now_ns, strangers)
    for _ in range(3):
        with pytest.raises(RequestRefused):
            await call(app, scope_of(auth=None))
    [(tenant, stream, event, actor, _)] = log.taken
    assert (tenant, stream, actor) == ("home", "strangers", "nobody")
    assert (event.user_id, event.status, event.code) == ("", 401, "signed_out")
    assert event.ip_address == client_address(scope_of())
    clock.advance_to(NS_PER_MINUTE)
    with pytest.raises(RequestRefused):
        await call(app, scope_of(auth=None))
    assert len(log.taken) == 2


async def test_what_nobody_does_to_the_log_is_bounded() -> None:
    """A thousand kinds of refusals in a minute leave twenty events; reads and successes none."""
    log = Log()
    strangers = Strangers(log, "home", at([0]))
    for number in range(1_000):
        strangers.note(scope_of(), 401, f"code_{number}")
    assert len(log.taken) == WRITTEN_MAX
    strangers = Strangers(log, "home", at([0]))
    strangers.note(scope_of("GET"), 401, "signed_out")
    strangers.note(scope_of(), 204, "")
    assert len(log.taken) == WRITTEN_MAX


async def test_what_the_perimeter_refuses_is_written_down() -> None:
    """An unsafe request of another page comes no further, and is told of."""
    log = Log()
    strangers = Strangers(log, "home", at([0]))
    app = Perimeter(Echo(), GatewaySettings(), SeededIds("t"), strangers.note)
    headers = {"host": "localhost", "origin": "http://evil.example", "cookie": "p2_session=x"}
    asked = scope_of(headers=headers)
    for routed in ("path_template", "auth"):
        asked.pop(routed, None)
    assert (await call(app, asked)).status == 403
    [(_, _, event, _, _)] = log.taken
    assert (event.action, event.status, event.code) == ("POST", 403, "origin_not_allowed")
