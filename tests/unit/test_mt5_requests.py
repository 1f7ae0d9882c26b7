"""Requests of each kind against the fields that MetaTrader documents; matching of names."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from plan2.dataflow.terminals.mt5.calls import request_fault
from plan2.dataflow.terminals.mt5.codes import OrderFilling
from plan2.dataflow.terminals.mt5.requests import Ground, request_of
from plan2.dataflow.terminals.mt5.symbols import (
    Contract,
    fillings,
    instrument_of,
    match_names,
    swap_notes,
)
from plan2.dataflow.terminals.port import OrderKind, Trigger
from plan2.foundation.errors import ConfigError
from plan2.foundation.values import Side
from simulated_world import order

CONTRACT = Contract(
    ours="EURUSD",
    name="EURUSDm",
    digits=5,
    tick_size=0.00001,
    execution=2,
    filling_mask=2,
    expiration_mask=15,
)
GROUND = Ground(contract=CONTRACT, bid=1.08500, ask=1.08508, position=77, opposite=78)
IN = {
    "action": 1,
    "symbol": "EURUSDm",
    "volume": 0.1,
    "type": 0,
    "type_filling": 1,
    "price": 1.08508,
    "deviation": 20,
    "sl": 1.08,
    "tp": 1.09,
    "magic": 7,
    "comment": "token-order-1",
}
PENDING = {
    "action": 5,
    "symbol": "EURUSDm",
    "volume": 0.1,
    "price": 1.08,
    "sl": 1.07,
    "tp": 1.1,
    "type_filling": 2,
    "type_time": 0,
    "expiration": 0,
    "magic": 7,
    "comment": "token-order-1",
}


def _ground(**changes: Any) -> Ground:
    known: dict[str, Any] = {"contract": CONTRACT, "bid": 1.08500, "ask": 1.08508}
    return Ground(**(known | changes))


def test_market_in() -> None:
    """DEAL with price, deviation, filling, stops, magic and comment; no position."""
    wanted = order(stop_loss=1.08, take_profit=1.09)

    assert request_of(wanted, _ground()) == IN


@pytest.mark.parametrize(
    ("side", "number", "price"), [(Side.BUY, 0, 1.08508), (Side.SELL, 1, 1.085)]
)
def test_market_out_names_the_position(side: Side, number: int, price: float) -> None:
    """Closing is the same with the opposite type and the position's ticket of today."""
    made = request_of(order(side=side, kind=OrderKind.CLOSE, position_ticket="5"), GROUND)

    assert made == IN | {"type": number, "price": price, "sl": 0.0, "tp": 0.0, "position": 77}


@pytest.mark.parametrize(
    ("trigger", "side", "number"),
    [
        (Trigger.LIMIT, Side.BUY, 2),
        (Trigger.LIMIT, Side.SELL, 3),
        (Trigger.STOP, Side.BUY, 4),
        (Trigger.STOP, Side.SELL, 5),
        (Trigger.STOP_LIMIT, Side.BUY, 6),
        (Trigger.STOP_LIMIT, Side.SELL, 7),
    ],
)
def test_pending(trigger: Trigger, side: Side, number: int) -> None:
    """PENDING with types 2 to 7; only stop-limit has a second price."""
    wanted = order(
        kind=OrderKind.PENDING,
        side=side,
        trigger=trigger,
        price=1.08,
        limit_price=1.0795,
        stop_loss=1.07,
        take_profit=1.1,
    )
    second = {"stoplimit": 1.0795} if trigger is Trigger.STOP_LIMIT else {}

    made = request_of(wanted, _ground(filling=OrderFilling.RETURN))

    assert made == PENDING | {"type": number} | second


def test_pending_with_an_end() -> None:
    """SPECIFIED with server seconds, a plain int."""
    wanted = order(kind=OrderKind.PENDING, trigger=Trigger.LIMIT, price=1.08)
    made = request_of(wanted, _ground(expiration_s=1_709_640_000))

    assert (made["type_time"], made["expiration"]) == (2, 1_709_640_000)


