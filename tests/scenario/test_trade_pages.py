"""Orders and positions by hand, in a real Chromium on the running product: what is asked happens.

The market is the simulated one and slow; the algorithm trades nothing, so that every order on the
page is the test's own.
"""

import re
from collections.abc import Iterator

import product as product_module
import pytest
import story
from browser import ANSWER_MS, LOOK_MS, MARKS, shut, signed_in
from product import Product

BY_HAND = {
    "PLAN2_SIMULATED__SPEED": "5",
    "PLAN2_MODELS__TRAIN_ON_FIRST_START": "false",
    "PLAN2_DECISION__EXPLORE_AFTER_S": "0",
    "PLAN2_RISK__POSITIONS_PER_SYMBOL_MAX": "4",
    **product_module.UNHURRIED,
}

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product that leaves trading to people."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in BY_HAND.items():
            patch.setitem(product_module.QUICK, name, value)
        running = Product(tmp_path_factory.mktemp("trade") / "data")
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="module")
def page(product: Product) -> Iterator[object]:
    """A wide desktop."""
    with signed_in(product, 1600, 900) as opened:
        yield opened


def open_ticket(page, product: Product, tab: str) -> float:
    """A fresh ticket for EURUSD on a tab; the bid that it shows."""
    page.goto(f"{product.url}/positions/{tab}")
    page.get_by_test_id("new-order").click()
    return story.quoted(page)


def fill(page, **fields: object) -> None:
    """Type into fields of the open dialog by their names."""
    for name, value in fields.items():
        page.get_by_test_id(f"trade-{name}").fill(str(value))


def confirm(page) -> None:
    """Send it, and wait until the dialog is gone: the broker has carried it out."""
    page.get_by_test_id("trade-confirm").click()
    shut(page.get_by_role("dialog"))


def row_with(page, widget: str, text: str):
    """The one row of a table that shows a text."""
    rows = page.get_by_test_id(f"widget-{widget}").locator("tbody tr")
    return rows.filter(has_text=text).first


def test_a_pending_order_is_placed_changed_and_withdrawn(product: Product, page) -> None:
    """It works at the broker, takes another price, and is gone, with person and reason."""
    bid = open_ticket(page, product, "orders")
    price = f"{bid * 0.98:.5f}"
    page.get_by_role("button", name="Limit", exact=True).click()
    fill(page, quantity="0.10", price=price, stop_loss=f"{bid * 0.97:.5f}", reason="a dip")
    assert (
        f"Buy 0.10 EURUSD at {price} or better."
        in page.get_by_test_id("trade-summary").inner_text()
    )
    confirm(page)
    row = row_with(page, "Working orders", price)
    row.get_by_text("Working").wait_for()
    row.get_by_role("button", name="Change").click()
    lower = f"{bid * 0.979:.5f}"
    fill(page, price=lower, reason="lower still")
    confirm(page)
    changed = row_with(page, "Working orders", lower)
    changed.get_by_role("button", name="Withdraw").click()
    confirm(page)
    changed.wait_for(state="detached")
    history = row_with(page, "Order history", "a dip")
    history.get_by_text("Withdrawn", exact=True).wait_for()
    assert "administrator" in history.inner_text()


def test_a_position_gets_other_stops_and_is_closed_in_part(product: Product, page) -> None:
    """Bought at market; the stop moves; half is sold; the rest stays with the new stop."""
    bid = open_ticket(page, product, "open")
    fill(page, quantity="0.10", stop_loss=f"{bid * 0.98:.5f}", reason="by hand")
    confirm(page)
    row = row_with(page, "Open positions", "EURUSD")
    row.get_by_role("button", name="Stops").click()
    stop = f"{bid * 0.985:.5f}"
    fill(page, stop_loss=stop, reason="closer")
    confirm(page)
    row.get_by_text(stop).wait_for()
    row.get_by_role("button", name="Close", exact=False).first.click()
    page.get_by_role("button", name="50 %").click()
    assert "Sells 0.05 EURUSD at market" in page.get_by_test_id("trade-summary").inner_text()
    fill(page, reason="half out")
    confirm(page)
    row.get_by_text("0.05", exact=True).wait_for()
    assert stop in row.inner_text()


