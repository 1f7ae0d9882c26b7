"""ML-051: around a scheduled event models enter nothing, and the record says which one it was."""

import asyncio
import json
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_fixtures import EURUSD, NOON_NS, RULES, Desk, forecast, scene, tick

from plan2.dataflow.economic_calendar import (
    FOR_EVER_NS,
    HIGH,
    MEDIUM,
    EconomicCalendar,
    Entry,
    Stated,
)
from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.config.schema import Settings
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MINUTE
from plan2.intelligence.backtest.doubts import EVENT, Doubts
from plan2.intelligence.decision.explain import replay
from plan2.intelligence.decision.record import DecisionRecord, Outcome, Reason
from plan2.intelligence.decision.schedule import Rest, Schedule, ScheduledEvent, rest_of
from plan2.interface.language.say import Say
from plan2.interface.screen import for_screen
from plan2.interface.telegram.answers_trading import explain
from plan2.interface.telegram.asking import Call
from plan2.wiring.assembly import Floor, build_lanes
from plan2.wiring.calendar_watch import CalendarWatch
from plan2.wiring.markets import Market

REST = Rest(15 * NS_PER_MINUTE, 5 * NS_PER_MINUTE)
CPI_NS = NOON_NS + NS_PER_HOUR
INSTRUMENTS = {"EURUSD": EURUSD}


def entry(minutes: float, name: str = "CPI", **changes: int) -> Entry:
    """An event of high impact so many minutes after noon, known since long ago."""
    known = Entry(
        at_ns=NOON_NS + int(minutes * NS_PER_MINUTE),
        currency="USD",
        name=name,
        impact=HIGH,
        known_from_ns=0,
    )
    return msgspec.structs.replace(known, **changes)


def records(desk: Desk) -> list[DecisionRecord]:
    """What a desk wrote down, as it comes back from the event store."""
    kept = [item.event for item in desk.sink.facts if type(item.event).__name__ == "DecisionMade"]
    return [
        msgspec.convert(json.loads(msgspec.json.encode(event.record)), DecisionRecord)
        for event in kept
    ]


def decided(minutes: float, entries: list[Entry], config: DecisionConfig = RULES.decision) -> Desk:
    """A desk that saw one tick worth trading, so many minutes after noon."""
    desk = Desk(rules=msgspec.structs.replace(RULES, decision=config)).arm()
    seen = scene(tick(after_s=60 * minutes), forecast(0.60))
    desk.account.on_tick(msgspec.structs.replace(seen, schedule=Schedule(entries)))
    return desk


@pytest.mark.parametrize(
    ("minutes", "is_vetoed"),
    [(44.99, False), (45.0, True), (60.0, True), (74.99, True), (75.0, False)],
)
def test_from_a_quarter_before_until_a_quarter_after(minutes: float, is_vetoed: bool) -> None:
    """By default; the first instant counts, the last one does not. The record replays alone."""
    desk = decided(minutes, [entry(60)])
    (record,) = records(desk)
    assert (record.reason is Reason.SCHEDULED_EVENT) is is_vetoed
    assert record.outcome is (Outcome.NOT_TRADED if is_vetoed else Outcome.TRADED)
    assert (len(desk.sent) == 0) is is_vetoed
    assert replay(record, EURUSD, lambda known: known.forecast).differences == ()


def test_the_record_names_the_event_and_its_sentence_tells_it() -> None:
    """Enough to take the decision again without any calendar."""
    (record,) = records(decided(50, [entry(60)]))
    assert record.scheduled == ScheduledEvent(
        at_ns=CPI_NS, currency="USD", name="CPI", impact="high"
    )
    assert record.sentence == (
        "Not traded: CPI (USD, high impact) is scheduled for 2024-03-05 13:00 UTC; models enter "
        "nothing from 15 minutes before until 15 after."
    )
    other = msgspec.structs.replace(record, scheduled=msgspec.UNSET)
    found = replay(other, EURUSD, lambda known: known.forecast)
    assert found.differences[0].startswith("reason: recorded")
    assert "scheduled" not in json.loads(msgspec.json.encode(records(decided(0, []))[0]))


