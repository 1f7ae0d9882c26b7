"""The checkup over the twin: every step, and what each trouble makes of it."""

from typing import Any, cast

import pytest

from mt5_world import SYMBOLS, mt5_world
from plan2.dataflow.terminals.mt5.checkup import Step, checkup, package_step
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.twin.module import TwinModule, build
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.values import NS_PER_DAY
from simulated_world import TUESDAY_NS

ALL = [
    "terminal path",
    "connection",
    "login",
    "server",
    "trade mode",
    "trade server",
    "AutoTrading button",
    "API trading",
    "trading rights",
    "automatic trading at the broker",
    "symbols",
    "server clock",
    "history",
]


def steps(module: TwinModule, clock: SimulatedClock, **options: Any) -> dict[str, Step]:
    """The checkup's lines by subject."""
    settings: dict[str, Any] = {"symbols": SYMBOLS, "may_guess_terminal": True} | options
    found = checkup(cast(Mt5Module, module), Mt5Options(**settings), clock)
    return {step.subject: step for step in found}


def test_all_is_well() -> None:
    """Every step is there, good, and says what it found; the connection is let go."""
    venue = mt5_world()
    module = build(venue.world)
    found = steps(module, venue.clock, login=5_000_001, mode="demo")

    assert list(found) == ALL
    assert all(step.is_ok and step.found and not step.remedy for step in found.values())
    assert "demo, hedging, USD" in found["trade mode"].found
    assert module.account_info() is None
    assert module.last_error()[0] == -10004


@pytest.mark.parametrize(
    ("lever", "value", "subject"),
    [
        ("is_connected", False, "trade server"),
        ("has_autotrading", False, "AutoTrading button"),
        ("is_api_disabled", True, "API trading"),
    ],
)
def test_a_switch_of_the_terminal(lever: str, value: bool, subject: str) -> None:
    """Just the step it concerns is bad, with what to do."""
    venue = mt5_world()
    module = build(venue.world)
    module.initialize()
    setattr(venue.world.terminal, lever, value)
    if lever == "is_connected":
        found = steps(module, venue.clock)
        assert not found["connection"].is_ok
        assert found["connection"].remedy
        return

    found = steps(module, venue.clock)

    assert [one for one, step in found.items() if not step.is_ok] == [subject]
    assert found[subject].remedy


def test_an_investor_and_other_accounts_than_configured() -> None:
    """Login, server, mode and rights are told apart, each with what was expected."""
    venue = mt5_world()
    venue.world.account.is_investor = True
    found = steps(build(venue.world), venue.clock, login=1, server="Other", mode="real")

    bad = [one for one, step in found.items() if not step.is_ok]
    assert bad == ["login", "server", "trade mode", "trading rights"]
    assert "expected 1" in found["login"].found


def test_a_symbol_nobody_offers_ends_the_list() -> None:
    """The remedy names the key to set."""
    venue = mt5_world()
    found = steps(build(venue.world), venue.clock, symbols=("EURGBP",))

    assert list(found)[-1] == "symbols"
    assert "symbol_names" in found["symbols"].remedy


@pytest.mark.parametrize(
    ("policy", "is_ok"), [("newyork+7", True), ("UTC+3", False), ("UTC", False)]
)
def test_a_wrong_server_clock_is_seen(policy: str, is_ok: bool) -> None:
    """On Tuesday 2024-03-05 the New York close clock is UTC+2."""
    venue = mt5_world()
    step = steps(build(venue.world), venue.clock, server_clock=policy)["server clock"]

    assert (step.is_ok, bool(step.remedy)) == (is_ok, not is_ok)


def test_on_a_weekend_the_clock_is_not_judged() -> None:
    """An old quote proves nothing; the step says so and is not bad."""
    venue = mt5_world()
    venue.clock.advance_to(TUESDAY_NS + 4 * NS_PER_DAY)
    step = steps(build(venue.world), venue.clock, server_clock="UTC+3")["server clock"]

    assert step.is_ok
    assert "not checked" in step.found


def test_without_a_path() -> None:
    """The two steps that matter, both with what to do."""
    venue = mt5_world()
    found = steps(build(venue.world), venue.clock, may_guess_terminal=False)

    assert list(found) == ["terminal path", "connection"]
    assert not any(step.is_ok for step in found.values())
    assert all(step.remedy for step in found.values())


def test_the_package() -> None:
    """The twin is there; a module that does not exist is not; the official one has a remedy."""
    assert package_step("plan2.dataflow.terminals.twin.metatrader5").is_ok
    assert not package_step("plan2.dataflow.nothing_of_the_kind").is_ok
    official = package_step()
    assert official.is_ok or official.remedy
