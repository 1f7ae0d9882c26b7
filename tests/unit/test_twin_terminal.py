"""The twin's terminal: connecting, accounts, symbols, calculations, faults, what survives."""

from pathlib import Path
from typing import Any

import pytest
from twin_fixtures import EURUSD, TUESDAY_NS, USDJPY, Ground, ground, market_order

from plan2.dataflow.terminals.twin import faults as fault
from plan2.dataflow.terminals.twin.manual import ManualSource
from plan2.dataflow.terminals.twin.module import build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import (
    TwinAccount,
    TwinOptions,
    read_options,
)
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import ConfigError
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, Side

TERMINAL = r"C:\MetaTrader\terminal64.exe"
TWO = (TwinAccount(login=1), TwinAccount(login=2, password="other", trade_mode=2, is_hedging=False))


def test_initialize_waits_for_the_trade_server_until_its_timeout() -> None:
    """-10005 after 60 s or the given time; the pipe is closed again."""
    here = ground()
    here.world.terminal.is_connected = False
    start_ns = here.clock.now_ns()

    assert here.mt5.initialize(timeout=5_000) is False
    assert here.mt5.last_error() == (-10005, "IPC timeout")
    assert here.clock.now_ns() - start_ns == 5 * NS_PER_SECOND
    assert here.mt5.initialize() is False
    assert here.clock.now_ns() - start_ns == 65 * NS_PER_SECOND
    assert here.mt5.terminal_info() is None


def test_initialize_finds_or_starts_the_terminal() -> None:
    """Another path fails with -10003; a terminal that does not run is started."""
    here = ground(path=TERMINAL, launch_s=3.0)

    assert here.mt5.initialize(r"D:\other.exe") is False
    assert here.mt5.last_error() == (
        -10003,
        r"IPC initialize failed, Process create failed 'D:\other.exe'",
    )
    here.world.terminal.is_running = False
    start_ns = here.clock.now_ns()
    assert here.mt5.initialize(TERMINAL.upper()) is True
    assert here.clock.now_ns() - start_ns == 3 * NS_PER_SECOND
    here.world.terminal.is_installed = False
    assert here.mt5.initialize() is False
    assert here.mt5.last_error() == (-10003, "IPC initialize failed, MetaTrader 5 x64 not found")


def test_login_switches_the_terminal_for_everybody() -> None:
    """A wrong password is -6; login leaves the pipe open, initialize closes it."""
    here = ground(accounts=TWO)
    other = build(here.world)
    other.initialize()

    assert here.mt5.login(2, "wrong") is False
    assert here.mt5.last_error() == (-6, "Terminal: Authorization failed")
    assert here.mt5.account_info().login == 1
    assert here.mt5.login(2, password="other", server="Plan2-Twin") is True
    assert (other.account_info().login, other.account_info().trade_mode) == (2, 2)
    assert other.account_info().margin_mode == other.ACCOUNT_MARGIN_MODE_RETAIL_NETTING
    assert here.mt5.initialize(login=1, password="wrong") is False
    assert here.mt5.account_info() is None
    assert here.mt5.last_error()[0] == -10004


def test_an_account_switched_under_our_feet_has_its_own_book() -> None:
    """Positions of one are not those of the other, but both live on."""
    here = ground(accounts=TWO)
    here.mt5.order_send(market_order(sl=1.08))

    here.world.log_in(2)
    assert here.mt5.positions_get() == ()
    here.quote(1.07990, 1.07997)
    here.world.log_in(1)

    assert here.mt5.positions_get() == ()
    assert here.mt5.history_deals_total(1, 2**31 - 1) == 3


def test_while_the_trade_server_is_away_the_terminal_shows_what_it_knew() -> None:
    """Quotes, positions and account stand still while the server goes on."""
    here = ground()
    here.mt5.order_send(market_order(sl=1.08))
    known = (here.mt5.symbol_info_tick(EURUSD), here.mt5.positions_get(), here.mt5.account_info())
    here.world.terminal.is_connected = False
    here.quote(1.07990, 1.07997)

    assert not here.mt5.terminal_info().connected
    shown = (here.mt5.symbol_info_tick(EURUSD), here.mt5.positions_get(), here.mt5.account_info())
    assert shown == known
    assert here.mt5.history_deals_total(1, 2**31 - 1) == 2

    here.world.terminal.is_connected = True
    assert here.mt5.positions_get() == ()
    assert here.mt5.symbol_info_tick(EURUSD).bid == 1.07990
    assert here.mt5.history_deals_total(1, 2**31 - 1) == 3


