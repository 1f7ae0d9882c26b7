"""The economic calendar: what was known when, figures as published first, and its features."""

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from features_fixtures import EURUSD, MONDAY_NS

from plan2.commands.calendar import command
from plan2.commands.options import Cli
from plan2.dataflow.economic_calendar import HIGH, EconomicCalendar, Stated, known_time
from plan2.dataflow.importers.calendar import read_calendar
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.event_table import CalendarEvents, surprises_of
from plan2.intelligence.features.feature_set import parse_set
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.features.surroundings import Surroundings

EVENTS = default_plan(60, parse_set('[set]\nname = "events"\ninclude = ["events"]', "test"))
NOON_NS = MONDAY_NS + 3 * NS_PER_HOUR


def event(hours: float, name: str = "CPI", currency: str = "USD", **figures: float) -> Stated:
    """An event of high impact so many hours after noon of 8 January 2024."""
    at_ns = NOON_NS + int(hours * NS_PER_HOUR)
    return Stated(at_ns=at_ns, currency=currency, name=name, impact=HIGH, **figures)


def served(calendar: EconomicCalendar, *hours: float) -> np.ndarray:
    """The four features of EURUSD at hours after noon, one tick each; engines start cold."""
    found = []
    around = Surroundings(CalendarEvents(calendar.entries()))
    for hour in hours:
        engine = FeatureEngine(EVENTS, EURUSD, around)
        engine.step(NOON_NS + int(hour * NS_PER_HOUR), 1.1, 1.1001)
        found.append(engine.values.copy())
    return np.array(found)


def test_distances_by_hand(tmp_path: Path) -> None:
    """Only high impact, only the symbol's currencies; far away counts as a day."""
    calendar = EconomicCalendar(tmp_path)
    ignored = Stated(at_ns=NOON_NS, currency="USD", name="small", impact=1)
    told = [
        event(-2),
        event(1, "ECB", "EUR"),
        event(3),
        event(40),
        event(0.5, "BoJ", "JPY"),
        ignored,
    ]
    calendar.add(told, NOON_NS, is_record=True)
    rows = served(calendar, 0, 2, 4, 39)
    assert rows[:, 0].tolist() == [60, 60, 1_440, 60]
    assert rows[:, 1].tolist() == [120, 60, 60, 1_440]
    assert rows[:, 2].tolist() == [2, 1, 0, 1]
    assert np.isnan(served(calendar, 41)).all()  # nothing is known to come: the calendar ended
    assert np.isnan(served(calendar, -24 * 10)).all()  # a week before is when dates are known


def test_what_is_told_counts_from_then_on(tmp_path: Path) -> None:
    """Not a minute earlier, whatever the file is about."""
    calendar = EconomicCalendar(tmp_path)
    calendar.add([event(5), event(9)], NOON_NS, is_record=False)
    first_ns = known_time(NOON_NS)
    assert first_ns == NOON_NS + 2 * NS_PER_MINUTE
    calendar.add([event(7), event(9)], NOON_NS + NS_PER_HOUR, is_record=False)
    rows = served(calendar, 1 / 60, 2 / 60, 1, 1 + 2 / 60)
    assert math.isnan(rows[0, 0])
    assert rows[1, 0] == 5 * 60 - 2
    assert rows[2, 0] == 4 * 60
    # Named again over a span that begins after it, the first one stays; see the next test.
    assert rows[3, 0] == 4 * 60 - 2


def test_a_date_that_was_moved_is_withdrawn(tmp_path: Path) -> None:
    """The past goes on knowing what was known then."""
    calendar = EconomicCalendar(tmp_path)
    calendar.add([event(5), event(9)], NOON_NS, is_record=False)
    calendar.add([event(4, "other"), event(6), event(9)], NOON_NS + NS_PER_HOUR, is_record=False)
    rows = served(calendar, 1, 4.5)
    assert rows[0, 0] == 4 * 60
    assert rows[1, 0] == 1.5 * 60
    again = [event(4, "other"), event(5), event(6), event(9)]
    calendar.add(again, NOON_NS + 2 * NS_PER_HOUR, is_record=False)
    rows = served(calendar, 1, 1.5, 4.5)
    assert rows[:, 0].tolist() == [4 * 60, 2.5 * 60, 0.5 * 60]


