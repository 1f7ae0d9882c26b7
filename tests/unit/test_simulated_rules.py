"""What the paper broker allows: modes, fillings, prices, limits; margins and closes by hand."""

from decimal import Decimal

import msgspec
import pytest

from plan2.dataflow.terminals.port import OrderKind, Trigger, UpdateKind
from plan2.dataflow.terminals.simulated.desk import Desk, open_desk
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.refusals import RETCODES, Refusal
from plan2.dataflow.terminals.simulated.requests import BrokerAnswer, BrokerRequest, Filling
from plan2.dataflow.terminals.simulated.rules import (
    AccountRules,
    ExecutionMode,
    SymbolRules,
    TradeMode,
)
from plan2.foundation.values import NS_PER_SECOND, Side, Tick
from simulated_world import TUESDAY_NS, closing, desk, order, protecting

BUY, SELL = Side.BUY, Side.SELL
OPEN, CLOSE, PENDING = OrderKind.OPEN, OrderKind.CLOSE, OrderKind.PENDING
QUOTE = Tick("EURUSD", TUESDAY_NS, 1.10000, 1.10010)


def server(own: SymbolRules | None = None, **rules: object) -> Desk:
    """A desk that has seen one quote, 1.10000/1.10010; `own`: rules of EURUSD."""
    symbols = {"EURUSD": own} if own else {}
    made = open_desk(instruments(("EURUSD",)), AccountRules(symbols=symbols, **rules))
    assert made.on_tick(QUOTE) == []
    return made


def asked(desk: Desk, kind: OrderKind = OPEN, side: Side = BUY, **fields: object) -> BrokerAnswer:
    """What the desk answers to a request of 0.10 lots EURUSD at the one quote."""
    fields.setdefault("quantity", 0.10)
    request = BrokerRequest(kind=kind, symbol="EURUSD", side=side, **fields)
    return desk.execute(request, QUOTE, TUESDAY_NS)


def test_every_refusal_has_its_return_code() -> None:
    """MetaTrader's numbers, as in the constants of its Python package."""
    assert set(RETCODES) == set(Refusal)
    assert (Refusal.REQUOTE.retcode, Refusal.INVALID_STOPS.retcode) == (10004, 10016)
    assert (Refusal.NO_MONEY.retcode, Refusal.PRICE_CHANGED.retcode) == (10019, 10020)
    assert (Refusal.INVALID_FILLING.retcode, Refusal.POSITION_CLOSED.retcode) == (10030, 10036)


@pytest.mark.parametrize(
    ("execution", "price", "deviation", "refusal"),
    [
        (ExecutionMode.INSTANT, 1.10000, 10, None),
        (ExecutionMode.INSTANT, 1.10000, 9, Refusal.REQUOTE),
        (ExecutionMode.INSTANT, 1.10020, 9, Refusal.REQUOTE),
        (ExecutionMode.REQUEST, 1.10000, 9, Refusal.PRICE_CHANGED),
        (ExecutionMode.INSTANT, 0.0, 99, Refusal.INVALID_PRICE),
        (ExecutionMode.INSTANT, 1.100005, 99, Refusal.INVALID_PRICE),
        (ExecutionMode.MARKET, 0.0, 0, None),
        (ExecutionMode.EXCHANGE, 1.5, 0, None),
    ],
)
def test_prices_of_market_orders(
    execution: ExecutionMode, price: float, deviation: int, refusal: Refusal | None
) -> None:
    """The ask of 1.10010 is ten points from 1.10000; only two modes look at the price."""
    made = server(SymbolRules(execution=execution))
    answer = asked(made, price=price, deviation_points=deviation)
    assert answer.refusal is refusal
    if refusal is None:
        assert answer.price == 1.10010


@pytest.mark.parametrize(
    ("filling", "execution", "refusal"),
    [
        (Filling.IOC, ExecutionMode.MARKET, None),
        (Filling.FOK, ExecutionMode.MARKET, Refusal.INVALID_FILLING),
        (Filling.RETURN, ExecutionMode.MARKET, Refusal.INVALID_FILLING),
        (Filling.RETURN, ExecutionMode.EXCHANGE, None),
    ],
)
def test_fillings(filling: Filling, execution: ExecutionMode, refusal: Refusal | None) -> None:
    """A symbol that knows IOC refuses FOK; RETURN is unknown under market execution only."""
    own = SymbolRules(fillings=frozenset({Filling.IOC}), execution=execution)
    assert asked(server(own), filling=filling).refusal is refusal


