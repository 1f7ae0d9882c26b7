"""Values: immutable, with signs that arithmetic can use."""

import numpy as np
import pytest

from plan2.foundation.values import Side, Tick, TickBlock


def test_the_value_of_a_side_is_the_sign_of_its_exposure() -> None:
    """Buying gains when the price rises."""
    assert (Side.BUY.value, Side.SELL.value) == (1, -1)
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY


def test_the_mid_is_halfway() -> None:
    """1.10 and 1.12 have the mid 1.11."""
    assert Tick("EURUSD", 0, 1.10, 1.12).mid == pytest.approx(1.11, abs=1e-15)


def test_a_tick_cannot_be_changed() -> None:
    """History does not change after the fact."""
    tick = Tick("EURUSD", 0, 1.10, 1.12)

    with pytest.raises(AttributeError):
        tick.bid = 2.0


def test_a_slice_shares_memory_and_keeps_columns_together() -> None:
    """Rows 1..3 of each column, as views."""
    block = TickBlock(
        "EURUSD",
        np.array([1, 2, 3, 4], dtype=np.int64),
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([1.5, 2.5, 3.5, 4.5]),
    )

    part = block.slice(1, 3)

    assert (len(block), len(part)) == (4, 2)
    assert part.ts_ns.tolist() == [2, 3]
    assert part.bid.tolist() == [2.0, 3.0]
    assert part.ask.tolist() == [2.5, 3.5]
    assert np.shares_memory(part.bid, block.bid)