def test_unselected_symbols_show_contracts_only() -> None:
    """symbol_info works with bid 0; tick and history answer None until selected."""
    here = ground(suffix="m")
    name = "EURUSDm"
    here.mt5.symbol_select(name, False)

    info = here.mt5.symbol_info(name)
    assert (info.name, info.select, info.bid, info.digits) == (name, False, 0.0, 5)
    assert here.mt5.symbol_info_tick(name) is None
    assert here.mt5.copy_rates_from_pos(name, 1, 0, 1) is None
    assert here.mt5.symbol_info("EURUSD") is None, "the broker has no such name"
    assert here.mt5.symbol_select("EURUSD", True) is False
    assert here.mt5.symbol_select(name, True) is True
    tick = here.mt5.symbol_info_tick(name)
    assert (tick.bid, tick.time) == (1.085, here.server_s())
    assert here.mt5.symbol_info(name).time == tick.time


def test_the_first_tick_of_a_selected_symbol_takes_a_while() -> None:
    """Until then it is all zeros."""
    here = ground(select_delay_ms=400)

    assert here.mt5.symbol_info_tick(EURUSD).time == 0
    here.wait(0.4)
    assert here.mt5.symbol_info_tick(EURUSD).bid == 1.085


def test_a_symbol_with_a_position_stays_in_market_watch() -> None:
    """It cannot be taken out."""
    here = ground()
    here.mt5.order_send(market_order())

    assert here.mt5.symbol_select(EURUSD, False) is False
    assert here.mt5.symbol_select(USDJPY, False) is True


def test_symbols_get_answers_false_for_bad_arguments() -> None:
    """And None for an error of the terminal."""
    here = ground()

    assert here.mt5.symbols_total() == 2
    assert [one.name for one in here.mt5.symbols_get("*JPY*")] == [USDJPY]
    assert [one.name for one in here.mt5.symbols_get(group="*,!*JPY*")] == [EURUSD]
    assert here.mt5.symbols_get(5) is False
    assert here.mt5.symbols_get(group=5) is False
    here.mt5.shutdown()
    assert here.mt5.symbols_get() is None


def test_depth_of_market_needs_a_subscription() -> None:
    """Unknown symbols are False with Success, bad arguments None."""
    here = ground()

    assert here.mt5.market_book_get(EURUSD) is None
    assert here.mt5.market_book_add("nothing") is False
    assert here.mt5.last_error() == (1, "Success")
    assert here.mt5.market_book_add(5) is None
    assert here.mt5.market_book_add(EURUSD) is True
    lines = here.mt5.market_book_get(EURUSD)
    assert [(line.type, line.price) for line in lines[4:6]] == [(1, 1.08507), (2, 1.08500)]
    assert isinstance(lines[0].volume, int)
    assert [here.mt5.market_book_release(EURUSD) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("mode", "margin"),
    [
        # MQL5 reference, ENUM_SYMBOL_CALC_MODE: 1 lot at 1.10 with leverage 30, EUR at 1.085 USD.
        (0, 100_000 / 30 * 1.085),
        (5, 100_000 * 1.085),
        (2, 100_000 * 1.10),
        (4, 100_000 * 1.10 / 30),
    ],
)
def test_margin_follows_the_calculation_mode(mode: int, margin: float) -> None:
    """FOREX, FOREX_NO_LEVERAGE, CFD, CFDLEVERAGE."""
    here = ground(calc_modes={EURUSD: mode})

    assert here.mt5.order_calc_margin(0, EURUSD, 1, 1.10) == pytest.approx(margin, abs=0.01)


def test_profit_is_of_the_side_and_in_account_currency() -> None:
    """(close − open) · contract · lots; yen at 150.209 a dollar; futures count ticks."""
    here = ground(calc_modes={EURUSD: 1})

    assert here.mt5.order_calc_profit(1, EURUSD, 0.5, 1.10, 1.09) == pytest.approx(500.0)
    yen = here.mt5.order_calc_profit(0, USDJPY, 1.0, 150.0, 151.0)
    assert yen == pytest.approx(100_000 / 150.209, abs=0.01)
    assert here.mt5.order_calc_profit(2, EURUSD, 1.0, 1.0, 1.1) is None
    assert here.mt5.last_error() == (-2, "Terminal: Invalid params")


def outcomes(seed: int) -> list[Any]:
    """What twenty orders meet."""
    chances = fault.SeededFaults(
        seed=seed, lost_reply=0.2, lost_request=0.2, rejected=0.3, bare=0.3
    )
    here = ground(faults=chances)
    found = []
    for _ in range(20):
        here.mt5.initialize()
        result = here.mt5.order_send(market_order(volume=0.01))
        found.append((result and (result.retcode, result.deal), here.mt5.last_error()))
    return found


def test_seeded_faults_repeat() -> None:
    """The same seed meets the same misfortunes; another one others; all kinds occur."""
    first = outcomes(1)

    assert outcomes(1) == first
    assert outcomes(2) != first
    assert {error for _, (error, _) in first} == {1, -10001, -10002}
    assert (10009, 0) in [result for result, _ in first]


