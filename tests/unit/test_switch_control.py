"""Switches as people use them: who may what, on which account, and the file that kills."""

from pathlib import Path

import msgspec
import pytest
from kill_fixtures import KillScene
from trading_fixtures import NOON_NS, RULES, SELL, Desk, forecast, scene, tick

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import InputError, JournalLost
from plan2.foundation.events.account import TradingStateChanged
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import Scope
from plan2.intelligence.trading.control import Control, Selector
from plan2.intelligence.trading.kill_file import KillFile, selector_of

CLOCK = SimulatedClock(NOON_NS)


def control_of(*desks: Desk, locked: str = "") -> Control:
    """A control over these desks, as accounts a and b."""
    accounts = {name: desk.account for name, desk in zip("ab", desks, strict=False)}
    return Control(accounts, CLOCK, lambda: locked)


def changes(desk: Desk) -> list[TradingStateChanged]:
    """Every change of a switch that was written down."""
    return [item.event for item in desk.sink.facts if isinstance(item.event, TradingStateChanged)]


async def test_a_change_names_scope_target_actor_and_reason() -> None:
    """And is durable when the call returns."""
    desk = Desk().arm()
    chosen = Selector(scope=Scope.SYMBOL, target="EURUSD")
    await control_of(desk).set_state("paused", "user:ann", "news", chosen)
    change = changes(desk)[-1]
    assert (change.scope, change.target, change.new_state) == ("symbol", "EURUSD", "paused")
    assert (change.actor, change.reason) == ("user:ann", "news")
    assert desk.journal.records[-1][0].type == "TradingStateChanged"


async def test_nothing_is_written_for_a_switch_that_stands_there_already() -> None:
    """Halting twice is one event."""
    desk = Desk().arm()
    for _ in range(2):
        await control_of(desk).set_state("halted", "user:ann", "stop")
    assert len(changes(desk)) == 2  # armed by the desk, then halted


async def test_global_and_unnamed_mean_every_account_and_a_name_means_one() -> None:
    """Two accounts: global halts both, `b` alone only itself."""
    one, two = Desk().arm(), Desk().arm()
    control = control_of(one, two)
    await control.set_state("paused", "user:ann", "test", Selector(account_id="b"))
    assert (one.account.state, two.account.state) == (TradingState.ARMED, TradingState.PAUSED)
    await control.set_state("halted", "user:ann", "test", Selector(scope=Scope.GLOBAL))
    assert (one.account.state, two.account.state) == (TradingState.HALTED, TradingState.HALTED)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        (Selector(account_id="c"), "no account 'c'"),
        (Selector(scope=Scope.SYMBOL), "Which symbol"),
        (Selector(scope=Scope.SYMBOL, target="EURUSDD"), "no symbol 'EURUSDD'"),
        (Selector(scope=Scope.ACCOUNT, target="x"), "has no name"),
    ],
)
async def test_what_does_not_exist_is_refused(selector: Selector, message: str) -> None:
    """A slip of the pen must not look like a halt."""
    desk = Desk().arm()
    with pytest.raises(InputError, match=message):
        await control_of(desk).set_state("halted", "user:ann", "test", selector)
    assert desk.account.state is TradingState.ARMED


@pytest.mark.parametrize("scope", ["account", "global", "symbol", "flow"])
async def test_only_a_person_takes_a_halt_back(scope: str) -> None:
    """R-109: no part of Plan2 resumes what was halted, in any scope."""
    desk = Desk().arm()
    target = {"symbol": "EURUSD", "flow": "main"}.get(scope, "")
    chosen = Selector(scope=Scope(scope), target=target)
    control = control_of(desk)
    await control.set_state("halted", "risk", "test", chosen)
    with pytest.raises(InputError, match="cannot take back"):
        await control.set_state("armed", "scheduler", "test", chosen)
    for looser in ("paused", "reduce_only"):
        with pytest.raises(InputError, match="is halted already, which is stricter"):
            await control.set_state(looser, "user:ann", "test", chosen)
    await control.set_state("armed", "user:ann", "looked at it", chosen)
    assert desk.account.guard.switches.state_of("EURUSD", "main") is TradingState.ARMED
    assert changes(desk)[-1].actor == "user:ann"


@pytest.mark.parametrize(("told", "named"), [("real", "real"), ("demo", "demo"), ("", "real")])
async def test_money_is_armed_only_by_its_own_mode(told: str, named: str) -> None:
    """Unknown counts as real; without a mode, or with another one, nothing is armed."""
    desk = Desk()
    desk.account.guard.know_mode(told)
    control = control_of(desk)
    for wrong in ("", "demo" if named == "real" else "real", "simulated"):
        with pytest.raises(InputError, match=f"is a {named} account"):
            await control.set_state("armed", "user:ann", "go", mode=wrong)
    await control.set_state("armed", "user:ann", "go", mode=named)
    assert desk.account.state is TradingState.ARMED
    assert desk.account.on_tick(scene(tick(), forecast(0.60))).order is not None


async def test_an_account_whose_mode_changed_does_not_trade() -> None:
    """Armed for demo, and the terminal now says real: the next entry is refused by that rule."""
    desk = Desk()
    desk.account.guard.know_mode("demo")
    await control_of(desk).set_state("armed", "user:ann", "go", mode="demo")
    desk.account.guard.know_mode("real")
    decision = desk.account.on_tick(scene(tick(), forecast(0.60)))
    assert [check.rule for check in decision.checks if not check.passed] == ["account_mode"]


