"""The account's books as screens see them: open orders, rates, and the routes that show them."""

from interface_fixtures import Stage
from trading_fixtures import NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind, OrderUpdate, Trigger, UpdateKind
from plan2.foundation.values import Side
from plan2.intelligence.trading.wishes import Ask, OrderWish
from plan2.interface.books import AccountBooks
from plan2.interface.order_items import OrderItem
from plan2.interface.views.fold import fold_order


def folded(desk: Desk, order_id: str) -> OrderItem | None:
    """An order as the read models have it: its announced events, folded."""
    item: OrderItem | None = None
    for fact in desk.sink.facts:
        if getattr(fact.event, "order_id", "") == order_id:
            item = fold_order(item, fact.event)
    return item


def waiting() -> tuple[Desk, str]:
    """A desk whose account has a buy limit working, and its id."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), None))
    wish = OrderWish(
        kind=OrderKind.PENDING,
        ask=Ask("user:anna", "a dip"),
        symbol="EURUSD",
        side=Side.BUY,
        quantity=0.05,
        trigger=Trigger.LIMIT,
        price=1.09,
        stop_loss=1.08,
        expires_ts_ns=NOON_NS + 3_600 * 10**9,
    )
    order_id = desk.account.requests.request(wish, NOON_NS).order_id
    return desk, order_id


def test_an_open_order_is_shown_as_the_read_models_will_have_it() -> None:
    """From placed to working: the same item from memory and from the events."""
    desk, order_id = waiting()
    books = AccountBooks(desk.account)
    assert books.open_orders() == [folded(desk, order_id)]
    desk.account.on_order_update(
        OrderUpdate(kind=UpdateKind.ACCEPTED, ts_ns=NOON_NS + 1, order_id=order_id, ticket="77")
    )
    (item,) = books.open_orders()
    assert item == folded(desk, order_id)
    assert (item.state, item.ticket, item.kind, item.trigger) == (
        "accepted",
        "77",
        "pending",
        "limit",
    )
    assert (item.price, item.limit_price, item.stop_loss, item.take_profit) == (
        1.09,
        None,
        1.08,
        None,
    )
    assert (item.decided_by, item.why) == ("user:anna", "a dip")


def test_an_order_that_is_over_is_not_open_any_more() -> None:
    """Withdrawn by the broker: gone from the open ones."""
    desk, order_id = waiting()
    for kind in (UpdateKind.ACCEPTED, UpdateKind.CANCELLED):
        desk.account.on_order_update(
            OrderUpdate(kind=kind, ts_ns=NOON_NS + 1, order_id=order_id, ticket="77")
        )
    assert AccountBooks(desk.account).open_orders() == []


def test_a_rate_is_told_only_when_a_quote_gives_it() -> None:
    """The account's own currency is worth one; the euro what EURUSD says; nobody quotes yen."""
    desk = Desk().arm()
    books = AccountBooks(desk.account)
    assert (books.rate("USD"), books.rate("EUR"), books.rate("JPY")) == (1.0, None, None)
    desk.account.on_tick(scene(tick(1.1, 1.2), forecast(0.5)))
    assert books.rate("EUR") == 1.15


async def test_open_orders_are_asked_for_by_status() -> None:
    """Newest first, from memory, not from the read models."""
    stage = Stage()
    desk, _ = waiting()
    stage.books.open_order_items = AccountBooks(desk.account).open_orders()
    async with await stage.signed_in() as client:
        shown = (await client.get("/api/v1/orders", params={"status": "open"})).json()
        history = (await client.get("/api/v1/orders")).json()
        refused = await client.get("/api/v1/orders", params={"status": "lost"})
    assert [item["symbol"] for item in shown["items"]] == ["EURUSD"]
    assert history["items"] == []
    assert refused.status_code == 400


async def test_symbols_tell_what_a_ticket_needs() -> None:
    """Grids of volume and price, contract size, and what the quote currency is worth."""
    stage = Stage()
    async with await stage.signed_in() as client:
        euro, yen = (await client.get("/api/v1/symbols")).json()
    assert (euro["volume_min"], euro["volume_step"], euro["volume_max"]) == (0.01, 0.01, 100.0)
    assert (euro["contract_size"], euro["stops_level_points"]) == (100_000.0, 0)
    assert euro["lot_units"] == 100_000.0
    assert (euro["quote_rate"], yen["quote_rate"]) == (1.0, None)
