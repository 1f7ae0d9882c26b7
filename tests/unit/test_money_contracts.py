"""What a lot is worth: contracts of which MetaTrader says a currency that nobody trades there."""

import math
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from kill_fixtures import PERSON, WIDE
from trading_fixtures import BUY, EURUSD, NOON_NS, Desk, scene

from plan2.dataflow.terminals.mt5.symbols import instrument_of
from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Tick
from plan2.intelligence.trading.rates import Rates
from plan2.intelligence.trading.wishes import OrderWish


def contract(ours: str, base: str, profit: str, size: float = 1.0) -> Instrument:
    """Our contract of what a broker says."""
    info: Any = SimpleNamespace(
        name=ours, description="", currency_base=base, currency_profit=profit, digits=2,
        trade_contract_size=size, volume_min=0.1, volume_max=100.0, volume_step=0.1,
        trade_stops_level=0, trade_freeze_level=0, swap_mode=1, swap_long=0.0, swap_short=0.0,
        swap_rollover3days=3,
    )  # fmt: skip
    return instrument_of(ours, info, 20, Decimal("0.00"))


@pytest.mark.parametrize(
    ("ours", "base", "profit", "unit"),
    [
        ("EURUSD", "EUR", "USD", "EUR"),
        ("XAUUSD", "XAU", "USD", "XAU"),
        ("XAUUSD", "USD", "USD", "XAUUSD"),
        ("DE40", "EUR", "EUR", "DE40"),
        ("UK100", "GBP", "USD", "UK100"),
        ("AAPL", "USD", "USD", "AAPL"),
        ("OIL", "", "USD", "OIL"),
    ],
)
def test_a_lot_counts_units_of_what_is_traded(ours: str, base: str, profit: str, unit: str) -> None:
    """Of a pair its base, of a metal the ounce; of everything else the symbol itself."""
    assert contract(ours, base, profit).base == unit


def test_a_unit_of_an_index_is_worth_its_price_in_the_accounts_currency() -> None:
    """18,000.5 EUR at 1.1 USD are 19,800.55 USD; nothing while one of the quotes is missing."""
    rates = Rates("USD", {"DE40": contract("DE40", "EUR", "EUR"), "EURUSD": EURUSD})
    rates.update(Tick("DE40", NOON_NS, 18_000.0, 18_001.0))
    assert math.isnan(rates.rate("DE40"))
    rates.update(Tick("EURUSD", NOON_NS, 1.1, 1.1))
    assert rates.rate("DE40") == pytest.approx(19_800.55)


def test_an_index_does_not_say_what_a_currency_is_worth() -> None:
    """8,000 USD for a unit of the FTSE are not the price of a pound."""
    pound = msgspec.structs.replace(EURUSD, symbol="GBPUSD", base="GBP")
    rates = Rates("USD", {"GBPUSD": pound, "UK100": contract("UK100", "GBP", "USD")})
    rates.update(Tick("GBPUSD", NOON_NS, 1.25, 1.25))
    rates.update(Tick("UK100", NOON_NS, 8_000.0, 8_000.0))
    assert rates.rate("GBP") == 1.25


def test_the_limits_see_what_an_order_of_an_index_is_worth() -> None:
    """10 lots at 18,000 of an account of 10,000: 180,000, more than six times the equity."""
    index = contract("DE40", "USD", "USD")
    risk = msgspec.structs.replace(WIDE.risk, exposure_max_fraction=6.0, collar_max_points=1e9)
    desk = Desk(msgspec.structs.replace(WIDE, risk=risk), instrument=index).arm()
    desk.account.on_tick(scene(Tick("DE40", NOON_NS, 18_000.0, 18_000.0), None))
    wish = OrderWish(
        kind=OrderKind.OPEN, ask=PERSON, symbol="DE40", side=BUY, quantity=10.0,
        stop_loss=17_900.0, key="index",
    )  # fmt: skip
    refusal = desk.account.requests.request(wish, NOON_NS).refusal
    assert refusal is not None
    assert (refusal.rule, refusal.value) == ("exposure", 180_000.0)