def test_a_ticket_that_opens_before_the_symbols_have_come_takes_the_first(
    product: Product, page
) -> None:
    """The list of symbols is held back until the dialog is open; its fields come with the list."""
    held = []

    def hold(route) -> None:
        held.append(route)

    page.route("**/api/v1/symbols", hold)
    page.goto(f"{product.url}/positions/open")
    page.get_by_test_id("new-order").click()
    page.get_by_role("dialog").wait_for()
    quote = page.get_by_test_id("ticket-quote")
    for _ in range(ANSWER_MS // LOOK_MS):
        if held:
            break
        page.wait_for_timeout(LOOK_MS)
    assert held, "the page asks for its symbols"
    assert quote.count() == 0
    for route in held:
        route.continue_()
    page.unroute("**/api/v1/symbols")
    quote.wait_for()
    page.keyboard.press("Escape")


def test_a_refusal_stands_beside_its_field(product: Product, page) -> None:
    """Too large an order: the limit in words at the quantity; corrected, the same dialog sends."""
    bid = open_ticket(page, product, "open")
    fill(page, quantity="0.90", stop_loss=f"{bid * 0.98:.5f}", reason="too much")
    page.get_by_test_id("trade-confirm").click()
    worth = re.compile(r"The order is worth [\d,.]+; at most [\d,.]+ is allowed")
    page.get_by_role("dialog").get_by_text(worth).wait_for()
    field = page.get_by_test_id("trade-quantity")
    assert field.get_attribute("aria-invalid") == "true"
    told = " ".join(
        page.locator(f"[id='{name}']").inner_text()
        for name in field.get_attribute("aria-describedby").split()
    )
    assert worth.search(told)
    fill(page, quantity="0.02")
    confirm(page)


@pytest.mark.anew
def test_nothing_is_sent_without_a_reason_or_while_halted(product: Product, page) -> None:
    """The button says no, and why."""
    bid = open_ticket(page, product, "open")
    fill(page, quantity="0.02", stop_loss=f"{bid * 0.98:.5f}")
    assert page.get_by_test_id("trade-confirm").is_disabled()
    page.keyboard.press("Escape")
    csrf = page.request.get(f"{product.url}/api/v1/session").json()["csrf"]
    for name, shown in (("halt", "visible"), ("resume", "detached")):
        answer = page.request.post(
            f"{product.url}/api/v1/commands/{name}",
            data={"reason": "a look at the page"},
            headers={"origin": product.url, "x-plan2-csrf": csrf, "idempotency-key": f"{name}-key"},
        )
        assert answer.status == 202, answer.text()
        page.get_by_test_id("new-order").click()
        page.get_by_text("halted: a look at the page").wait_for(state=shown)
        page.keyboard.press("Escape")


@pytest.mark.anew
def test_the_command_line_does_what_the_ticket_does(product: Product, page) -> None:
    """Looked at, placed, changed, withdrawn; the page shows it, under the machine's own name."""
    folder = ("--data-dir", str(product.folder))
    bid = open_ticket(page, product, "orders")
    page.keyboard.press("Escape")
    price = f"{bid * 0.97:.5f}"
    order = ("buy", "EURUSD", "0.10", "--trigger", "limit", "--price", price,
             "--stop-loss", f"{bid * 0.96:.5f}")  # fmt: skip
    looked = product_module.run_json("orders", "preview", *order, *folder)
    assert looked["passes"], looked
    why = ("--reason", "from a script")
    placed = product_module.run_json("orders", "place", *order, *why, *folder)
    row_with(page, "Working orders", price).wait_for()
    lower = f"{bid * 0.969:.5f}"
    named = (placed["order_id"], "--price", lower, *why)
    product_module.run_json("orders", "change", *named, *folder)
    changed = row_with(page, "Working orders", lower)
    changed.wait_for()
    product_module.run_json("orders", "cancel", placed["order_id"], *folder)
    changed.wait_for(state="detached")
    listed = product_module.run_json("orders", "list", *folder)
    [told] = [each for each in listed if each["order_id"] == placed["order_id"]]
    assert (told["state"], told["why"]) == ("cancelled", "from a script")


@pytest.mark.anew
def test_positions_are_closed_from_the_command_line(product: Product, page) -> None:
    """Bought, protected and closed by verbs alone; what is closed stands in the list of those."""
    folder = ("--data-dir", str(product.folder))
    bid = open_ticket(page, product, "open")
    why = ("--reason", "from a script")
    before = {each["position_id"] for each in product_module.run_json("positions", "list", *folder)}
    stop = ("--stop-loss", f"{bid * 0.98:.5f}")
    product_module.run_json("orders", "place", "buy", "EURUSD", "0.03", *stop, *why, *folder)

    def opened():
        found = product_module.run_json("positions", "list", *folder)
        return [each for each in found if each["position_id"] not in before]

    [position] = product_module.wait_for(opened)
    name = position["position_id"]
    product_module.run_json("positions", "close", name, *why, *folder)

    def closed():
        found = product_module.run_json("positions", "list", "--closed", *folder)
        return [each for each in found if each["position_id"] == name]

    [done] = product_module.wait_for(closed)
    assert done["quantity"] == pytest.approx(0.03)
