"""What the MetaTrader5 package does with calls and arguments: points 1 to 11 of the list.

The list is specs/mt5.md, "Conformance list for our simulator"; points 12 to 20 are in
`test_mt5_trading_conformance.py`. Tests that take `client` also run against a real demo terminal:
set PLAN2_MT5_DEMO to the path of its terminal64.exe (and PLAN2_MT5_SYMBOL, default EURUSD). They
ask and let themselves be refused, they never trade. Tests that take `twin` need its levers (time,
faults, prices by hand) and cannot be run there.
"""

import asyncio
import datetime as dt
import enum
import functools
import importlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from twin_fixtures import EURUSD, SERVER_SHIFT_S, TUESDAY_NS, Ground, ground, market_order

from plan2.dataflow.terminals.twin.module import build
from plan2.foundation.values import NS_PER_SECOND, Side

DEMO = os.environ.get("PLAN2_MT5_DEMO", "")
NOT_CONNECTED = (-10004, "No IPC connection")
SUCCESS = (1, "Success")
FAR_S = 2**31 - 1


@dataclass
class Client:
    """A connected package, and a symbol in its Market Watch."""

    mt5: Any
    symbol: str

    def now_s(self) -> int:
        """The time of the last quote, server seconds."""
        return int(self.mt5.symbol_info_tick(self.symbol).time)


@pytest.fixture
def twin() -> Ground:
    """A connected twin with prices by hand."""
    made = ground()
    for step in range(200):
        made.quote(1.08500 + step * 1e-5, 1.08507 + step * 1e-5)
    return made


@pytest.fixture
def client() -> Iterator[Client]:
    """A real demo terminal where there is one, else the twin."""
    if not DEMO:
        made = ground()
        for step in range(200):
            made.quote(1.08500 + step * 1e-5, 1.08507 + step * 1e-5)
        yield Client(made.mt5, EURUSD)
        return
    mt5 = importlib.import_module("MetaTrader5")
    symbol = os.environ.get("PLAN2_MT5_SYMBOL", EURUSD)
    assert mt5.initialize(path=DEMO), mt5.last_error()
    assert mt5.account_info().trade_mode == mt5.ACCOUNT_TRADE_MODE_DEMO, "not a demo account"
    mt5.symbol_select(symbol, True)
    yield Client(mt5, symbol)
    mt5.shutdown()


def answers_when_closed(mt5: Any, symbol: str) -> dict[str, Any]:
    """What each function that needs the terminal answers, by name; with its last error."""
    day = 86_400
    calls = {
        "version": (), "terminal_info": (), "account_info": (), "symbols_total": (),
        "symbols_get": (), "positions_total": (), "positions_get": (), "orders_total": (),
        "orders_get": (), "symbol_info": (symbol,), "symbol_info_tick": (symbol,),
        "symbol_select": (symbol, True), "copy_ticks_from": (symbol, day, 1, -1),
        "copy_ticks_range": (symbol, day, day + 1, -1), "copy_rates_from": (symbol, 1, day, 1),
        "copy_rates_from_pos": (symbol, 1, 0, 1), "copy_rates_range": (symbol, 1, day, day + 1),
        "history_orders_total": (day, FAR_S), "history_orders_get": (day, FAR_S),
        "history_deals_total": (day, FAR_S), "history_deals_get": (day, FAR_S),
        "order_calc_margin": (0, symbol, 1.0, 1.0), "order_check": ({},),
        "order_calc_profit": (0, symbol, 1.0, 1.0, 1.1), "order_send": ({},),
        "market_book_get": (symbol,), "login": (1,),
    }  # fmt: skip
    return {name: (getattr(mt5, name)(*args), mt5.last_error()) for name, args in calls.items()}


def test_point_1_nothing_works_without_a_connection(client: Client) -> None:
    """None (False for login and symbol_select) and -10004, from every function."""
    client.mt5.shutdown()

    answers = answers_when_closed(client.mt5, client.symbol)

    for name, (answer, error) in answers.items():
        assert answer is (False if name in {"login", "symbol_select"} else None), name
        assert error == NOT_CONNECTED, name


