"""Steps of a trader's day, each as one does it on the page; what a step shows is waited for."""

import re
from pathlib import Path

import pytest
from browser import shut
from playwright.sync_api import TimeoutError as PlaywrightTimeout

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
FLOW = ROOT / "docs" / "flows" / "ema-cross.toml"
CHART_PX = 300
"""What a chart needs at least to be read."""
RUN_MS = 180_000


BID = re.compile(r"Bid ([\d.]+)")
LOTS = ("0.01", "0.02", "0.03", "0.04", "0.05", "0.06", "0.07", "0.08", "0.09")
POSITIONS = "async () => (await (await fetch('/api/v1/positions?status=open')).json()).items"


def quoted(page) -> float:
    """The bid that the open ticket shows, once it has one."""
    quote = page.get_by_test_id("ticket-quote").filter(has_text=BID)
    return float(BID.search(quote.inner_text())[1])


def unused_lots(page) -> str:
    """A size that no open position has: what is opened with it can be told from the models'."""
    held = {float(each["quantity"]) for each in page.evaluate(POSITIONS)}
    return next(lots for lots in LOTS if float(lots) not in held)


def watch(page, url: str) -> None:
    """Prices of the watch list, and the chart beside it, wide enough to be read."""
    page.goto(url + "/market/EURUSD")
    page.locator("canvas").first.wait_for(state="attached")
    assert page.locator(".area-chart").bounding_box()["width"] >= CHART_PX
    page.get_by_text("EURUSD").locator("visible=true").first.wait_for()


def read_a_decision(page, url: str) -> str:
    """Open the newest decision; its sentence."""
    page.goto(url + "/decisions")
    page.locator(".feed-item").first.click()
    page.get_by_test_id("decision").wait_for()
    return page.locator(".decision-sentence").inner_text()


def place(page, url: str) -> str:
    """Buy a little EURUSD at market, after a look at every check; how many lots."""
    page.goto(url + "/positions/open")
    return order(page)


def order(page) -> str:
    """The order itself, on the page of positions; its lots."""
    lots = unused_lots(page)
    page.get_by_test_id("new-order").click()
    bid = quoted(page)
    page.get_by_test_id("trade-quantity").fill(lots)
    page.get_by_test_id("trade-stop_loss").fill(f"{bid * 0.98:.5f}")
    checks = page.get_by_test_id("ticket-checks")
    try:
        checks.get_by_text("checks pass").wait_for()
    except PlaywrightTimeout:
        pytest.fail(f"the ticket does not pass: {page.get_by_role('dialog').inner_text()}")
    page.get_by_test_id("trade-reason").fill("by hand")
    page.get_by_test_id("trade-confirm").click()
    shut(page.get_by_role("dialog"))
    return lots


def close(page, lots: str) -> None:
    """Close the position that was opened by hand, whole."""
    page.get_by_role("button", name=f"Close: EURUSD {lots}", exact=True).first.click()
    page.get_by_test_id("trade-reason").fill("done")
    page.get_by_test_id("trade-confirm").click()
    shut(page.get_by_role("dialog"))


def change_a_limit(page, url: str) -> None:
    """One position fewer at once; it holds at once."""
    page.goto(url + "/settings/limits")
    row = page.get_by_test_id("setting-risk.positions_max")
    before = int(row.get_by_test_id("value").inner_text())
    row.get_by_role("button", name="Change risk.positions_max").click()
    page.get_by_test_id("setting-value").fill(str(before + 1 if before < 4 else before - 1))
    page.get_by_test_id("ask-reason").fill("a look at the page")
    page.get_by_test_id("ask-confirm").click()
    page.get_by_text("The value that holds now").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Close").first.click()
    page.get_by_role("dialog").wait_for(state="detached")


