"""The preview of an order: what the gate would say, and that nothing happens."""

from interface_fixtures import Stage
from trading_fixtures import NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.values import Side
from plan2.intelligence.trading.wishes import Ask, OrderWish, Refusal

ORDER = {"symbol": "EURUSD", "side": "buy", "quantity": 0.1, "stop_loss": 1.09}


def wish(quantity: float, symbol: str = "EURUSD") -> OrderWish:
    """A person's wish to buy at market with a stop 100 points away."""
    return OrderWish(
        kind=OrderKind.OPEN,
        ask=Ask("user:anna", "a look"),
        symbol=symbol,
        side=Side.BUY,
        quantity=quantity,
        stop_loss=1.09,
    )


def test_every_check_is_told_and_nothing_happens() -> None:
    """The same checks as those of the request that follows; no fact, no reservation, no order."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.5)))
    before = len(desk.sink.facts), len(desk.journal.entries)
    checks = desk.account.requests.preview(wish(0.9), NOON_NS)
    assert not isinstance(checks, Refusal)
    failed = next(check for check in checks if not check.passed)
    assert (len(desk.sink.facts), len(desk.journal.entries)) == before
    assert desk.sent == []
    refusal = desk.account.requests.request(wish(0.9), NOON_NS).refusal
    assert refusal is not None
    assert (failed.rule, failed.value, failed.limit) == (
        refusal.rule,
        refusal.value,
        refusal.limit,
    )


def test_a_good_order_passes_and_is_then_taken() -> None:
    """Previewed as often as one likes, then sent once."""
    desk = Desk().arm()
    desk.account.on_tick(scene(tick(), forecast(0.5)))
    for _ in range(3):
        checks = desk.account.requests.preview(wish(0.1), NOON_NS)
        assert not isinstance(checks, Refusal)
        assert all(check.passed for check in checks)
    assert desk.account.requests.request(wish(0.1), NOON_NS).refusal is None
    assert len(desk.sent) == 1


async def test_the_route_answers_with_checks_or_says_what_is_wrong() -> None:
    """200 with the checks, 422 for a symbol that is not watched, 400 for no quantity."""
    stage = Stage()
    async with await stage.signed_in() as client:
        path = "/api/v1/orders/preview"
        good = (await client.get(path, params=ORDER)).json()
        large = (await client.get(path, params={**ORDER, "quantity": 30})).json()
        lacking = await client.get(path, params={"symbol": "EURUSD", "side": "buy"})
        stage.desk.refusal = Refusal("unknown_symbol", "XAUUSD is not watched.")
        unknown = await client.get(path, params={**ORDER, "symbol": "XAUUSD"})
    assert (good["passes"], large["passes"]) == (True, False)
    assert large["checks"][1] == {
        "rule": "order_volume",
        "passed": False,
        "value": 30.0,
        "limit": 20.0,
    }
    assert (lacking.status_code, unknown.status_code) == (400, 422)
    assert unknown.json()["code"] == "unknown_symbol"
