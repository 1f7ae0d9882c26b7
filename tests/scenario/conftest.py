"""One running product for every file of page tests that a worker gets: starting one is dear."""

from collections.abc import Iterator

import pytest
from product import Product

CALM = {
    "PLAN2_SIMULATED__SPEED": "60",
    "PLAN2_DECISION__EXPLORE_AFTER_S": "0",
    "PLAN2_RISK__TICK_AGE_MAX_MS": "3600000",
    "PLAN2_RISK__COLLAR_REFERENCE_MAX_AGE_MS": "3600000",
    "PLAN2_RISK__POSITIONS_MAX": "40",
    "PLAN2_RISK__POSITIONS_PER_SYMBOL_MAX": "20",
}
"""Slow enough that pages, not the market, take the time.

What the models trade meanwhile leaves room for an order by hand, and half a second's delay of a
crowded machine, half a minute of this market, is no reason to refuse it.
"""


@pytest.fixture(scope="session")
def calm_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A running product with a trained model and a fresh data folder; it is stopped in order."""
    running = Product(tmp_path_factory.mktemp("calm") / "data", more=CALM)
    yield running
    assert running.stop() == 0