def test_point_1_shutdown_is_always_true(client: Client) -> None:
    """Also when there is nothing to shut down, with Success."""
    assert client.mt5.shutdown() is True
    assert client.mt5.shutdown() is True
    assert client.mt5.last_error() == SUCCESS


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("copy_rates_from_pos", ("EURUSD", 1, 0)),
        ("copy_ticks_from", ("EURUSD", 1, 1)),
        ("symbol_info", ()),
        ("symbol_info_tick", ("EURUSD", 1)),
        ("order_calc_margin", (0, "EURUSD", 1.0)),
        ("history_deals_get", (1,)),
        ("history_deals_total", (1,)),
        ("order_send", ()),
        ("order_send", ({}, {})),
    ],
)
def test_point_2_a_wrong_count_is_refused(
    client: Client, function: str, args: tuple[Any, ...]
) -> None:
    """None and -2, no exception."""
    assert getattr(client.mt5, function)(*args) is None
    assert client.mt5.last_error()[0] == -2


def test_point_2_initialize_takes_one_path(client: Client) -> None:
    """A second unnamed argument is refused with the package's words."""
    assert client.mt5.initialize("a", "b") is False
    assert client.mt5.last_error() == (-2, "Invalid number of arguments")


@pytest.mark.parametrize(
    ("function", "keywords"),
    [
        ("copy_rates_from_pos", {"symbol": "EURUSD"}),
        ("symbol_info", {"symbol": "EURUSD"}),
        ("symbol_select", {"enable": True}),
        ("order_calc_profit", {"action": 0}),
        ("market_book_add", {"symbol": "EURUSD"}),
        ("history_deals_total", {"date_from": 1}),
        ("positions_total", {"group": "*"}),
    ],
)
def test_point_2_positional_only_takes_no_keyword(
    client: Client, function: str, keywords: dict[str, Any]
) -> None:
    """Python's own TypeError."""
    with pytest.raises(TypeError):
        getattr(client.mt5, function)(**keywords)


@pytest.mark.parametrize("function", ["positions_get", "orders_get"])
def test_point_2_look_ups_take_only_keywords(client: Client, function: str) -> None:
    """An unnamed symbol is refused with the package's words."""
    assert getattr(client.mt5, function)(client.symbol) is None
    assert client.mt5.last_error() == (-2, "Unnamed arguments not allowed")


def test_point_2_dates_are_no_keywords(client: Client) -> None:
    """`history_deals_get(date_from=…, date_to=…)` is not a form."""
    assert client.mt5.history_deals_get(date_from=1, date_to=2) is None
    assert client.mt5.last_error()[0] == -2


def test_point_2_a_wrong_type_inside_a_parse_is_a_system_error(client: Client) -> None:
    """CPython's word for a C function that answers with an exception set."""
    with pytest.raises(SystemError):
        client.mt5.copy_rates_from_pos(client.symbol, 1, 0, "ten")
    with pytest.raises(SystemError):
        client.mt5.order_calc_profit(0, client.symbol, "one", 1.0, 1.1)


class Level(enum.IntEnum):
    """An int that is not only an int."""

    DEAL = 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("volume", 1),
        ("price", Decimal("1.1")),
        ("sl", np.float32(1.1)),
        ("tp", None),
        ("stoplimit", "1.1"),
        ("deviation", 10.0),
        ("magic", np.int64(7)),
        ("type", None),
        ("type_filling", "1"),
        ("expiration", dt.datetime(2030, 1, 1, tzinfo=dt.UTC)),
        ("position", 1.0),
        ("symbol", b"EURUSD"),
        ("comment", None),
    ],
)
def test_point_3_request_types_are_strict(client: Client, field: str, value: object) -> None:
    """A wrong type is named, nothing is sent."""
    request = market_order(symbol=client.symbol) | {field: value}

    assert client.mt5.order_check(request) is None
    assert client.mt5.last_error() == (-2, f'Invalid "{field}" argument')


def test_point_3_the_first_bad_field_is_named(client: Client) -> None:
    """In the order of TradeRequest, whatever the order in the dict."""
    request = {"comment": None, "volume": 1, "sl": None, "magic": 1.5}

    client.mt5.order_check(request)

    assert client.mt5.last_error() == (-2, 'Invalid "magic" argument')


