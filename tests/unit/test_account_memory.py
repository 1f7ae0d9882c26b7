"""An account that trades for years keeps what it has to, and no more."""

from collections import OrderedDict, deque
from collections.abc import Iterator

import pytest
from trading_fixtures import BUY, NOON_NS, SELL, Desk, scene, tick

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.trading import flow_exits, orders, portfolio, positions
from plan2.intelligence.trading.wishes import Ask, OrderWish

KEPT = 50
TRADES = 600
ASK = Ask("user:anna", "test")
CONTAINERS = (dict, list, set, deque, OrderedDict)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered on purpose is remembered for a short while only."""
    for module, name in (
        (orders, "FINISHED_KEPT"), (orders, "IDS_KEPT"), (positions, "FILLS_KEPT"),
        (positions, "WAITING_KEPT"), (flow_exits, "ORDERS_KEPT"), (portfolio, "PROFITS_KEPT"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, KEPT)


def trade(desk: Desk, number: int) -> None:
    """A position that is opened, protected, partly closed and closed."""
    at_s = 60.0 * number
    now_ns = NOON_NS + int(at_s) * NS_PER_SECOND
    desk.account.on_tick(scene(tick(after_s=at_s), None))

    def ask(**wish: object) -> None:
        values = {"symbol": "EURUSD", "key": f"{number}-{wish}"} | wish
        outcome = desk.account.requests.request(OrderWish(ask=ASK, **values), now_ns)  # type: ignore[arg-type]
        assert outcome.refusal is None, outcome

    def fill(ticket: str, **deal: object) -> None:
        desk.fill(
            desk.sent[-1], 1.1001, f"{number}-{ticket}", position_ticket=f"p{number}",
            ts_ns=now_ns, **deal,
        )  # fmt: skip

    position_id = f"test:p{number}"
    ask(kind=OrderKind.OPEN, side=BUY, quantity=0.1, stop_loss=1.09)
    fill("in")
    ask(kind=OrderKind.CLOSE, position_id=position_id, quantity=0.04)
    fill("part", is_exit=True, side=SELL)
    ask(kind=OrderKind.CLOSE, position_id=position_id)
    fill("out", is_exit=True, side=SELL)
    assert position_id not in desk.account.positions.open


def containers(root: object) -> Iterator[tuple[str, int]]:
    """Name and length of every container that an object of ours reaches through objects of ours."""
    seen: set[int] = set()
    waiting: list[tuple[str, object]] = [(type(root).__name__, root)]
    while waiting:
        name, one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, CONTAINERS):
            yield name, len(one)
            inner = one.values() if isinstance(one, dict) else one
            waiting += [(f"{name}[]", each) for each in inner]
        elif hasattr(one, "__self__"):
            waiting.append((type(one.__self__).__name__, one.__self__))
        elif type(one).__module__.startswith("plan2"):
            own = type(one).__name__
            names = {*getattr(one, "__dict__", {}), *getattr(type(one), "__slots__", ())}
            names |= set(getattr(type(one), "__struct_fields__", ()))
            waiting += [(f"{own}.{each}", getattr(one, each, None)) for each in names]


@pytest.mark.usefixtures("small")
def test_nothing_of_an_account_grows_with_its_trades() -> None:
    """After hundreds of trades each container holds what it may keep, not what there was."""
    desk = Desk().arm()
    for number in range(TRADES):
        trade(desk, number)
    found = dict(containers(desk.account))

    assert {"OrderBook.orders", "PositionBook.fills", "AccountBoard._placed_ns"} <= set(found)
    assert found["PositionBook.fills"] == KEPT, "the walk sees the books as they are"
    grown = {name: size for name, size in found.items() if size > 3 * KEPT}
    assert grown == {}
