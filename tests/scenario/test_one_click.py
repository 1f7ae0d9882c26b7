"""One-click trading in a real Chromium: off until a button is held, then a click is an order."""

from collections.abc import Iterator

import pytest
import story
from accessible import settled, violations
from browser import MARKS, signed_in
from product import Product, wait_for

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


def bought(page, lots: str) -> list[str]:
    """The open positions of this size: the models have none of it."""
    held = page.evaluate(story.POSITIONS)
    return [each["position_id"] for each in held if each["quantity"] == float(lots)]


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
    lots = story.unused_lots(page)
    page.get_by_test_id("one-click-lots").fill(lots)
    assert buy.is_disabled(), "never without a stop-loss"
    page.get_by_test_id("one-click-points").fill("2000")
    settled(page)
    assert violations(page) == []
    buy.click(timeout=90_000)  # waits until the checks have passed
    opened = wait_for(lambda: bought(page, lots))
    assert len(opened) == 1
    page.get_by_text("Position opened: EURUSD").first.wait_for()
    page.get_by_role("link", name="Positions").first.click()
    page.get_by_role("button", name=f"Close now: EURUSD {lots}", exact=True).click()
    wait_for(lambda: not bought(page, lots))
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
