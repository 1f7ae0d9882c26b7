"""A broker's account from its first day on: armed, traded, crashed into, killed; all of it live.

The tests tell one story in order, with one running product and the twin as the terminal.
"""

import json
import time
from collections.abc import Iterator

import psutil
import pytest
from live_product import SYMBOLS, LiveProduct, Stage, types_of
from product import run_verb, wait_for

pytestmark = pytest.mark.slow

ARM = ("resume", "--account", "demo-1", "--reason", "first day", "--mode")


class Story:
    """The stage, and the product that runs on it now."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.product: LiveProduct = stage.start()
        self.unsent = ""

    def verb(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a verb on the same data folder."""
        folder = str(self.stage.data)
        return run_verb(*arguments, "--data-dir", folder, more=self.stage.environment())

    def buys(self, symbol: str = "EURUSD", lots: float = 0.1, **more: object) -> dict[str, object]:
        """An order of a person's with a stop well below the market."""
        return {"symbol": symbol, "side": "buy", "quantity": lots, **self.below(symbol), **more}

    def below(self, symbol: str = "EURUSD", steps: int = 1) -> dict[str, float]:
        """A stop some way below the market."""
        digits, way = (5, 0.002) if symbol == "EURUSD" else (3, 0.3)
        quotes = {quote["symbol"]: quote["bid"] for quote in self.product.see("/symbols")}
        return {"stop_loss": round(quotes[symbol] - way * steps, digits)}

    def agrees(self) -> bool:
        """Whether the books hold what the trade server holds."""
        ours = [(f"{symbol}m", side, lots) for symbol, side, lots in self.product.open_positions()]
        return ours == self.stage.held()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A trade server and a data folder for the whole story."""
    return Stage(tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="module")
def story(stage: Stage) -> Iterator[Story]:
    """The story; whatever it has started is gone afterwards."""
    told = Story(stage)
    yield told
    if told.product.process.poll() is None:
        told.product.stop()


def test_a_new_account_is_halted_until_it_is_armed_with_its_own_mode(story: Story) -> None:
    """It attaches and warms up; no mode, and the wrong one, arm nothing."""
    product = story.product
    assert "LIVE account 5000001 at Plan2-Twin: DEMO" in product.output
    assert product.output.count("features ready") == len(SYMBOLS)
    assert "0 events, 0 open positions, trading halted" in product.output
    wait_for(lambda: all(one["bid"] for one in product.see("/symbols")))
    refused = product.send("POST", "/orders", reason="too early", **story.buys())
    assert (refused.status_code, refused.json()["rule"]) == (422, "trading_state")
    code, text = story.verb("resume", "--reason", "first day")
    assert (code, product.state()) == (1, "halted")
    assert "no mode was named" in text
    code, text = story.verb(*ARM, "contest")
    assert (code, product.state()) == (1, "halted")
    assert "'contest' was named" in text
    code, text = story.verb(*ARM, "demo")
    assert (code, product.state()) == (0, "armed"), text
    assert [event for event in product.events() if event["type"] == "MarketDataQuarantined"] == []


def test_an_order_that_a_dying_host_had_not_sent_is_not_known_to_anybody(story: Story) -> None:
    """DOWN within 3 s, no new risk meanwhile, UP with the next host; the order stays unknown."""
    product, stage = story.product, story.stage
    stage.does("dies", when="before")
    host, wanted = product.host, story.buys("USDJPY", 0.02)
    story.unsent = product.told("POST", "/orders", **wanted)["order_id"]
    wait_for(lambda: not host.is_running())
    began_s = time.monotonic()
    wait_for(lambda: "down" in product.link())
    assert time.monotonic() - began_s < 15.0  # promised: 3 s; more than this is a stall
    refused = product.send("POST", "/orders", reason="link is down", **story.buys())
    assert refused.status_code == 422, refused.text
    wait_for(lambda: "Account 5000001" in product.link())
    assert types_of(product, story.unsent)[-1] == "OrderOutcomeUnknown"
    assert stage.held() == []
    wait_for(lambda: product.parts()["reconcile"]["status"] == "ok")


def test_a_pending_order_is_placed_changed_and_withdrawn(story: Story) -> None:
    """Each step is seen at the trade server."""
    product, stage = story.product, story.stage
    order_id = product.told(
        "POST", "/orders", **story.buys(side="sell", trigger="limit", price=1.09, stop_loss=1.1)
    )["order_id"]
    wait_for(lambda: stage.working() == [1.09])
    product.told("PATCH", f"/orders/{order_id}", price=1.091)
    wait_for(lambda: stage.working() == [1.091])
    assert product.send("DELETE", f"/orders/{order_id}").status_code == 202
    wait_for(lambda: stage.working() == [])
    wait_for(lambda: types_of(product, order_id)[-1] == "OrderCancelled")
    assert "OrderAmended" in types_of(product, order_id)


def test_a_foreign_position_counts_and_is_managed_once_it_is_claimed(story: Story) -> None:
    """Opened by hand: shown, left alone without a stop, then taken over, protected and closed."""
    product, stage = story.product, story.stage
    stage.does("opens", symbol="EURUSDm", side="SELL", lots=0.05)
    wait_for(lambda: product.open_positions() == [("EURUSD", "SELL", 0.05)])
    foreign = product.items("/positions", status="open")[0]
    assert foreign["is_managed"] is False
    refused = product.send("POST", "/orders", reason="one too many", **story.buys())
    assert refused.json()["rule"] == "positions_per_symbol"
    assert stage.stops() == [0.0]
    product.told("POST", f"/positions/{foreign['position_id']}/claim")
    wait_for(lambda: 0.0 not in stage.stops())
    assert product.state() == "armed"
    close = f"/positions/{foreign['position_id']}/close"
    wait_for(lambda: product.send("POST", close, reason="enough").status_code == 202)
    wait_for(lambda: stage.held() == product.open_positions() == [])


def test_a_person_buys_with_a_stop(story: Story) -> None:
    """Filled once, events in order, by whom is known, and the stop is the broker's."""
    product, wanted = story.product, story.buys()
    order_id = product.told("POST", "/orders", **wanted)["order_id"]
    wait_for(lambda: product.open_positions() == [("EURUSD", "BUY", 0.1)])
    happened = types_of(product, order_id)
    assert happened[:4] == ["OrderPlaced", "OrderSent", "OrderAccepted", "OrderExecuted"]
    order = product.items("/orders")[0]
    assert (order["state"], order["decided_by"]) == ("filled", "user:ann")
    assert story.stage.held() == [("EURUSDm", "BUY", 0.1)]
    assert story.stage.stops() == [wanted["stop_loss"]]


