"""One running product for every file of page tests that a worker gets: starting one is dear."""

from collections.abc import Iterator

import pytest
import pytest_rerunfailures
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """What a test marked `anew` did cannot be done twice: its second try gets a new product."""
    result = yield
    stack = item.session._setupstate
    if item.get_closest_marker("anew") and not stack.stack:  # set aside for the next try
        pytest_rerunfailures._restore_suspended_finalizers(item)
        stack.teardown_exact(None)
    return result