def test_partial_fills() -> None:
    """0.06 of 0.10 lots are to be had: IOC takes them and cancels the rest, FOK takes none."""
    made = server()
    request = BrokerRequest(kind=OPEN, symbol="EURUSD", quantity=0.10)
    some = made.execute(request, QUOTE, TUESDAY_NS, available=0.06)
    assert (some.is_partial, some.quantity) == (True, 0.06)
    ended = made.book.history[some.order_ticket]
    assert (ended.rest, ended.end_reason) == (0.04, "rest_cancelled")
    whole = msgspec.structs.replace(request, filling=Filling.FOK)
    none = made.execute(whole, QUOTE, TUESDAY_NS, available=0.06)
    assert none.refusal is Refusal.REJECTED
    assert [one.quantity for one in made.book.positions.values()] == [0.06]


@pytest.mark.parametrize(
    ("mode", "buys", "sells"),
    [
        (TradeMode.FULL, None, None),
        (TradeMode.LONG_ONLY, None, Refusal.LONG_ONLY),
        (TradeMode.SHORT_ONLY, Refusal.SHORT_ONLY, None),
        (TradeMode.CLOSE_ONLY, Refusal.CLOSE_ONLY, Refusal.CLOSE_ONLY),
        (TradeMode.DISABLED, Refusal.TRADE_DISABLED, Refusal.TRADE_DISABLED),
    ],
)
def test_trade_modes(mode: TradeMode, buys: Refusal | None, sells: Refusal | None) -> None:
    """What may be opened; a position can be closed unless the symbol is disabled."""
    made = server(SymbolRules(trade_mode=mode))
    assert asked(made, side=BUY).refusal is buys
    assert asked(made, side=SELL).refusal is sells
    pending = {"trigger": Trigger.LIMIT, "price": 1.09}
    assert asked(made, PENDING, BUY, **pending).refusal is buys
    made.rules = AccountRules()
    ticket = asked(made).order_ticket
    made.rules = AccountRules(symbols={"EURUSD": SymbolRules(trade_mode=mode)})
    closed = asked(made, CLOSE, SELL, position_ticket=ticket).refusal
    assert closed is (Refusal.TRADE_DISABLED if mode is TradeMode.DISABLED else None)


def test_close_only_lets_a_netting_position_shrink() -> None:
    """An opposite order up to the position's lots closes; a lot more would open."""
    made = server(is_hedging=False)
    asked(made)
    own = SymbolRules(trade_mode=TradeMode.CLOSE_ONLY)
    made.rules = AccountRules(is_hedging=False, symbols={"EURUSD": own})
    assert asked(made, side=SELL, quantity=0.11).refusal is Refusal.CLOSE_ONLY
    assert asked(made, side=SELL, quantity=0.10).refusal is None
    assert made.book.positions == {}


def test_limits() -> None:
    """Lots in one direction, working orders, requests in a second, types of pending orders."""
    made = server(SymbolRules(volume_limit=0.25, triggers=frozenset({Trigger.LIMIT})), max_orders=1)
    limit = {"trigger": Trigger.LIMIT, "price": 1.09}
    assert asked(made, PENDING, trigger=Trigger.STOP, price=1.2).refusal is Refusal.INVALID_ORDER
    assert asked(made, PENDING, **limit).refusal is None
    assert asked(made, PENDING, **limit).refusal is Refusal.LIMIT_ORDERS
    assert asked(made, quantity=0.16).refusal is Refusal.LIMIT_VOLUME
    assert asked(made, quantity=0.15).refusal is None
    assert asked(made, side=SELL, quantity=0.25).refusal is None


def test_too_many_requests() -> None:
    """Two a second, then not before a second has passed since the first; refused ones count not."""
    made = server(max_requests_per_s=2)
    cancel = BrokerRequest(kind=OrderKind.CANCEL, order_ticket="9")
    times = [0, 1, 2, NS_PER_SECOND - 1, NS_PER_SECOND, NS_PER_SECOND]
    refusals = [made.execute(cancel, QUOTE, TUESDAY_NS + after).refusal for after in times]
    many, other = Refusal.TOO_MANY_REQUESTS, Refusal.INVALID_REQUEST
    assert refusals == [other, other, many, many, other, many]


