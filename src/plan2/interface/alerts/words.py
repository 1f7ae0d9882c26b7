"""What an alert says in a person's language; the desk's own words are English."""

from collections.abc import Mapping
from typing import Final

from plan2.intelligence.alerts.alert import Alert, Telling
from plan2.intelligence.alerts.conditions import (
    AnyCondition,
    Component,
    Feature,
    Forecast,
    Happened,
    Health,
    Move,
    Price,
    Profit,
    Risk,
    Silence,
    bounds_of,
)
from plan2.intelligence.alerts.readings import shown
from plan2.interface.language.say import Say

FIGURES: Final[Mapping[str, str]] = {
    "feed_age_s": "age of the last quote of {name}",
    "loop_lag_ms": "lateness of the event loop {name}",
    "latency_p99_ms": "p99 of {name}",
    "daily_loss": "daily loss",
    "weekly_loss": "weekly loss",
    "drawdown": "drawdown",
    "margin_level": "margin level",
    "exposure_used": "exposure used",
    "daily_loss_used": "daily loss used",
    "p_up": "p up",
    "edge_pips": "edge pips",
    "disagreement": "disagreement",
}
TESTS: Final[Mapping[str, str]] = {
    "above": "above {level}",
    "below": "below {level}",
    "crosses_above": "crossed above {level}",
    "crosses_below": "crossed below {level}",
    "crosses": "crossed {level}",
}
SILENCES: Final[Mapping[str, str]] = {
    "tick": "no tick {of} for {seconds} s",
    "decision": "no decision {of} for {seconds} s",
    "heartbeat": "no heartbeat {of} for {seconds} s",
}
LEADS: Final[Mapping[str, str]] = {
    "escalated": "Nobody has acknowledged this yet.",
    "again": "Put off, and still there.",
}


def told(telling: Telling, say: Say) -> tuple[str, str]:
    """Title and sentence of an alert on its way to people."""
    alert = telling.alert
    condition = alert.rule.condition
    title = f"{alert.rule.name}: {_subject(condition, say)} {_threshold(condition, say)}"
    lead = say(LEADS[telling.cause]) if telling.cause in LEADS else ""
    return title, " ".join(filter(None, (lead, f"{_seen(alert, say)}.", alert.rule.note)))


def _subject(condition: AnyCondition, say: Say) -> str:
    """What a rule watches."""
    match condition:
        case Price() | Move() | Feature() | Forecast():
            return _of_a_symbol(condition, say)
        case Risk():
            return say(FIGURES[condition.figure])
        case Profit():
            return _profit(condition, say)
        case Health():
            return say(FIGURES[condition.figure], name=condition.of).rstrip()
        case Component():
            name = condition.name
            return say("part {name}", name=name) if name else say("any part")
        case Silence():
            return say("silence of {what} {of}", what=condition.what, of=condition.of).rstrip()
        case Happened():
            return condition.event


def _of_a_symbol(condition: Price | Move | Feature | Forecast, say: Say) -> str:
    symbol = condition.symbol
    match condition:
        case Price():
            return f"{symbol} {condition.side}"
        case Move():
            minutes = condition.window_minutes
            return say("{symbol} move in {minutes} min", symbol=symbol, minutes=minutes)
        case Feature():
            return f"{symbol} {condition.formula}"
        case Forecast():
            figure = say(FIGURES[condition.figure])
            return say("{symbol} forecast {figure}", symbol=symbol, figure=figure)


def _profit(condition: Profit, say: Say) -> str:
    if condition.of == "day":
        return say("profit of the day")
    if not condition.symbol:
        return say("open profit")
    return say("open profit in {symbol}", symbol=condition.symbol)


def _threshold(condition: AnyCondition, say: Say) -> str:
    match condition:
        case Component():
            return say("{status} or worse", status=condition.status)
        case Silence():
            return say("longer than {seconds} s", seconds=f"{condition.seconds:g}")
        case Happened():
            found = ", ".join(f"{name} = {value}" for name, value in condition.where.items())
            return say("with {what}", what=found) if found else say("came")
        case _:
            bounds = bounds_of(condition)
            return say(TESTS[bounds.test], level=shown(bounds.level, condition))


def _seen(alert: Alert, say: Say) -> str:
    """What was seen; names of parts and events are the desk's own words, which have no others."""
    condition = alert.rule.condition
    if alert.value is None or isinstance(condition, Component | Happened):
        return alert.words
    if isinstance(condition, Silence):
        seconds = f"{alert.value:.0f}"
        return say(SILENCES[condition.what], of=condition.of, seconds=seconds).replace("  ", " ")
    figure = shown(alert.value, condition)
    return say("{what} is {figure}", what=_subject(condition, say), figure=figure)
