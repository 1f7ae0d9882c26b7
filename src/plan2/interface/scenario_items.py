"""What the risk page shows of stress: the positions' scenarios and how their symbols correlate."""

import msgspec


class ScenarioItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the open positions would gain or lose.

    `kind`: all_against, currency, stops, worst_hour or bad_hours. `subject`: the currency, else
    empty. `move`: the fraction by which prices move, None where the past or the stops say it.
    `profit`: account currency, None while a rate is missing; `fraction`: of equity. `at_us`: the
    hour of the past. `count`: positions without a stop, or hours looked at. `reaches`: the limits
    that would stop trading then.
    """

    kind: str
    subject: str
    move: float | None
    profit: float | None
    fraction: float | None
    at_us: int | None
    count: int
    reaches: list[str]


class CorrelationItem(msgspec.Struct, frozen=True, kw_only=True):
    """How two symbols moved together, hour by hour; None while there are too few hours."""

    first: str
    second: str
    value: float | None
    low: float | None
    high: float | None
    hours: int


class ScenarioReport(msgspec.Struct, frozen=True, kw_only=True):
    """Stress of an account's open positions. `symbols`: those held, in the matrix's order."""

    account_id: str
    market_us: int
    equity: str
    positions: int
    symbols: list[str]
    scenarios: list[ScenarioItem]
    correlations: list[CorrelationItem]