def test_first_in_first_out_and_no_hedging() -> None:
    """The newer of two longs cannot go first; a short beside a long is not allowed."""
    made = server(is_fifo=True, is_hedge_prohibited=True)
    first, second = asked(made), asked(made)
    assert asked(made, side=SELL).refusal is Refusal.HEDGE_PROHIBITED
    newer = asked(made, CLOSE, SELL, position_ticket=second.order_ticket)
    assert newer.refusal is Refusal.FIFO_CLOSE
    assert asked(made, CLOSE, SELL, position_ticket=first.order_ticket).refusal is None


def test_checking_changes_nothing() -> None:
    """`refusal` says what `execute` would say, and the book is as it was."""
    made = server()
    version = made.book.version
    request = BrokerRequest(kind=OPEN, symbol="EURUSD", quantity=0.10)
    assert made.refusal(request, QUOTE, TUESDAY_NS) is None
    too_much = msgspec.structs.replace(request, quantity=5.0)
    assert made.refusal(too_much, QUOTE, TUESDAY_NS) is Refusal.NO_MONEY
    assert made.book.version == version


def test_a_closed_session_refuses_everything() -> None:
    """On Saturday nothing can be opened, changed or withdrawn."""
    made = server()
    saturday = TUESDAY_NS + 4 * 86_400 * NS_PER_SECOND
    for kind in OrderKind:
        request = BrokerRequest(kind=kind, symbol="EURUSD", quantity=0.10)
        assert made.execute(request, QUOTE, saturday).refusal is Refusal.MARKET_CLOSED


@pytest.mark.parametrize(("hedged", "margin"), [(0.0, "366.70"), (1.0, "733.40")])
def test_margin_of_opposite_positions(hedged: float, margin: str) -> None:
    """Long 0.20, short 0.10: the 0.10 not covered bind 366.70, covered ones nothing or as much.

    At the euro's bid of 1.10010 a lot binds 100000 / 30 · 1.10010 = 3667.00.
    """
    quote = Tick("EURUSD", TUESDAY_NS, 1.10010, 1.10020)
    made = open_desk(instruments(("EURUSD",)), AccountRules(hedged_margin=hedged))
    made.on_tick(quote)
    for side, lots in ((BUY, 0.20), (SELL, 0.10)):
        request = BrokerRequest(kind=OPEN, symbol="EURUSD", side=side, quantity=lots)
        assert made.execute(request, quote, TUESDAY_NS).refusal is None
    assert made.margin() == Decimal(margin)


def test_covering_needs_no_money() -> None:
    """With 20 dollars free a short of the same lots is taken, a further long is not."""
    made = server()
    assert asked(made, quantity=2.71).refusal is None
    assert made.free_margin() < 100
    assert asked(made, quantity=0.10).refusal is Refusal.NO_MONEY
    assert asked(made, side=SELL, quantity=2.71).refusal is None
    assert made.margin() == 0


def test_close_by_books_the_difference_once() -> None:
    """Long 0.10 at 1.10010, short 0.04 at 1.10100: 0.04 · 100000 · 0.00090 = 3.60, once."""
    made = desk()
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(order("EURUSD", SELL, order_id="short", quantity=0.04))
    made.quote("EURUSD", 1.10100, 1.10110)
    tickets = {"position_ticket": "1", "opposite_ticket": "2"}
    made.submit(order(kind=OrderKind.CLOSE_BY, order_id="by", **tickets))
    made.quote("EURUSD", 1.20000, 1.30000)
    one, other = made.deals()[2:]
    assert [(deal.price, deal.profit) for deal in (one, other)] == [
        (1.10100, Decimal("3.60")),
        (1.10100, Decimal("0.00")),
    ]
    assert (one.side, other.side, one.quantity) == (SELL, BUY, 0.04)
    # commissions: 0.35 + 0.14 at the entries, 2 · 0.14 at the exits
    assert made.balance() == Decimal("10000.00") + Decimal("3.60") - Decimal("0.77")
    assert made.broker.positions()[0].quantity == 0.06


