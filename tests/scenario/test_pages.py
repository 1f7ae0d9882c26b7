"""The pages in a real Chromium, on the running product: they show, they update, they do not err."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from product import Product

import plan2

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
UI = Path(plan2.__file__).parent / "_ui" / "index.html"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = {
    "/": "Overview",
    "/market": "Market",
    "/decisions": "Decisions",
    "/positions": "Positions",
    "/models": "Models",
    "/system": "System",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; install Debian's `chromium`"),
    pytest.mark.skipif(not UI.is_file(), reason="the web app is not built (PLAN2_UI=skip?)"),
]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product with a fresh data folder."""
    running = Product(tmp_path_factory.mktemp("pages") / "data")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def page(product: Product) -> Iterator[object]:
    """A signed-in desktop page that collects every console error."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.errors = []
        opened.on("console", lambda m: opened.errors.append(m.text) if m.type == "error" else None)
        opened.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.goto(f"{product.url}/signin?token={product.token}")
        yield opened
        browser.close()


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_page_shows_without_errors(product: Product, page, path: str, title: str) -> None:
    """Each page opens by its address, says it is simulated, and logs no error."""
    page.errors.clear()
    page.goto(product.url + path)
    page.get_by_role("main").wait_for()
    page.get_by_text("SIMULATED").first.wait_for()
    assert title.lower() in page.title().lower() or page.get_by_text(title).count() > 0
    assert page.errors == []


def test_prices_move_without_reloading(product: Product, page) -> None:
    """The watch list follows the stream."""
    page.goto(product.url + "/market")
    page.get_by_text("EURUSD").first.wait_for()
    first = page.get_by_role("main").inner_text()
    page.wait_for_function(
        "text => document.querySelector('main').innerText !== text", arg=first, timeout=20_000
    )


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_scrolls_sideways(product: Product, page, width: int) -> None:
    """From phone to desktop."""
    page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        page.goto(product.url + path)
        page.get_by_role("main").wait_for()
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{path} at {width} px is {overflow} px too wide"
