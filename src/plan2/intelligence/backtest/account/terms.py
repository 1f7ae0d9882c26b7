"""From a flow and an instrument to an account that is ready for its first quote."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument, MarginMode, exact_units
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_MS, NS_PER_SECOND, Float64Array
from plan2.intelligence.backtest.account.compiled import make_ready
from plan2.intelligence.backtest.account.records import ACCOUNT, NEVER, PARTIALS, SAMPLES
from plan2.intelligence.backtest.account.valuation import ASK, BID, GIVEN, OWN
from plan2.intelligence.flows.flow import Execution, Flow, FlowRisk

DIGITS_MAX = 8
NUMERATOR_MAX = 1_000_000
"""Of what a step and a thousandth of a point are worth: times lots and moves it must fit 64 bits.
"""


def open_account(
    flow: Flow,
    instrument: Instrument,
    *,
    slips: Float64Array | None = None,
    quote_wait_s: float = 60.0,
    sample_ns: int = NS_PER_MINUTE,
) -> npt.NDArray[np.void]:
    """A new account, ACCOUNT[1], with the flow's deposit, costs, limits and misfortunes.

    Args:
        flow: whose deposit, costs, limits and exits.
        instrument: contract of its symbol.
        slips: measured slippage in points, for `slippage = "empirical"`.
        quote_wait_s: how long a request waits for a quote before it is refused; 0 = for ever,
            for quotes made of bars.
        sample_ns: between two rows of the equity curve; 0 = only the first and the last.

    Raises:
        InputError: the flow cannot be traded on this instrument as it is.
    """
    accounts = np.zeros(1, ACCOUNT)
    deposit = int(Decimal(flow.account.balance) * 100)
    for name in ("balance", "equity", "peak", "day_start", "deposit"):
        accounts[name] = deposit
    accounts["model_share"] = 1.0
    terms = accounts[0]["terms"]
    _write_contract(terms, flow, instrument)
    _write_costs(terms, flow, instrument)
    _write_execution(terms, flow.execution, slips)
    terms["quote_wait_ns"] = round(quote_wait_s * NS_PER_SECOND)
    terms["sample_ns"] = sample_ns
    _write_limits(terms, flow.risk)
    _write_exits(terms, flow)
    make_ready()
    return accounts


def _write_contract(terms: Any, flow: Flow, instrument: Instrument) -> None:
    """Prices, volumes, margin; `terms` is a numpy record, whose fields numpy does not type."""
    if not 0 <= instrument.digits <= DIGITS_MAX:
        raise InputError(
            f"{instrument.symbol} has {instrument.digits} digits; a backtest knows 0 to 8."
        )
    terms["digits"], terms["scale"] = instrument.digits, 10.0**instrument.digits
    step = _exact(instrument.volume_step)
    terms["volume_step"] = instrument.volume_step
    terms["volume_min"] = round(_exact(instrument.volume_min) / step)
    terms["volume_max"] = int(_exact(instrument.volume_max) / step)
    terms["lot_units"] = instrument.lot_units
    is_levered = instrument.margin_mode is MarginMode.LEVERAGE
    terms["leverage"] = flow.account.leverage if is_levered else 1.0
    terms["is_margin_per_lot"] = instrument.margin_mode is MarginMode.LOT
    terms["margin_initial"] = instrument.margin_initial
    terms["margin_rate_long"] = instrument.margin_rate_long
    terms["margin_rate_short"] = instrument.margin_rate_short
    terms["stops_level"] = instrument.stops_level_points
    terms["is_hedging"] = flow.account.mode == "hedging"
    currency = flow.account.currency
    terms["quote_source"] = _source(instrument.quote, currency, instrument, turned=ASK)
    terms["base_source"] = _source(instrument.base, currency, instrument, turned=BID)
    _ratio(terms, "margin_call", _exact(flow.account.margin_call_level))
    _ratio(terms, "stop_out", _exact(flow.account.stop_out_level))


def _write_costs(terms: Any, flow: Flow, instrument: Instrument) -> None:
    """What a step's move, side and night are worth in cents, as exact ratios."""
    step_units = _exact(instrument.volume_step) * exact_units(instrument)
    point = Fraction(100, 10**instrument.digits) * step_units
    money = point / 1000
    if money.numerator > NUMERATOR_MAX:
        raise InputError(
            f"{instrument.symbol}: a move of 1 is worth {instrument.lot_units} {instrument.quote} "
            "per lot; a backtest reckons in whole numbers and cannot hold so many digits."
        )
    _ratio(terms, "money", money)
    own = flow.execution.commission_per_lot
    per_lot = Fraction(Decimal(own)) if own else Fraction(instrument.commission_per_lot)
    _ratio(terms, "commission", 100 * per_lot * _exact(instrument.volume_step))
    nights = [
        _exact(points) * point
        for points in (instrument.swap_long_points, instrument.swap_short_points)
    ]
    down = math.lcm(nights[0].denominator, nights[1].denominator)
    terms["swap_long"], terms["swap_short"] = (int(night * down) for night in nights)
    terms["swap_down"] = down
    terms["triple_day"] = instrument.swap_rollover3days
    terms["has_swap"] = flow.execution.swap