def test_a_revised_figure_is_never_used(tmp_path: Path) -> None:
    """The figure published first stays, also when a later file states another one."""
    months = [
        event(-24 * 30 * k, actual=3.0 + (0.1 if k % 2 else -0.1), forecast=3.0)
        for k in range(1, 11)
    ]
    calendar = EconomicCalendar(tmp_path)
    calendar.add([*months, event(0, actual=3.3, forecast=3.0), event(48)], NOON_NS, is_record=True)
    assert served(calendar, 0)[0, 3] != pytest.approx(3.0)  # not published in the very minute
    assert served(calendar, 1 / 60, 5)[:, 3] == pytest.approx([3.0, 3.0])  # 0.3 against 0.1
    calendar.add([event(0, actual=9.9, forecast=3.0)], NOON_NS + NS_PER_HOUR, is_record=False)
    assert served(calendar, 1 / 60, 5)[:, 3] == pytest.approx([3.0, 3.0])
    assert math.isnan(served(calendar, 25)[0, 3])  # a day later it is no news


def test_a_surprise_is_measured_by_earlier_ones_only(tmp_path: Path) -> None:
    """Root mean square of the eight before; the first eight have no measure."""
    size = [0.1, -0.2, 0.1, 0.3, -0.1, 0.2, 0.1, -0.3, 0.5, 9.0]
    told = [event(24.0 * k, actual=1.0 + each, forecast=1.0) for k, each in enumerate(size)]
    with_gap = [*told[:4], event(24.0 * 3.5, actual=1.0), *told[4:]]  # nothing was expected
    calendar = EconomicCalendar(tmp_path)
    calendar.add(with_gap, NOON_NS, is_record=True)
    found = [value for _, value in surprises_of(calendar.entries())]
    expected = [
        0.5 / np.sqrt(np.mean(np.square(size[:8]))),
        9 / np.sqrt(np.mean(np.square(size[:9]))),
    ]
    assert found == pytest.approx(expected)


def test_live_and_batch_agree_and_minutes_count(tmp_path: Path) -> None:
    """Ticks of a day: one at a time, and as a block in two pieces."""
    calendar = EconomicCalendar(tmp_path)
    calendar.add([event(k * 0.7, f"e{k}", actual=1.0 + k % 3, forecast=1.0) for k in range(60)],
                 NOON_NS, is_record=True)  # fmt: skip
    rng = np.random.default_rng(4)
    ts_ns = NOON_NS + np.cumsum(rng.integers(1, 40_000, 3_000)) * 1_000_000
    bid = 1.1 + np.cumsum(rng.normal(0, 1e-5, 3_000))
    block = TickBlock("EURUSD", ts_ns, bid, bid + 1e-4)
    around = Surroundings(CalendarEvents(calendar.entries()))
    whole = FeatureEngine(EVENTS, EURUSD, around).step_block(block, "ticks").values
    single, rows = FeatureEngine(EVENTS, EURUSD, around), []
    for row in zip(ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True):
        single.step(*row)
        rows.append(single.values.copy())
    np.testing.assert_array_equal(np.array(rows), whole)
    pieces = FeatureEngine(EVENTS, EURUSD, around)
    cut = [
        pieces.step_block(part, "ticks").values
        for part in (block.slice(0, 777), block.slice(777, 3_000))
    ]
    np.testing.assert_array_equal(np.concatenate(cut), whole)
    minutes = (ts_ns - NOON_NS) // NS_PER_MINUTE
    at = [k * 42 for k in range(60)]
    expected = [min(each for each in at if each > minute) - minute for minute in minutes.tolist()]
    np.testing.assert_allclose(whole[:, 0], expected, rtol=1e-9)