async def test_a_loss_limit_keeps_trading_from_being_resumed() -> None:
    """Until the broker's day is over; the message says when that is."""
    desk = Desk().arm()
    desk.account.portfolio.day_loss = 0.05
    with pytest.raises(InputError, match=r"daily_loss 0\.0500 ≥ 0\.03, counts until"):
        await control_of(desk).set_state("armed", "user:ann", "go on")


async def test_states_survive_a_restart() -> None:
    """A new process that folds the events stands where the old one stood."""
    desk = Desk().arm()
    desk.account.guard.flows.add("scalper")
    control = control_of(desk)
    await control.set_state(
        "halted", "user:ann", "test", Selector(scope=Scope.FLOW, target="scalper")
    )
    await control.set_state("reduce_only", "user:ann", "test", Selector(scope=Scope.TENANT))
    after = Desk()
    for item in desk.sink.facts:
        after.account.apply(item.event)
    assert after.account.state is TradingState.REDUCE_ONLY
    assert after.account.guard.switches.state_of("EURUSD", "scalper") is TradingState.HALTED
    assert after.account.guard.switches.all() == desk.account.guard.switches.all()


async def test_a_lost_journal_on_one_account_still_halts_the_others() -> None:
    """Every account is halted, in memory at least, before the failure is told."""
    one, two = Desk().arm(), Desk().arm()
    one.journal.failure = JournalLost("disk full")
    with pytest.raises(JournalLost):
        await control_of(one, two).kill("user:ann", "test")
    assert (one.account.state, two.account.state) == (TradingState.HALTED, TradingState.HALTED)


def kill_file(folder: Path) -> tuple[KillFile, list[str]]:
    """A watcher of a folder, and what it says."""
    said: list[str] = []
    return KillFile(folder / "KILL", said.append), said


async def test_the_file_kills_once_each_time_it_is_written(tmp_path: Path) -> None:
    """R-110: presence is enough; a look without a change does nothing more."""
    stage = KillScene()
    stage.pend(2)
    control = control_of(stage.desk)
    file, said = kill_file(tmp_path)
    await file.check(control)
    assert stage.account.state is TradingState.ARMED
    (tmp_path / "KILL").touch()
    before = len(stage.desk.sent)
    for _ in range(5):
        await file.check(control)
    assert [order.kind.value for order in stage.desk.sent[before:]] == ["cancel", "cancel"]
    assert len(said) == 1
    assert changes(stage.desk)[-1].actor == "file:KILL"


async def test_the_file_can_name_a_scope_and_what_is_not_understood_means_everything(
    tmp_path: Path,
) -> None:
    """A symbol alone; an account that does not exist; words that say nothing."""
    for text, scope in (("symbol EURUSD", "symbol"), ("account none", "global"), ("?", "global")):
        desk = Desk().arm()
        file, _ = kill_file(tmp_path)
        (tmp_path / "KILL").write_text(text + "\nreason\n")
        await file.check(control_of(desk))
        assert changes(desk)[-1].scope == scope
    assert selector_of(["account", "live"]) == Selector(account_id="live")
    assert selector_of([]) == Selector(scope=Scope.GLOBAL)


async def test_a_start_with_the_file_does_not_trade_and_says_so(tmp_path: Path) -> None:
    """Armed in the last run, halted before the first tick, not to be resumed before it is gone."""
    desk = Desk().arm()
    file, said = kill_file(tmp_path)
    (tmp_path / "KILL").touch()
    control = Control({"a": desk.account}, CLOCK, file.locks)
    await file.hold(control)
    why = f"the kill file {tmp_path / 'KILL'} is there"
    assert said == [f"NOT TRADING: {why}. Remove it, then resume."]
    assert desk.account.on_tick(scene(tick(), forecast(0.60))).order is None
    chosen = Selector(scope=Scope.GLOBAL)
    with pytest.raises(InputError, match="kill file"):
        await control.set_state("armed", "user:ann", "go", chosen)
    (tmp_path / "KILL").unlink()
    await control.set_state("armed", "user:ann", "go", chosen)
    assert desk.account.state is TradingState.ARMED


async def test_the_throttle_stops_the_flow_on_a_real_desk() -> None:
    """R-109: with two automatic entries allowed, the third is refused and the flow is halted."""
    limits = msgspec.structs.replace(RULES.risk, executions_max=2, positions_per_symbol_max=4)
    rules = msgspec.structs.replace(RULES, risk=limits)
    desk = Desk(rules).arm()
    for number in range(3):
        desk.account.on_tick(scene(tick(after_s=600.0 * number), forecast(0.60)))
        if number < 2:
            order = desk.sent[-1]
            desk.fill(order, 1.1001, f"{number}", position_ticket=f"p{number}")
            stopped = {"position_ticket": f"p{number}", "is_exit": True, "side": SELL}
            desk.fill(order, 1.1001, f"x{number}", reason="take_profit", **stopped)
    assert len(desk.sent) == 2
    stop = changes(desk)[-1]
    assert (stop.scope, stop.target, stop.actor) == ("flow", "main", "risk")
    after = Desk(rules)
    for item in desk.sink.facts:
        after.account.apply(item.event)
    assert after.account.on_tick(scene(tick(after_s=7_200), forecast(0.60))).order is None