def _write_execution(
    terms: Any,
    execution: Execution,
    slips: Float64Array | None,
) -> None:
    """How requests travel and what befalls them."""
    terms["fills_at_signal"] = execution.fill == "signal_quote"
    terms["latency_ns"] = execution.latency_ms * NS_PER_MS
    terms["latency_spread_ns"] = execution.latency_spread_ms * NS_PER_MS
    terms["reject_fraction"] = execution.reject_fraction
    terms["partial_fraction"] = execution.partial_fraction
    terms["seed"] = execution.seed
    known = np.array([execution.slippage_points] if execution.slippage_points else [])
    if execution.slippage == "empirical":
        if slips is None or len(slips) == 0:
            raise InputError(
                'execution.slippage = "empirical" needs recorded fills; there are none yet. '
                'Trade on paper first, or say slippage = "fixed".'
            )
        shares = (np.arange(SAMPLES) + 0.5) / SAMPLES
        known = slips if len(slips) <= SAMPLES else np.quantile(slips, shares)
    terms["slips_known"] = len(known)
    terms["slips"][: len(known)] = known


def _write_limits(terms: Any, risk: FlowRisk) -> None:
    """The flow's own limits."""
    terms["positions_max"] = risk.positions_max
    terms["orders_per_day_max"] = risk.orders_per_day_max
    terms["spread_max"] = risk.spread_max_points
    terms["daily_loss_fraction"] = risk.daily_loss_max_fraction
    terms["drawdown_fraction"] = risk.drawdown_max_fraction
    if risk.hours:
        start, end = risk.hours.split("-")
        terms["hours_start"], terms["hours_end"] = _minute(start), _minute(end)


def _write_exits(terms: Any, flow: Flow) -> None:
    """What of the exits is a constant of the flow; distances come with each entry."""
    exits = flow.exits
    if len(exits.partial) > PARTIALS:
        raise InputError(
            f"{flow.name}: at most {PARTIALS} partial exits; found {len(exits.partial)}."
        )
    terms["break_even_after_r"] = exits.break_even_after_r
    terms["time_ns"] = min(round(exits.time_s * NS_PER_SECOND), NEVER)
    terms["partials_known"] = len(exits.partial)
    for place, partial in enumerate(exits.partial):
        terms["partial_at_r"][place] = partial.at_r
        terms["partial_share"][place] = partial.fraction


def _source(currency: str, own: str, instrument: Instrument, *, turned: int) -> int:
    """Where the rate from a currency to the account's own comes from."""
    if currency == own:
        return OWN
    return turned if own in {instrument.base, instrument.quote} else GIVEN


def _ratio(terms: Any, name: str, value: Fraction) -> None:
    terms[f"{name}_up"], terms[f"{name}_down"] = value.numerator, value.denominator


def _exact(value: float) -> Fraction:
    """The decimal that a float prints as."""
    return Fraction(Decimal(repr(value)))


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