def test_an_account_goes_by_its_own_minutes() -> None:
    """Both zero is off; a tenant may rest longer than the installation."""
    off = msgspec.structs.replace(RULES.decision, event_minutes_before=0.0, event_minutes_after=0.0)
    assert len(decided(60, [entry(60)], off).sent) == 1
    longer = msgspec.structs.replace(RULES.decision, event_minutes_before=60.0)
    assert len(decided(0, [entry(60)], longer).sent) == 0
    assert rest_of(longer) == Rest(60 * NS_PER_MINUTE, 15 * NS_PER_MINUTE, HIGH)


def test_exploring_rests_too() -> None:
    """A trial for its outcome would pay the spread of the release."""
    config = msgspec.structs.replace(RULES.decision, explore_after_s=1.0)
    desk = Desk(rules=msgspec.structs.replace(RULES, decision=config)).arm()
    seen = scene(tick(), forecast(0.50))
    found = desk.account.on_tick(msgspec.structs.replace(seen, schedule=Schedule([entry(5)])))
    assert found.reason is Reason.SCHEDULED_EVENT
    assert desk.account.on_tick(scene(tick(after_s=1, seq=1), forecast(0.50))).order is not None


def test_only_what_was_known_then() -> None:
    """Told too late, or withdrawn before: no veto; of two the nearest, then the weightier."""
    late = entry(10, known_from_ns=NOON_NS + 5 * NS_PER_MINUTE)
    off = entry(10, known_until_ns=NOON_NS + 2 * NS_PER_MINUTE)
    assert Schedule([late]).near(NOON_NS, REST) is None
    assert Schedule([late]).near(NOON_NS + 5 * NS_PER_MINUTE, REST) is not None
    assert Schedule([off]).near(NOON_NS + NS_PER_MINUTE, REST) is not None
    assert Schedule([off]).near(NOON_NS + 2 * NS_PER_MINUTE, REST) is None
    both = Schedule([entry(10, "far"), entry(3, "small", impact=MEDIUM), entry(3, "near")])
    found = both.near(NOON_NS, REST)
    assert found is not None
    assert (found.name, found.impact) == ("near", "high")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "CPI (USD, high impact). Models enter nothing from 15 minutes before until 15"),
        ("id", "CPI (USD, dampak tinggi). Model tidak membuka apa pun dari 15 menit sebelum"),
    ],
)
async def test_the_chat_tells_it_in_the_language_of_its_reader(language: str, words: str) -> None:
    """What /explain says of such a decision, from what the route shows of its record."""
    (record,) = records(decided(50, [entry(60)]))
    shown = for_screen(msgspec.to_builtins(record))
    assert isinstance(shown, dict)

    async def get(path: str, **_: object) -> object:
        if path == "decisions":
            return {"items": [{"order_id": "", "decision_id": "d-1"}]}
        return {**shown, "orders": [], "position": None}

    call = SimpleNamespace(arguments=(), get=get, say=Say(language), zone=UTC)
    reply = await explain(cast("Call", call))
    told = ["".join(span.text for span in line.spans) for line in reply.lines]
    assert any(words in each and "2024-03-05 13:00 UTC" in each for each in told)


minutes = st.integers(-200, 200)


@given(
    events=st.lists(st.tuples(minutes, minutes, minutes), max_size=6),
    asked=st.lists(minutes, min_size=1, max_size=20),
)
def test_windows_are_the_times_at_which_something_is_near(
    events: list[tuple[int, int, int]], asked: list[int]
) -> None:
    """Whatever is told when: compiled backtests go by spans, accounts ask at a time."""
    entries = [
        entry(at, known_from_ns=NOON_NS + told * NS_PER_MINUTE,
              known_until_ns=NOON_NS + (told + max(0, off)) * NS_PER_MINUTE if off else FOR_EVER_NS)
        for at, told, off in events
    ]  # fmt: skip
    schedule = Schedule(entries)
    windows = schedule.windows(REST)
    assert all(one[1] < other[0] for one, other in pairwise(windows))
    for minute in asked:
        ts_ns = NOON_NS + minute * NS_PER_MINUTE
        by_hand = any(
            each.at_ns - REST.before_ns <= ts_ns < each.at_ns + REST.after_ns
            and each.known_from_ns <= ts_ns < each.known_until_ns
            for each in entries
        )
        assert any(start <= ts_ns < end for start, end in windows) is by_hand
        assert (schedule.near(ts_ns, REST) is not None) is by_hand


