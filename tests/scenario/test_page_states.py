"""Every page in every state that data can be in, in a real Chromium: it says so and stands.

The server's answers are held back, failed or emptied on their way; pages are walked without
reloading, as the navigation does.
"""

import json
from collections.abc import Iterator

import pytest
import story
from accessible import pages
from browser import MARKS, sideways, signed_in
from product import Product

API = "**/api/v1/**"
ALWAYS = ("/session", "/system", "/settings", "/stream")
"""What the frame around the pages needs."""
GO = """(path) => {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
KIND = "main [data-state={}]"
NAMED = {"/positions": "/positions/orders", "/settings": "/settings/keys"}
"""Of pages that the stream feeds, or the frame's own answers, a part that asks for itself."""
STREAMED = "/system"
"""Its figures and events come by the stream, whatever the answers hold."""
OWN_DOING = ("Failed to load resource", "WebSocket connection to")
"""What the console says of requests that the test itself has failed."""
BAR_PX = 60
"""The kill switch stays at the upper right, however long the words beside it are."""
HELP = "/help"
"""The one page without data."""

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(calm_product: Product) -> Product:
    """The product that all page tests share."""
    return calm_product


@pytest.fixture(scope="module")
def desktop(product: Product) -> Iterator[object]:
    """A browser."""
    with signed_in(product, 1280, 900) as opened:
        yield opened


@pytest.fixture
def page(product: Product, desktop) -> Iterator[object]:
    """A page loaded anew for each state: nothing is remembered from the state before."""
    desktop.goto(product.url + HELP)
    desktop.get_by_test_id("page-help").wait_for()
    desktop.errors.clear()
    yield desktop
    desktop.unroute_all(behavior="ignoreErrors")
    desktop.context.set_offline(False)


def asked() -> list[str]:
    """The address of every page that has data."""
    return [NAMED.get(path, path) for path in pages() if path != HELP]


def is_frame(url: str) -> bool:
    """Whether an address is asked for by the frame around the pages."""
    return any(f"/api/v1{name}" in url for name in ALWAYS)


def emptied(value: object) -> object:
    """The same answer with nothing in its lists."""
    if isinstance(value, list):
        return []
    if isinstance(value, dict):
        return {name: emptied(each) for name, each in value.items()}
    return value


def crashed(page) -> list[str]:
    """What went wrong in the app itself; that a request failed is the test's own doing."""
    return [told for told in page.errors if not any(own in told for own in OWN_DOING)]


def test_while_nothing_has_come_every_page_says_that_it_is_loading(page) -> None:
    """Requests are held; the frame with the kill switch is there, the page has its outline."""
    page.route(API, lambda route: route.continue_() if is_frame(route.request.url) else None)
    for path in asked():
        page.evaluate(GO, path)
        page.locator("main [data-state=loading], main .skeleton").first.wait_for()
        assert page.get_by_test_id("kill").is_visible(), path
        assert page.locator(KIND.format("error")).count() == 0, path
    assert crashed(page) == []


def test_when_the_server_fails_every_page_says_why_and_offers_to_ask_again(page) -> None:
    """A refusal in the server's own words, its number, and a button; nothing is blank."""
    problem = {"status": 400, "code": "broken", "title": "It is broken", "request_id": "r-77",
               "detail": "The disk said no."}  # fmt: skip

    def fail(route) -> None:
        if is_frame(route.request.url):
            route.continue_()
        else:
            kind = "application/problem+json"
            route.fulfill(status=400, content_type=kind, body=json.dumps(problem))

    page.route(API, fail)
    for path in asked():
        page.evaluate(GO, path)
        failed = page.locator("main [role=alert]").filter(has_text="It is broken")
        failed.first.wait_for()
        assert "r-77" in failed.first.inner_text(), path
        assert failed.get_by_role("button", name="Try again").first.is_visible(), path
        assert page.get_by_test_id("kill").is_visible(), path
        assert sideways(page) <= 0, path
    assert crashed(page) == []