def test_a_pending_order_needs_a_trigger() -> None:
    """A pending order at market does not exist."""
    with pytest.raises(ValueError, match="trigger"):
        request_of(order(kind=OrderKind.PENDING), GROUND)


def test_both_stops_are_always_written() -> None:
    """A level that is not named would be removed, so both are."""
    made = request_of(order(kind=OrderKind.PROTECT, position_ticket="5", stop_loss=1.08), GROUND)

    assert made == {"action": 6, "position": 77, "symbol": "EURUSDm", "sl": 1.08, "tp": 0.0}


def test_change_cancel_and_close_by() -> None:
    """MODIFY writes prices, stops and lifetime; REMOVE names the order; CLOSE_BY two positions."""
    changed = order(kind=OrderKind.CHANGE, order_ticket="9", price=1.08, stop_loss=1.07)
    assert request_of(changed, GROUND) == {
        "action": 7,
        "order": 9,
        "price": 1.08,
        "sl": 1.07,
        "tp": 0.0,
        "type_time": 0,
        "expiration": 0,
    }
    cancelled = order(kind=OrderKind.CANCEL, order_ticket="9")
    assert request_of(cancelled, GROUND) == {"action": 8, "order": 9}
    closed = order(kind=OrderKind.CLOSE_BY, position_ticket="5", opposite_ticket="6")
    assert request_of(closed, GROUND) == {
        "action": 10,
        "position": 77,
        "position_by": 78,
        "magic": 7,
        "comment": "token-order-1",
    }


def test_every_request_has_the_exact_types() -> None:
    """No kind of order gives a field that the package would refuse, whatever numbers come in."""
    for kind in OrderKind:
        wanted = order(
            kind=kind,
            trigger=Trigger.STOP_LIMIT,
            quantity=np.float64(0.1),
            price=np.float64(1.08),
            limit_price=1,
            stop_loss=1,
            magic=np.int64(7),
            deviation_points=np.int64(5),
            order_ticket="9",
        )
        assert request_fault(request_of(wanted, GROUND)) == "", kind


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("volume", 1),
        ("volume", float("nan")),
        ("price", np.float32(1.0)),
        ("magic", 7.0),
        ("magic", -1),
        ("order", np.int64(3)),
        ("comment", "x" * 27),
        ("comment", "tökens"),
        ("symbol", "x" * 30),
        ("surprise", 1),
    ],
)
def test_what_the_package_would_refuse_is_found_first(field: str, value: Any) -> None:
    """Ints for floats, numpy numbers, negative unsigned, long or foreign text, unknown fields."""
    assert f'"{field}"' in request_fault({field: value})


@pytest.mark.parametrize(
    ("mask", "execution", "market"),
    [
        (3, 2, "IOC"),
        (1, 2, "FOK"),
        (2, 1, "IOC"),
        (0, 1, "RETURN"),
        (0, 3, "RETURN"),
        (0, 2, "FOK"),
    ],
)
def test_filling_follows_mask_and_execution(mask: int, execution: int, market: str) -> None:
    """IOC before FOK by the mask; RETURN only where execution is not Market, or pending."""
    contract = Contract(
        ours="A",
        name="A",
        digits=5,
        tick_size=1e-5,
        execution=execution,
        filling_mask=mask,
        expiration_mask=15,
    )
    assert fillings(contract, is_pending=False)[0].name == market
    assert fillings(contract, is_pending=True)[0].name == "RETURN"


@pytest.mark.parametrize(
    ("price", "tick_size", "digits", "rounded"),
    [(1.085004, 1e-5, 5, 1.08500), (2031.37, 0.05, 2, 2031.35), (2031.38, 0.05, 2, 2031.4),
     (0.0, 0.05, 2, 0.0), (17234.13, 0.25, 2, 17234.25)],
)  # fmt: skip
def test_prices_lie_on_the_tick_grid(
    price: float, tick_size: float, digits: int, rounded: float
) -> None:
    """Nearest multiple of the tick size, by hand; 0 stays none."""
    contract = Contract(
        ours="A",
        name="A",
        digits=digits,
        tick_size=tick_size,
        execution=2,
        filling_mask=2,
        expiration_mask=15,
    )
    assert contract.price(price) == rounded


