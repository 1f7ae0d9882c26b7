"""Candidates on the page Models, in a real Chromium: promoted with a reason, and rolled back."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser import MARKS, shut, sideways, signed_in
from product import CALM, Product, wait_for

from plan2.connectivity.identity.local_access import read_access

pytestmark = MARKS
SYMBOL = "EURUSD"
TRAIN_S = 300.0


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One of its own: passing over a gate needs a proof of who one is that is minutes old."""
    running = Product(tmp_path_factory.mktemp("models") / "data", more=CALM)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def client(product: Product) -> Iterator[httpx.Client]:
    """Let in as programs of this machine are."""
    access = read_access(product.folder)
    assert access is not None
    with httpx.Client(base_url=access.url, headers=access.headers("tester"), timeout=30) as opened:
        yield opened


def candidates(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """All of them by name."""
    return {each["candidate_id"]: each for each in client.get("/api/v1/candidates").json()}


def champion(client: httpx.Client) -> str:
    """Who serves the symbol."""
    return next(n for n, each in candidates(client).items() if SYMBOL in each["champion_of"])


@pytest.fixture(scope="module")
def challenger(client: httpx.Client) -> str:
    """A candidate of another family, as a training leaves it."""
    known = set(candidates(client))
    asked = client.post("/api/v1/jobs/train", json={"families": ["logistic"]})
    assert asked.status_code == 202, asked.text
    new = wait_for(lambda: set(candidates(client)) - known, TRAIN_S)
    return new.pop()


def answer_with(page, reason: str) -> None:
    """Give a reason and confirm; the dialog closes when the server has done it."""
    page.get_by_test_id("ask-reason").fill(reason)
    page.get_by_test_id("ask-confirm").click()
    dialog = page.get_by_role("dialog")
    shut(dialog)


@pytest.mark.anew
def test_a_candidate_is_promoted_with_a_reason_and_rolled_back(
    product: Product, client: httpx.Client, challenger: str
) -> None:
    """Its closed gate is read and passed over; who moved whom and why stays on its page."""
    former = champion(client)
    with signed_in(product, 1280, 900) as page:
        page.goto(f"{product.url}/models/{challenger}")
        page.get_by_test_id("candidate-promote").click()
        page.get_by_test_id("candidate-to").click()
        page.get_by_role("option", name="champion").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("e-value in favour against the champion").wait_for()
        page.get_by_test_id("ask-reason").fill("too early")
        assert page.get_by_test_id("ask-confirm").is_disabled()  # a reason opens no gate
        page.get_by_test_id("candidate-override").check()
        answer_with(page, "the page is tried")
        page.get_by_text("the page is tried").first.wait_for()
        assert champion(client) == challenger

        served = candidates(client)[challenger]["champion_of"]
        while served:  # one symbol at a time, once the page knows of the last one
            page.locator("dl").get_by_text(", ".join(served), exact=True).first.wait_for()
            page.get_by_test_id("candidate-rollback").click()
            answer_with(page, "the former one was better")
            served = served[1:]
        page.get_by_text("the former one was better").first.wait_for()
        assert champion(client) == former
        assert "retired" in page.locator("main").inner_text().lower()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert sideways(page) == 0, width
        assert page.errors == []
    moves = client.get(f"/api/v1/candidates/{challenger}").json()["history"]
    by_person = [move for move in moves if move["reason"] == "the page is tried"]
    assert [move["is_override"] for move in by_person] == [True]