def test_without_any_data_every_page_says_what_it_would_show(page) -> None:
    """Every list of every answer is empty: no page falls over, each has a word for it."""

    def empty(route) -> None:
        if is_frame(route.request.url) or route.request.method != "GET":
            route.continue_()
            return
        answer = route.fetch()
        body = answer.body()
        if answer.ok and "json" in answer.headers.get("content-type", ""):
            body = json.dumps(emptied(json.loads(body))).encode()
        route.fulfill(response=answer, body=body)

    page.route(API, empty)
    for path in [path for path in asked() if path != STREAMED]:
        page.evaluate(GO, path)
        page.locator(KIND.format("empty")).or_(page.locator("main .w-state")).first.wait_for()
        assert page.locator(KIND.format("error")).count() == 0, path
        assert page.get_by_test_id("kill").is_visible(), path
    assert crashed(page) == []


def test_after_the_link_broke_every_page_says_as_of_when_it_is(page) -> None:
    """What was loaded stays, greyed, with its time; what would add risk is off."""
    for path in asked():
        before = page.title()
        page.evaluate(GO, path)
        page.wait_for_function("(before) => document.title !== before", arg=before)
        page.wait_for_function("() => !document.querySelector('main [data-state=loading]')")
    page.evaluate(GO, "/positions/open")
    page.get_by_test_id("new-order").click()
    page.get_by_test_id("trade-quantity").fill("0.01")
    page.get_by_test_id("trade-stop_loss").fill(f"{story.quoted(page) * 0.98:.5f}")
    page.get_by_test_id("trade-reason").fill("by hand")
    page.locator("[data-testid=trade-confirm]:enabled").wait_for()
    page.context.set_offline(True)
    page.locator("[data-testid=link]:not([data-state=live]):not([data-state=delayed])").wait_for()
    page.get_by_role("dialog").get_by_text("no live connection").wait_for()
    assert page.get_by_test_id("trade-confirm").is_disabled()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    for path in asked():
        page.evaluate(GO, path)
        page.locator("main.is-stale").wait_for()
        page.locator(".w-note.is-stale").first.wait_for()
        assert page.get_by_test_id("kill").is_enabled(), path
    page.set_viewport_size({"width": 360, "height": 740})
    place = page.get_by_test_id("kill").bounding_box()
    assert place["y"] + place["height"] < BAR_PX
    assert 360 - BAR_PX < place["x"] + place["width"] <= 360
    page.set_viewport_size({"width": 1280, "height": 900})
    page.context.set_offline(False)
    page.locator("[data-testid=link][data-state=live]").wait_for()
    page.locator("main.is-stale").wait_for(state="detached")
    assert crashed(page) == []


def test_old_data_whose_refresh_failed_is_shown_with_a_warning(page) -> None:
    """The risk page asks every second; when that fails, the last figures stay and it is said."""
    page.evaluate(GO, "/risk")
    page.get_by_test_id("limit-daily_loss").wait_for()
    page.route(API, lambda route: route.fulfill(status=400, body="{}"))
    page.locator(KIND.format("partial")).first.wait_for()
    assert page.get_by_test_id("limit-daily_loss").is_visible()
    page.unroute_all(behavior="ignoreErrors")
    page.locator(KIND.format("partial")).first.wait_for(state="detached")


def test_what_happens_is_announced_and_what_only_moves_is_not(product: Product, page) -> None:
    """A screen reader is told of the order, its position and the limit; never of a price."""
    page.goto(product.url + "/market/EURUSD")
    page.locator("canvas").first.wait_for(state="attached")
    page.evaluate(
        """() => {
          globalThis.told = [];
          const live = document.querySelector(".sr-only[role=status][aria-live=polite]");
          const look = () => live.textContent && globalThis.told.push(live.textContent);
          new MutationObserver(look).observe(live, {
            childList: true, characterData: true, subtree: true });
        }"""
    )
    prices = page.get_by_role("main").inner_text()
    page.wait_for_function("(text) => document.querySelector('main').innerText !== text",
                           arg=prices)  # fmt: skip
    bid = float(page.request.get(f"{product.url}/api/v1/symbols").json()[0]["bid"])
    assert not [text for text in page.evaluate("globalThis.told") if f"{bid:.3f}" in text]
    page.evaluate(GO, "/positions/open")
    lots = story.order(page)
    page.wait_for_function(
        "() => globalThis.told.some((text) => text.startsWith('Position opened: EURUSD'))"
    )
    story.close(page, lots)
    page.wait_for_function(
        "() => globalThis.told.some((text) => text.startsWith('Position closed: EURUSD'))"
    )
