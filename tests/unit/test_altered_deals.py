"""A deal that the broker tells differently: it stands until it is told as before, or looked at."""

from collections.abc import AsyncIterator, Iterable

import msgspec
from reconcile_fixtures import Office
from trading_fixtures import Desk

from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import ReconciliationDifference
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.altered_deals import SEEN_KEPT, AlteredDeals
from plan2.intelligence.trading.reconcile import rebuild
from plan2.intelligence.trading.stored import BOOK_TYPES


async def stored(events: Iterable[Event]) -> AsyncIterator[Event]:
    """Events as they come from a store."""
    for event in events:
        yield event


def alter(office: Office, **change: object) -> None:
    """The broker tells its one deal differently from now on."""
    (deal,) = office.terminal.deal_list or ()
    office.terminal.deal_list = (msgspec.structs.replace(deal, **change),)


def resume(office: Office) -> None:
    """A person has looked and arms the account again."""
    reason = "looked at it"
    office.account.set_state(TradingState.ARMED, office.clock.now_ns(), "user:ann", reason)


async def altered_office() -> Office:
    """An office that halted because the broker changed the lots of a deal."""
    office = await Office().settled()
    office.position()
    await office.wait(10)
    alter(office, quantity=0.2)
    await office.wait(11)
    assert office.account.state is TradingState.HALTED
    assert not office.account.books_agree
    return office


async def test_a_deal_that_is_told_as_before_again_no_longer_stands() -> None:
    """On record; the halt itself is taken back by a person."""
    office = await altered_office()
    alter(office, quantity=0.1)
    await office.wait(11)
    assert office.differences()[-1] == ("deal_altered", "settled")
    assert office.account.books_agree
    assert office.account.state is TradingState.HALTED


async def test_a_deal_that_newer_ones_have_covered_can_still_come_right() -> None:
    """It is asked for as long as it stands, however old it is."""
    office = await altered_office()
    (old,) = office.terminal.deal_list or ()
    newer_ns = office.clock.now_ns() + 2 * NS_PER_DAY
    newer = msgspec.structs.replace(old, ticket="9", position_ticket="9", ts_ns=newer_ns, token="")
    office.clock.advance_to(newer_ns)
    office.terminal.deal_list = (old, newer)
    await office.wait(11)
    office.terminal.deal_list = (msgspec.structs.replace(old, quantity=0.1), newer)
    await office.wait(11)
    assert ("deal_altered", "settled") in office.differences()


async def test_what_a_person_has_looked_at_stands_no_longer_and_does_not_halt_again() -> None:
    """Until the broker tells the deal in yet another way."""
    office = await altered_office()
    resume(office)
    await office.wait(30)
    assert office.differences()[-1] == ("deal_altered", "settled")
    assert office.account.state is TradingState.ARMED
    assert office.account.books_agree or office.differences()[-1][0] != "deal_altered"

    alter(office, price=1.3)
    await office.wait(11)
    assert office.differences()[-1] == ("deal_altered", "halted")
    assert office.account.state is TradingState.HALTED


async def test_nobody_but_a_person_says_that_it_was_looked_at() -> None:
    """Nor does arming one symbol."""
    book, told = AlteredDeals(), ReconciliationDifference(
        ts_ns=1, account_id="a", kind="deal_altered", ours="a:7: x", theirs="a:7: y",
        action="halted",
    )  # fmt: skip
    for actor, scope in (("risk", "account"), ("user:ann", "symbol"), ("user:ann", "account")):
        book.apply(told)
        book.apply(
            TradingStateChanged(
                ts_ns=2, account_id="a", tenant_id="t", old_state="halted", new_state="armed",
                actor=actor, reason="r", scope=scope,
            )
        )  # fmt: skip
        assert (book.seen == {"a:7": "y"}) is ((actor, scope) == ("user:ann", "account"))


async def test_what_was_looked_at_does_not_halt_after_a_restart() -> None:
    """The books of the next run are folded from the stored events."""
    office = await altered_office()
    resume(office)
    await office.wait(11)
    events = [fact.event for fact in office.desk.sink.facts]
    kept = [event for event in events if type(event).__name__ in BOOK_TYPES]
    after = Desk()
    await rebuild(after.account, stored(kept))
    again = Office(after)
    again.clock.advance_to(office.clock.now_ns())
    again.terminal.deal_list = office.terminal.deal_list
    again.terminal.position_list = office.terminal.position_list
    await again.reconciler.settle()
    assert not [one for one in again.differences() if one[0] == "deal_altered"]


def test_only_so_many_are_remembered() -> None:
    """The newest."""
    book = AlteredDeals()
    book.unseen = {f"a:{number}": "y" for number in range(SEEN_KEPT + 5)}
    armed = TradingStateChanged(
        ts_ns=2, account_id="a", tenant_id="t", old_state="halted", new_state="armed",
        actor="user:ann", reason="r",
    )  # fmt: skip
    book.apply(armed)
    assert len(book.seen) == SEEN_KEPT
    assert f"a:{SEEN_KEPT + 4}" in book.seen
