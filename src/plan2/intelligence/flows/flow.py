"""A flow: source → features → models → policy → exits → risk → account, declared in TOML.

    name = "ema-cross"

    [source]
    symbol = "EURUSD"
    bars = "1m"

    [parameters]
    fast = 10
    slow = 20

    [features]
    quick = "ema(close, fast)"
    calm = "ema(close, slow)"

    [policy]
    long = "quick >= calm"
    short = "quick < calm"

The same file is backtested, papered and traded live. Everything that a number could be is a
number in `parameters`, so that research can vary it without another compilation.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from plan2.foundation.errors import InputError

LONGEST_FILE = 100_000
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,47}$")]
Identifier = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Period = Annotated[str, Meta(pattern=r"^(tick|[1-9]\d{0,4}[smhd])$")]
Money = Annotated[str, Meta(pattern=r"^\d+(\.\d{1,2})?$")]
NonNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class Source(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose ticks, and which bars are made of them.

    `bars`: "tick" makes every tick a bar of its own. `price`: what bars are made of.
    """

    symbol: Annotated[str, Meta(min_length=1, max_length=31)]
    bars: Period = "1m"
    price: Literal["mid", "bid", "ask"] = "mid"


class ModelUse(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which forecasts the policy may read: `families` of the champion, empty = the ensemble."""

    use: bool = False
    families: tuple[str, ...] = ()


class Policy(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When to enter and leave.

    Attributes:
        kind: `rules` reads the expressions below, `models` takes the bets of the ensemble as the
            account's own decision does, `python` asks the plug-in named by `plugin`.
        on: at each closed bar, or on every tick.
        long, short: conditions of an entry. exit_long, exit_short: of leaving; empty = never.
        reverse: an opposite entry closes what is held first.
        warm_up: bars before the first entry. entry_gap: least bars between two entries.
        plugin: name of an entry point of the group `plan2.policies`.
    """

    kind: Literal["rules", "models", "python"] = "rules"
    on: Literal["bar", "tick"] = "bar"
    long: str = ""
    short: str = ""
    exit_long: str = ""
    exit_short: str = ""
    reverse: bool = True
    warm_up: Annotated[int, Meta(ge=0)] = 0
    entry_gap: Annotated[int, Meta(ge=0)] = 0
    plugin: str = ""


class Partial(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Close a share of the position once its profit reaches `at`, in multiples of its risk."""

    at_r: Positive
    fraction: Annotated[float, Meta(gt=0, lt=1)]


class Exits(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a position ends by itself.

    `stop_loss`, `take_profit`, `trailing`: distances from the entry (the best price for trailing)
    in price units, as expressions over features and parameters (`pip` and `point` are known);
    empty = none. `_r`: multiples of the initial risk, the distance of the first stop.
    """

    stop_loss: str = ""
    take_profit: str = ""
    trailing: str = ""
    trailing_step: str = ""
    break_even_after_r: NonNegative = 0.0
    break_even_offset: str = ""
    time_s: NonNegative = 0.0
    partial: tuple[Partial, ...] = ()


class Size(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much: fixed `lots`, or the lots whose loss at the stop is `risk_fraction` of equity."""

    lots: NonNegative = 0.0
    risk_fraction: Fraction = 0.0


class FlowRisk(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the flow itself, beside the account's; 0 = none. Fractions are of equity.

    `hours`: "HH:MM-HH:MM" in UTC, when entries are allowed; empty = always.
    """

    positions_max: Annotated[int, Meta(ge=1, le=100)] = 1
    daily_loss_max_fraction: Fraction = 0.0
    drawdown_max_fraction: Fraction = 0.0
    spread_max_points: NonNegative = 0.0
    orders_per_day_max: Annotated[int, Meta(ge=0)] = 0
    hours: Annotated[str, Meta(pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")] = (
        ""
    )


class FlowAccount(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account of a backtest; live, the account that the flow is assigned to."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "USD"
    balance: Money = "10000.00"
    leverage: Positive = 30.0
    mode: Literal["hedging", "netting"] = "hedging"
    margin_call_level: NonNegative = 1.0
    stop_out_level: NonNegative = 0.5


class Execution(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a backtest fills.

    Attributes:
        fill: `next_quote` is the first quote at or after decision time + latency;
            `signal_quote` the one the decision was made on (yardsticks only; it is optimistic).
        latency_ms, latency_spread_ms: shift and scale of the sampled latency (exponential tail).
        slippage_points: against us on every market fill; with `slippage = "empirical"` drawn from
            the account's own recorded fills.
        reject_fraction, partial_fraction: shares of requests that are refused or filled in part.
        commission_per_lot: account currency, per lot and side; empty = the symbol's.
        swap: whether nights are charged. close_at_end: what is open at the end is closed.
    """

    fill: Literal["next_quote", "signal_quote"] = "next_quote"
    latency_ms: NonNegative = 40.0
    latency_spread_ms: NonNegative = 0.0
    slippage: Literal["fixed", "empirical"] = "fixed"
    slippage_points: NonNegative = 0.0
    reject_fraction: Fraction = 0.0
    partial_fraction: Fraction = 0.0
    commission_per_lot: Annotated[str, Meta(pattern=r"^$|^\d+(\.\d{1,4})?$")] = ""
    swap: bool = True
    close_at_end: bool = True
    seed: Annotated[int, Meta(ge=0)] = 1


class Flow(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole flow; `parameters` and `features` may be named in every expression."""

    name: Name
    description: str = ""
    source: Source
    parameters: dict[Identifier, float] = {}
    features: dict[Identifier, str] = {}
    feature_set: str = ""
    models: ModelUse = ModelUse()
    policy: Policy = Policy()
    exits: Exits = Exits()
    size: Size = Size(lots=0.01)
    risk: FlowRisk = FlowRisk()
    account: FlowAccount = FlowAccount()
    execution: Execution = Execution()


def parse_flow(text: str, origin: str = "flow") -> Flow:
    """The flow that a TOML text declares; expressions are not looked at yet.

    Raises:
        InputError: it is no TOML, too long, or a key or value is not what was expected.
    """
    if len(text) > LONGEST_FILE:
        raise InputError(f"{origin}: at most {LONGEST_FILE} characters; found {len(text)}.")
    try:
        return msgspec.convert(tomllib.loads(text), Flow)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{origin} is not TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise InputError(f"{origin}: {error}.") from error


def read_flow(path: Path) -> Flow:
    """The flow in a file.

    Raises:
        InputError: it cannot be read, or `parse_flow` refuses it.
    """
    try:
        return parse_flow(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def flow_digest(flow: Flow) -> str:
    """SHA-256 of everything that decides what the flow does; the description does not."""
    bare = msgspec.structs.replace(flow, description="")
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()


def with_parameters(flow: Flow, values: dict[str, float]) -> Flow:
    """The flow with other numbers.

    Raises:
        InputError: a name is no parameter of it.
    """
    unknown = sorted(set(values) - set(flow.parameters))
    if unknown:
        known = ", ".join(flow.parameters) or "none"
        raise InputError(f"{flow.name} has no parameter {unknown[0]!r}; it has {known}.")
    return msgspec.structs.replace(flow, parameters={**flow.parameters, **values})
