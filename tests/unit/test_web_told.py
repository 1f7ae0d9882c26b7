"""Every sentence of the server that the page shows has its twin in Indonesian."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache

import pytest
from told_in_english import ROOT, spoken

from plan2.connectivity.identity.consents import PURPOSES
from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.proposals import State as ProposalState
from plan2.connectivity.jobs.job import JobStatus
from plan2.connectivity.registry import ServiceKind
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.foundation.clock_watch import ClockState
from plan2.foundation.health import Status
from plan2.intelligence.alerts.conditions import (
    AnyCondition,
    Component,
    Forecast,
    Happened,
    Health,
    Move,
    Price,
    Profit,
    Risk,
    Silence,
)
from plan2.intelligence.alerts.readings import FIGURES, TESTS, shown, threshold_words, title_of
from plan2.intelligence.backtest.figures.definitions import DEFINITIONS
from plan2.intelligence.learning.triggers import Signal
from plan2.intelligence.models.lifecycle import Alias, State
from plan2.intelligence.trading.orders import OrderState
from plan2.intelligence.training.evaluate import Flag, Verdict

TWINS = ROOT / "interface" / "web" / "src" / "strings" / "id" / "server"
BY_HAND = {"words", "codes"}
"""What is not read out of sources: pieces of sentences, and codes."""
CODES = (
    TenantState, ProposalState, JobStatus, ServiceKind, Refusal, ClockState, Status, Signal,
    State, Alias, OrderState, Verdict, Flag,
)  # fmt: skip
CONDITIONS: tuple[AnyCondition, ...] = (
    *(
        Forecast(symbol="EURUSD", figure=each, test="above", level=0.6)
        for each in ("p_up", "edge_pips")
    ),
    Forecast(symbol="EURUSD", figure="disagreement", test="above", level=0.6),
    Move(symbol="EURUSD", window_minutes=5, test="above", level=1.0),
    *(
        Risk(figure=each, test="above", level=3.0)
        for each in ("daily_loss", "weekly_loss", "drawdown")
    ),
    *(Risk(figure=each, test="above", level=3.0) for each in ("margin_level", "exposure_used")),
    Risk(figure="daily_loss_used", test="above", level=80.0),
    *(Profit(of="open", symbol=symbol, test="above", level=5.0) for symbol in ("", "EURUSD")),
    Profit(of="day", test="above", level=5.0),
    *(Health(figure=each, of="EURUSD", test="above", level=5.0) for each in FIGURES),
    Health(figure="loop_lag_ms", test="above", level=5.0),
    *(Component(name=name, status=each) for name in ("", "mail") for each in ("degraded", "down")),
    *(
        Silence(what=what, of=of, seconds=60.0)
        for what in ("tick", "decision", "heartbeat")
        for of in ("", "EURUSD")
    ),
)


@cache
def twins() -> dict[str, dict[str, str]]:
    """Indonesian words by English pattern, by topic."""
    return {each.stem: json.loads(each.read_text("utf-8")) for each in TWINS.glob("*.json")}


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """The patterns of every topic, as the page reads them."""
    return tuple(
        re.compile(re.sub(r"\\\{\d+(\\#)?\\\}", ".+?", re.escape(english)))
        for topic in twins().values()
        for english in topic
    )


def is_known(text: str) -> bool:
    """Whether the page has words for a sentence."""
    return any(each.fullmatch(text) for each in patterns())


def test_every_sentence_of_the_sources_has_a_twin() -> None:
    """A new refusal, gate, figure or remark says its Indonesian words, or this fails."""
    known = {english for topic in twins().values() for english in topic}
    assert {text: source for text, source in spoken().items() if text not in known} == {}


def test_no_twin_outlives_its_sentence() -> None:
    """A sentence that nobody says any more takes its twin along."""
    said = spoken()
    left = [
        english
        for name, topic in twins().items()
        if name not in BY_HAND
        for english in topic
        if english not in said
    ]
    assert left == []


def test_the_sources_are_still_understood() -> None:
    """The walk finds what it is made for: constants, values, numbers, refusals, health."""
    assert {
        "no suspicion of a leak",
        "{0#} days on paper, at least {1} are needed",
        "There is no alert rule {0}.",
        "The books have not been compared yet.",
        "Loss of a day that halts, of equity.",
    } <= set(spoken())
    assert len(spoken()) > 800


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda each: repr(each)[:60])
def test_what_a_rule_watches_is_known(condition: AnyCondition) -> None:
    """Its title, what it sees and its threshold; alerts are told by these."""
    title = title_of(condition)
    assert is_known(title)
    assert is_known(threshold_words(condition))
    if not isinstance(condition, Component | Silence):
        assert is_known(f"{title} is {shown(1.5, condition)}")


@pytest.mark.parametrize("test", TESTS)
def test_every_kind_of_threshold_is_known(test: str) -> None:
    """Also those that only some rules use."""
    assert is_known(threshold_words(Price(symbol="EURUSD", test=test, level=1.1)))  # type: ignore[arg-type]
    assert is_known(threshold_words(Happened(event="OrderRejected")))


@pytest.mark.parametrize("codes", CODES, ids=lambda each: each.__qualname__)
def test_codes_that_are_shown_have_words(codes: type) -> None:
    """A state of theirs is never English amid Indonesian."""
    known = twins()["codes"]
    assert [each for each in codes if each.value.lower().replace("_", " ") not in known] == []  # type: ignore[attr-defined]


def health_words() -> tuple[set[str], set[str]]:
    """Names of the parts of a process, and of the figures that they show, in the sources."""
    names: set[str] = set()
    figures: set[str] = set()
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        called = {each: getattr(each.func, "id", "") for each in calls}
        for call in calls:
            if called[call] == "Component":
                names |= {ast.literal_eval(k.value) for k in call.keywords if k.arg == "name"}
        if "Health" in called.values():
            figures |= set(figures_in(tree))
    return names, figures


def figures_in(tree: ast.AST) -> Iterator[str]:
    """Keys of what a module calls `metrics`, or gives to `Health` as such."""
    for node in ast.walk(tree):
        given: list[ast.expr | None] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Health":
            given = [*node.args, *(each.value for each in node.keywords)]
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id == "metrics":
                    given = [node.value]
                is_member = isinstance(target, ast.Subscript)
                if is_member and getattr(target.value, "id", "") == "metrics":
                    yield ast.literal_eval(target.slice)
        for each in given:
            if isinstance(each, ast.Dict):
                yield from (key.value for key in each.keys if isinstance(key, ast.Constant))


def test_parts_of_the_process_and_their_figures_have_words() -> None:
    """Pages Services and System name them in the reader's language."""
    names, figures = health_words()
    assert {"market", "kill_file", "api_keys", "telegram"} <= names
    assert {"lag_ms_p99", "overdue", "dropped_ticks", "clock_offset_ms"} <= figures
    known = twins()["codes"]
    assert [each for each in sorted(names | figures) if each.replace("_", " ") not in known] == []


def test_short_texts_have_words() -> None:
    """Labels of figures and what one consents to are too short, or too long, to be found alike."""
    texts = [
        *(each.label for each in DEFINITIONS.values()),
        *(each.text for each in PURPOSES.values()),
    ]
    assert [text for text in texts if not is_known(text)] == []