def test_a_running_engine_goes_by_a_new_calendar(tmp_path: Path) -> None:
    """From the next minute on; the values of this minute stay."""
    calendar = EconomicCalendar(tmp_path)
    engine = FeatureEngine(EVENTS, EURUSD, Surroundings(CalendarEvents(calendar.entries())))
    engine.step(NOON_NS + 5 * NS_PER_MINUTE, 1.1, 1.1001)
    assert math.isnan(engine.values[0])
    calendar.add([event(2)], NOON_NS, is_record=False)
    assert engine.requested is not None
    engine.requested.look_at(Surroundings(CalendarEvents(calendar.entries())))
    engine.step(NOON_NS + 6 * NS_PER_MINUTE, 1.1, 1.1001)
    assert engine.values[0] == 114


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    """And an empty one is refused."""
    calendar = EconomicCalendar(tmp_path)
    first = calendar.add([event(2)], NOON_NS, is_record=False)
    assert calendar.add([event(2)], NOON_NS + NS_PER_DAY, is_record=False) == first
    assert len(calendar.files()) == 1
    with pytest.raises(InputError, match="no event"):
        calendar.add([], NOON_NS, is_record=False)


def test_files_are_read_by_their_columns(tmp_path: Path) -> None:
    """Two layouts, gzip, offsets, printed figures; what is no calendar says why."""
    file = tmp_path / "scraped.csv.gz"
    text = (
        "DateTime,Currency,Impact,Event,Actual,Forecast,Previous,Detail\n"
        "2024-01-05T14:30:00+01:00,USD,High Impact Expected,Non-Farm Payrolls,216K,168K,,\n"
        "2024-01-11T13:30:00+00:00,USD,Low Impact Expected,CPI m/m,,-0.2%,0.1%,\n"
    )
    file.write_bytes(gzip.compress(text.encode()))
    jobs, prices = read_calendar(file)
    assert (jobs.at_ns, jobs.impact) == (1_704_461_400_000_000_000, HIGH)
    assert (jobs.actual, jobs.forecast, prices.forecast) == (216_000.0, 168_000.0, -0.2)
    assert math.isnan(prices.actual)
    for content, said in (
        ("Start,Name,Impact\n", "no column currency"),
        ("Start,Name,Impact,Currency\nnoon,x,HIGH,USD\n", "line 2: 'noon' is no time"),
        ("Start,Name,Impact,Currency\n2024-01-01,x\n", "line 2: 4 columns"),
    ):
        bad = tmp_path / "bad.csv"
        bad.write_text(content)
        with pytest.raises(InputError, match=said):
            read_calendar(bad)


def test_payrolls_of_the_recorded_calendar(shared_data: Path) -> None:
    """Twelve years: every payroll at 8:30 in New York, so 12:30 or 13:30 UTC."""
    told = read_calendar(shared_data / "calendar" / "news_events_2008_2020-01.csv.gz")
    payrolls = [each for each in told if each.name == "Nonfarm Payrolls" and each.currency == "USD"]
    assert len(payrolls) > 130
    assert {each.at_ns % NS_PER_DAY // NS_PER_MINUTE for each in payrolls} == {750, 810}


def test_the_verbs(tmp_path: Path) -> None:
    """Import and list, as text and JSON."""
    file = tmp_path / "week.csv"
    file.write_text("time,currency,impact,name\n2024-01-11 13:30,USD,high,CPI\n")
    home = ["--data-dir", str(tmp_path / "home")]

    def run(*words: str) -> str:
        done = CliRunner().invoke(command, [*words, *home], obj=Cli(), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "1 events are a record of the past" in run("import", str(file), "--record")
    found = json.loads(run("list", "--from", "2024-01-08", "--json"))
    assert [(each["at"], each["impact"]) for each in found] == [("2024-01-11T13:30:00Z", "high")]
    assert "Nothing is known" in run("list", "--from", "2024-01-08", "--currency", "EUR")
