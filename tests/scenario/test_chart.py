"""The price chart in a real Chromium: what one looks at stays, and marks lead to their decision."""

import re
from collections.abc import Iterator

import pytest
from browser import MARKS, signed_in
from product import Product, wait_for

BARS = 12
"""New bars while somebody looks at older ones; the market of these tests makes one a second."""
REST_MS = 300
STEP_PX = 14
"""Less than the reach of a mark."""

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(calm_product: Product) -> Product:
    """The product that all page tests share."""
    return calm_product


@pytest.fixture(scope="module")
def page(product: Product) -> Iterator[object]:
    """A desktop."""
    with signed_in(product, 1600, 900) as opened:
        yield opened


def opened_chart(page, product: Product):
    """The canvas of EURUSD's chart, once it shows bars."""
    page.goto(product.url + "/market/EURUSD")
    canvas = page.locator("[data-testid=price-chart] .chart-canvas[data-last-s]")
    canvas.wait_for()
    return canvas


def range_of(canvas) -> tuple[str | None, str | None]:
    """First and last second in sight."""
    return canvas.get_attribute("data-first-s"), canvas.get_attribute("data-last-s")


def dragged(page, canvas, by_px: int) -> tuple[str | None, str | None]:
    """Drag the chart to the past, where no new bar moves what is in sight; its range at rest."""
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by_px, y, steps=6)
    page.mouse.up()
    page.get_by_role("button", name="Follow the latest bar", pressed=False).wait_for()
    before = None
    while before != (at_rest := range_of(canvas)):
        before = at_rest
        page.wait_for_timeout(REST_MS)
    return at_rest


def newest_bar(page, product: Product) -> int:
    """When the newest bar of EURUSD began, microseconds."""
    answer = page.request.get(f"{product.url}/api/v1/bars?symbol=EURUSD&period_s=60&limit=1")
    return answer.json()["time_us"][-1]


def test_what_one_looks_at_stays_whatever_happens(product: Product, page) -> None:
    """Dragged to the past: new bars, another theme, a line less and a line more move nothing."""
    page.errors.clear()
    canvas = opened_chart(page, product)
    before = range_of(canvas)
    looked_at = dragged(page, canvas, 300)
    assert looked_at < before
    first = newest_bar(page, product)
    wait_for(lambda: newest_bar(page, product) >= first + BARS * 60_000_000, 120)
    assert range_of(canvas) == looked_at
    page.keyboard.press("Alt+t")
    page.wait_for_selector("html[data-mantine-color-scheme=light]")
    page.keyboard.press("Alt+t")
    page.wait_for_selector("html[data-mantine-color-scheme=dark]")
    for _ in range(2):
        page.get_by_role("button", name="Lines shown").click()
        page.get_by_role("menuitemcheckbox", name="EMA 20").click()
        page.keyboard.press("Escape")
    page.wait_for_timeout(200)  # a redraw follows within a frame; nothing else tells of it
    assert range_of(canvas) == looked_at
    assert page.errors == []


def test_a_click_on_a_mark_opens_its_decision(product: Product, page) -> None:
    """The pointer becomes a hand over a mark: a decision of the same symbol opens, or the fills."""
    story_has_decisions(page, product)

    def clickable() -> tuple[float, float] | None:
        canvas = opened_chart(page, product)
        dragged(page, canvas, 40)
        return found_mark(page, canvas)

    x, y = wait_for(clickable, 240)
    page.mouse.click(x, y)
    page.wait_for_url(re.compile(r"/(decisions/[^/]+|positions/fills)$"))
    if page.url.endswith("/positions/fills"):  # the newest mark was a fill's
        return
    page.get_by_test_id("decision").wait_for()
    assert page.locator(".decision-symbol").inner_text() == "EURUSD"


def test_the_keyboard_opens_the_decision_under_the_cursor(product: Product, page) -> None:
    """Arrows walk the bars; where a bar has decisions the legend says so, and Enter opens one."""
    story_has_decisions(page, product)
    opened_chart(page, product)
    page.get_by_test_id("price-chart").focus()
    hint, decision = page.get_by_text("Enter opens the newest"), page.get_by_test_id("decision")
    is_told = False
    for _ in range(400):
        page.keyboard.press("ArrowLeft")
        is_told = is_told or hint.count() > 0
        if is_told:  # a bar that came meanwhile has moved the cursor by one; then the next will do
            page.keyboard.press("Enter")
        if decision.count():
            break
    assert is_told
    decision.wait_for()
    assert page.locator(".decision-symbol").inner_text() == "EURUSD"


def test_the_table_beside_the_chart_links_its_decisions(product: Product, page) -> None:
    """Whoever does not see the canvas finds the same decisions in the bars' table."""
    story_has_decisions(page, product)
    opened_chart(page, product)
    page.get_by_role("button", name="Bars as a table").click()
    # Not of the newest bars: their links change; the rows move, so the keyboard opens it.
    old = page.locator(".area-chart tbody tr:nth-child(n + 4) a[href^='/decisions/']").first
    path = old.get_attribute("href")
    page.locator(f".area-chart tbody a[href='{path}']").press("Enter")
    page.get_by_test_id("decision").wait_for()
    assert page.url == product.url + path


def test_a_forecast_says_from_how_many_outcomes_it_learned_its_sureness(
    product: Product, page
) -> None:
    """The size of the calibration's sample stands beside the probability."""
    page.goto(product.url + "/market/EURUSD")
    size = page.get_by_test_id("calibration-size").first
    size.wait_for()
    assert int(re.match(r"([\d,]+) effective", size.inner_text())[1].replace(",", "")) > 0


def story_has_decisions(page, product: Product) -> None:
    """Wait until EURUSD has been decided on."""

    def some() -> bool:
        answer = page.request.get(f"{product.url}/api/v1/decisions?symbol=EURUSD&limit=1")
        return bool(answer.json()["items"])

    wait_for(some, 120)


def found_mark(page, canvas) -> tuple[float, float] | None:
    """Where the pointer becomes a hand, from the newest bar to the left; None without any mark."""
    box = canvas.bounding_box()
    columns = range(int(box["x"] + box["width"] - 90), int(box["x"] + 20), -STEP_PX)
    for x in columns:
        for y in range(int(box["y"] + 10), int(box["y"] + box["height"] * 0.75), STEP_PX):
            page.mouse.move(x, y)
            if (
                page.evaluate(
                    "([x, y]) => getComputedStyle(document.elementFromPoint(x, y)).cursor", [x, y]
                )
                == "pointer"
            ):
                return x, y
    return None
