"""What only the broker has, on the page of a live product: shown, left alone, accepted."""

from collections.abc import Iterator

import pytest
from browser import MARKS, sideways, signed_in
from live_product import LiveProduct, Stage
from product import run_verb, wait_for

pytestmark = MARKS

FOREIGN = "widget-Orders at the broker that are not Plan2's"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A trade server and a data folder."""
    return Stage(tmp_path_factory.mktemp("broker"))


@pytest.fixture(scope="module")
def product(stage: Stage) -> Iterator[LiveProduct]:
    """Armed on a demo account."""
    running = stage.start()
    wait_for(lambda: all(one["bid"] for one in running.see("/symbols")))
    arm(stage)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def page(product: LiveProduct) -> Iterator[object]:
    """As wide as a phone."""
    with signed_in(product, 390, 844) as opened:
        yield opened


def arm(stage: Stage) -> None:
    """Let the account trade."""
    wanted = ("--account", "demo-1", "--mode", "demo", "--reason", "story")
    code, text = run_verb(
        "resume", *wanted, "--data-dir", str(stage.data), more=stage.environment()
    )
    assert code == 0, text


@pytest.mark.anew
def test_a_persons_pending_order_is_shown_and_left_alone(
    stage: Stage, product: LiveProduct, page
) -> None:
    """Placed at the terminal: on the page within a comparison, and still there after a halt."""
    ticket = stage.does("places", symbol="EURUSDm", side="BUY", lots=0.07, price=1.0)
    page.goto(f"{product.url}/positions/open")
    row = page.get_by_test_id(FOREIGN).locator("tbody tr")
    row.get_by_text(str(ticket)).wait_for()
    assert row.count() == 1
    assert "1.00000" in row.inner_text()
    assert row.get_by_role("button").count() == 0
    assert sideways(page) == 0
    assert product.items("/orders", status="open") == []
    code, text = run_verb(
        "halt", "--reason", "x", "--data-dir", str(stage.data), more=stage.environment()
    )
    assert code == 0, text
    assert stage.working() == [1.0]
    arm(stage)


@pytest.mark.anew
def test_a_position_that_vanished_is_accepted_with_reason_and_word(
    stage: Stage, product: LiveProduct, page
) -> None:
    """The broker forgot it without a deal: halted and named, until a person accepts its view."""
    bid = next(one["bid"] for one in product.see("/symbols") if one["symbol"] == "EURUSD")
    wanted = {"symbol": "EURUSD", "side": "buy", "quantity": 0.05}
    product.told("POST", "/orders", stop_loss=round(bid - 0.002, 5), **wanted)
    wait_for(product.open_positions)
    stage.does("loses")
    product.host.kill()  # the next host's first comparison is a whole one
    page.goto(f"{product.url}/system")
    page.get_by_test_id("missing-positions").wait_for(timeout=90_000)
    assert product.state() == "halted"
    page.get_by_test_id("accept-broker-view").click()
    confirm = page.get_by_test_id("ask-confirm")
    page.get_by_test_id("ask-reason").fill("the broker says it closed it")
    assert confirm.is_disabled()
    page.get_by_test_id("ask-word").fill("demo-1")
    confirm.click()
    page.get_by_test_id("missing-positions").wait_for(state="detached")
    assert product.open_positions() == []
    (closed,) = product.items("/positions", status="closed")
    assert closed["reason"] == "unexplained"
    assert product.state() == "halted"
