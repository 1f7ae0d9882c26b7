"""What only the broker has is known, and a person may accept that it is right."""

import msgspec
import pytest
from reconcile_fixtures import Office, working_of
from trading_fixtures import NOON_NS

from plan2.dataflow.terminals.port import LinkState, OrderKind
from plan2.foundation.errors import InputError, JournalLost
from plan2.foundation.events.account import BalanceAdjusted
from plan2.foundation.events.order import PositionClosed, ReconciliationDifference
from plan2.foundation.values import Side
from plan2.intelligence.events import BrokerViewChanged
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import Scope
from plan2.intelligence.trading.control import Control, Selector
from plan2.intelligence.trading.saga import SAGA_EVENTS, SagaBook
from plan2.interface.books import AccountBooks

ANN = "user:ann"


async def lost(office: Office | None = None) -> tuple[Office, Control]:
    """Our position 700 is gone at the broker, unexplained and for so long that we are halted."""
    office = await (office or Office()).settled()
    office.position()
    await office.wait(58)
    office.terminal.position_list = ()
    await office.wait(20)
    assert office.account.state is TradingState.HALTED
    return office, Control({"a": office.account}, office.clock)


async def test_a_person_accepts_that_a_position_is_gone() -> None:
    """Closed in our books, with who and why, durable first; then the books agree again."""
    office, control = await lost()
    written = len(office.desk.journal.records)
    assert await control.accept_broker_view("a", ANN, "the broker cancelled it") == ("test:700",)
    record = office.desk.journal.records[written]
    assert [one.type for one in record] == ["ReconciliationDifference", "PositionClosed"]
    said, closed = (fact.event for fact in office.desk.sink.facts[-2:])
    assert isinstance(said, ReconciliationDifference)
    assert isinstance(closed, PositionClosed)
    assert said.action == "the broker's view accepted by user:ann: the broker cancelled it"
    assert (closed.position_id, closed.reason) == ("test:700", "unexplained")
    assert office.account.positions.open == {}
    assert office.account.state is TradingState.HALTED, "arming is another step"
    await office.wait(5)
    assert office.account.books_agree
    assert office.account.broker.missing == ()
    await control.set_state("armed", ANN, "looked at it")
    assert office.account.state is TradingState.ARMED


async def test_its_result_comes_as_a_difference_of_the_balance() -> None:
    """The broker had booked a loss of 12 dollars without telling a deal: nothing is guessed."""
    office, control = await lost()
    office.terminal.balance = office.account.portfolio.balance - 12
    await control.accept_broker_view("a", ANN, "seen in the statement")
    await office.wait(80)
    adjusted = [
        fact.event for fact in office.desk.sink.facts if isinstance(fact.event, BalanceAdjusted)
    ]
    assert [one.amount for one in adjusted] == ["-12.00"]
    assert office.account.books_agree


@pytest.mark.parametrize(
    ("actor", "reason", "message"),
    [
        ("risk", "x", "risk cannot accept"),
        ("algorithm:plan2-policy", "x", "cannot accept"),
        (ANN, "  ", "no reason was given"),
    ],
)
async def test_only_a_person_with_a_reason(actor: str, reason: str, message: str) -> None:
    """And nothing changes for anybody else."""
    office, control = await lost()
    written = len(office.desk.journal.records)
    with pytest.raises(InputError, match=message):
        await control.accept_broker_view("a", actor, reason)
    assert list(office.account.positions.open) == ["test:700"]
    assert len(office.desk.journal.records) == written


async def test_not_while_trading_goes_on_nor_without_the_broker() -> None:
    """Armed again, or with a broken link, nobody can accept anything."""
    office, control = await lost()
    office.link(LinkState.DOWN)
    with pytest.raises(InputError, match="cannot be asked at present"):
        await control.accept_broker_view("a", ANN, "x")
    office.link(LinkState.UP)
    await control.set_state("armed", ANN, "go on")
    with pytest.raises(InputError, match="only while trading is halted; it is armed"):
        await control.accept_broker_view("a", ANN, "x")
    assert list(office.account.positions.open) == ["test:700"]


async def test_a_position_that_is_there_cannot_be_accepted_away() -> None:
    """Halted by a person, with equal books: there is nothing to accept."""
    office = await Office().settled()
    office.position()
    await office.wait(62)
    control = Control({"a": office.account}, office.clock)
    await control.set_state("halted", ANN, "lunch")
    with pytest.raises(InputError, match="nothing to accept"):
        await control.accept_broker_view("a", ANN, "x")
    with pytest.raises(InputError, match="no account 'b'"):
        await control.accept_broker_view("b", ANN, "x")


async def test_a_deal_that_came_meanwhile_explains_it() -> None:
    """The position was closed by its deal after the comparison: nothing is closed twice."""
    office, control = await lost()
    del office.account.positions.open["test:700"]
    with pytest.raises(InputError, match="nothing to accept"):
        await control.accept_broker_view("a", ANN, "x")


async def test_what_cannot_be_written_down_does_not_happen() -> None:
    """With the journal lost the books stay as they are."""
    office, control = await lost()
    office.desk.journal.failure = JournalLost("disk full")
    with pytest.raises(JournalLost):
        await control.accept_broker_view("a", ANN, "x")
    assert list(office.account.positions.open) == ["test:700"]
    assert office.account.broker.missing == ("test:700",)


