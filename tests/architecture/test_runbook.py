"""The runbook speaks of everything that can stop trading, by the names that the code gives it."""

import re

import pytest
from source_tree import ROOT

from plan2.dataflow.terminals.port import LinkState
from plan2.foundation.errors import JournalLost, ModelMismatch, Plan2Error
from plan2.foundation.events.catalog import STORED
from plan2.intelligence.risk.checks import RULES
from plan2.intelligence.trading.reconcile_rules import Action, Kind

RUNBOOK = "docs/runbook.md"
HEARD = frozenset(
    {
        "OrderDenied",
        "OrderRejected",
        "OrderOutcomeUnknown",
        "ReconciliationDifference",
        "BalanceAdjusted",
        "RiskLimitBreached",
        "RiskLimitNeared",
        "TradingStateChanged",
        "TerminalLinkChanged",
        "KillBegun",
        "KillFinished",
    }
)
"""Stored events that a person has to know what to do about."""


@pytest.fixture(scope="module")
def named() -> set[str]:
    """Everything that stands in back-ticks, word by word."""
    text = (ROOT / RUNBOOK).read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", text)
    return {*spans, *(word for span in spans for word in re.findall(r"[\w.-]+", span))}


def test_every_risk_rule(named: set[str]) -> None:
    """What it means and what to do."""
    rules = {rule.__name__ for each in RULES.values() for rule in each}

    assert rules - named == set()


def test_every_difference_and_what_is_done(named: set[str]) -> None:
    """Kinds of disagreement with the broker, and the actions."""
    assert {kind.value for kind in Kind} - named == set()
    assert {action.value for action in Action} - named == set()


def test_every_alarm_that_is_stored(named: set[str]) -> None:
    """The events exist, and the runbook says what to do about each."""
    assert set(STORED) >= HEARD
    assert HEARD - named == set()


def test_link_states_and_faults(named: set[str]) -> None:
    """States in which nothing new is opened, and errors that halt."""
    states = {state.value for state in LinkState if state is not LinkState.UP}
    faults: set[type[Plan2Error]] = {JournalLost, ModelMismatch}

    assert states | {fault.code for fault in faults} <= named
