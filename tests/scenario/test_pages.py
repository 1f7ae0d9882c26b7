"""The pages in a real Chromium, on the running product: they show, they update, they do not err."""

import re
from collections.abc import Iterator

import pytest
from accessible import pages, settled, too_small, violations, without_zone
from browser import MARKS, fits, signed_in
from product import Product, wait_for

PAGES = {
    "/": "Overview",
    "/market": "Market",
    "/decisions": "Decisions",
    "/positions": "Positions",
    "/models": "Models",
    "/system": "System",
}

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(calm_product: Product) -> Product:
    """The product that all page tests share."""
    return calm_product


@pytest.fixture(scope="module")
def page(product: Product) -> Iterator[object]:
    """A desktop."""
    with signed_in(product, 1280, 800) as opened:
        yield opened


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_page_shows_without_errors(product: Product, page, path: str, title: str) -> None:
    """Each page opens by its address, says it is simulated, and logs no error."""
    page.errors.clear()
    page.goto(product.url + path)
    page.get_by_role("main").wait_for()
    page.get_by_text("SIMULATED").first.wait_for()
    page.wait_for_function("(title) => document.body.innerText.includes(title)", arg=title)
    assert page.errors == []


@pytest.mark.parametrize("path", ["/learning", "/features"])
def test_a_phone_sees_a_long_page_folded(product: Product, page, path: str) -> None:
    """What is secondary waits behind a button, by finger and keyboard; a desktop sees it all."""
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(product.url + path)
    settled(page)
    main = "() => document.querySelector('main').scrollHeight"
    card = page.locator("main .unfold").first
    folded = page.evaluate(main)
    assert card.get_attribute("aria-expanded") == "false"
    card.focus()
    page.keyboard.press("Enter")
    assert card.get_attribute("aria-expanded") == "true"
    assert page.evaluate(main) > folded
    widget = page.locator("main .w-fold").first
    widget.click()
    assert widget.get_attribute("aria-expanded") == "true"
    assert violations(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("main .unfold").first.wait_for(state="detached")
    assert page.locator("main .w-fold").count() == 0


def test_features_show_their_meaning_and_values(product: Product, page) -> None:
    """The page is loaded when it is opened; a feature has its unit, meaning and a live value."""
    page.errors.clear()
    page.goto(product.url + "/features/EURUSD")
    row = page.get_by_role("row").filter(has_text="rsi_mid_14")
    row.wait_for()
    assert "Wilder's RSI" in row.inner_text()
    page.get_by_text("Not checked yet").wait_for()
    assert page.errors == []


def test_the_first_check_that_failed_is_marked_with_its_numbers(product: Product, page) -> None:
    """One of three: what it saw and what it allows; the second that failed is not the reason."""
    checks = [
        {"rule": "tick_age", "passed": True, "value": 120.0, "limit": 5000.0},
        {"rule": "order_volume", "passed": False, "value": 30.0, "limit": 20.0},
        {"rule": "positions", "passed": False, "value": 5.0, "limit": 4.0},
    ]

    def denied(route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "checks": checks})

    asked = f"{product.url}/api/v1/decisions?limit=1"
    [listed] = wait_for(lambda: page.request.get(asked).json()["items"])
    found = listed["decision_id"]
    page.route(f"**/api/v1/decisions/{found}", denied)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{product.url}/decisions/{found}")
    marked = page.get_by_test_id("failed-check")
    marked.wait_for()
    assert marked.count() == 1
    assert re.search(r"30\D+20", marked.inner_text())
    page.unroute_all(behavior="ignoreErrors")


def test_prices_move_without_reloading(product: Product, page) -> None:
    """The watch list follows the stream."""
    page.errors.clear()
    page.goto(product.url + "/market")
    page.get_by_text("EURUSD").first.wait_for()
    first = page.get_by_role("main").inner_text()
    page.wait_for_function("text => document.querySelector('main').innerText !== text", arg=first)
    assert page.errors == []


def test_a_forecast_says_of_what_and_within_which_time(product: Product, page) -> None:
    """A probability never stands alone."""
    page.goto(product.url + "/market/EURUSD")
    forecast = page.get_by_test_id("widget-Forecast")
    forecast.get_by_text(re.compile(r"rises by [\d.]+ before it falls .* within \d")).wait_for()


def test_every_stage_of_the_ticks_way_shows_its_quantiles_and_they_move(
    product: Product, page
) -> None:
    """p50, p95 and p99 of each stage and the loop's lag; new figures every second."""
    page.goto(product.url + "/system")
    stages = page.locator("[data-testid^=stage-]")
    measured = stages.filter(has_text=re.compile(r"p50.*p95.*p99", re.DOTALL))
    measured.nth(5).wait_for()
    shown = stages.all_inner_texts()
    assert all(name in each for each in shown for name in ("p50", "p95", "p99"))
    page.get_by_text("Event loop lag, p99").wait_for()
    page.wait_for_function(
        """text => [...document.querySelectorAll('[data-testid^=stage-]')]
          .map((one) => one.innerText).join() !== text""",
        arg=",".join(shown),
    )


PARTS = [
    *(f"/positions/{tab}" for tab in ("closed", "orders", "fills", "transfers")),
    *(f"/audit/{tab}" for tab in ("past", "proof", "records")),
    "/settings/limits",
    "/settings/users",
    "/market/EURUSD",
    "/nowhere",
]
"""Addresses beside those of the navigation that show something of their own."""
WIDTHS = (2560, 1280, 768, 640, 390, 360)
"""From a wide desktop to a small phone; 640 is 1280 at a zoom of 200 %."""


@pytest.mark.parametrize("path", [*pages(), *PARTS])
def test_a_page_is_for_everybody(product: Product, page, path: str) -> None:
    """No accessibility rule is broken in either theme, nothing scrolls sideways or is too small."""
    page.errors.clear()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(product.url + path)
    settled(page)
    dark = violations(page)
    page.keyboard.press("Alt+t")
    page.wait_for_selector("html[data-mantine-color-scheme=light]")
    light = violations(page, "color-contrast")
    page.keyboard.press("Alt+t")
    wide = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if not fits(page):
            wide.append(width)
    assert (dark, light, wide, too_small(page)) == ([], [], [], [])
    assert without_zone(page) == []
    assert page.errors == []