async def test_its_saga_ends_and_a_restart_has_the_same_books() -> None:
    """Folding what was written down gives the same positions, and no order waits any longer."""
    office, control = await lost()
    await control.accept_broker_view("a", ANN, "x")
    events = [fact.event for fact in office.desk.sink.facts]
    sagas = SagaBook()
    for event in events:
        if isinstance(event, SAGA_EVENTS):
            sagas.apply(event)
    assert sagas.live == {}
    again = Office()
    for event in events[:-2]:
        again.account.apply(event)
    assert list(again.account.positions.open) == ["test:700"]
    for event in events[-2:]:
        again.account.apply(event)
    assert again.account.positions.open == {}


async def test_a_foreign_pending_order_is_known_and_forgotten() -> None:
    """Made by hand at the terminal: shown as the broker has it, while it works; ours are not."""
    office = await Office().settled()
    ours = office.pending()
    by_hand = working_of(ours, ticket="901", magic=0, token="", quantity=0.5)
    marked = working_of(ours, ticket="902", token="p2.nobody")
    office.terminal.order_list = (working_of(ours), by_hand, marked)
    await office.wait(11)
    assert office.account.broker.foreign_orders == (by_hand,)
    moved = msgspec.structs.replace(by_hand, price=1.05)
    office.terminal.order_list = (working_of(ours), moved)
    await office.wait(11)
    assert office.account.broker.foreign_orders == (moved,)
    office.terminal.order_list = None
    await office.wait(11)
    assert office.account.broker.foreign_orders == (moved,), "silence is not an answer"
    office.terminal.order_list = (working_of(ours),)
    await office.wait(15)
    assert office.account.broker.foreign_orders == ()


async def test_screens_hear_of_each_change_of_the_brokers_view_once() -> None:
    """A foreign order that comes, stays, moves and goes."""
    office, heard = Office(), []
    office.desk.bus.subscribe(BrokerViewChanged, heard.append)
    await office.settled()
    ours = office.pending()
    by_hand = working_of(ours, ticket="901", magic=0, token="", quantity=0.5)
    moved = msgspec.structs.replace(by_hand, price=1.05)
    for found in ((by_hand,), (by_hand,), (moved,), ()):
        office.terminal.order_list = (working_of(ours), *found)
        await office.wait(22)
        books = AccountBooks(office.account).broker()
        assert [one.price for one in books.foreign_orders] == [one.price for one in found]
    assert len(heard) == 3


async def test_screens_hear_what_is_missing_until_it_is_accepted() -> None:
    """Once when it is clear that the position is gone, once when a person has accepted it."""
    office, heard = Office(), []
    office.desk.bus.subscribe(BrokerViewChanged, heard.append)
    office, control = await lost(office)
    assert AccountBooks(office.account).broker().missing == ("test:700",)
    assert len(heard) == 1
    await control.accept_broker_view("a", ANN, "seen in the statement")
    assert AccountBooks(office.account).broker().missing == ()
    assert len(heard) == 2


async def test_a_foreign_order_is_shown_with_what_the_broker_says_of_it() -> None:
    """By its ticket, with prices as they are; what is not there is no price of zero."""
    office = await Office().settled()
    ours = office.pending()
    by_hand = working_of(
        ours, ticket="901", magic=0, token="", quantity=0.5, stop_loss=0.0, take_profit=1.2,
        expires_ts_ns=NOON_NS + 5_000_000_000, placed_ts_ns=NOON_NS,
    )  # fmt: skip
    older = msgspec.structs.replace(by_hand, ticket="900", placed_ts_ns=NOON_NS - 1)
    office.terminal.order_list = (older, working_of(ours), by_hand)
    await office.wait(11)
    shown = AccountBooks(office.account).broker()
    assert [one.ticket for one in shown.foreign_orders] == ["901", "900"], "the newest first"
    assert msgspec.to_builtins(shown.foreign_orders[0]) == {
        "ticket": "901",
        "symbol": "EURUSD",
        "side": "buy",
        "trigger": "limit",
        "quantity": 0.5,
        "price": 1.098,
        "limit_price": None,
        "stop_loss": None,
        "take_profit": 1.2,
        "expires_us": NOON_NS // 1_000 + 5_000_000,
        "placed_us": NOON_NS // 1_000,
    }
    assert office.account.positions.open == {}, "shown, neither counted nor managed before a fill"


async def test_a_misspelt_flow_is_refused_and_the_known_ones_are_named() -> None:
    """The configured one, and every flow that an order or a switch has named before."""
    office = await Office().settled()
    control = Control({"a": office.account}, office.clock)
    wrong = Selector(scope=Scope.FLOW, target="mian")
    with pytest.raises(InputError, match="no flow 'mian'; there are main"):
        await control.set_state("halted", ANN, "x", wrong)
    with pytest.raises(InputError, match="no flow 'mian'"):
        await control.kill(ANN, "x", wrong)
    assert office.account.state is TradingState.ARMED
    office.account.guard.flows.add("scalper")
    await control.set_state("halted", ANN, "x", Selector(scope=Scope.FLOW, target="scalper"))
    with pytest.raises(InputError, match="there are main, scalper"):
        await control.set_state("halted", ANN, "x", wrong)


async def test_flows_are_learned_from_orders() -> None:
    """An order of a flow makes it known, live and when the books are folded again."""
    office = await Office().settled()
    assert "scalper" not in office.account.guard.flows
    office.ask(
        kind=OrderKind.OPEN,
        symbol="EURUSD",
        side=Side.BUY,
        quantity=0.10,
        stop_loss=1.095,
        flow_id="scalper",
        key=str(NOON_NS),
    )
    assert "scalper" in office.account.guard.flows
