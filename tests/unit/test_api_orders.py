"""Orders of people over REST: what is asked for, once per key, and refusals with their numbers."""

from collections.abc import Mapping

import httpx
import pytest
from interface_fixtures import Stage, problem_of

from plan2.connectivity.identity.rights import Role
from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.values import Side
from plan2.intelligence.trading.wishes import Ask, Refusal

ANNA = "user:u1"
"""People appear in events under their pseudonym."""
POSITION = "/api/v1/positions/paper-1:42"
NEW = {"symbol": "EURUSD", "side": "buy", "quantity": 0.1, "reason": "breakout"}


async def ask(
    stage: Stage, method: str, path: str, body: Mapping[str, object] | None, key: str = "key-0001"
) -> httpx.Response:
    """One request with a key."""
    async with await stage.signed_in() as client:
        return await client.request(method, path, json=body, headers={"idempotency-key": key})


async def test_a_market_order_is_wished_for_as_asked() -> None:
    """Side, lots, stops, horizon, who and why; the answer names order and state."""
    stage = Stage()
    body = NEW | {"stop_loss": 1.09, "take_profit": 1.12, "horizon_s": 3600}
    response = await ask(stage, "POST", "/api/v1/orders", body)
    (wish,) = stage.desk.wishes
    assert response.status_code == 202
    assert response.json() == {"request_id": wish.key, "order_id": "order-1", "state": "sent"}
    assert (wish.kind, wish.symbol, wish.side, wish.quantity) == (
        OrderKind.OPEN,
        "EURUSD",
        Side.BUY,
        0.1,
    )
    assert (wish.stop_loss, wish.take_profit, wish.horizon_s) == (1.09, 1.12, 3600)
    assert wish.ask == Ask(ANNA, "breakout")


async def test_a_trigger_makes_it_a_pending_order() -> None:
    """Microseconds become nanoseconds."""
    stage = Stage()
    body = NEW | {"trigger": "stop_limit", "price": 1.11, "limit_price": 1.109, "expires_us": 5}
    await ask(stage, "POST", "/api/v1/orders", body)
    (wish,) = stage.desk.wishes
    assert (wish.kind, wish.trigger, wish.price, wish.limit_price, wish.expires_ts_ns) == (
        OrderKind.PENDING,
        Trigger.STOP_LIMIT,
        1.11,
        1.109,
        5_000,
    )


LEFT_OUT = None
CHANGED = {"order_id": "o-1", "price": 1.1, "stop_loss": LEFT_OUT}
PROTECTED = {"position_id": "paper-1:42", "stop_loss": 1.1, "take_profit": LEFT_OUT}
WHOLE = {"position_id": "paper-1:42", "quantity": 0.0}
AGAINST = {"opposite_id": "paper-1:43"}
ORDER, CLOSE, CLOSE_BY = "/api/v1/orders/o-1", POSITION + "/close", POSITION + "/close-by"


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "expected"),
    [
        ("PATCH", ORDER, {"price": 1.1}, OrderKind.CHANGE, CHANGED),
        ("DELETE", ORDER, None, OrderKind.CANCEL, {"order_id": "o-1"}),
        ("PATCH", POSITION, {"stop_loss": 1.1}, OrderKind.PROTECT, PROTECTED),
        ("POST", CLOSE, {}, OrderKind.CLOSE, WHOLE),
        ("POST", CLOSE, {"quantity": 0.02}, OrderKind.CLOSE, {"quantity": 0.02}),
        ("POST", CLOSE_BY, AGAINST, OrderKind.CLOSE_BY, AGAINST),
    ],
)
async def test_every_route_asks_for_its_kind(
    method: str,
    path: str,
    body: dict[str, object] | None,
    kind: OrderKind,
    expected: dict[str, object],
) -> None:
    """What is left out stays as it is (None); a withdrawal may go without a reason."""
    stage = Stage()
    response = await ask(stage, method, path, body if body is None else body | {"reason": "why"})
    assert response.status_code == 202, response.text
    (wish,) = stage.desk.wishes
    assert wish.kind is kind
    assert {name: getattr(wish, name) for name in expected} == expected
    assert wish.ask.actor == ANNA


