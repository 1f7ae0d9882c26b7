"""What REST answers and stream rows are made of: msgspec structs, mirrored by the web app's types.

Times are integer microseconds UTC, prices plain numbers in quote currency, quantities lots, money
decimal strings in account currency. A struct with `array_like` travels as a list, in this order.
"""

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items, newest first, and where the next older ones start (None = there are none)."""

    items: list[T]
    next_cursor: str | None


class QuoteRow(msgspec.Struct, frozen=True, array_like=True):
    """A symbol's last quote; `change_fraction` is since the close of the UTC day before."""

    symbol: str
    ts_us: int
    bid: float
    ask: float
    spread_points: float
    change_fraction: float | None
    state: str


class CandleRow(msgspec.Struct, frozen=True, array_like=True):
    """A bar of bid prices, closed or forming; `time_us` is its start."""

    time_us: int
    open: float
    high: float
    low: float
    close: float
    ticks: int


class ForecastRow(msgspec.Struct, frozen=True, array_like=True):
    """A symbol's last forecast; votes are (family, calibrated, weight)."""

    symbol: str
    ts_us: int
    p_up: float
    disagreement: float
    abstained: str
    votes: tuple[tuple[str, float, float], ...]


class AccountRow(msgspec.Struct, frozen=True, array_like=True):
    """The account now; `drawdown` is the fraction lost since the peak."""

    balance: str
    equity: str
    margin: str
    day_pnl: str
    drawdown: float
    trading_state: str


class DecisionItem(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as lists show it; p, ev and cost are of the chosen side, quote currency."""

    decision_id: str
    ts_us: int
    symbol: str
    outcome: str
    reason: str
    sentence: str
    side: str | None
    p: float | None
    ev: float | None
    cost: float | None
    quantity: float | None
    order_id: str | None


class EventItem(msgspec.Struct, frozen=True, kw_only=True):
    """A stored event; `payload` is shown with microseconds instead of nanoseconds."""

    position: int
    at_us: int
    type: str
    stream_id: str
    actor: str
    correlation_id: str
    payload: dict[str, Any]  # any JSON: the payload's shape belongs to its type


class SymbolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a symbol is, and its last quote if there is one.

    Volumes in lots; `lot_units` is what a lot gains when its price rises by one, quote currency;
    `stops_level_points` is the least distance of stops and pending prices from the
    market; `quote_rate` is account currency per unit of quote currency, None while nothing tells.
    """

    symbol: str
    description: str
    base: str
    quote: str
    digits: int
    point: float
    contract_size: float
    lot_units: float
    volume_min: float
    volume_step: float
    volume_max: float
    stops_level_points: int
    quote_rate: float | None
    bid: float | None
    ask: float | None
    spread_points: float | None
    ts_us: int | None
    state: str


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """Bid bars as columns, oldest first; `time_us` is each bar's start."""

    symbol: str
    period_s: int
    time_us: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    ticks: list[int]


class Ticks(msgspec.Struct, frozen=True, kw_only=True):
    """Quotes as columns, oldest first."""

    symbol: str
    time_us: list[int]
    bid: list[float]
    ask: list[float]


class IndicatorValues(msgspec.Struct, frozen=True, kw_only=True):
    """Indicators over bars, one column each; None while an indicator warms up."""

    symbol: str
    period_s: int
    time_us: list[int]
    values: dict[str, list[float | None]]


class FeatureValues(msgspec.Struct, frozen=True, kw_only=True):
    """The feature vector that models see now; None where a feature is undefined."""

    symbol: str
    ts_us: int
    schema_id: str
    ready: bool
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: list[float | None]


class VoteItem(msgspec.Struct, frozen=True, kw_only=True):
    """One model's part in a forecast."""

    model_id: str
    family: str
    raw: float
    calibrated: float
    weight: float
    abstained: str


class ForecastItem(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast: the probability that mid rises by `barrier` first within `horizon_s`."""

    symbol: str
    ts_us: int
    p_up: float
    barrier: float
    horizon_s: int
    disagreement: float
    standard_error: float
    calibration_id: str
    abstained: str
    votes: tuple[VoteItem, ...]


class EquityCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded balance and equity as columns, oldest first."""

    time_us: list[int]
    balance: list[str]
    equity: list[str]


class LimitItem(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit is used."""

    rule: str
    value: float
    limit: float


class AccountInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The account now, with its limits."""

    account_id: str
    balance: str
    equity: str
    margin: str
    day_pnl: str
    drawdown: float
    open_positions: int
    trading_state: str
    limits: tuple[LimitItem, ...]


class ModelItem(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model; `status` is champion or registered."""

    model_id: str
    family: str
    symbol: str
    trained_us: int
    sha256: str
    metrics: dict[str, float | None]
    status: str


class BucketItem(msgspec.Struct, frozen=True, kw_only=True):
    """Samples at most `le_us` long and in no shorter bucket."""

    le_us: float
    count: int


class StageItem(msgspec.Struct, frozen=True, kw_only=True):
    """The latency of one stage, microseconds."""

    stage: str
    count: int
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float
    buckets: list[BucketItem]


class ComponentItem(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one part of the process."""

    name: str
    level: int
    status: str
    detail: str
    since_us: int
    metrics: dict[str, float | None]


class HealthInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Every part, every stage, the loop and the screens."""

    status: str
    components: list[ComponentItem]
    latency: list[StageItem]
    loop_lag_ms_p99: float
    ws_clients: int


class SystemInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is running: version, market, account, switch."""

    version: str
    mode: str
    simulated: bool
    market_us: int
    speed: float
    run_id: str
    tenant_id: str
    account_id: str
    currency: str
    ui_hash: str
    started_us: int
    trading_state: str
    symbols: list[str]
    attribution: list[str]


class ReplayResult(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a decision taken again from its record is the same, bit for bit."""

    identical: bool
    differences: list[str]


class CommandReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A command was taken; its effect arrives as an event."""

    command_id: str
    trading_state: str
