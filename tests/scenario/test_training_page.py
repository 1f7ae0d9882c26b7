"""Trainings as jobs of the running product: the page in a real Chromium, and a crash in between."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser import MARKS, sideways, signed_in
from product import Product, wait_for

from plan2.connectivity.identity.local_access import read_access

MORE = {
    "PLAN2_MODELS__TRAIN_ON_FIRST_START": "false",
    "PLAN2_MARKET__SYMBOLS": '["EURUSD"]',
    "PLAN2_SIMULATED__HISTORY_DAYS": "20",
    "PLAN2_SIMULATED__SPEED": "5",
}

TRAINED_MS = 300_000

pytestmark = MARKS


class Running:
    """A product that is started again on its folder after a crash."""

    def __init__(self, product: Product) -> None:
        self.product = product

    def client(self) -> httpx.Client:
        """Let in as programs of this machine are."""
        access = read_access(self.product.folder)
        assert access is not None
        return httpx.Client(base_url=access.url, headers=access.headers("tester"), timeout=30.0)

    def crash(self) -> None:
        """Kill it outright, and start it again."""
        self.product.kill()
        self.product = Product(self.product.folder, more=MORE)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running product without models, on a fresh data folder."""
    running = Running(Product(tmp_path_factory.mktemp("training") / "data", more=MORE))
    yield running
    assert running.product.stop() == 0


def newest(client: httpx.Client) -> dict[str, Any]:
    """The job that was asked for last."""
    [job, *_] = client.get("/api/v1/jobs").json()["items"]
    return job


@pytest.mark.anew
def test_a_training_is_started_followed_and_judged(running: Running) -> None:
    """Empty at first; a form that is checked; progress, then verdict, report and log."""
    with signed_in(running.product, 1280, 900) as page:
        page.goto(running.product.url + "/training")
        page.get_by_text("No training yet").wait_for()
        page.get_by_test_id("new-training").click()
        page.get_by_test_id("train-horizon").fill("0")
        page.get_by_text("A whole number from 1 to 43200.").wait_for()
        page.get_by_test_id("ask-confirm").click(force=True)
        assert page.get_by_test_id("ask-confirm").is_visible()  # nothing was sent
        page.get_by_test_id("train-horizon").fill("60")
        page.get_by_test_id("train-families").focus()
        page.keyboard.press("ArrowDown")
        page.get_by_role("option", name="XGBoost").click()
        page.get_by_test_id("ask-confirm").click()
        page.get_by_test_id("job-verdict").wait_for(timeout=TRAINED_MS)
        assert page.get_by_test_id("job-verdict").inner_text() == "Insufficient evidence"
        assert "Verdict: insufficient evidence" in page.get_by_test_id("job-report").inner_text()
        assert "final fit and parity gate" in page.get_by_test_id("job-log").inner_text()
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert sideways(page) == 0, width
        assert page.errors == []
        with running.client() as client:
            [report, *_] = client.get("/api/v1/reports").json()
        page.goto(running.product.url + report["href"])
        page.get_by_role("heading", level=1).wait_for()
        assert page.locator("svg").first.is_visible()
        assert "against the champion" in page.locator("body").inner_text()
        assert page.errors == []  # neither a script nor a style that the browser refused
    with running.client() as client:
        job = newest(client)
    assert (job["state"], job["parameters"]["horizon_minutes"]) == ("done", 60)
    assert job["parameters"]["families"] == ["xgboost"]


def test_a_crash_interrupts_a_job_that_can_be_started_again(running: Running) -> None:
    """Killed outright while it trains: the next start says so, and repeats what was asked."""
    with running.client() as client:
        asked = client.post("/api/v1/jobs/train", json={"families": ["xgboost"]}).json()
        wait_for(lambda: newest(client)["state"] == "running")
    running.crash()
    with running.client() as client:
        path = f"/api/v1/jobs/{asked['job_id']}"
        assert client.get(path).json()["state"] == "interrupted"
        again = client.post(path + "/again").json()
        assert again["parameters"] == asked["parameters"]
        with signed_in(running.product, 1280, 900) as page:
            page.goto(f"{running.product.url}/training/{again['job_id']}")
            page.get_by_test_id("job-cancel").click()
            page.get_by_test_id("ask-confirm").click()
            page.get_by_role("dialog").wait_for(state="detached")
            page.get_by_test_id("job-again").wait_for()  # offered for what is over
            assert page.errors == []
        assert client.get(f"/api/v1/jobs/{again['job_id']}").json()["state"] == "cancelled"
