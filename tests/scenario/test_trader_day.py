"""A trader's day in a real Chromium, on a desktop and on a phone: every step is done on the page.

`PLAN2_PICTURES=1` keeps the pictures of docs/user-guide.md.
"""

import os
from collections.abc import Iterator

import pytest
import story
from browser import MARKS, PATIENT, signed_in
from product import Product

CALM = {"PLAN2_SIMULATED__SPEED": "60", "PLAN2_DECISION__EXPLORE_AFTER_S": "0", **PATIENT}
ROWS = 50_000
MANY_ORDERS = """
const asked = globalThis.fetch;
globalThis.fetch = async (path, init) => {
  if (!String(path).startsWith("/api/v1/orders?limit=100")) return asked(path, init);
  const [order] = (await (await asked("/api/v1/orders?limit=1")).json()).items;
  const items = Array.from({ length: ROWS }, (_, i) => ({ ...order, order_id: `order-${i}` }));
  return Response.json({ items, next_cursor: null });
};
"""
"""In place of the server's orders so many copies of the newest one."""

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product with a trained model and a fresh data folder."""
    running = Product(tmp_path_factory.mktemp("day") / "data", more=CALM)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def page(product: Product) -> Iterator[object]:
    """A browser."""
    with signed_in(product, 1280, 800) as opened:
        yield opened


def shot(page, name: str) -> None:
    """A picture for the guide."""
    if os.environ.get("PLAN2_PICTURES"):
        story.picture(page, name)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_a_day_from_the_first_look_to_the_kill_switch(
    product: Product, page, width: int, height: int
) -> None:
    """Watch, read, trade, limit, kill, resume, travel; the console and the policy stay silent."""
    page.errors.clear()
    page.set_viewport_size({"width": width, "height": height})
    story.watch(page, product.url)
    shot(page, f"market-{width}")
    assert story.read_a_decision(page, product.url)
    shot(page, f"decision-{width}")
    story.place(page, product.url)
    shot(page, f"positions-{width}")
    story.close(page)
    story.change_a_limit(page, product.url)
    story.kill(page)
    story.resume(page, product.url)
    shot(page, f"risk-{width}")
    story.travel(page, product.url)
    shot(page, f"past-{width}")
    page.keyboard.press("Escape")
    page.get_by_test_id("past").wait_for(state="detached")
    # Without a data set the past cannot be compared with; the answer says so with a 409.
    assert [told for told in page.errors if not told.endswith("/similar")] == []


def test_nothing_is_sent_from_the_past_but_a_kill_comes_back_to_now(product: Product, page) -> None:
    """No order can be asked for; the kill switch opens, and what it shows is now."""
    page.set_viewport_size({"width": 1280, "height": 800})
    story.travel(page, product.url)
    page.get_by_role("link", name="Positions").first.click()
    assert page.get_by_test_id("new-order").is_disabled()
    page.get_by_test_id("kill").click()
    page.get_by_role("alertdialog").get_by_label("Type KILL").wait_for()
    assert page.get_by_test_id("past").count() == 0
    page.keyboard.press("Escape")


def test_the_language_changes_without_a_reload(product: Product, page) -> None:
    """Words, numbers and the page's language at once, and back; what was open stays open."""
    page.goto(product.url + "/positions/open")
    page.evaluate("globalThis.stays = true")
    page.get_by_role("button", name="Preferences").click()
    page.get_by_role("button", name="Bahasa Indonesia").click()
    page.get_by_role("link", name="Keputusan").first.wait_for()
    assert page.evaluate("[document.documentElement.lang, globalThis.stays]") == ["id", True]
    shot(page, "indonesian-1280")
    page.get_by_role("button", name="English").click()
    page.get_by_role("link", name="Decisions").first.wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
    page.keyboard.press("Escape")


def test_fifty_thousand_rows_are_scrolled_with_a_screen_full_of_them(
    product: Product, page
) -> None:
    """Only what is in sight is in the page, wherever one scrolls; the filter is in the address."""
    page.add_init_script(MANY_ORDERS.replace("ROWS", str(ROWS)))
    page.goto(product.url + "/positions/orders?q=order-")
    region = page.locator('[data-testid="widget-Order history"] .table-region')
    region.locator("tbody tr[aria-rowindex]").first.wait_for()
    seen = region.evaluate(
        """async (node) => {
          const frame = () => new Promise(requestAnimationFrame);
          const rows = [];
          for (const share of Array.from({ length: 60 }, (_, i) => i / 60)) {
            node.scrollTop = share * node.scrollHeight;
            await frame();
            rows.push(node.querySelectorAll('tbody tr[aria-rowindex]').length);
          }
          const last = Number(node.querySelector('tbody tr[aria-rowindex]').ariaRowIndex);
          return { most: Math.max(...rows), least: Math.min(...rows), last };
        }"""
    )
    assert 10 < seen["least"] <= seen["most"] < 100
    assert seen["last"] > ROWS * 0.9
    page.reload()
    assert page.get_by_test_id("table-filter").input_value() == "order-"


def test_without_a_server_the_app_opens_and_says_so(product: Product, page) -> None:
    """The offline shell answers the reload; nothing of the API was kept."""
    kept_session = page.context.storage_state()
    phone = page.context.browser.new_context(storage_state=kept_session, service_workers="allow")
    page = phone.new_page()
    page.goto(product.url + "/")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.reload()
    page.get_by_test_id("equity").wait_for()
    page.context.set_offline(True)
    page.reload()
    page.locator("[data-testid=link][data-state=offline]").wait_for()
    kept = page.evaluate(
        """async () => {
          const pathOf = ({ url }) => new URL(url).pathname;
          const inside = async (name) => (await (await caches.open(name)).keys()).map(pathOf);
          return (await Promise.all((await caches.keys()).map(inside))).flat();
        }"""
    )
    assert "/" in kept
    assert any(path.startswith("/assets/") for path in kept)
    assert not [path for path in kept if path.startswith(("/api", "/signin"))]
    page.context.set_offline(False)
    page.locator("[data-testid=link][data-state=live]").wait_for()
    phone.close()