def test_point_3_what_passes_and_what_is_echoed(client: Client) -> None:
    """Subclasses pass, unknown keys are ignored, missing ones are zero or empty."""
    request = market_order(
        symbol=client.symbol, action=Level.DEAL, volume=np.float64(0.1), nonsense=None
    )
    del request["comment"]

    echoed = client.mt5.order_check(request).request

    assert len(echoed) == 17
    assert (echoed.action, echoed.volume, echoed.comment) == (1, 0.1, "")
    assert (echoed.sl, echoed.position_by, echoed.expiration) == (0.0, 0, 0)


def test_point_3_a_negative_unsigned_number_is_a_system_error(client: Client) -> None:
    """As any exception that the parse leaves behind."""
    with pytest.raises(SystemError):
        client.mt5.order_check(market_order(symbol=client.symbol, magic=-1))


def test_point_3_keywords_are_a_request_too(client: Client) -> None:
    """`order_check(**request)`, but never both."""
    request = market_order(symbol=client.symbol)

    assert client.mt5.order_check(**request).request.comment == "token-1"
    assert client.mt5.order_check(request, volume=0.1) is None
    assert client.mt5.last_error() == (-2, "Unnamed arguments not allowed")


def test_point_4_texts_have_29_characters(client: Client) -> None:
    """29 UTF-16 units pass, 30 do not; a character beyond the first plane counts twice."""
    request = market_order(symbol=client.symbol)

    assert client.mt5.order_check(request | {"comment": "x" * 29}) is not None
    for comment in ("x" * 30, "😀" * 15):
        assert client.mt5.order_check(request | {"comment": comment}) is None
        assert client.mt5.last_error() == (-2, 'Invalid "comment" argument')
    assert client.mt5.order_check(request | {"symbol": "x" * 30}) is None
    assert client.mt5.last_error() == (-2, 'Invalid "symbol" argument')
    client.mt5.symbol_info("x" * 29)
    assert client.mt5.last_error()[0] == -4
    client.mt5.symbol_info("x" * 30)
    assert client.mt5.last_error()[0] == -2


async def test_point_5_forms_that_work(client: Client) -> None:
    """A plain call, stars, partial, to_thread; what an executor would add is a lint rule's task."""
    request = market_order(symbol=client.symbol)
    check = client.mt5.order_check

    assert check(request).request.volume == 0.1
    assert check(*[request]).request.volume == 0.1
    assert functools.partial(check, request)().request.volume == 0.1
    assert (await asyncio.to_thread(check, request)).request.volume == 0.1


