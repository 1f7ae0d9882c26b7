"""The account's memory: one record of eight-byte words that kernels read and write in place.

The classes are the documentation and the types for mypy; `ACCOUNT` is the memory. Points, steps,
cents and nanoseconds as the package says; `thousandths` are thousandths of a point.
"""

from typing import Annotated

import numpy as np

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.features.records import Fixed, record_dtype

POSITIONS, REQUESTS, ROWS, RESERVE, PARTIALS, SAMPLES = 128, 256, 2048, 768, 8, 1024
"""Most positions and requests under way; rows of each output before they must be drained, and how
many of them are kept free for one quote; most partial exits; samples of slippage. One more row of
requests serves to exchange two."""
NEVER = 2**62
"""A time or price that no quote reaches."""


class Terms:
    """Set once, by `open_account`. Amounts that are ratios have a numerator and a denominator.

    money_up/money_down: cents of quote currency per step and thousandth of a point.
    commission_*: cents per step. swap_*: cents of quote currency per step and night.
    quote_source, base_source: 0 the account's currency, 1 the bid, 2 one over the ask, 3 given.
    leverage: 1 where the margin does not depend on it.
    *_level_*: shares of margin. latency_ns shifts, latency_spread_ns scales the exponential tail.
    slips: points against us, drawn uniformly; slips_known of them.
    """

    digits: int
    scale: float
    volume_step: float
    volume_min: int
    volume_max: int
    lot_units: float
    leverage: float
    is_margin_per_lot: int
    margin_initial: float
    margin_rate_long: float
    margin_rate_short: float
    stops_level: int
    money_up: int
    money_down: int
    commission_up: int
    commission_down: int
    swap_long: int
    swap_short: int
    swap_down: int
    triple_day: int
    has_swap: int
    quote_source: int
    base_source: int
    is_hedging: int
    margin_call_up: int
    margin_call_down: int
    stop_out_up: int
    stop_out_down: int
    fills_at_signal: int
    latency_ns: float
    latency_spread_ns: float
    quote_wait_ns: int
    reject_fraction: float
    partial_fraction: float
    seed: int
    slips_known: int
    slips: Annotated[Float64Array, Fixed((SAMPLES,))]
    positions_max: int
    orders_per_day_max: int
    spread_max: float
    hours_start: int
    hours_end: int
    daily_loss_fraction: float
    drawdown_fraction: float
    break_even_after_r: float
    time_ns: int
    partials_known: int
    partial_at_r: Annotated[Float64Array, Fixed((PARTIALS,))]
    partial_share: Annotated[Float64Array, Fixed((PARTIALS,))]
    sample_ns: int


class Exits:
    """What the next entry carries; the caller writes it before `enter`. Points, 0 = none.

    `stop` and `target` count from the price of the quote that is decided on, as a terminal must
    send them; `trailing` from the best closing price since the fill. `stop_price`, `target_price`:
    absolute prices instead, for callers that know them.
    """

    stop: int
    target: int
    trailing: int
    trailing_step: int
    break_even_offset: int
    stop_price: int
    target_price: int


class Request:
    """A request on its way to the broker."""

    number: int
    kind: int
    reason: int
    side: int
    lots: int
    ticket: int
    opposite: int
    decided_ns: int
    due_ns: int
    exits: Exits


class Position:
    """An open position; `open` is its price in thousandths of a point.

    first_lots: as opened, what partial exits are shares of. entries: fills that made it. margin,
    swap, commission: cents not yet taken out by a close (margin at the rate of the opening).
    spread, slip: points at the fills times steps. risk: first stop's distance, points; 0 = none.
    best, worst: closing price since the opening, points. partials_done: a bit each.
    leaving: steps that requests under way will close.
    """

    ticket: int
    side: int
    lots: int
    first_lots: int
    entries: int
    decided_ns: int
    open_ns: int
    open: int
    stop: int
    target: int
    stop_reason: int
    risk: int
    trailing: int
    trailing_step: int
    break_even_offset: int
    is_break_even: int
    partials_done: int
    expires_ns: int
    margin: int
    swap: int
    commission: int
    spread: int
    slip: int
    best: int
    worst: int
    leaving: int


