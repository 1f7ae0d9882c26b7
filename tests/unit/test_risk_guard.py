"""The guard of an account: switches, references, counters and the throttle, folded from events."""

import math

import msgspec
import pytest
from trading_fixtures import NOON_NS, tick

from plan2.foundation.config.schema import Risk
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderPlaced
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.guard import AccountGuard
from plan2.intelligence.risk.state import TradingState, strictest
from plan2.intelligence.risk.switch import Scope, Switches, Where

ARMED, PAUSED, REDUCE_ONLY, HALTED = (
    TradingState.ARMED,
    TradingState.PAUSED,
    TradingState.REDUCE_ONLY,
    TradingState.HALTED,
)


def placed(number: int, after_s: float, **changes: object) -> OrderPlaced:
    """An automatic entry of flow main, `after_s` seconds after noon."""
    event = OrderPlaced(
        ts_ns=NOON_NS + int(after_s * NS_PER_SECOND),
        order_id=f"o{number}",
        decision_id=f"d{number}",
        tenant_id="default",
        account_id="test",
        symbol="EURUSD",
        side="buy",
        quantity=0.1,
        price=1.1,
        stop_loss=1.09,
        take_profit=1.11,
        reduce_only=False,
        token=f"t{number}",
        position_id="",
        expires_ts_ns=0,
        kind="open",
        flow_id="main",
        decided_by="algorithm:plan2-policy",
    )
    return msgspec.structs.replace(event, **changes)


def switched(
    state: TradingState, scope: str = "account", target: str = "", mode: str = ""
) -> Event:
    """A change of one switch."""
    return TradingStateChanged(
        ts_ns=NOON_NS,
        account_id="test",
        tenant_id="default",
        old_state="armed",
        new_state=state.word,
        actor="user:ann",
        reason="test",
        scope=scope,
        target=target,
        mode=mode,
    )


def guard_with(*events: Event, **limits: object) -> AccountGuard:
    """A guard that has heard these events."""
    guard = AccountGuard(Risk(**limits))  # type: ignore[arg-type]
    for event in events:
        guard.apply(event)
    return guard


def test_the_strictest_of_the_five_scopes_counts() -> None:
    """Armed as a whole, halted for one symbol, paused for one flow: each order meets its own."""
    switches = guard_with(
        switched(ARMED),
        switched(HALTED, "symbol", "EURUSD"),
        switched(PAUSED, "flow", "scalper"),
    ).switches
    assert switches.state_of("EURUSD", "main") is HALTED
    assert switches.state_of("EURUSD", "scalper") is HALTED
    assert switches.state_of("GBPUSD", "scalper") is PAUSED
    assert switches.state_of("GBPUSD", "main") is ARMED
    assert switches.whole is ARMED


@pytest.mark.parametrize("scope", ["global", "tenant", "account"])
def test_wide_switches_bear_on_everything(scope: str) -> None:
    """One of them halted halts every symbol and flow."""
    switches = guard_with(switched(ARMED), switched(HALTED, scope)).switches
    assert switches.whole is HALTED
    assert switches.state_of("GBPUSD", "scalper") is HALTED
    assert switches.why("GBPUSD", "scalper").where == Where(Scope(scope))


def test_strictness_is_not_the_number() -> None:
    """Reduce-only has the number 3 because 2 was taken, but a halt is stricter."""
    assert strictest([REDUCE_ONLY, HALTED]) is HALTED
    assert strictest([PAUSED, REDUCE_ONLY]) is REDUCE_ONLY
    assert strictest([]) is ARMED


def test_an_account_starts_halted() -> None:
    """Nobody armed it yet."""
    switches = Switches()
    assert switches.whole is HALTED
    assert switches.is_new
    assert switches.why().reason == "never armed"


def test_the_reference_is_the_last_mid_and_the_window_its_mean() -> None:
    """By hand: mids 1.0, 1.2 and 1.4 a second apart; after 61 s only the newest is left."""
    guard = guard_with()
    for number, mid in enumerate((1.0, 1.2, 1.4)):
        guard.on_tick(tick(mid - 0.1, mid + 0.1, after_s=number))
    seen = guard.figures("EURUSD", "main", NOON_NS + 5 * NS_PER_SECOND)
    assert seen.reference_mid == pytest.approx(1.4)
    assert seen.reference_age_ms == pytest.approx(3_000)
    assert seen.window_mid == pytest.approx(1.2)
    guard.on_tick(tick(1.9, 2.1, after_s=63))
    assert guard.figures("EURUSD", "main", NOON_NS).window_mid == pytest.approx(2.0)
    assert math.isnan(guard.figures("GBPUSD", "main", NOON_NS).reference_mid)


