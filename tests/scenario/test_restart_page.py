"""An open page outlives the server: killed and started again, it is live and shows what REST has.

The same run of the product serves the pairing of a Telegram chat from the page, on a desktop and
on a phone.
"""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import story
from browser import MARKS, shut, sideways, signed_in
from product import UNHURRIED, Product, wait_for

from plan2.foundation.clock import LiveClock
from plan2.foundation.values import NS_PER_SECOND
from telegram_server import TOKEN, TelegramServer

BY_HAND = {
    "PLAN2_SIMULATED__SPEED": "5",
    "PLAN2_MODELS__TRAIN_ON_FIRST_START": "false",
    "PLAN2_DECISION__EXPLORE_AFTER_S": "0",
    **UNHURRIED,
}
LIVE_WITHIN_S = 50.0
"""After the port answers; ten times the promise: what waits for a click waits for ever."""
CHAT = 4711

pytestmark = MARKS


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramServer]:
    """A Bot API server."""
    with TelegramServer() as server:
        yield server


class Stage:
    """A product that can be started again at the same address."""

    def __init__(self, folder: Path, telegram: TelegramServer) -> None:
        self.folder = folder
        self.more = {
            **BY_HAND,
            "PLAN2_SERVER__PORT": str(free_port()),
            "PLAN2_TELEGRAM__ENABLED": "true",
            "PLAN2_TELEGRAM__BASE_URL": telegram.url,
            "PLAN2_TELEGRAM_TOKEN": TOKEN,
        }
        self.product = self.start()

    def start(self) -> Product:
        """Run it, with whatever the folder holds."""
        return Product(self.folder, more=self.more)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, telegram: TelegramServer) -> Iterator[Stage]:
    """Trading is left to people; the bot asks the local server."""
    made = Stage(tmp_path_factory.mktemp("restart") / "data", telegram)
    yield made
    made.product.stop()


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[object]:
    """A desktop."""
    with signed_in(stage.product, 1280, 900) as opened:
        yield opened


def is_asked(page) -> bool:
    """Whether the dialog is there; a click that met a moving page is repeated, as one does."""
    if page.get_by_role("dialog").count() == 0:
        page.get_by_test_id("telegram-pair").click()
        page.wait_for_timeout(500)
    return page.get_by_test_id("ask-confirm").count() > 0


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 740)])
def test_a_chat_is_paired_and_let_go_from_the_page(
    stage: Stage, telegram: TelegramServer, page, width: int, height: int
) -> None:
    """The page shows a code, the chat sends it, the list has the chat; unpaired, it is gone."""
    page.errors.clear()
    page.set_viewport_size({"width": width, "height": height})
    page.goto(stage.product.url + "/settings/telegram")
    page.get_by_text("The bot @plan2_test_bot is up").wait_for(timeout=60_000)
    wait_for(lambda: is_asked(page))
    page.get_by_test_id("ask-confirm").click()
    code = page.get_by_test_id("telegram-code")
    code.wait_for()
    assert page.get_by_role("img", name="Picture of the link").is_visible()
    assert sideways(page) <= 0
    chat = CHAT + width
    telegram.says(chat, code.inner_text(), LiveClock().now_ns() // NS_PER_SECOND, name="Siti")
    page.get_by_role("button", name="Done").click()
    row = page.get_by_test_id("widget-Paired chats").locator("tbody tr").filter(has_text="Siti")
    row.wait_for()
    telegram.wait(lambda: telegram.texts(chat), "the bot greets the chat")
    row.get_by_role("button", name="Unpair").click()
    page.get_by_test_id("ask-confirm").click()
    row.wait_for(state="detached")
    assert sideways(page) <= 0
    assert page.errors == []


@pytest.mark.anew
def test_a_server_that_was_killed_and_started_again_is_live_on_the_open_page(
    stage: Stage, page
) -> None:
    """The page says that it is old, then is live within five seconds, with the server's rows."""
    page.set_viewport_size({"width": 1280, "height": 900})
    price = placed(stage, page)
    page.evaluate("globalThis.stays = true")
    stage.product.kill()
    page.locator("main.is-stale").wait_for()
    assert page.get_by_test_id("kill").is_enabled()
    stage.product = stage.start()
    began = time.monotonic()
    page.locator("[data-testid=link][data-state=live]").wait_for(timeout=60_000)
    assert time.monotonic() - began < LIVE_WITHIN_S
    page.locator("main.is-stale").wait_for(state="detached")
    assert page.evaluate("globalThis.stays")
    rows = page.get_by_test_id("widget-Working orders").locator("tbody tr")
    rows.filter(has_text=price).wait_for()
    listed = page.request.get(f"{stage.product.url}/api/v1/orders?status=open").json()["items"]
    assert [f"{each['price']:.5f}" for each in listed] == [price]
    wait_for(lambda: rows.count() == len(listed))
    page.goto(stage.product.url + "/market/EURUSD")
    page.locator("canvas").first.wait_for(state="attached")
    shown = page.get_by_role("main").inner_text()
    page.wait_for_function("(text) => document.querySelector('main').innerText !== text", arg=shown)


def placed(stage: Stage, page) -> str:
    """A pending order of EURUSD that stays at the broker; its price as the page shows it."""
    page.goto(f"{stage.product.url}/positions/orders")
    page.get_by_test_id("new-order").click()
    bid = story.quoted(page)
    price = f"{bid * 0.98:.5f}"
    page.get_by_role("button", name="Limit", exact=True).click()
    fields = {"quantity": "0.10", "price": price, "stop_loss": f"{bid * 0.97:.5f}"}
    for name, value in (fields | {"reason": "stays"}).items():
        page.get_by_test_id(f"trade-{name}").fill(value)
    page.get_by_test_id("trade-confirm").click()
    shut(page.get_by_role("dialog"))
    return price
