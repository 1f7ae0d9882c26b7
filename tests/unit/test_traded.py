"""What a flow earned since it trades: told apart by version and state, in a report's figures."""

from decimal import Decimal

import msgspec
import pytest

from plan2.foundation.events.base import Event
from plan2.foundation.events.flows import FlowMoved
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.comparison.traded import Traded, TradedBooks
from unit.flow_fixtures import EXIT, LONG, at, fill_last, flow_desk
from unit.trading_fixtures import NOON_NS, SELL

NAME = "ema-cross"


def traded_of(events: list[Event], name: str, versions: list[int]) -> list[Traded]:
    """What a whole log comes to."""
    books = TradedBooks()
    for event in events:
        books.take(event)
    return books.of(name, versions)


def moved(version: int, to: str) -> FlowMoved:
    """A change of state; its time is of another clock and must not matter."""
    return FlowMoved(
        ts_ns=1, name=NAME, version=version, from_state="backtested", to_state=to,
        account_id="paper", by="user:anna", reason="because", evidence=(), is_override=False,
    )  # fmt: skip


def trade(number: int, profit: str) -> list[Event]:
    """An entry of 0.10 lots and its exit ten seconds later, with 0.35 commission a side."""
    desk = flow_desk({number: LONG, number + 10: EXIT})
    at(desk, number)
    fill_last(desk, 1.10010, f"{number}a", commission=Decimal("-0.35"))
    at(desk, number + 10)
    money = {"commission": Decimal("-0.35"), "profit": Decimal(profit)}
    fill_last(desk, 1.10100, f"{number}b", is_exit=True, side=SELL, **money)
    events = [fact.event for fact in desk.sink.facts]
    return [_renamed(each, str(number)) for each in events]


def _renamed(event: Event, mark: str) -> Event:
    """Orders and positions of each desk are numbered alike; here they are of one account."""
    own = {
        n: f"{getattr(event, n)}-{mark}" for n in ("order_id", "position_id") if hasattr(event, n)
    }
    return msgspec.structs.replace(event, **own)


def test_versions_and_states_have_columns_of_their_own() -> None:
    """Version 1: +8.30 and −4.70 on paper, then +1.30 live; version 2 has another text."""
    events = [
        moved(1, "paper"), *trade(1, "9.00"), *trade(30, "-4.00"),
        moved(1, "live"), *trade(60, "2.00"),
        moved(1, "retired"), moved(2, "paper"), *trade(90, "7.00"),
    ]  # fmt: skip
    paper, live = traded_of(events, NAME, [1])
    assert (paper.version, paper.state, paper.open) == (1, "paper", 0)
    figures = {name: each.value for name, each in paper.figures.items()}
    assert figures["net_profit"] == pytest.approx(8.30 - 4.70)
    assert (figures["trades"], figures["win_rate"]) == (2, 0.5)
    assert figures["profit_factor"] == pytest.approx(8.30 / 4.70)
    assert (paper.first_ns, paper.last_ns) == (
        NOON_NS + 2 * NS_PER_SECOND, NOON_NS + 41 * NS_PER_SECOND,
    )  # fmt: skip
    assert (live.state, live.figures["net_profit"].value) == ("live", pytest.approx(1.30))
    assert live.figures["profit_factor"].reason == "No trade lost."
    assert traded_of(events, NAME, [3]) == traded_of(events, "other", [1]) == []


def test_what_is_open_is_in_no_figure() -> None:
    """Nothing closed: no figures, one position."""
    opened = trade(1, "9.00")
    events = [moved(1, "paper"), *opened[: len(opened) // 2]]
    (found,) = traded_of(events, NAME, [1])
    assert (found.open, found.figures, found.last_ns) == (1, {}, 0)


def test_what_was_asked_between_changes_nothing() -> None:
    """At every event of the log: the same as that much of it read anew, in every column."""
    events = [
        moved(1, "paper"), *trade(1, "9.00"), moved(1, "live"), *trade(30, "-4.00"),
        moved(2, "paper"), *trade(60, "7.00"),
    ]  # fmt: skip
    books, seen = TradedBooks(), []
    for number, event in enumerate(events, 1):
        books.take(event)
        found = books.of(NAME, [1, 2])
        assert found == books.of(NAME, [1, 2]) == traded_of(events[:number], NAME, [1, 2])
        seen.append([(each.version, each.state, each.open, len(each.figures)) for each in found])
    assert [row[-1][:2] for row in seen if row][-1] == (1, "live")
    assert {each[2] for row in seen for each in row} == {0, 1}  # some were open meanwhile
