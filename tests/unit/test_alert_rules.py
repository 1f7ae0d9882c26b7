"""Alert rules: what fires when, by hand-made paths of a figure; what a file may say."""

import math

import pytest

from plan2.foundation.errors import InputError, StoreBusy
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.alerts.conditions import Bounds
from plan2.intelligence.alerts.memory import Memory, advanced
from plan2.intelligence.alerts.rule import Hours, read_rules
from unit.alert_fixtures import MONDAY_NS, AlertRoom, MemoryAlerts, price, rule

PATHS = [
    # test, rearm, the figure at each look, at which looks it fires (level 10)
    ("above", 0.0, [9, 11, 12, 9, 11], [1, 4]),
    ("above", 0.0, [11, 11], [0]),
    ("above", 0.0, [10, 10], []),
    ("above", 2.0, [11, 9, 11, 8, 11], [0, 4]),
    ("below", 0.0, [11, 9, 8, 11, 9], [1, 4]),
    ("below", 2.0, [9, 11, 9, 12, 9], [0, 4]),
    ("crosses_above", 0.0, [11, 12, 9, 11], [3]),
    ("crosses_below", 0.0, [9, 8, 11, 9], [3]),
    ("crosses", 0.0, [9, 11, 12, 9, 11], [1, 3, 4]),
    ("crosses", 2.0, [7, 11, 9.5, 11, 7, 13], [1, 4, 5]),
    ("above", 0.0, [math.nan, 11, math.nan, 9, 11], [1, 4]),
    ("crosses", 0.0, [9, 10, 9, 10, 11], [4]),
]


@pytest.mark.parametrize(("test", "rearm", "path", "expected"), PATHS)
def test_a_rule_fires_where_its_threshold_is_passed(test, rearm, path, expected) -> None:
    """The table is drawn by hand: level 10, one look a second, no pause."""
    memory, fired = Memory(), []
    for place, value in enumerate(path):
        step = advanced(memory, Bounds(test, 10.0, rearm), value, place * NS_PER_SECOND, 0.0)
        memory = step.memory
        if step.fires:
            fired.append(place)
    assert fired == expected
    assert memory.fired == len(expected)


def test_a_pause_puts_a_firing_off_until_its_end() -> None:
    """Within the pause nothing is said; afterwards what is still true is."""
    memory, fired = Memory(), []
    for second, value in enumerate([11, 9, 11, 11, 11, 11, 9, 11]):
        step = advanced(memory, Bounds("above", 10.0), value, second * NS_PER_SECOND, 5.0)
        memory = step.memory
        fired += [second] if step.fires else []
    assert fired == [0, 5]


async def test_once_fires_once_and_switches_itself_off() -> None:
    """The rule says so in the log, and a new look changes nothing."""
    room = AlertRoom()
    kept = await room.desk.put(rule(price("above", 1.1), repeat="once"), "user:u")
    assert [room.see(mid) for mid in (1.2, 1.0, 1.2)] == [1, 0, 0]
    assert not room.desk.rules[kept.rule_id].rule.is_enabled
    assert room.names() == ["AlertRuleChanged", "AlertRuleChanged", "AlertRaised"]


async def test_rules_survive_a_restart_with_what_they_remember() -> None:
    """Armed or not, fired how often, what waits and its escalation: nothing is told twice."""
    room = AlertRoom()
    step = {"after_minutes": 10, "to": [{"way": "telegram"}]}
    await room.desk.put(rule(price("above", 1.1, rearm=0.05), escalation=[step]), "user:u")
    assert room.see(1.2) == 1
    await room.desk.save()
    later = AlertRoom(room.table, room.clock)
    await later.desk.load()
    assert later.see(1.2) == 0
    assert later.see(1.08) == 0
    assert later.see(1.2) == 0
    later.pass_time(600)
    later.desk.follow_up()
    assert [each.cause for each in later.told] == ["escalated"]
    assert later.see(1.04) == 0
    assert later.see(1.2) == 1
    assert len({each.alert.alert_id for each in (*room.told, *later.told)}) == 2


