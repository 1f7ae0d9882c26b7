"""What an alert rule may look at: one strict struct for each kind, told apart by `kind`.

A condition says which figure is meant and where its threshold lies; `readings.py` knows how the
figure is had, `memory.py` when a threshold counts as passed. Times are seconds or minutes, prices
quote currency, money account currency, shares percent; every name carries its unit.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from plan2.foundation.config.section import NonNegative, PositiveFloat, PositiveInt

Test = Literal["above", "below", "crosses_above", "crosses_below", "crosses"]
SymbolName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._#-]{1,32}$")]
AnySymbol = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._#-]{0,32}$")]
Level = Annotated[float, Meta(ge=-1e15, le=1e15)]
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:#-]{1,64}$")]


class Bounds(msgspec.Struct, frozen=True):
    """A threshold: the test, its level, and how far the figure must go back to arm it again."""

    test: Test
    level: float
    rearm: float = 0.0


class Condition(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """Base of all conditions."""


class Threshold(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure against a level, both in the figure's unit.

    `rearm`: after it fired, the figure must return past the level by so much before it may fire
    again (hysteresis).
    """

    test: Test
    level: Level
    rearm: NonNegative = 0.0


class Price(Threshold, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="price"):
    """A symbol's quote."""

    symbol: SymbolName
    side: Literal["mid", "bid", "ask"] = "mid"


class Move(Threshold, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="move"):
    """How far a symbol's bid went within a window, percent of where it began; signed."""

    symbol: SymbolName
    window_minutes: Annotated[int, Meta(ge=1, le=1_440)]
    direction: Literal["signed", "either"] = "signed"
    """`either` looks at the size of the move alone."""


class Feature(Threshold, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="feature"):
    """A feature of the catalogue, or a formula over features."""

    symbol: SymbolName
    formula: Annotated[str, Meta(min_length=1, max_length=400)]


class Forecast(Threshold, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="forecast"):
    """What the models say: `p_up` and `disagreement` 0 to 1, `edge_pips` after cost."""

    symbol: SymbolName
    figure: Literal["p_up", "edge_pips", "disagreement"] = "p_up"


class Risk(Threshold, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="risk"):
    """A figure of the account's risk, percent.

    Losses and drawdown of equity; `margin_level` equity over margin; `exposure_used` and
    `daily_loss_used` of their limit.
    """

    figure: Literal[
        "daily_loss", "weekly_loss", "drawdown", "margin_level", "exposure_used", "daily_loss_used"
    ]


class Profit(Threshold, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="profit"):
    """Profit of the day, or of what is open in a symbol (all symbols if empty), money."""

    of: Literal["day", "open"] = "day"
    symbol: AnySymbol = ""


class Health(Threshold, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="health"):
    """A figure of the process: how old a quote is, how late the loop, how slow a stage (p99)."""

    figure: Literal["feed_age_s", "loop_lag_ms", "latency_p99_ms"]
    of: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._#-]{0,64}$")] = ""
    """The symbol of a feed, or the stage of a latency."""


class Component(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="component"):
    """A part of the process is in a state, or in a worse one; every part if no name is given."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{0,64}$")] = ""
    status: Literal["degraded", "down"] = "degraded"


class Silence(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="silence"):
    """Nothing came for so long.

    `tick` and `decision` are of a symbol (any if empty) and only count while its market is open;
    `heartbeat` is of a program that reports by `of`, whatever the hour.
    """

    what: Literal["tick", "decision", "heartbeat"]
    seconds: PositiveFloat
    of: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._#-]{0,64}$")] = ""


class Happened(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="event"):
    """A fact of the log came; `where` names members of it and the value that each must have."""

    event: Word
    where: dict[Word, Annotated[str, Meta(max_length=128)]] = {}


AnyCondition = (
    Price | Move | Feature | Forecast | Risk | Profit | Health | Component | Silence | Happened
)
RANKS: dict[str, float] = {"ok": 0.0, "stopped": 0.0, "starting": 0.0, "degraded": 1.0, "down": 2.0}
"""How bad a state of a part is."""


def bounds_of(condition: AnyCondition) -> Bounds:
    """Where the threshold of a condition lies; an event has passed it by having come."""
    match condition:
        case Threshold(test=test, level=level, rearm=rearm):
            return Bounds(test, level, rearm)
        case Component(status=status):
            return Bounds("above", RANKS[status] - 0.5)
        case Silence(seconds=seconds):
            return Bounds("above", seconds)
        case _:
            return Bounds("above", 0.5)


def symbol_of(condition: AnyCondition) -> str:
    """The symbol with whose quotes the figure moves; empty when it is looked at by the clock."""
    match condition:
        case Price(symbol=symbol) | Move(symbol=symbol):
            return symbol
        case Feature(symbol=symbol) | Forecast(symbol=symbol):
            return symbol
        case _:
            return ""


Minutes = Annotated[PositiveInt, Meta(le=10_080)]
"""Up to a week."""