def test_a_script_can_come_with_the_options() -> None:
    """For a terminal in a process of its own; a JSON object of happenings by function."""
    text = '{"script": {"order_send": [{"error_after": -10002}, {"retcode": 10004, '
    text += '"is_executed": false}]}}'
    here = ground(script=read_options(text).script)

    assert here.mt5.order_send(market_order()) is None
    here.mt5.initialize()
    assert here.mt5.positions_total() == 1
    assert here.mt5.order_send(market_order()).retcode == 10004
    assert here.mt5.order_send(market_order()).retcode == 10009


def test_the_shortcuts_of_the_package_repeat_blindly() -> None:
    """As the real ones do, which is why nobody may use them."""
    here = ground()
    here.world.faults.script("order_send", fault.answers(10004), fault.answers(10021))

    assert here.mt5.Buy(EURUSD, 0.1, comment="x").retcode == 10009
    assert here.mt5.Sell(USDJPY, 0.1).retcode == 10009
    assert here.mt5.Close(EURUSD) is True
    assert [one.symbol for one in here.mt5.positions_get()] == [USDJPY]


def reopened(here: Ground, options: TwinOptions, source: ManualSource) -> Ground:
    """The same world in a new process, at the same time."""
    clock = SimulatedClock(here.clock.now_ns())
    world = open_world(options, clock, source)
    again = Ground(build(world), world, clock, source)
    again.mt5.initialize()
    return again


def test_what_the_broker_knows_survives_a_kill(tmp_path: Path) -> None:
    """Positions, orders, history and balance; a stop that was reached meanwhile is executed."""
    path = str(tmp_path / "twin" / "state.bin")
    here = ground(state_path=path)
    for _ in range(3):
        here.quote(1.079, 1.07907)
        here.quote(1.085, 1.08507)
    ticket = here.mt5.order_send(market_order(sl=1.08)).order
    here.mt5.order_send(market_order(action=5, type=2, price=1.05, type_filling=2))
    before = (here.mt5.positions_get(), here.mt5.history_deals_get(1, 2**31 - 1))

    again = reopened(here, here.world.options, here.source)

    # The old quotes at 1.079 are seen again but do not reach the stop of the younger position.
    assert (again.mt5.positions_get(), again.mt5.history_deals_get(1, 2**31 - 1)) == before
    assert again.mt5.orders_total() == 1
    here.quote(1.0795, 1.07957)
    later = reopened(here, here.world.options, here.source)
    assert later.mt5.positions_get(ticket=ticket) == ()
    assert later.mt5.history_deals_get(position=ticket)[-1].comment == "[sl 1.08000]"


def test_a_night_while_nobody_looked_is_charged(tmp_path: Path) -> None:
    """Seven points a lot at 17:00 New York, though the process was down."""
    here = ground(TUESDAY_NS + 13 * NS_PER_HOUR, state_path=str(tmp_path / "state.bin"))
    here.quote(1.085, 1.08507)
    ticket = here.mt5.order_send(market_order(volume=1.0)).order
    assert here.mt5.positions_get()[0].swap == 0.0
    here.quote(1.085, 1.08507, after_s=2 * 3_600)

    again = reopened(here, here.world.options, here.source)

    assert again.mt5.positions_get(ticket=ticket)[0].swap == pytest.approx(-7.10)


def test_a_state_of_other_symbols_is_refused(tmp_path: Path) -> None:
    """A book with unknown symbols could not be valued."""
    path = str(tmp_path / "state.bin")
    here = ground(state_path=path)
    here.mt5.order_send(market_order())
    fewer = TwinOptions(symbols=(USDJPY,), state_path=path)

    with pytest.raises(ConfigError, match="EURUSD"):
        open_world(fewer, here.clock, ManualSource((USDJPY,)))
    (tmp_path / "state.bin").write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match="state of a twin"):
        open_world(here.world.options, here.clock, here.source)


@pytest.mark.parametrize("text", ["[]", '{"symbol": 1}', '{"symbols": []}', '{"speed": 0}', "{"])
def test_bad_options_are_named(text: str) -> None:
    """The message names the variable."""
    with pytest.raises(ConfigError, match="PLAN2_TWIN"):
        read_options(text)


def test_a_bad_start_is_named() -> None:
    """And told apart from a simulated clock, which needs none."""

    class Running:
        def now_ns(self) -> int:
            return TUESDAY_NS

    with pytest.raises(ConfigError, match="yesterday"):
        open_world(TwinOptions(start="yesterday"), Running())


def test_the_stop_out_is_the_broker_s() -> None:
    """Equity at half of the margin: reason 6, a comment with the level."""
    here = ground(accounts=(TwinAccount(deposit="400.00"),))
    here.world.person.opens(EURUSD, Side.BUY, 0.1)
    here.quote(1.06, 1.06007)

    deal = here.mt5.history_deals_get(1, 2**31 - 1)[-1]

    assert here.mt5.positions_total() == 0
    assert deal.reason == 6
    assert deal.comment.startswith("[so ")