async def test_nobody_acknowledges_so_others_are_told_in_turn() -> None:
    """Each step at its minute after the first; acknowledging ends it."""
    room = AlertRoom()
    steps = [
        {"after_minutes": 5, "to": [{"way": "telegram", "to": "anna"}]},
        {"after_minutes": 15, "to": [{"way": "telegram", "to": "boss"}]},
    ]
    await room.desk.put(rule(price("above", 1.1), escalation=steps), "user:u")
    room.see(1.2)
    told = []
    for minute in range(1, 30):
        room.pass_time(60)
        room.desk.follow_up()
        told += [(minute, each.to[0].to) for each in room.told[len(told) + 1 :]]
    assert told == [(5, "anna"), (15, "boss")]
    [alert_id] = room.desk.waiting
    room.desk.acknowledge(alert_id, "user:u")
    assert room.desk.waiting == {}
    assert room.names().count("AlertEscalated") == 2
    with pytest.raises(InputError, match="No alert"):
        room.desk.acknowledge(alert_id, "user:u")


async def test_snoozed_it_is_quiet_and_comes_back() -> None:
    """Until the time is over nothing new of the rule is raised either."""
    room = AlertRoom()
    await room.desk.put(rule(price("above", 1.1)), "user:u")
    room.see(1.2)
    [alert_id] = room.desk.waiting
    room.desk.snooze(alert_id, 30, "user:u")
    assert [room.see(mid) for mid in (1.0, 1.2)] == [0, 0]
    room.pass_time(30 * 60)
    room.desk.follow_up()
    assert [each.cause for each in room.told] == ["raised", "again"]
    assert room.desk.waiting[alert_id].state == "open"
    with pytest.raises(InputError, match="minutes"):
        room.desk.snooze(alert_id, 0, "user:u")


async def test_an_event_of_the_log_fires_where_its_members_fit() -> None:
    """Members of another value, or another event, do not."""
    room = AlertRoom()
    condition = {"kind": "event", "event": "DecisionMade", "where": {"outcome": "denied"}}
    await room.desk.put(rule(condition, cooldown_s=0), "user:u")
    for name, outcome in (("DecisionMade", "traded"), ("OrderDenied", "denied")):
        room.desk.on_event(name, lambda outcome=outcome: {"outcome": outcome})
    assert room.told == []
    room.desk.on_event("DecisionMade", lambda: {"outcome": "denied", "symbol": "EURUSD"})
    assert [each.alert.words for each in room.told] == [
        "DecisionMade: symbol EURUSD, outcome denied"
    ]


@pytest.mark.parametrize(
    ("condition", "low", "high"),
    [
        ({"kind": "risk", "figure": "margin_level", "test": "below", "level": 150}, 149, 151),
        ({"kind": "profit", "of": "day", "test": "below", "level": -200}, -201, -199),
        ({"kind": "health", "figure": "loop_lag_ms", "test": "above", "level": 50}, 51, 49),
        (
            {"kind": "forecast", "symbol": "EURUSD", "figure": "p_up", "test": "above",
             "level": 0.6}, 0.61, 0.59,
        ),
        (
            {"kind": "feature", "symbol": "EURUSD", "formula": "rsi_mid_14", "test": "above",
             "level": 70}, 71, 69,
        ),
    ],
)  # fmt: skip
async def test_each_figure_is_looked_at(condition, low, high) -> None:
    """The first figure is past its level, the second is not."""
    name = condition.get("figure") or condition.get("formula") or condition["of"]
    for figure, expected in ((low, 1), (high, 0), (math.nan, 0)):
        room = AlertRoom()
        await room.desk.put(rule(condition), "user:u")
        room.readings.figures[name] = figure
        room.desk.look({"EURUSD", ""})
        assert len(room.told) == expected


async def test_a_move_is_measured_from_where_the_window_began() -> None:
    """1.0 to 1.02 in an hour is 2 %, down or up."""
    for bid, fires in ((1.0301, 1), (1.0099, 0), (0.9701, 1)):
        room = AlertRoom()
        condition = {
            "kind": "move", "symbol": "EURUSD", "window_minutes": 60, "direction": "either",
            "test": "above", "level": 2.0,
        }  # fmt: skip
        await room.desk.put(rule(condition), "user:u")
        room.readings.figures["bid EURUSD 60"] = 1.0
        room.readings.quote(bid)
        room.desk.look({"EURUSD"})
        assert len(room.told) == fires


async def test_silence_counts_while_the_market_is_open() -> None:
    """A closed market owes no tick; a heartbeat is owed at any hour."""
    room = AlertRoom()
    tick = {"kind": "silence", "what": "tick", "of": "EURUSD", "seconds": 30}
    beat = {"kind": "silence", "what": "heartbeat", "of": "script", "seconds": 30}
    await room.desk.put(rule(tick, name="tick"), "user:u")
    await room.desk.put(rule(beat, name="beat"), "user:u")
    room.readings.heard = {
        ("tick", "EURUSD"): MONDAY_NS, ("heartbeat", "script"): MONDAY_NS,
    }  # fmt: skip
    room.readings.open = False
    room.pass_time(31)
    room.desk.look({""})
    assert [each.alert.rule.name for each in room.told] == ["beat"]
    room.readings.open = True
    room.desk.look({""})
    assert [each.alert.rule.name for each in room.told] == ["beat", "tick"]


