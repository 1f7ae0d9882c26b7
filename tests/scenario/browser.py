"""A real Chromium on the running product: what the tests of the pages have in common."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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
CLICKS_MAX = 4
ANSWER_MS = 60_000
LOOK_MS = 100
FIT_MS = 10_000
MARKS = [
    pytest.mark.slow,
    pytest.mark.browser,
    # The market of the product under test never stands still: once in thousands of clicks one meets
    # a row that just moved. The summary counts what was tried again.
    pytest.mark.flaky(reruns=1),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; install Debian's `chromium`"),
    pytest.mark.skipif(not UI.is_file(), reason="the web app is not built (PLAN2_UI=skip?)"),
]


@contextmanager
def signed_in(product: Product, width: int, height: int) -> Iterator[object]:
    """A signed-in page of the first administrator; `errors` collects what its console says."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        # Without motion, so that what is measured does not change under the measurement.
        page = browser.new_page(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            service_workers="block",
            storage_state=product.session,
        )
        page.set_default_timeout(ANSWER_MS)
        page.errors = []
        page.on("console", lambda m: page.errors.append(_told(m)) if m.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        if product.session is None:
            # The printed address works once; whoever shares the product comes back as the same.
            page.goto(f"{product.url}/signin?token={product.token}")
            product.session = page.context.storage_state()
        else:
            page.goto(product.url)
        yield page
        browser.close()


def _told(message) -> str:
    """What the console says, and about which address."""
    return f"{message.text} {message.location.get('url', '')}".strip()


def fits(page) -> bool:
    """Whether the page gets no wider and no higher than its window: what it holds scrolls inside.

    Some parts learn of a new width after the browser; they have time to.
    """
    inside = """() => {
      const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
      return scrollWidth <= clientWidth && scrollHeight <= clientHeight;
    }"""
    for _ in range(FIT_MS // LOOK_MS):
        if page.evaluate(inside):
            return True
        page.wait_for_timeout(LOOK_MS)
    return False


def sideways(page) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def shut(dialog) -> None:
    """Wait until a dialog is closed; the failure tells what it says."""
    told: list[str] = []
    for _ in range(ANSWER_MS // LOOK_MS):
        told = dialog.all_inner_texts()
        if not told:
            return
        dialog.page.wait_for_timeout(LOOK_MS)
    pytest.fail(f"the dialog stays open: {told}")


def click_until(target, shown) -> None:
    """Click, and again while nothing follows: a click that meets a moving row is lost."""
    sync_api = pytest.importorskip("playwright.sync_api")
    for _ in range(CLICKS_MAX):
        target.click()
        try:
            return shown.wait_for(timeout=ANSWER_MS / CLICKS_MAX)
        except sync_api.TimeoutError:
            continue
    raise AssertionError(f"clicked {CLICKS_MAX} times, and nothing followed")
