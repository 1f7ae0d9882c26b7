"""A trader's day in a real Chromium, on a desktop and on a phone: every step is done on the page.

`PLAN2_PICTURES=1` keeps the pictures of docs/user-guide.md.
"""

import os
import re
from collections.abc import Iterator

import pytest
import story
from accessible import settled, violations
from browser import MARKS, sideways, signed_in
from product import Product

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
MANY_SYMBOLS = """
const before = globalThis.fetch;
globalThis.fetch = async (path, init) => {
  const made = await before(path, init);
  if (!String(path).startsWith("/api/v1/symbols")) return made;
  const [one] = await made.json();
  return Response.json(Array.from({ length: SYMBOLS }, (_, i) =>
    (i === 0 ? one : { ...one, symbol: `${one.symbol}-${i}` })));
};
"""
"""In place of the server's symbols so many copies of the first one."""
SYMBOLS = 500
WATCHED_MAX = 60
OTHER_APP = """() => {
  const asked = globalThis.fetch;
  globalThis.fetch = async (path, init) => {
    if (!String(path).startsWith("/api/v1/system")) return asked(path, init);
    return Response.json({ ...(await (await asked(path, init)).json()), ui_hash: "another" });
  };
}"""
"""The server says that it has another web app now."""

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(calm_product: Product) -> Product:
    """The product that all page tests share."""
    return calm_product


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
    lots = story.place(page, product.url)
    shot(page, f"positions-{width}")
    story.close(page, lots)
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


@pytest.mark.anew
def test_a_rule_of_ones_own_from_its_text_to_paper(product: Product, page) -> None:
    """Registered, tried on the past, moved on with reasons; the figures are those of the export."""
    page.errors.clear()
    page.set_viewport_size({"width": 1280, "height": 900})
    story.register_a_flow(page, product.url)
    story.backtest_it(page, product.url)
    assert violations(page) == []
    shot(page, "backtest-1280")
    told = page.get_by_test_id("backtest-verdict").inner_text()
    trades = int(re.search(r"in ([\d,]+) trades", told)[1].replace(",", ""))
    assert trades > 0
    page.get_by_text("tries of this flow on this symbol: 1").wait_for()
    run_id = page.url.rsplit("/", 1)[1]
    path = f"{product.url}/api/v1/backtests/{run_id}/export?format=csv&what=trades"
    assert len(page.request.get(path).text().strip().splitlines()) == trades + 1
    story.move_to_paper(page, product.url)
    assert violations(page) == []
    shot(page, "flows-1280")
    page.set_viewport_size({"width": 360, "height": 740})
    assert sideways(page) == 0
    assert page.errors == []


@pytest.mark.anew
def test_an_alert_is_raised_seen_at_the_bell_and_acknowledged(product: Product, page) -> None:
    """The rule says beforehand that it would fire; then it waits until somebody has seen it."""
    page.set_viewport_size({"width": 1280, "height": 900})
    story.declare_an_alert(page, product.url)
    page.get_by_test_id("alert-ack").first.wait_for()
    settled(page)
    assert violations(page) == []
    shot(page, "alerts-1280")
    waiting = page.get_by_role("row").filter(has=page.get_by_test_id("alert-ack"))
    raised = waiting.filter(has_text="EURUSD above 0.5")
    raised.first.get_by_test_id("alert-ack").click()
    raised.first.wait_for(state="detached")


def test_a_new_app_is_offered_and_never_loads_itself(product: Product, page) -> None:
    """When the server's app is not the one that is shown, a notice says so; the page stays."""
    page.goto(product.url + "/help")
    page.get_by_role("main").wait_for()
    page.evaluate("globalThis.stays = true")
    page.evaluate(OTHER_APP)
    page.get_by_role("link", name="System").first.click()
    page.get_by_role("button", name="Reload").wait_for()
    assert page.evaluate("globalThis.stays")


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
    asked = f"{product.url}/api/v1/orders?limit=1"
    if not page.request.get(asked).json()["items"]:
        story.place(page, product.url)
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
          return { most: Math.max(...rows), least: Math.min(...rows) };
        }"""
    )
    assert 10 < seen["least"] <= seen["most"] < 100
    page.wait_for_function(
        """([node, last]) =>
          Number(node.querySelector('tbody tr[aria-rowindex]').ariaRowIndex) > last""",
        arg=[region.element_handle(), ROWS * 0.9],
    )
    page.reload()
    assert page.get_by_test_id("table-filter").input_value() == "order-"


def test_five_hundred_symbols_are_watched_with_a_screen_full_of_rows(
    product: Product, page
) -> None:
    """At the top, in the middle and at the end of the list."""
    page.add_init_script(MANY_SYMBOLS.replace("SYMBOLS", str(SYMBOLS)))
    page.goto(product.url + "/market/EURUSD")
    watch = page.locator(".watch.is-long")
    watch.locator(".watch-row").first.wait_for()
    for share in (0.0, 0.5, 1.0):
        watch.evaluate("(node, share) => { node.scrollTop = share * node.scrollHeight; }", share)
        page.wait_for_function(
            """(most) => {
              const count = document.querySelectorAll(".watch-row").length;
              return count > 10 && count <= most;
            }""",
            arg=WATCHED_MAX,
        )
    # The list learns how high its rows are after it is drawn, and is longer then.
    page.wait_for_function(
        """(last) => {
          const list = document.querySelector(".watch.is-long");
          list.scrollTop = list.scrollHeight;
          return list.innerText.includes(last);
        }""",
        arg=f"EURUSD-{SYMBOLS - 1}",
    )


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
