"""A broker changes contract data while the link stays up: read again, calmly, and on a hint."""

import msgspec
import pytest

from mt5_world import Mt5World, mt5_world
from plan2.dataflow.terminals.port import UpdateKind
from plan2.dataflow.terminals.twin.faults import answers
from plan2.foundation.instrument import Instrument
from simulated_world import order

HOUR_MS = 3_600_000
MIDNIGHT_IN_MS = 14 * HOUR_MS
"""From 08:00 UTC, 10:00 at the broker, to the broker's midnight."""
QUIET_MS = 9 * 60_000
SPREAD_OUT_MS = 2 * 60_000


def change(venue: Mt5World, symbol: str = "EURUSD", **terms: object) -> None:
    """The broker changes a symbol's contract data."""
    desk = venue.world.desk
    desk.instruments[symbol] = msgspec.structs.replace(desk.instruments[symbol], **terms)


def told(venue: Mt5World, symbol: str = "EURUSD") -> Instrument:
    """What the host tells of a symbol."""
    return (venue.engine.instruments() or {})[symbol]


def test_once_a_broker_day_and_one_symbol_at_a_time() -> None:
    """Not before ten minutes past the broker's midnight; each look reads one symbol."""
    venue = mt5_world()
    change(venue, stops_level_points=20, swap_long_points=-9.5)
    change(venue, "USDJPY", volume_max=5.0)
    venue.after(MIDNIGHT_IN_MS + QUIET_MS)
    assert (told(venue).stops_level_points, told(venue, "USDJPY").volume_max) == (0, 100.0)

    venue.after(SPREAD_OUT_MS)
    assert (told(venue).stops_level_points, told(venue).swap_long_points) == (20, -9.5)
    assert told(venue, "USDJPY").volume_max == 100.0
    venue.poll()
    assert told(venue, "USDJPY").volume_max == 5.0


def test_what_did_not_change_stays_the_same_object() -> None:
    """Margins are measured through other quotes each day; that is no change."""
    venue = mt5_world()
    before = dict(venue.engine._symbols.instruments)
    venue.quote(1.20000, 1.20009)
    venue.after(MIDNIGHT_IN_MS + QUIET_MS + SPREAD_OUT_MS)
    venue.poll()

    assert all(venue.engine._symbols.instruments[name] is one for name, one in before.items())


@pytest.mark.parametrize(
    ("number", "is_hint"), [(10016, True), (10014, True), (10019, True), (10004, False)]
)
def test_a_refusal_that_hints_at_it(number: int, is_hint: bool) -> None:
    """Stops, volume, money: the contract is read again at the next look; a requote is no hint."""
    venue = mt5_world()
    change(venue, stops_level_points=20)
    venue.world.faults.script("order_send", answers(number))

    (said,) = venue.engine.submit(order())
    assert said.kind is UpdateKind.REJECTED
    assert told(venue).stops_level_points == 0
    venue.poll()

    assert told(venue).stops_level_points == (20 if is_hint else 0)


def test_reconnecting_reads_everything() -> None:
    """As it always did; leverage is the account's."""
    venue = mt5_world()
    change(venue, stops_level_points=20)
    venue.world.break_pipe()
    venue.poll()
    venue.reconnect()

    assert told(venue).stops_level_points == 20


def test_what_the_terminal_cannot_tell_then_stays() -> None:
    """A margin that is not told is the known one, not the formula's; the rest is taken over."""
    venue = mt5_world()
    known = told(venue)
    change(venue, stops_level_points=20, margin_rate_long=3.0)
    venue.world.options = msgspec.structs.replace(
        venue.world.options, margin_rates={"EURUSD": (3.0, 1.0)}
    )
    venue.module.order_calc_margin = lambda *_: None  # type: ignore[method-assign]
    account = venue.module.account_info()

    changed = venue.engine._symbols.read_again("EURUSD", account)

    assert changed == {"stops_level_points"}
    assert told(venue).margin_rate_long == known.margin_rate_long


def test_a_symbol_that_cannot_be_asked_stays() -> None:
    """The next day asks again."""
    venue = mt5_world()
    known = venue.engine._symbols.instruments["EURUSD"]
    venue.module.symbol_info = lambda *_: None  # type: ignore[method-assign]

    assert venue.engine._symbols.read_again("EURUSD", venue.module.account_info()) == frozenset()
    assert venue.engine._symbols.instruments["EURUSD"] is known