def test_samples_are_bounded_whatever_the_tick_rate() -> None:
    """1,000 ticks within a second are one sample: its first."""
    guard = guard_with()
    for number in range(1_000):
        guard.on_tick(tick(1.0 + number, 1.0 + number, after_s=number / 1_000))
    assert guard.figures("EURUSD", "main", NOON_NS).window_mid == 1.0


def test_messages_are_counted_per_second_and_minute() -> None:
    """A message exactly one second or one minute old no longer counts; withdrawals spare exits."""
    guard = guard_with(
        placed(1, 0), placed(2, 59.5, kind="cancel"), placed(3, 60.0, kind="protect")
    )
    seen = guard.figures("EURUSD", "main", NOON_NS + 60 * NS_PER_SECOND)
    assert (seen.messages_last_second, seen.messages_last_minute) == (2.0, 2.0)
    assert (seen.exit_messages_last_second, seen.exit_messages_last_minute) == (1.0, 1.0)
    later = guard.figures("EURUSD", "main", NOON_NS + 61 * NS_PER_SECOND)
    assert later.messages_last_second == 0.0


def test_the_throttle_counts_automatic_entries_of_its_flow_only() -> None:
    """People, exits and other flows do not use it up."""
    guard = guard_with(
        placed(1, 0),
        placed(2, 1, decided_by="user:ann"),
        placed(3, 2, kind="close"),
        placed(4, 3, flow_id="scalper"),
        placed(5, 4, kind="pending"),
    )
    assert guard.figures("EURUSD", "main", NOON_NS + 5 * NS_PER_SECOND).executions_in_window == 2.0
    assert guard.figures("EURUSD", "scalper", NOON_NS).executions_in_window == 1.0


def test_the_throttle_stops_the_flow_after_the_last_allowed_entry() -> None:
    """R-109: with two allowed in an hour, the second entry spends the flow."""
    guard = guard_with(placed(1, 0), executions_max=2)
    assert not guard.spent_flows
    guard.apply(placed(2, 3_599))
    assert guard.spent_flows == {"main"}
    elsewhere = guard_with(placed(1, 0), placed(2, 3_600), executions_max=2)
    assert not elsewhere.spent_flows


def test_the_throttle_survives_a_restart_and_only_a_resumed_flow_begins_anew() -> None:
    """R-109: folding the same events gives the same state, with and without the stop written."""
    history = [placed(1, 0), placed(2, 1)]
    assert guard_with(*history, executions_max=2).spent_flows == {"main"}
    stopped = guard_with(*history, switched(HALTED, "flow", "main"), executions_max=2)
    assert not stopped.spent_flows
    assert stopped.switches.state_of("EURUSD", "main") is HALTED
    assert stopped.figures("EURUSD", "main", NOON_NS).executions_in_window == 2.0
    stopped.apply(switched(ARMED, "flow", "main"))
    assert stopped.figures("EURUSD", "main", NOON_NS).executions_in_window == 0.0


def test_permission_and_volume_are_looked_up_by_symbol() -> None:
    """A list without the symbol refuses it; a symbol's own limit replaces the general one."""
    narrow = guard_with(
        symbols_permitted=("EURUSD",), order_volume_max_lots_by_symbol={"EURUSD": 2.0}
    )
    assert narrow.figures("EURUSD", "main", NOON_NS).symbol_permitted == 1.0
    assert narrow.figures("EURUSD", "main", NOON_NS).volume_max_lots == 2.0
    assert narrow.figures("GBPUSD", "main", NOON_NS).symbol_permitted == 0.0
    assert narrow.figures("GBPUSD", "main", NOON_NS).volume_max_lots == 20.0
    assert guard_with().figures("GBPUSD", "main", NOON_NS).symbol_permitted == 1.0
    nothing = guard_with(symbols_permitted=())
    assert nothing.figures("EURUSD", "main", NOON_NS).symbol_permitted == 0.0


def test_the_mode_is_real_until_the_terminal_says_otherwise() -> None:
    """And what it was armed for is remembered with the account's switch."""
    guard = guard_with(switched(ARMED, mode="demo"))
    seen = guard.figures("EURUSD", "main", NOON_NS)
    assert (seen.account_mode, seen.armed_mode) == (4.0, 2.0)
    guard.know_mode("demo")
    seen = guard.figures("EURUSD", "main", NOON_NS)
    assert (seen.account_mode, seen.armed_mode) == (2.0, 2.0)


def test_a_simulated_account_needs_no_mode() -> None:
    """It is armed for what it is, also when it was armed before modes were written down."""
    guard = guard_with(switched(ARMED))
    guard.know_mode("simulated")
    seen = guard.figures("EURUSD", "main", NOON_NS)
    assert seen.account_mode == seen.armed_mode == 0.0
