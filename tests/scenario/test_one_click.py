"""One-click trading in a real Chromium: off until a button is held, then a click is an order."""

from collections.abc import Iterator

import pytest
from accessible import settled, violations
from browser import MARKS, signed_in
from product import Product

HOLD_MS = 1_800
TRIES = 5

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(calm_product: Product) -> Product:
    """The product that all page tests share."""
    return calm_product


@pytest.fixture(scope="module")
def page(product: Product) -> Iterator[object]:
    """A wide desktop."""
    with signed_in(product, 1600, 1000) as opened:
        yield opened


def positions(page, product: Product) -> dict[str, float]:
    """Lots of the open positions by id; the models open and close some of them meanwhile."""
    found = page.request.get(f"{product.url}/api/v1/positions").json()["items"]
    return {each["position_id"]: float(each["quantity"]) for each in found}


def hold_until_armed(page) -> None:
    """Held longer each time: a page that is short of time counts its seconds late."""
    for tries in range(1, TRIES + 1):
        page.get_by_test_id("one-click-arm").click(delay=tries * HOLD_MS)
        page.get_by_test_id("one-click").or_(page.get_by_test_id("one-click-arm")).wait_for()
        if page.get_by_test_id("one-click").count():
            return
    raise AssertionError(f"held {TRIES} times, and not armed")


def test_a_click_buys_and_a_click_closes_only_while_it_is_armed(product: Product, page) -> None:
    """Held, not clicked, to arm; checks of the ticket; a reload switches it off."""
    page.errors.clear()
    page.goto(product.url + "/market/EURUSD")
    arm = page.get_by_test_id("one-click-arm")
    arm.click()
    assert page.get_by_test_id("one-click").count() == 0
    hold_until_armed(page)
    buy = page.get_by_test_id("one-click-buy")
    assert buy.is_disabled()
    page.get_by_test_id("one-click-lots").fill("0.01")
    assert buy.is_disabled(), "never without a stop-loss"
    page.get_by_test_id("one-click-points").fill("2000")
    settled(page)
    assert violations(page) == []
    before = positions(page, product)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=one-click-buy]').disabled", timeout=90_000
    )
    buy.click()
    page.get_by_text("Position opened: EURUSD").first.wait_for()
    after = positions(page, product)
    assert 0.01 in [lots for key, lots in after.items() if key not in before]
    page.get_by_role("link", name="Positions").first.click()
    row = page.get_by_test_id("widget-Open positions").locator("tbody tr")
    row.filter(has_text="0.01").first.get_by_role("button", name="Close now").click()
    page.get_by_text("Position closed: EURUSD").first.wait_for()
    assert page.get_by_role("dialog").count() == 0
    page.goto(product.url + "/market/EURUSD")
    page.get_by_test_id("one-click-arm").wait_for()
    assert page.errors == []


def test_a_phone_has_no_one_click_trading(product: Product, page) -> None:
    """A finger slips."""
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(product.url + "/market/EURUSD")
    page.locator("canvas").first.wait_for(state="attached")
    assert page.get_by_test_id("one-click-arm").count() == 0
