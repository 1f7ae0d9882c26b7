"""Whether a symbol is still what it was at an account's own broker."""

import msgspec
import pytest
from trading_fixtures import EURUSD, NOON_NS, Desk

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.instrument import Instrument, MarginMode
from plan2.intelligence.decision.apart import Tolerance, terms_apart
from plan2.intelligence.own_quotes import OwnSeat, OwnTerms

MEASURED = msgspec.structs.replace(
    EURUSD, margin_mode=MarginMode.VALUE, margin_rate_long=0.033_334, margin_rate_short=0.033_334
)
PER_LOT = msgspec.structs.replace(
    EURUSD, margin_mode=MarginMode.LOT, margin_initial=1_000.0, margin_rate_short=1.5
)
BY_TICK = msgspec.structs.replace(EURUSD, tick_size=0.00005, tick_value=6.25)


def said(own: Instrument, **changes: object) -> str:
    """What is wrong with EURUSD once its broker tells other contract data."""
    told = msgspec.structs.replace(own, **changes)
    terms = OwnTerms(
        shared={"EURUSD": EURUSD}, current=lambda _: told, tolerance=Tolerance(),
        spike_sigmas=10.0, clock=SimulatedClock(NOON_NS),
    )  # fmt: skip
    return OwnSeat(Desk().account, lambda _: None, {"EURUSD": own}, terms).terms("EURUSD")


@pytest.mark.parametrize(
    ("own", "changes"),
    [
        (MEASURED, {"margin_rate_long": 0.033_341}),
        (MEASURED, {"margin_rate_short": 0.033_300}),
        (PER_LOT, {"margin_initial": 1_000.37}),
        (PER_LOT, {"swap_long_points": -9.9, "description": "other"}),
    ],
)
def test_a_margin_measured_anew_is_the_same(own: Instrument, changes: dict[str, object]) -> None:
    """Each connection asks through the quotes of its moment."""
    assert said(own, **changes) == ""


@pytest.mark.parametrize(
    ("own", "changes"),
    [
        (MEASURED, {"margin_rate_long": 0.05}),
        (PER_LOT, {"margin_initial": 1_500.0}),
        (PER_LOT, {"margin_initial": 0.0}),
        (EURUSD, {"margin_mode": MarginMode.VALUE}),
        (EURUSD, {"contract_size": 1_000.0}),
        (EURUSD, {"leverage": 500.0}),
        (EURUSD, {"tick_size": 0.00005, "tick_value": 6.25}),
        (BY_TICK, {"tick_value": 5.0}),
    ],
)
def test_another_margin_is_another_contract(own: Instrument, changes: dict[str, object]) -> None:
    """As with every other term, until the account is opened anew."""
    assert "changed its contract data" in said(own, **changes)


def test_a_lot_that_earns_otherwise_is_another_thing() -> None:
    """Where the other broker's goes by the contract size; nearly the same tick is the same."""
    assert "brings a lot 125000 instead of 100000 USD" in said(BY_TICK)
    assert terms_apart(BY_TICK, msgspec.structs.replace(BY_TICK, tick_value=6.2503)) == ""
