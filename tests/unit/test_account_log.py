"""Following an account's orders in its tenant's log: each event once, whoever asks how often."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.base import Event
from plan2.foundation.eventstore.memory import InMemoryEventStore
from plan2.foundation.eventstore.record import NewEvent, StoredEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.values import TenantId
from plan2.wiring.flows import Flows, FlowsPlan, FlowTerms
from plan2.wiring.order_log import PAGE, TRADED, AccountLog
from unit.test_traded import NAME, moved, trade

TENANT, ACCOUNT = TenantId("acme"), "paper"


class Counting(InMemoryEventStore):
    """Knows how many events it has given out; may be away for a while."""

    given = 0
    pages_until_away = -1

    async def read_all(
        self,
        tenant: TenantId,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
        types: Sequence[str] = (),
    ) -> list[StoredEvent]:
        """As the store itself, with a turn of the loop in between, as a database has."""
        await asyncio.sleep(0)
        if self.pages_until_away == 0:
            raise StoreBusy("The database is away.")
        self.pages_until_away -= 1
        found = await super().read_all(
            tenant, after=after, before=before, limit=limit, newest_first=newest_first, types=types
        )
        self.given += len(found)
        return found


@pytest.fixture
def store() -> Counting:
    """An empty log."""
    return Counting(SimulatedClock(1))


async def add(store: Counting, events: Sequence[Event]) -> None:
    """Append events under ids of their own."""
    begin = await store.position(TENANT)
    new = [
        NewEvent(stream_id="account", event=event, event_id=derived_id("test", begin + number))
        for number, event in enumerate(events)
    ]
    await store.append(TENANT, new)


def orders(account: str = ACCOUNT) -> list[Event]:
    """A move and a trade of an account."""
    found = [
        msgspec.structs.replace(each, account_id=account)
        for each in trade(1, "9.00")
        if type(each).__name__ in TRADED
    ]
    return [moved(1, "paper"), *found]


async def test_who_asks_again_is_told_of_the_new_alone(store: Counting) -> None:
    """In order, and nothing of other accounts; of the log no more is read than what is new."""
    taken: list[Event] = []
    log = AccountLog((store, TENANT), ACCOUNT, TRADED, taken.append)
    await add(store, orders())
    await log.catch_up()
    assert taken == orders()
    assert store.given == len(orders())

    await add(store, [*orders("another")[1:], *orders()])
    await log.catch_up()
    await log.catch_up()
    assert taken == [*orders(), *orders()]
    assert store.given == len(orders()) * 3 - 1


async def test_two_who_ask_at_once_take_each_event_once(store: Counting) -> None:
    """Over several pages, with turns of the loop in between."""
    taken: list[Event] = []
    log = AccountLog((store, TENANT), ACCOUNT, TRADED, taken.append)
    events = orders() * PAGE
    await add(store, events)
    await asyncio.gather(log.catch_up(), log.catch_up())
    assert taken == events


async def test_a_database_that_was_away_costs_nothing(store: Counting) -> None:
    """What was taken before is not taken again, and the rest is not lost."""
    taken: list[Event] = []
    log = AccountLog((store, TENANT), ACCOUNT, TRADED, taken.append)
    events = orders() * PAGE
    await add(store, events)
    store.pages_until_away = 2
    with pytest.raises(StoreBusy):
        await log.catch_up()
    assert len(taken) == 2 * PAGE
    store.pages_until_away = -1
    await log.catch_up()
    assert taken == events


async def test_the_flows_of_a_tenant_tell_what_their_text_has_earned(
    store: Counting, tmp_path: Path
) -> None:
    """Of the account, by the versions with the text that is asked for; the log is read once."""
    flows = Flows(
        FlowsPlan(
            tenant_id=TENANT,
            folder=tmp_path,
            database=SimpleNamespace(store=store, uow=None),
            appender=None,
            account=SimpleNamespace(identity=SimpleNamespace(account_id=ACCOUNT)),
            market=SimpleNamespace(),
            terms=FlowTerms(settings=Settings, room=lambda: None),
        )  # type: ignore[arg-type]
    )
    version = SimpleNamespace(name=NAME, version=1, digest="text")
    flows.desk = SimpleNamespace(versions=lambda: [version])  # type: ignore[assignment]
    await add(store, orders())
    (found,) = await flows.traded(NAME, "text")
    assert (found.version, found.state) == (1, "paper")
    assert found.figures["net_profit"].value == pytest.approx(8.30)  # 9.00 less 0.35 a side
    assert await flows.traded(NAME, "text") == [found]
    assert await flows.traded(NAME, "another text") == []
    assert store.given == len(orders())