def test_point_6_a_naive_datetime_is_of_this_machine(
    twin: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same naive datetime means another instant in another zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no time.tzset")
    starts = {}
    for zone in ("UTC", "Etc/GMT-2"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        naive = dt.datetime(2024, 3, 5, 10, 1)  # noqa: DTZ001 - the point of this test
        starts[zone] = twin.mt5.copy_ticks_from(EURUSD, naive, 1, -1)["time"].tolist()
    monkeypatch.undo()
    time.tzset()

    assert starts["UTC"] == [TUESDAY_NS // NS_PER_SECOND + SERVER_SHIFT_S + 60]
    assert starts["Etc/GMT-2"] == [TUESDAY_NS // NS_PER_SECOND + SERVER_SHIFT_S]


def test_point_6_starts_are_cut_to_whole_seconds(client: Client) -> None:
    """`.987` asks for the whole second."""
    now_s = client.now_s()
    whole = client.mt5.copy_ticks_from(client.symbol, now_s - 60, 5, -1)
    aware = dt.datetime.fromtimestamp(now_s - 60 + 0.987, dt.UTC)

    cut = client.mt5.copy_ticks_from(client.symbol, aware, 5, -1)

    assert len(whole) > 0
    assert cut.tolist() == whole.tolist()
    assert client.mt5.copy_ticks_from(client.symbol, now_s - 60 + 0.9, 5, -1)[0] == whole[0]


def test_point_6_a_range_ends_with_the_whole_second(twin: Ground) -> None:
    """Ticks after xx.000 of the last second are left out."""
    twin.quote(1.1, 1.10007, after_s=1.0)
    end_s = twin.server_s()
    twin.quote(1.2, 1.20007, after_s=0.25)

    rows = twin.mt5.copy_ticks_range(EURUSD, end_s - 1, end_s, -1)

    assert rows["bid"].tolist()[-1] == 1.1


@pytest.mark.parametrize(
    "date", [np.int64(1_700_000_000), np.datetime64("2024-03-05"), dt.date(2024, 3, 5), "2024"]
)
def test_point_6_other_types_are_refused(client: Client, date: object) -> None:
    """Neither numpy's times nor plain dates nor texts."""
    assert client.mt5.copy_ticks_from(client.symbol, date, 1, -1) is None
    assert client.mt5.last_error() == (-2, "Invalid arguments")


def test_point_6_milliseconds_overflow(client: Client) -> None:
    """More than 32 bits of seconds."""
    with pytest.raises(SystemError):
        client.mt5.history_deals_total(1, 1_709_625_600_000)


def test_point_6_zero_shows_itself(twin: Ground) -> None:
    """The real package would ask for a time that nobody set; the twin refuses."""
    assert twin.mt5.history_deals_get(0, FAR_S) is None
    assert twin.mt5.last_error()[0] == -2


@pytest.mark.parametrize(
    ("instant", "server_s"),
    [
        # The sample of a real terminal: Friday 2026-05-01, 17:00 New York less a minute.
        ("2026-05-01T20:58:59+00:00", 1_777_679_939),
        # Two days before and two after New York's spring change of 2024-03-10: +2 h and +3 h.
        ("2024-03-08T12:00:00+00:00", 1_709_899_200 + 2 * 3_600),
        ("2024-03-12T12:00:00+00:00", 1_710_244_800 + 3 * 3_600),
    ],
)
def test_point_7_times_are_the_server_s_wall_clock(instant: str, server_s: int) -> None:
    """New York plus seven hours, written as if it were UTC."""
    start_ns = int(dt.datetime.fromisoformat(instant).timestamp()) * NS_PER_SECOND
    here = ground(start_ns)

    assert here.mt5.symbol_info_tick(EURUSD).time == server_s
    assert here.mt5.copy_ticks_from(EURUSD, server_s, 1, -1)["time"].tolist() == [server_s]


def test_point_7_daily_bars_begin_at_the_server_s_midnight(client: Client) -> None:
    """Not at midnight UTC."""
    bars = client.mt5.copy_rates_from_pos(client.symbol, client.mt5.TIMEFRAME_D1, 0, 1)

    assert bars["time"][0] % 86_400 == 0
    assert bars["time"][0] <= client.now_s() < bars["time"][0] + 86_400


def test_point_8_arrays_are_packed_and_read_only(client: Client) -> None:
    """60 bytes a row, one dimension, contiguous, sealed; and an empty one is not an error."""
    mt5, now_s = client.mt5, client.now_s()
    arrays = [
        mt5.copy_ticks_from(client.symbol, now_s - 60, 3, mt5.COPY_TICKS_ALL),
        mt5.copy_rates_from_pos(client.symbol, mt5.TIMEFRAME_M1, 0, 3),
        mt5.copy_ticks_range(client.symbol, now_s + 86_000, now_s + 86_400, mt5.COPY_TICKS_ALL),
    ]
    assert mt5.last_error() == SUCCESS

    for rows in arrays:
        assert rows.ndim == 1
        assert rows.dtype.itemsize == 60
        assert rows.flags.c_contiguous
        assert not rows.flags.writeable
    assert len(arrays[2]) == 0
    with pytest.raises(ValueError, match="ambiguous"):
        bool(arrays[0])


def test_point_8_flags_carry_undocumented_bits(client: Client) -> None:
    """Test bits, never equality: 134 in ticks of history, 1030 in the last tick were seen."""
    documented = 2 | 4 | 8 | 16 | 32 | 64
    rows = client.mt5.copy_ticks_from(client.symbol, client.now_s() - 60, 50, -1)

    assert np.all(rows["flags"] & documented)
    if not DEMO:
        assert set(rows["flags"].tolist()) == {134}
        assert client.mt5.symbol_info_tick(client.symbol).flags == 1030


def test_point_8_records_are_struct_sequences(client: Client) -> None:
    """Tuples with names and `_asdict`, without a named tuple's other methods, immutable."""
    info = client.mt5.account_info()

    assert isinstance(info, tuple)
    assert info[0] == info.login == info._asdict()["login"]
    assert repr(info).startswith("AccountInfo(login=")
    assert not hasattr(info, "_fields")
    with pytest.raises(AttributeError):
        info.login = 1


def test_point_9_a_ticket_wins_over_a_symbol(twin: Ground) -> None:
    """The documentation says the opposite."""
    ticket = twin.world.person.opens(EURUSD, Side.BUY, 0.1)

    assert [one.ticket for one in twin.mt5.positions_get(ticket=ticket, symbol="USDJPY")] == [
        ticket
    ]
    assert twin.mt5.positions_get(ticket=1, symbol=EURUSD) == ()
    assert twin.mt5.last_error() == SUCCESS


@pytest.mark.parametrize(
    ("group", "count"),
    [
        ("*", 1), ("EURUSD", 1), ("EUR", 0), ("eurusd", 0), ("*USD*", 1), ("*USD,!EUR*", 0),
        ("*USD,!EUR", 1), ("!USDJPY", 0), ("USDJPY EURUSD", 1), ("E*D", 1),
    ],
)  # fmt: skip
def test_point_9_the_package_filters_by_its_own_rule(twin: Ground, group: str, count: int) -> None:
    """Case matters, a mask without a star is exact, `!mask` ends it, negatives alone find none."""
    twin.world.person.opens(EURUSD, Side.BUY, 0.1)

    assert len(twin.mt5.positions_get(group=group)) == count


def test_point_9_history_by_ticket_is_one_record(twin: Ground) -> None:
    """By position come all of them; two dates win over both."""
    ticket = twin.world.person.opens(EURUSD, Side.BUY, 0.2)
    twin.world.person.closes(ticket, 0.1)
    deals = twin.mt5.history_deals_get(position=ticket)

    assert [deal.entry for deal in deals] == [0, 1]
    assert twin.mt5.history_deals_get(ticket=deals[1].ticket) == (deals[1],)
    assert len(twin.mt5.history_deals_get(1, FAR_S, group="*EUR*")) == 2
    assert len(twin.mt5.history_deals_get(1, FAR_S)) == 3, "the deposit is a deal too"
    assert twin.mt5.history_deals_get() is None
    assert twin.mt5.last_error()[0] == -2


def test_point_10_every_call_resets_the_last_error(client: Client) -> None:
    """Asking for it does not."""
    client.mt5.symbol_info("no such symbol")
    assert client.mt5.last_error() == (-4, "Terminal: Not found")
    assert client.mt5.last_error() == (-4, "Terminal: Not found")
    client.mt5.version()
    assert client.mt5.last_error() == SUCCESS


def test_point_10_each_process_has_its_own(twin: Ground) -> None:
    """One for a whole process, but not for its neighbour."""
    neighbour = build(twin.world)
    neighbour.initialize()
    twin.mt5.symbol_info("no such symbol")

    assert neighbour.last_error() == SUCCESS


def test_point_11_a_broken_pipe_stays_broken(twin: Ground) -> None:
    """-10002 for the call in flight, -10004 afterwards, until initialize."""
    twin.world.break_pipe()

    assert twin.mt5.account_info() is None
    assert twin.mt5.last_error() == (-10002, "IPC recv failed")
    assert twin.mt5.account_info() is None
    assert twin.mt5.last_error() == NOT_CONNECTED
    assert twin.mt5.initialize() is True
    assert twin.mt5.account_info() is not None


def test_point_11_a_restart_keeps_what_the_broker_knows(twin: Ground) -> None:
    """The terminal is killed and started again by initialize; positions stay, handles break."""
    ticket = twin.mt5.order_send(market_order()).order
    twin.world.terminal.is_running = False

    assert twin.mt5.positions_get() is None
    assert twin.mt5.last_error()[0] == -10002
    assert twin.mt5.initialize() is True
    assert [one.ticket for one in twin.mt5.positions_get()] == [ticket]