def test_rows_of_a_compiled_run_begin_and_end_with_the_rest() -> None:
    """Rows at minutes 40 and 50 of a rest from 45 to 65: shares 1, veto, veto, then as before."""
    doubts = Doubts(schedule=Schedule([entry(60)]), rest=REST)
    times = NOON_NS + np.array([40, 50], np.int64) * NS_PER_MINUTE
    rows, shares = np.array([[1.0], [2.0]]), np.array([1.0, 0.5])
    found, known, left = doubts.around_events(times, rows, shares)
    assert ((found - NOON_NS) / NS_PER_MINUTE).tolist() == [40, 45, 50, 65]
    assert known[:, 0].tolist() == [1.0, 1.0, 2.0, 2.0]
    assert left.tolist() == [1.0, EVENT, EVENT, 0.5]
    early, unknown, _ = doubts.around_events(times[1:], rows[1:], shares[1:])
    assert len(early) == 3
    assert np.isnan(unknown[0, 0])
    assert doubts.digest != Doubts(schedule=Schedule([entry(61)]), rest=REST).digest
    assert Doubts(schedule=Schedule([entry(60)])).digest == ""


def test_lanes_know_the_events_of_their_currencies_and_learn_of_new_ones(tmp_path: Path) -> None:
    """At the start and, while it runs, from the file that was imported."""
    settings = msgspec.structs.replace(
        Settings(), data=msgspec.structs.replace(Settings().data, dir=str(tmp_path))
    )
    calendar = EconomicCalendar(tmp_path / "calendar")
    told = [
        Stated(at_ns=CPI_NS, currency="JPY", name="BoJ", impact=HIGH),
        Stated(at_ns=CPI_NS, currency="EUR", name="small", impact=MEDIUM),
        Stated(at_ns=CPI_NS, currency="EUR", name="ECB", impact=HIGH),
    ]
    calendar.add(told, NOON_NS, is_record=True)
    lanes = build_lanes(settings, INSTRUMENTS, {})
    found = lanes["EURUSD"].schedule.near(CPI_NS, REST)
    assert found is not None
    assert found.name == "ECB"
    market = cast("Market", SimpleNamespace(home=tmp_path, instruments=INSTRUMENTS))
    watch = CalendarWatch(cast("Floor", SimpleNamespace(lanes=lanes)), settings, market)
    fresh = Stated(at_ns=CPI_NS + NS_PER_HOUR, currency="USD", name="Fed", impact=HIGH)
    calendar.add([fresh], NOON_NS, is_record=False)
    asyncio.run(watch.read())
    found = lanes["EURUSD"].schedule.near(CPI_NS + NS_PER_HOUR, REST)
    assert found is not None
    assert found.name == "Fed"
    assert lanes["EURUSD"].schedule.near(CPI_NS - 1, Rest(1, 0, MEDIUM)) is not None


def test_an_account_chooses_the_impact_that_counts() -> None:
    """High alone by default; from medium on when it says so, in both ways of asking."""
    small = entry(60, impact=MEDIUM)
    assert len(decided(60, [small]).sent) == 1
    config = msgspec.structs.replace(RULES.decision, event_least_impact="medium")
    (record,) = records(decided(60, [small], config))
    assert record.reason is Reason.SCHEDULED_EVENT
    assert replay(record, EURUSD, lambda known: known.forecast).identical
    schedule = Schedule([small])
    assert schedule.windows(rest_of(RULES.decision)) == []
    assert len(schedule.windows(rest_of(config))) == 1
