"""Settings, audit, services and tenants in a real Chromium on the running product.

They show, they change what they say they change, and what is refused is said in the server's words.
What needs a fresh proof of who one is comes first: it is good for five minutes.
"""

import re
from collections.abc import Iterator

import httpx
import pytest
from browser import MARKS, click_until, sideways, signed_in
from product import Product

SECTIONS = {
    "profile": "Who you are",
    "sessions": "Sessions",
    "second-factor": "Second factor",
    "keys": "API keys",
    "privacy": "What you agreed to",
    "approvals": "Approvals",
    "limits": "Limits and settings",
    "flags": "Feature flags",
    "users": "Users",
    "tenant": "Tenant",
    "encryption": "Encryption keys",
}
PAGES = {
    **{f"/settings/{name}": title for name, title in SECTIONS.items()},
    "/audit": "Events",
    "/audit/past": "When",
    "/audit/proof": "Signed heads",
    "/audit/records": "Records",
    "/services": "Services",
    "/tenants": "Tenants",
}

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product with a fresh data folder; nothing is traded in it."""
    untrained = {"PLAN2_MODELS__TRAIN_ON_FIRST_START": "false", "PLAN2_SIMULATED__SPEED": "5"}
    running = Product(tmp_path_factory.mktemp("settings") / "data", more=untrained)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def page(product: Product) -> Iterator[object]:
    """A desktop; the first administrator is an operator too."""
    with signed_in(product, 1280, 900) as opened:
        yield opened


def widget(page, title: str):
    """A panel by its title, once it has left the loading state."""
    found = page.locator(f'[data-testid="widget-{title}"]:not([data-state="loading"])')
    found.first.wait_for()
    return found.first


def test_a_setting_is_changed_with_a_reason_and_taken_back(product: Product, page) -> None:
    """The value, where it comes from and why are shown; then the level above holds again."""
    page.goto(product.url + "/settings/limits")
    row = page.get_by_test_id("setting-risk.positions_max")
    before = row.get_by_test_id("value").inner_text()
    wanted = str(int(before) - 1)
    row.get_by_role("button", name="Change risk.positions_max").click()
    field = page.get_by_test_id("setting-value")
    field.fill("x")
    page.get_by_text("This is not a number.").wait_for()
    field.fill(wanted)
    assert page.get_by_test_id("ask-confirm").is_disabled()
    page.get_by_test_id("ask-reason").fill("fewer at once")
    page.get_by_test_id("ask-confirm").click()
    page.get_by_text(f"The value that holds now: {wanted}").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    row.get_by_text("fewer at once").wait_for()
    assert row.get_by_test_id("value").inner_text() == wanted
    row.get_by_text("Tenant", exact=True).wait_for()


def test_the_audit_trail_tells_of_it_with_the_persons_name(product: Product, page) -> None:
    """The change is found by its type; its event opens beside the list, with its hash."""
    page.goto(product.url + "/audit?types=SettingChanged")
    row = widget(page, "Events found").locator("tbody tr").first
    detail = page.locator(".audit-detail")
    click_until(row, detail)
    detail.get_by_text("risk.positions_max").first.wait_for()
    assert "fewer at once" in detail.inner_text()
    assert re.search(r"user:[0-9a-f]{12}", detail.locator("dl").first.inner_text()) is None
    assert "event=" in page.url


def test_time_travel_goes_where_the_slider_stands(product: Product, page) -> None:
    """Keys move the slider; the banner says the instant, and the address keeps it."""
    page.errors.clear()
    page.goto(product.url + "/audit/past")
    page.get_by_test_id("past-slider").press("ArrowLeft")
    page.wait_for_url(re.compile(r"at_us=\d{16}"))
    page.get_by_text(re.compile(r"As of .* UTC\.")).wait_for()
    assert page.errors == []


@pytest.mark.anew
def test_an_invitation_is_shown_once(product: Product, page) -> None:
    """A link that stays on Escape, goes with the button, and is in no list afterwards."""
    page.goto(product.url + "/settings/users")
    page.get_by_test_id("invite").click()
    page.get_by_test_id("invite-name").fill("ben")
    page.get_by_test_id("ask-confirm").click()
    secret = page.get_by_test_id("once-secret")
    secret.wait_for()
    assert "/join?token=" in secret.inner_text()
    page.keyboard.press("Escape")
    assert secret.is_visible()
    page.get_by_test_id("once-done").click()
    row = widget(page, "Users").locator("tbody tr").filter(has_text="ben")
    row.get_by_text("Invited").wait_for()
    assert "token=" not in page.content()


@pytest.mark.anew
def test_a_key_is_made_and_ended(product: Product, page) -> None:
    """Made with its scope, shown once, good for a request, and void after its end."""
    page.goto(product.url + "/settings/keys")
    page.get_by_test_id("new-key").click()
    page.get_by_test_id("key-label").fill("notebook")
    page.get_by_test_id("ask-confirm").click()
    key = page.get_by_test_id("once-secret").locator(".once li").inner_text()
    page.get_by_test_id("once-done").click()
    shown = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=product.url) as program:
        assert program.get("/api/v1/system", headers=shown).status_code == 200
        row = widget(page, "API keys").locator("tbody tr").filter(has_text="notebook")
        row.get_by_role("button", name="End").click()
        page.get_by_test_id("ask-confirm").click()
        row.get_by_text("Ended", exact=True).wait_for()
        assert program.get("/api/v1/system", headers=shown).status_code == 401


@pytest.mark.anew
def test_a_lost_answer_is_shown_as_not_known_and_a_repeat_is_the_same_request(
    product: Product, page
) -> None:
    """The token of the bot is kept, the answer is lost; once more changes nothing and says so."""
    keys = []

    def lose_the_first(route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
            return
        route.fetch()  # carried out; only the answer does not come
        route.abort()

    page.route("**/api/v1/telegram/token", lose_the_first)
    page.goto(product.url + "/settings/telegram")
    shown = page.get_by_test_id("telegram-token")
    shown.get_by_text("There is no token yet").wait_for()
    shown.get_by_role("button", name="Keep a token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Token", exact=True).fill("123456789:" + "a" * 35)
    dialog.get_by_role("button", name="Keep a token").click()
    dialog.get_by_role("alert").get_by_text("not known").wait_for()
    dialog.get_by_role("button", name="Send the same again").click()
    dialog.wait_for(state="detached")
    shown.get_by_text("Kept sealed, and in use").wait_for()
    page.unroute("**/api/v1/telegram/token")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert "a" * 35 not in page.content()


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_page_shows_what_the_server_has(product: Product, page, path: str, title: str) -> None:
    """Each page opens by its address, no part of it fails, and nothing is logged as an error."""
    page.errors.clear()
    page.goto(product.url + path)
    widget(page, title)
    page.wait_for_function("() => !document.querySelector('[data-state=loading]')")
    failed = page.locator('[data-state="error"]')
    assert failed.count() == 0, failed.first.inner_text()
    assert page.errors == []


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways(product: Product, page, width: int) -> None:
    """On phones and desktops."""
    page.set_viewport_size({"width": width, "height": 800})
    for path, title in PAGES.items():
        page.goto(product.url + path)
        widget(page, title)
        assert sideways(page) <= 0, f"{path} is wider than {width} px"
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.anew
def test_signing_out_offers_the_way_back(product: Product, page) -> None:
    """The page stays with what was typed; name and password are asked, the plain page is near."""
    page.goto(product.url + "/settings/profile")
    typed = page.get_by_label("New password", exact=True)
    typed.fill("half a sentence")
    page.get_by_role("button", name="Sign out").click()
    overlay = page.get_by_test_id("sign-in")
    overlay.wait_for()
    assert typed.input_value() == "half a sentence"
    assert overlay.get_by_label("Name", exact=True).input_value() == "administrator"
    overlay.get_by_role("link", name="Sign in on a page of its own").click()
    page.wait_for_url(product.url + "/signin")
    assert page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).count() > 0