async def test_a_part_that_is_worse_than_allowed() -> None:
    """Degraded counts where degraded is asked for; down counts always."""
    room = AlertRoom()
    await room.desk.put(rule({"kind": "component", "status": "down"}, name="down"), "user:u")
    await room.desk.put(rule({"kind": "component", "name": "feeds"}, name="feeds"), "user:u")
    for status, expected in (("ok", []), ("degraded", ["feeds"]), ("down", ["feeds", "down"])):
        room.readings.parts["feeds"] = status
        room.pass_time(1)
        room.desk.look({""})
        assert [each.alert.rule.name for each in room.told] == expected


HOURS = [
    (Hours(start="09:00", end="17:00"), 0, True),
    (Hours(start="11:00", end="17:00"), 0, False),
    (Hours(start="22:00", end="06:00"), 13 * 3600, True),
    (Hours(start="22:00", end="06:00", days=("mon",)), 16 * 3600, True),
    (Hours(start="22:00", end="06:00", days=("tue",)), 16 * 3600, False),
    (Hours(days=("tue",)), 0, False),
    (Hours(start="19:00", end="20:00", zone="Asia/Tokyo"), 0, True),
]


@pytest.mark.parametrize(("hours", "later_s", "expected"), HOURS)
def test_hours_are_of_their_own_zone_and_may_pass_midnight(hours, later_s, expected) -> None:
    """Monday 10:00 UTC is 19:00 in Tokyo."""
    assert hours.hold(MONDAY_NS + later_s * NS_PER_SECOND) is expected


async def test_what_the_database_did_not_take_is_told_and_kept_later() -> None:
    """An alert does not wait for the database; it is written as soon as that is back."""
    room = AlertRoom(MemoryAlerts())
    await room.desk.put(rule(price("above", 1.1)), "user:u")
    room.table.is_away = True
    assert room.see(1.2) == 1
    with pytest.raises(StoreBusy):
        await room.desk.save()
    room.table.is_away = False
    await room.desk.save()
    assert len(room.table.raised) == 1
    assert not room.desk.unsaved


ONE = "[[rule]]\nname='x'\n{more}\n[rule.condition]\n{condition}\n"
STEPS = "".join(f"[[rule.escalation]]\nafter_minutes={n}\nto=[{{}}]\n" for n in (9, 5))
PART = "kind='component'"
WRONG = [
    ("", "kind='moon'", "Invalid value 'moon'"),
    ("loud=1", PART, "unknown field `loud`"),
    (
        "", "kind='feature'\nsymbol='E'\nformula='rsi+1'\ntest='above'\nlevel=1",
        "unknown feature 'rsi'",
    ),
    ("", "kind='event'\nevent='AlertRaised'", "no event 'AlertRaised' to wait for"),
    ("", "kind='event'\nevent='OrderDenied'\nwhere={colour='red'}", "has no member 'colour'"),
    ("hours={zone='Mars/Base'}", PART, "no time zone 'Mars/Base'"),
    ("", PART + "\n" + STEPS, "minutes must rise"),
    ("cooldown_s=-1", PART, "Expected `float` >= 0"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "condition", "says"), WRONG)
def test_a_file_that_cannot_hold_says_what_is_wrong(more, condition, says) -> None:
    """Nothing of it is taken."""
    with pytest.raises(InputError) as found:
        read_rules(ONE.format(more=more, condition=condition))
    assert says in str(found.value)


async def test_a_turn_looks_at_what_moved_and_once_a_second_at_the_rest() -> None:
    """Ten turns are a second; a quote that did not change is not looked at again."""
    room = AlertRoom()
    await room.desk.put(rule(price("above", 1.1), name="fast", cooldown_s=0), "user:u")
    slow = {"kind": "risk", "figure": "drawdown", "test": "above", "level": 5}
    await room.desk.put(rule(slow, name="slow"), "user:u")
    told = []
    for turn in range(11):
        room.readings.figures["drawdown"] = 6.0 if turn else 0.0
        if turn == 3:
            room.readings.quote(1.2)
        await room.service.turn()
        told += [(turn, each.alert.rule.name) for each in room.told[len(told) :]]
    assert told == [(3, "fast"), (10, "slow")]
    assert set(room.changed) == set(room.desk.waiting)