@pytest.mark.parametrize(
    ("tickets", "reason"),
    [
        (("1", "3"), "invalid_request"),
        (("1", "1"), "invalid_request"),
        (("1", "9"), "position_closed"),
        (("9", "2"), "position_closed"),
    ],
)
def test_close_by_needs_an_opposite(tickets: tuple[str, str], reason: str) -> None:
    """Two longs, one and itself, one that is not there."""
    made = desk()
    for number, side in enumerate((BUY, SELL, BUY)):
        made.submit(order("EURUSD", side, order_id=f"o{number}"))
    made.quote("EURUSD", 1.10000, 1.10010)
    names = ("position_ticket", "opposite_ticket")
    fields = dict(zip(names, tickets, strict=True))
    made.submit(order(kind=OrderKind.CLOSE_BY, order_id="by", **fields))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == [reason]


def test_close_by_is_for_hedging_accounts() -> None:
    """A netting account does not know it."""
    made = desk(is_hedging=False)
    made.submit(order())
    made.submit(
        order(kind=OrderKind.CLOSE_BY, order_id="by", position_ticket="1", opposite_ticket="1")
    )
    made.quote("EURUSD", 1.10000, 1.10010)
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == ["invalid_order"]


def test_a_position_near_its_stop_is_frozen() -> None:
    """Within 50 points of a stop it is neither closed nor changed; at 51 it is."""
    made = desk(contract={"freeze_level_points": 50})
    made.submit(order(stop_loss=1.09900))
    made.quote("EURUSD", 1.10000, 1.10010)
    for sent in (closing("EURUSD", SELL, "1"), protecting("1", 1.09800, 0.0)):
        made.submit(sent)
        made.quote("EURUSD", 1.09950, 1.09960)
    assert made.reasons() == ["frozen", "frozen"]
    made.submit(protecting("1", 1.09800, 0.0, order_id="later"))
    made.quote("EURUSD", 1.09951, 1.09961)
    assert made.kinds()[-1] is UpdateKind.DONE


def test_protection_that_changes_nothing() -> None:
    """MetaTrader says 10025 to stops that are already so."""
    made = desk()
    made.submit(order(stop_loss=1.09900))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(protecting("1", 1.09900, 0.0))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.reasons() == ["no_changes"]


def test_turning_round_needs_money_for_the_rest_only() -> None:
    """1 lot of 3666.67 on 4000 dollars turns into 1 lot the other way, but not into 2."""
    made = desk(is_hedging=False, deposit=Decimal(4000))
    made.submit(order(quantity=1.0))
    made.quote("EURUSD", 1.10000, 1.10000)
    made.submit(order("EURUSD", SELL, order_id="three", quantity=3.0))
    made.quote("EURUSD", 1.10000, 1.10000)
    made.submit(order("EURUSD", SELL, order_id="two", quantity=2.0))
    made.quote("EURUSD", 1.10000, 1.10000)
    assert made.reasons() == ["no_money"]
    assert [(one.side, one.quantity) for one in made.broker.positions()] == [(SELL, 1.0)]
    assert made.broker.account().margin == Decimal("3666.67")


def test_money_that_comes_and_goes() -> None:
    """The deposit is the first operation; a withdrawal moves balance and equity, no deal."""
    made = server()
    taken = made.operate(Decimal("-250.50"), "withdrawal", TUESDAY_NS)
    assert taken.ticket == "1000000002"
    assert [one.amount for one in made.book.operations] == [Decimal(10000), Decimal("-250.50")]
    assert (made.book.balance, made.equity()) == (Decimal("9749.50"), Decimal("9749.50"))
    assert made.book.deals == []


def test_the_brokers_own_orders_say_what_they_are() -> None:
    """A stop's order is in the history with reason and MetaTrader's comment."""
    made = server()
    ticket = asked(made, stop_loss=1.09900, magic=7, token="mine").order_ticket
    (event,) = made.on_tick(Tick("EURUSD", TUESDAY_NS + 1, 1.09880, 1.09890))
    known = made.book.history[event.order.ticket]
    assert (known.reason, known.comment) == ("stop_loss", "[sl 1.09900]")
    assert (known.position_ticket, known.magic, known.token) == (ticket, 7, "")
    assert made.book.history[ticket].comment == "mine"