async def test_claim_and_release_name_the_person() -> None:
    """They need no order; the horizon travels along."""
    stage = Stage()
    body = {"reason": "mine", "horizon_s": 60}
    claimed = await ask(stage, "POST", POSITION + "/claim", body)
    released = await ask(stage, "POST", POSITION + "/release", {"reason": "not mine"}, "key-0002")
    assert (claimed.status_code, released.status_code) == (202, 202)
    assert claimed.json()["order_id"] == ""
    assert stage.desk.claims == [
        ("paper-1:42", Ask(ANNA, "mine"), 60),
        ("paper-1:42", Ask(ANNA, "not mine"), -1),
    ]


async def test_the_same_key_is_the_same_order() -> None:
    """Asked twice, wished once; the same key for something else is a conflict."""
    stage = Stage()
    first = await ask(stage, "POST", "/api/v1/orders", NEW)
    again = await ask(stage, "POST", "/api/v1/orders", NEW)
    other = await ask(stage, "POST", "/api/v1/orders", NEW | {"quantity": 0.2})
    assert first.json() == again.json()
    assert len(stage.desk.wishes) == 1
    assert other.status_code == 409
    assert problem_of(other)["code"] == "idempotency_conflict"


async def test_a_key_gives_the_same_wish_after_a_restart() -> None:
    """The order's id derives from the key alone, so a repetition is recognised by the books."""
    stage = Stage()
    await ask(stage, "POST", "/api/v1/orders", NEW)
    await stage.restart()
    await ask(stage, "POST", "/api/v1/orders", NEW)
    assert stage.desk.wishes[0] == stage.desk.wishes[1]
    assert stage.desk.wishes[0].key


async def test_a_rule_that_refuses_says_its_numbers() -> None:
    """422 with the rule, what it saw and its limit; the same key says the same again."""
    stage = Stage()
    stage.desk.refusal = Refusal("exposure", "The rule exposure saw 61000.", 61_000.0, 60_000.0)
    for _ in range(2):
        response = await ask(stage, "POST", "/api/v1/orders", NEW)
        body = problem_of(response)
        assert (body["status"], body["code"]) == (422, "denied")
        assert (body["rule"], body["value"], body["limit"]) == ("exposure", 61_000.0, 60_000.0)
    assert len(stage.desk.wishes) == 1


@pytest.mark.parametrize(
    ("rule", "status"), [("unknown_position", 404), ("order_not_working", 409), ("no_change", 409)]
)
async def test_what_is_not_there_is_not_found(rule: str, status: int) -> None:
    """A wish that names nothing we know is no rule's refusal."""
    stage = Stage()
    stage.desk.refusal = Refusal(rule, "No.")
    response = await ask(stage, "POST", POSITION + "/close", {"reason": "out"})
    assert (response.status_code, problem_of(response)["code"]) == (status, rule)


@pytest.mark.parametrize(
    "body",
    [
        {key: value for key, value in NEW.items() if key != "reason"},
        NEW | {"reason": "  "},
        NEW | {"quantity": 0},
        NEW | {"quantity": -0.1},
        NEW | {"side": "up"},
        NEW | {"price": 1e12},
        NEW | {"unknown": 1},
    ],
)
async def test_a_body_that_says_too_little_or_too_much_is_refused(body: dict[str, object]) -> None:
    """A reason is required where money moves; numbers have ranges; unknown members are named."""
    stage = Stage()
    response = await ask(stage, "POST", "/api/v1/orders", body)
    assert response.status_code == 400, response.text
    assert stage.desk.wishes == []


async def test_a_key_is_required() -> None:
    """Without it a repetition could not be told from a second order."""
    stage = Stage()
    async with await stage.signed_in() as client:
        response = await client.post("/api/v1/orders", json=NEW)
    assert response.status_code == 400
    assert stage.desk.wishes == []


async def test_who_only_looks_moves_no_money() -> None:
    """403 for an analyst, and nothing is wished for."""
    stage = Stage(role=Role.ANALYST)
    response = await ask(stage, "POST", "/api/v1/orders", NEW)
    assert response.status_code == 403
    assert stage.desk.wishes == []
