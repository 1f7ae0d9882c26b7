"""Every page can be read in a real Chromium: in English on a desktop, in Indonesian on a phone."""

from collections.abc import Iterator

import pytest
from accessible import pages, settled
from browser import MARKS, fits, signed_in
from legible import english, illegible
from product import Product, wait_for

PARTS = [
    *(f"/positions/{tab}" for tab in ("closed", "orders", "fills", "transfers")),
    *(f"/audit/{tab}" for tab in ("past", "proof", "records")),
    *(
        f"/settings/{section}"
        for section in ("sessions", "second-factor", "telegram", "keys", "privacy", "assistants",
                        "approvals", "limits", "flags", "users", "tenant", "broker", "encryption")
    ),
    "/market/EURUSD",
    "/features/EURUSD",
    "/tenants/default",
    "/decisions/{decision}",
    "/models/{candidate}",
]  # fmt: skip
"""Addresses beside those of the navigation."""
WRITTEN_BY_PEOPLE = ("/flows", "/positions/orders")
"""Where people's own words stand amid the page's."""

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(calm_product: Product) -> Product:
    """The product that all page tests share."""
    return calm_product


@pytest.fixture(scope="module")
def desktop(product: Product) -> Iterator[object]:
    """A desktop in English."""
    with signed_in(product, 1280, 900) as opened:
        yield opened


@pytest.fixture(scope="module")
def phone(product: Product, desktop) -> object:
    """The same browser afterwards, as narrow as a phone and in Indonesian."""
    desktop.goto(product.url + "/help")
    desktop.get_by_role("button", name="Preferences").click()
    desktop.get_by_role("button", name="Bahasa Indonesia").click()
    desktop.wait_for_function("() => document.documentElement.lang === 'id'")
    desktop.set_viewport_size({"width": 390, "height": 800})
    return desktop


def address(product: Product, page, path: str) -> str:
    """The whole address of a page; what it names is the newest of its kind, once there is one."""

    def newest(question: str) -> dict[str, object]:
        answer = page.request.get(f"{product.url}/api/v1/{question}").json()
        items = answer["items"] if isinstance(answer, dict) else answer
        return items[0] if items else {}

    if "{decision}" in path:
        found = wait_for(lambda: newest("decisions?limit=1"))
        return product.url + path.format(decision=found["decision_id"])
    if "{candidate}" in path:
        found = wait_for(lambda: newest("candidates"))
        return product.url + path.format(candidate=found["candidate_id"])
    return product.url + path


@pytest.mark.parametrize("path", [*pages(), *PARTS])
def test_a_desktop_shows_every_word(product: Product, desktop, path: str) -> None:
    """Nothing is cut off without a title, under a table's buttons, squeezed, or wider than it."""
    desktop.errors.clear()
    desktop.goto(address(product, desktop, path))
    settled(desktop)
    assert illegible(desktop, is_whole=True) == []
    assert fits(desktop)
    assert desktop.errors == []


@pytest.mark.parametrize("path", [*pages(), *PARTS])
def test_a_phone_shows_every_word_in_its_language(product: Product, phone, path: str) -> None:
    """The same on a phone; and what stays English says that it is."""
    phone.errors.clear()
    phone.goto(address(product, phone, path))
    phone.wait_for_function("() => document.documentElement.lang === 'id'")
    settled(phone)
    assert illegible(phone, is_whole=False) == []
    assert fits(phone)
    if path not in WRITTEN_BY_PEOPLE:
        assert english(phone) == []
    assert phone.errors == []