def _offered(*names: str, base: str = "EUR", profit: str = "USD") -> list[Any]:
    return [
        SimpleNamespace(name=name, currency_base=base, currency_profit=profit) for name in names
    ]


@pytest.mark.parametrize("name", ["EURUSD", "EURUSDm", "EURUSD.r", "#EURUSD", "eurusd", "EUR/USD"])
def test_the_only_fitting_name_is_taken(name: str) -> None:
    """The same name, or one decorated with a suffix, prefix or sign."""
    assert match_names(["EURUSD"], {}, _offered(name, "GBPUSD")) == {"EURUSD": name}


def test_an_exact_name_wins_over_decorated_ones() -> None:
    """EURUSD is EURUSD although EURUSDm is there."""
    assert match_names(["EURUSD"], {}, _offered("EURUSDm", "EURUSD")) == {"EURUSD": "EURUSD"}


def test_several_names_are_a_question() -> None:
    """The error names the candidates and the key that decides."""
    with pytest.raises(ConfigError) as caught:
        match_names(["EURUSD"], {}, _offered("EURUSDm", "EURUSD.r"))

    assert "EURUSD.r, EURUSDm" in str(caught.value)
    assert "symbol_names" in caught.value.remedy


def test_the_configured_name_decides_and_must_exist() -> None:
    """Even a name that looks quite different; a wrong one is refused with what there is."""
    offered = [*_offered("EURUSDm", "EURUSD.r"), *_offered("GOLD", base="XAU")]

    assert match_names(["XAUUSD"], {"XAUUSD": "GOLD"}, offered) == {"XAUUSD": "GOLD"}
    with pytest.raises(ConfigError, match="EURUSDx"):
        match_names(["EURUSD"], {"EURUSD": "EURUSDx"}, offered)


def test_other_currencies_are_not_the_symbol() -> None:
    """A name that contains ours but trades other currencies does not fit; nothing is guessed."""
    with pytest.raises(ConfigError, match="nothing of that name"):
        match_names(["EURUSD"], {}, _offered("EURUSDX", profit="USX"))


def _symbol_info(**changes: Any) -> Any:
    tickmill = {
        "name": "EURUSD",
        "description": "",
        "currency_base": "EUR",
        "currency_profit": "USD",
        "digits": 5,
        "trade_contract_size": 100000.0,
        "volume_min": 0.01,
        "volume_max": 100.0,
        "volume_step": 0.01,
        "trade_stops_level": 0,
        "trade_freeze_level": 0,
        "swap_mode": 1,
        "swap_long": -6.8,
        "swap_short": 3.98,
        "swap_rollover3days": 3,
    }
    return SimpleNamespace(**(tickmill | changes))


def test_a_real_brokers_contract() -> None:
    """EURUSD as a Tickmill demo tells it (captured 2026-05-03)."""
    made = instrument_of("EURUSD", _symbol_info(), 500, Decimal("3.50"))

    assert (made.digits, made.swap_long_points, made.swap_short_points) == (5, -6.8, 3.98)
    assert (made.swap_rollover3days, made.leverage, made.volume_max) == (3, 500.0, 100.0)
    assert swap_notes(_symbol_info()) == []


def test_a_swap_that_is_not_in_points_is_flagged() -> None:
    """Its numbers are not taken for points."""
    percent = _symbol_info(swap_mode=5)
    made = instrument_of("EURUSD", percent, 30, Decimal("3.50"))

    assert (made.swap_long_points, made.swap_short_points) == (0.0, 0.0)
    assert "interest_current" in swap_notes(percent)[0]
