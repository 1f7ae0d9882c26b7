"""The pages in a real Chromium, on the running product: they show, they update, they do not err."""

from collections.abc import Iterator

import pytest
from accessible import pages, settled, too_small, violations
from browser import MARKS, PATIENT, sideways, signed_in
from product import Product

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
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product with a fresh data folder."""
    # Slow enough that pages, not the market, take the time.
    more = {"PLAN2_SIMULATED__SPEED": "60", **PATIENT}
    running = Product(tmp_path_factory.mktemp("pages") / "data", more=more)
    yield running
    assert running.stop() == 0


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
    assert title.lower() in page.title().lower() or page.get_by_text(title).count() > 0
    assert page.errors == []


def test_features_show_their_meaning_and_values(product: Product, page) -> None:
    """The page is loaded when it is opened; a feature has its unit, meaning and a live value."""
    page.errors.clear()
    page.goto(product.url + "/features/EURUSD")
    row = page.get_by_role("row").filter(has_text="rsi_mid_14")
    row.wait_for()
    assert "Wilder's RSI" in row.inner_text()
    page.get_by_text("Not checked yet").wait_for()
    assert page.errors == []


def test_prices_move_without_reloading(product: Product, page) -> None:
    """The watch list follows the stream."""
    page.goto(product.url + "/market")
    page.get_by_text("EURUSD").first.wait_for()
    first = page.get_by_role("main").inner_text()
    page.wait_for_function(
        "text => document.querySelector('main').innerText !== text", arg=first, timeout=20_000
    )
    assert page.errors == []


PARTS = [
    *(f"/positions/{tab}" for tab in ("closed", "orders", "fills")),
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
        if sideways(page) > 0:
            wide.append(width)
    assert (dark, light, wide, too_small(page)) == ([], [], [], [])
    assert page.errors == []
