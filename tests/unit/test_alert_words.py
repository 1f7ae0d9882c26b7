"""What an alert says in another language: the desk's own English, and all of it in Indonesian."""

from typing import Any

import msgspec
import pytest

from plan2.foundation.clock import SimulatedClock
from plan2.intelligence.alerts.alert import Alert, Telling
from plan2.intelligence.alerts.readings import (
    Sighting,
    sighting_of,
    threshold_words,
    title_of,
)
from plan2.interface.alerts.words import told
from plan2.interface.language.say import ENGLISH, Say
from unit.alert_fixtures import MONDAY_NS, FakeReadings, price, rule

CONDITIONS: list[dict[str, Any]] = [
    price("above", 1.1),
    price("crosses_below", 1.1, side="bid"),
    {"kind": "move", "symbol": "EURUSD", "window_minutes": 5, "test": "crosses", "level": 0.5},
    {"kind": "feature", "symbol": "EURUSD", "formula": "rsi_mid_14", "test": "below", "level": 30},
    *(
        {"kind": "forecast", "symbol": "EURUSD", "figure": each, "test": "above", "level": 0.5}
        for each in ("p_up", "edge_pips", "disagreement")
    ),
    *(
        {"kind": "risk", "figure": each, "test": "crosses_above", "level": 3}
        for each in ("daily_loss", "weekly_loss", "drawdown", "margin_level", "exposure_used")
    ),
    {"kind": "profit", "of": "day", "test": "below", "level": -100},
    {"kind": "profit", "of": "open", "test": "below", "level": -100},
    {"kind": "profit", "of": "open", "symbol": "EURUSD", "test": "below", "level": -100},
    {"kind": "health", "figure": "feed_age_s", "of": "EURUSD", "test": "above", "level": 30},
    {"kind": "health", "figure": "loop_lag_ms", "test": "above", "level": 30},
    {"kind": "component", "name": "feeds", "status": "down"},
    {"kind": "component"},
    {"kind": "silence", "what": "tick", "of": "EURUSD", "seconds": 30},
    {"kind": "silence", "what": "decision", "seconds": 30},
    {"kind": "event", "event": "ModelPromoted"},
    {"kind": "event", "event": "ModelPromoted", "where": {"symbol": "EURUSD"}},
]


def telling(condition: dict[str, Any]) -> Telling:
    """An alert as the desk makes it, with a figure of 12.5 where there is one."""
    declared = rule(condition, name="mine", note="Look.")
    readings = FakeReadings(SimulatedClock(MONDAY_NS))
    readings.quote(1.2)
    readings.parts = {"feeds": "down"}
    readings.heard = {("tick", "EURUSD"): MONDAY_NS - 45 * 10**9}
    for name in ("rsi_mid_14", "p_up", "edge_pips", "disagreement", "daily_loss", "drawdown"):
        readings.figures[name] = 12.5
    seen: Sighting = sighting_of(declared.condition, readings, MONDAY_NS)
    alert = Alert(
        alert_id="a",
        rule_id="r",
        rule=declared,
        raised_ns=MONDAY_NS,
        market_ns=MONDAY_NS,
        title=f"mine: {title_of(declared.condition)} {threshold_words(declared.condition)}",
        words=seen.words,
        value=None if seen.value != seen.value else seen.value,
    )
    return Telling(alert=alert, to=(), cause="raised")


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_english_is_the_desks_own(condition: dict[str, Any]) -> None:
    """Two places word an alert; they must not drift apart."""
    found = telling(condition)
    assert told(found, ENGLISH) == (found.alert.title, f"{found.alert.words}. Look.")


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_indonesian_says_the_same_figures(condition: dict[str, Any]) -> None:
    """Every figure and name of the English text is in the other one."""
    found = telling(condition)
    title, sentence = told(found, Say("id"))
    english = found.alert.title + found.alert.words
    for word in ("EURUSD", "1.1", "12.5", "ModelPromoted", "45"):
        assert (word in english) == (word in title + sentence), word
    assert title.startswith("mine: ")


def test_whoever_is_told_again_hears_why() -> None:
    """The lead of an escalation and of a snooze that is over."""
    found = telling(price("above", 1.1))
    escalated = msgspec.structs.replace(found, cause="escalated")
    assert told(escalated, Say("id"))[1].startswith("Belum ada yang menanggapi ini. EURUSD mid: ")
    again = msgspec.structs.replace(found, cause="again")
    assert told(again, ENGLISH)[1].startswith("Put off, and still there. EURUSD mid is ")
