"""What the wiring adds above tenants: everybody's switches, facts for closed tenants, four eyes."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, JournalLost
from plan2.foundation.events.tenancy import TenantChanged
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.ids import SeededIds
from plan2.foundation.values import TenantId
from plan2.intelligence.risk.switch import Scope
from plan2.interface.api.command_desk import CommandBody, Commands
from plan2.wiring.everywhere import Everywhere
from plan2.wiring.recording import Recording
from unit.books_fixtures import FakeBooks, FakeControl

EVENT = TenantChanged(ts_ns=1, tenant="acme", change="suspended", reason="", by="user:x")


def caller(*, is_operator: bool = False) -> Session:
    """A tenant's administrator, who may also run the installation."""
    user = User(
        user_id="u", name="ann", tenant_id="t", role=Role.TENANT_ADMIN, is_operator=is_operator
    )
    return Session(session_id="s", user=user, csrf="c", expires_ns=1 << 62)


class Refusing(FakeControl):
    """A tenant that cannot be switched."""

    def __init__(self, error: Exception) -> None:
        super().__init__(FakeBooks())
        self.failure = error


async def test_a_switch_for_everybody_reaches_everybody() -> None:
    """One that refuses keeps no other from being switched; only when all refuse it is told."""
    willing, unwilling = FakeControl(FakeBooks()), Refusing(InputError("stricter already"))
    everywhere = Everywhere(lambda: [unwilling, willing])  # type: ignore[list-item]
    await everywhere.set_state("halted", "user:op", "fire drill")
    assert willing.calls == [("halted", "user:op", "fire drill")]
    with pytest.raises(InputError, match="stricter already"):
        await Everywhere(lambda: [unwilling]).set_state("halted", "user:op", "again")  # type: ignore[list-item]


async def test_a_lost_journal_of_one_is_told_after_all_were_switched() -> None:
    """The kill of the others has gone out when the failure reaches the operator."""
    willing, broken = FakeControl(FakeBooks()), Refusing(JournalLost("disk full"))
    everywhere = Everywhere(lambda: [broken, willing])  # type: ignore[list-item]
    with pytest.raises(JournalLost):
        await everywhere.set_state("halted", "user:op", "fire")
    assert willing.calls


async def test_only_operators_switch_all_tenants() -> None:
    """The scope `global` of a tenant's own administrator is refused, and nothing is switched."""
    own, all_of_them = FakeControl(FakeBooks()), FakeControl(FakeBooks())
    commands = Commands(own, FakeBooks(), all_of_them)
    body = CommandBody(reason="fire", scope=Scope.GLOBAL)
    with pytest.raises(RequestRefused) as refused:
        await commands.carry_out("halt", caller(), "key-0001", body)
    assert refused.value.status == 403
    assert own.calls == all_of_them.calls == []
    await commands.carry_out("halt", caller(is_operator=True), "key-0001", body)
    assert (own.calls, len(all_of_them.calls)) == ([], 1)


@pytest.mark.parametrize("grave", ["money", "killed", "killing"])
async def test_going_live_and_on_after_a_kill_need_a_second_person(grave: str) -> None:
    """With four eyes on, neither is taken from one person; a plain pause can be lifted as ever."""
    control = SimpleNamespace(calls=[])

    async def set_state(*arguments: object) -> None:
        control.calls.append(arguments)

    account = SimpleNamespace(
        needs_mode=grave == "money",
        switches=(SimpleNamespace(reason="kill: wrong way"),) if grave == "killed" else (),
        kills=("under way",) if grave == "killing" else (),
    )
    control.set_state, control.overview = set_state, lambda: [account]
    eyes = {"on": True}
    commands = Commands(control, FakeBooks(), None, lambda: eyes["on"])  # type: ignore[arg-type]
    body = CommandBody(reason="looked at it")
    with pytest.raises(RequestRefused) as refused:
        await commands.carry_out("resume", caller(), "key-0002", body)
    assert (refused.value.status, control.calls) == (403, [])
    eyes["on"] = False
    await commands.carry_out("resume", caller(), "key-0003", body)
    assert len(control.calls) == 1


async def test_facts_of_a_closed_tenant_are_stored_all_the_same() -> None:
    """Through its own appender while it is open; beside it, in order, while it is not."""
    store = InMemoryEventStore(SimulatedClock(1))
    opened: dict[str, Appender] = {}

    def make(tenant: TenantId) -> Appender:
        return Appender(store, tenant)

    recording = Recording(opened.get, make, SeededIds("facts"))
    running = asyncio.create_task(recording.run())
    recording("acme", "tenant:acme", EVENT, actor="user:x")
    recording("acme", "tenant:acme", msgspec.structs.replace(EVENT, change="resumed"))
    while await store.position(TenantId("acme")) < 2:  # noqa: ASYNC110 - the loop's turns only
        await asyncio.sleep(0)
    running.cancel()
    stored = await store.read_all(TenantId("acme"))
    assert [event.data["change"] for event in stored] == ["suspended", "resumed"]
    assert stored[0].actor == "user:x"


async def test_facts_of_an_open_tenant_go_its_own_way() -> None:
    """They queue with its other events, so their order is the order in which they happened."""
    store = InMemoryEventStore(SimulatedClock(1))
    appender = Appender(store, TenantId("acme"))
    recording = Recording(lambda _: appender, lambda _: appender, SeededIds("facts"))
    recording("acme", "tenant:acme", EVENT)
    assert len(appender) == 1