def test_stops_are_moved_and_a_part_is_closed(story: Story) -> None:
    """The broker has the new stop and the rest of the lots."""
    product, stage = story.product, story.stage
    position_id = product.position_of("EURUSD")
    moved = story.below(steps=2)
    product.told("PATCH", f"/positions/{position_id}", **moved)
    wait_for(lambda: stage.stops() == [moved["stop_loss"]])
    product.told("POST", f"/positions/{position_id}/close", quantity=0.04)
    wait_for(lambda: stage.held() == [("EURUSDm", "BUY", 0.06)])
    wait_for(story.agrees)
    assert stage.stops() == [moved["stop_loss"]]
    assert product.open_positions() == [("EURUSD", "BUY", 0.06)]


def test_the_order_that_was_never_sent_is_settled_as_that(story: Story) -> None:
    """Asked for until the trade server can be trusted not to have it; it is not sent again."""
    product = story.product
    wait_for(lambda: types_of(product, story.unsent)[-1] == "OrderRejected")
    assert story.stage.held() == [("EURUSDm", "BUY", 0.06)]


def test_an_order_that_a_dying_host_had_sent_is_booked_once(story: Story) -> None:
    """The trade server executed it, nobody heard: found by the next host, and not doubled."""
    product, stage = story.product, story.stage
    eurusd = product.position_of("EURUSD")
    stage.does("dies", when="after")
    order_id = product.told("POST", f"/positions/{eurusd}/close", quantity=0.02)["order_id"]
    wait_for(lambda: "OrderExecuted" in types_of(product, order_id))
    assert types_of(product, order_id).count("OrderExecuted") == 1
    assert stage.held() == [("EURUSDm", "BUY", 0.04)]
    wait_for(story.agrees)
    assert product.state() == "armed"


def test_a_killed_plan2_agrees_with_the_broker_again_and_is_still_armed(story: Story) -> None:
    """Killed with an order on its way, which the trade server has executed."""
    stage, host = story.stage, story.product.host
    eurusd = story.product.position_of("EURUSD")
    stage.does("dies", when="after")
    order_id = story.product.told("POST", f"/positions/{eurusd}/close", quantity=0.01)["order_id"]
    # Its death tells that the trade server had the order; killed earlier, nobody would have it.
    assert psutil.wait_procs([host], timeout=30)[0] == [host]
    story.product.kill()
    story.product = product = stage.start()
    assert "1 open positions, trading armed" in product.output
    wait_for(lambda: types_of(product, order_id).count("OrderExecuted") == 1)
    assert stage.held() == [("EURUSDm", "BUY", 0.03)]
    wait_for(story.agrees)
    assert product.state() == "armed"


def test_kill_leaves_nothing_open(story: Story) -> None:
    """Pending orders first, then positions; proven flat at the terminal, and halted."""
    product, stage = story.product, story.stage
    assert stage.held()
    code, text = story.verb("kill", "--reason", "the day is over", "--foreign", "--json")
    assert code == 0, text
    assert json.loads(text)["accounts"][0]["trading_state"] == "halted"
    finished = wait_for(
        lambda: [event for event in product.events() if event["type"] == "KillFinished"], 20
    )
    assert finished[-1]["payload"]["is_flat"] is True
    assert (stage.held(), stage.working()) == ([], [])
    assert product.open_positions() == []


def test_another_account_halts_a_running_plan2_and_ends_the_next_start(story: Story) -> None:
    """One sentence each time, exit code 2, and nobody tries for ever."""
    product, stage = story.product, story.stage
    assert story.verb(*ARM, "demo")[0] == 0
    stage.does("logs_in", symbol="5000002")
    product.host.kill()
    wait_for(lambda: product.state() == "halted")
    wait_for(lambda: "another account" in product.link())
    assert product.stop() == 0
    code, text = story.verb("serve", "--port", "0")
    assert code == 2, text
    assert text.count("Error: another account") == 1
    assert "Traceback" not in text