def kill(page) -> None:
    """The kill switch by its word; focus starts on Cancel."""
    page.get_by_test_id("kill").click()
    dialog = page.get_by_role("alertdialog")
    page.wait_for_function("() => document.activeElement.textContent === 'Cancel'")
    dialog.get_by_label("Type KILL").fill("kill")
    dialog.get_by_role("button", name="Kill now").click()
    page.get_by_test_id("kill-progress").get_by_text("nothing of this left").wait_for()
    dialog.get_by_role("button", name="Close").last.click()
    page.locator("[data-testid=trading-state][data-state=halted]").wait_for()


def resume(page, url: str) -> None:
    """Arm again on the risk page; a reason is demanded."""
    page.goto(url + "/risk")
    page.get_by_test_id("lever-resume").click()
    confirm = page.get_by_test_id("command-confirm")
    assert confirm.is_disabled()
    page.get_by_role("dialog").get_by_label("Reason").fill("all is well again")
    confirm.click()
    page.locator("[data-testid=trading-state][data-state=armed]").wait_for()


def travel(page, url: str) -> None:
    """The whole app as of then: no command is on; Escape comes back."""
    page.goto(url + "/audit/past")
    page.get_by_test_id("past-slider").wait_for()
    page.get_by_test_id("past-go").click()
    page.get_by_test_id("past").wait_for()
    assert page.locator("[data-testid=trading-state]:enabled").count() == 0
    page.get_by_test_id("past").get_by_text("Told from the events").wait_for()


def register_a_flow(page, url: str) -> None:
    """A flow with a mistake is shown its line; the right one becomes version 1."""
    text = FLOW.read_text(encoding="utf-8")
    page.goto(url + "/flows")
    page.get_by_test_id("flow-register").click()
    page.get_by_test_id("flow-text-input").fill(text.replace('= "ema(', '= "emma('))
    page.get_by_test_id("flow-check").click()
    page.get_by_test_id("flow-wrong").get_by_text("emma").wait_for()
    page.get_by_test_id("flow-text-input").fill(text)
    page.get_by_test_id("ask-confirm").click()
    page.get_by_role("dialog").wait_for(state="detached")


def backtest_it(page, url: str) -> None:
    """The registered flow is picked, runs over everything archived, and its report is opened."""
    page.goto(url + "/backtests")
    page.get_by_test_id("new-backtest").click()
    page.get_by_test_id("flow-picker").click()
    page.get_by_role("option", name="ema-cross 1").click()
    page.get_by_test_id("ask-confirm").click()  # waits until it is on
    page.get_by_role("dialog").wait_for(state="detached")
    run = page.get_by_test_id("widget-Finished backtests").locator("tbody tr").first
    run.wait_for(timeout=RUN_MS)
    run.click()
    page.get_by_test_id("backtest-verdict").wait_for()


def move_to_paper(page, url: str) -> None:
    """Through both gates, each step with a reason; it has an account then."""
    page.goto(url + "/flows/ema-cross")
    for reason, state in (("the report is read", "Backtested"), ("try it", "Paper")):
        page.get_by_test_id("flow-move").click()
        page.get_by_test_id("ask-reason").fill(reason)
        page.get_by_test_id("ask-confirm").click()
        page.get_by_role("dialog").wait_for(state="detached")
        page.get_by_test_id("widget-Flows").locator(".chip").get_by_text(state).wait_for()


def declare_an_alert(page, url: str) -> None:
    """A rule about a price that is true already."""
    page.goto(url + "/alerts")
    page.get_by_test_id("new-rule").click()
    page.get_by_test_id("rule-name").fill("EURUSD above 0.5")
    page.get_by_test_id("rule-level").fill("0.5")
    page.get_by_test_id("rule-try").get_by_text("Would fire now.").wait_for()
    page.get_by_test_id("ask-confirm").click()
    page.get_by_role("dialog").wait_for(state="detached")


def picture(page, name: str) -> None:
    """Keep what the page shows for the guide, when that is asked for."""
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.jpg", type="jpeg", quality=60)
