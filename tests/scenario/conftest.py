"""One running product for every file of page tests that a worker gets: starting one is dear."""

from collections.abc import Iterator

import pytest
from product import CALM, Product


@pytest.fixture(scope="session")
def calm_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product with a trained model and a fresh data folder; it is stopped in order."""
    running = Product(tmp_path_factory.mktemp("calm") / "data", more=CALM)
    yield running
    assert running.stop() == 0


@pytest.fixture(autouse=True)
def _begins_anew(request: pytest.FixtureRequest) -> None:
    """What the console said at the first try of a test does not count at its second."""
    if getattr(request.node, "execution_count", 1) > 1 and "page" in request.fixturenames:
        request.getfixturevalue("page").errors.clear()