class Exit:
    """The exit being booked: `price` in thousandths, `spread` and `slip` in points."""

    lots: int
    price: int
    reason: int
    spread: int
    slip: int


class TradeRow:
    """One closed part of a position; prices in thousandths of a point, money in cents."""

    ticket: int
    side: int
    lots: int
    decided_ns: int
    open_ns: int
    open: int
    close_ns: int
    close: int
    reason: int
    gross: int
    commission: int
    swap: int
    worst: int
    best: int
    spread_cost: int
    slip_cost: int


class OrderRow:
    """One request and what became of it; price in thousandths of a point, 0 when refused."""

    number: int
    ts_ns: int
    kind: int
    side: int
    lots: int
    filled_ns: int
    price: int
    filled: int
    answer: int
    reason: int


class EquityRow:
    """A sample of the curve, cents; `lots` is net, in steps."""

    ts_ns: int
    balance: int
    equity: int
    lots: int


EXITS = record_dtype(Exits, 1)
REQUEST = record_dtype(Request, 1)
POSITION = record_dtype(Position, 1)
TRADE_ROW = record_dtype(TradeRow, 1)
ORDER_ROW = record_dtype(OrderRow, 1)
EQUITY_ROW = record_dtype(EquityRow, 1)


class Account:
    """The whole account.

    Attributes:
        wake_ns: when something happens by the time alone. one_side: +1 or −1 while only such
            positions are held and no rate converts, else 0; then low and high bound the closing
            price within which nothing happens, lowest and highest are its extremes.
        bid_low … ask_high: beyond these a quote concerns a position. cash … per_point: equity of a
            quiet quote is cash + (bid · longs − ask · shorts − cost) · per_point · rate;
            equity_low, equity_high: beyond these it counts.
        lowest_bid … highest_ask: of the quotes since the positions were looked at last, where
            one_side is 0.
        bid, ask, ts_ns: the last quote. given_quote_rate, given_base_rate: account currency per
            unit, written by the caller where the terms say 3.
        balance, peak, max_drawdown, day_start, equity: cents. max_drawdown_share: of the peak.
        rollover_ns: the next one not booked. orders_today: entries sent this broker day.
        halted_day, halted: entries are refused until the day turns, for good.
        aim: net steps when every request under way is done. aim_longs, aim_shorts: of each side.
        model_share: what is left of a size, 1 unless forecasts stand behind the flow; 0 = a veto,
            −1 = that around a scheduled event.
        exit: what `close_part` books. denials: by reason. orders, trades, samples: rows held in
            the outputs below; lost: rows that found no room (an error of the caller).
    """

    wake_ns: int
    held: int
    one_side: int
    low: int
    high: int
    lowest: int
    highest: int
    lowest_bid: int
    highest_bid: int
    lowest_ask: int
    highest_ask: int
    bid_low: int
    bid_high: int
    ask_low: int
    ask_high: int
    longs: float
    shorts: float
    cost: float
    cash: float
    per_point: float
    equity_low: float
    equity_high: float
    ts_ns: int
    bid: int
    ask: int
    given_quote_rate: float
    given_base_rate: float
    balance: int
    equity: int
    peak: int
    max_drawdown: int
    max_drawdown_share: float
    day_start: int
    rollover_ns: int
    next_sample_ns: int
    orders_today: int
    halted_day: int
    halted: int
    flags: int
    waiting: int
    last_number: int
    last_ticket: int
    aim: int
    aim_longs: int
    aim_shorts: int
    model_share: float
    orders: int
    trades: int
    samples: int
    lost: int
    deposit: int
    denials: Annotated[Int64Array, Fixed((16,))]
    exits: Exits
    exit: Exit
    terms: Terms
    positions: Annotated[list[Position], np.dtype((POSITION, (POSITIONS,)))]
    requests: Annotated[list[Request], np.dtype((REQUEST, (REQUESTS + 1,)))]
    order_rows: Annotated[list[OrderRow], np.dtype((ORDER_ROW, (ROWS,)))]
    trade_rows: Annotated[list[TradeRow], np.dtype((TRADE_ROW, (ROWS,)))]
    equity_rows: Annotated[list[EquityRow], np.dtype((EQUITY_ROW, (ROWS,)))]


ACCOUNT = record_dtype(Account, 1)
