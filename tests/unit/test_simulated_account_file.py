"""The account file: complete, exclusive, tied to one market, honest about damage."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from plan2.dataflow.terminals.port import LinkChange, OrderUpdate, Trace, Trigger, UpdateKind
from plan2.dataflow.terminals.simulated.account_file import open_account_file
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.opening import (
    PaperAccount,
    account_path,
    open_synthetic,
)
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.dataflow.terminals.simulated.terminal import SimulatedTerminal
from plan2.foundation.config.schema import Simulated
from plan2.foundation.errors import ConfigError, JournalLost
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, Side, Tick
from simulated_world import TUESDAY_NS, cancelling, closing, order, pending

SYMBOLS = ("EURUSD", "USDJPY")
OPTIONS = BrokerOptions(market="a market", start_ns=TUESDAY_NS, latency_ms=0)


class Session:
    """One life of a broker on a file; `die` lets go of it without a word, as a kill does."""

    def __init__(
        self, path: Path, options: BrokerOptions = OPTIONS, symbols: tuple[str, ...] = SYMBOLS
    ) -> None:
        self.file = open_account_file(path)
        self.broker = PaperBroker(instruments(symbols), options, self.file)
        self.updates: list[OrderUpdate] = []
        self.broker.connect(self.updates.append)

    def quote(self, seconds: float, bid: float, symbol: str = "EURUSD") -> None:
        """A quote with a spread of one pip."""
        ts_ns = TUESDAY_NS + int(seconds * NS_PER_SECOND)
        self.broker.on_tick(Tick(symbol, ts_ns, bid, round(bid + 0.0001, 5)))

    def die(self) -> None:
        """The end of the process."""
        self.file.close()


def figures(broker: PaperBroker) -> tuple[object, ...]:
    """Everything that a restart must not change."""
    return broker.account(), broker.positions(), broker.orders(), broker.deals(0)


def test_an_account_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """Balance, equity, margin, positions with swap, deals and known tokens come back."""
    path = tmp_path / "paper.sqlite"
    first = Session(path)
    first.broker.submit(order(stop_loss=1.05))
    first.broker.submit(order(order_id="second", side=Side.SELL))
    first.quote(1, 1.1)
    first.broker.submit(closing("EURUSD", Side.SELL, "1", quantity=0.04, ts_ns=TUESDAY_NS))
    first.quote(2, 1.1005)
    first.quote(20 * 3600, 1.1005)
    before = figures(first.broker)
    first.die()
    again = Session(path)
    assert figures(again.broker) == before
    assert again.broker.positions()[0].swap == Decimal("-0.43")  # 0.06 lots · −7.1 points
    again.broker.submit(order())
    again.quote(20 * 3600 + 1, 1.1)
    assert [update.reason for update in again.updates] == ["duplicate_token"]
    again.die()


def test_tickets_go_on_after_a_restart(tmp_path: Path) -> None:
    """Orders and deals are numbered on, so an id is never used twice."""
    path = tmp_path / "paper.sqlite"
    first = Session(path)
    first.broker.submit(order())
    first.quote(1, 1.1)
    first.die()
    again = Session(path)
    again.broker.submit(order(order_id="second"))
    again.quote(2, 1.1)
    assert [deal.ticket for deal in again.broker.deals(0)] == ["1", "2"]
    assert [one.ticket for one in again.broker.positions()] == ["1", "2"]
    again.die()


def test_an_order_on_its_way_dies_with_the_process(tmp_path: Path) -> None:
    """It is never executed afterwards, its token finds nothing and may be used again."""
    path = tmp_path / "paper.sqlite"
    first = Session(path)
    first.broker.submit(order())
    first.die()
    again = Session(path)
    again.quote(1, 1.1)
    assert again.broker.trace("token-order-1") == Trace()
    again.broker.submit(order())
    again.quote(2, 1.1)
    assert [update.kind for update in again.updates] == [UpdateKind.ACCEPTED, UpdateKind.FILLED]
    again.die()


def test_the_deal_is_on_disk_before_it_is_told(tmp_path: Path) -> None:
    """A listener that looks into the file finds the deal it is being told of."""
    path = tmp_path / "paper.sqlite"
    session = Session(path)
    found: list[int] = []

    def look(update: OrderUpdate) -> None:
        saved = session.file.load()
        assert saved is not None
        assert saved.ts_ns == update.ts_ns
        found.append(len(saved.deals))

    session.broker.connect(look)
    session.broker.submit(order())
    session.quote(1, 1.1)
    assert found == [1, 1]
    session.die()


def test_only_one_process_holds_the_file(tmp_path: Path) -> None:
    """A second opening is refused with advice, and works after the first has let go."""
    path = tmp_path / "paper.sqlite"
    session = Session(path)
    with pytest.raises(ConfigError, match="Stop the other Plan2"):
        open_account_file(path)
    session.die()
    open_account_file(path).close()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"market": "another"}, "market"),
        ({"currency": "EUR"}, "currency"),
        ({"rules": AccountRules(is_hedging=False)}, "is_hedging"),
        ({"account": "other"}, "account"),
    ],
)
def test_a_file_belongs_to_one_account(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    """Another market, currency, mode or login than the file's is refused by name."""
    path = tmp_path / "paper.sqlite"
    Session(path).die()
    with pytest.raises(ConfigError, match=message):
        Session(path, msgspec.structs.replace(OPTIONS, **changes))


def test_a_position_needs_its_symbol(tmp_path: Path) -> None:
    """A symbol with an open position cannot be left out of the configuration."""
    path = tmp_path / "paper.sqlite"
    first = Session(path)
    first.broker.submit(order())
    first.quote(1, 1.1)
    first.die()
    with pytest.raises(ConfigError, match="EURUSD"):
        Session(path, symbols=("USDJPY",))


def test_damage_is_reported(tmp_path: Path) -> None:
    """A file that is no database, and one with rows that make no sense."""
    foreign = tmp_path / "foreign.sqlite"
    foreign.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigError, match="cannot be used"):
        open_account_file(foreign)
    path = tmp_path / "paper.sqlite"
    Session(path).die()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE header SET data = '{}'")
    database.close()
    with pytest.raises(ConfigError, match="backup"):
        Session(path)


def test_a_change_that_cannot_be_written_stops_the_account(tmp_path: Path) -> None:
    """When the disk refuses, the broker says nothing and raises."""
    session = Session(tmp_path / "paper.sqlite")
    session.broker.submit(order())
    session.die()
    with pytest.raises(JournalLost, match="could not be written"):
        session.quote(1, 1.1)
    assert session.updates == []


def test_a_refused_token_is_remembered_a_lost_one_is_not(tmp_path: Path) -> None:
    """The broker knows what reached it, also over a restart."""
    path = tmp_path / "paper.sqlite"
    first = Session(path)
    first.broker.submit(order(quantity=0.015))
    first.quote(1, 1.1)
    first.die()
    lost = Session(path, msgspec.structs.replace(OPTIONS, faults=Faults(lost_order=1.0)))
    lost.broker.submit(order(order_id="lost"))
    lost.quote(2, 1.1)
    saved = lost.file.load()
    assert saved is not None
    assert saved.tokens == {"token-order-1"}
    lost.die()


VERSION_1 = (
    "CREATE TABLE header (id INTEGER PRIMARY KEY CHECK (id = 1), data TEXT NOT NULL)",
    "CREATE TABLE place (id INTEGER PRIMARY KEY, ts_ns INTEGER, market BLOB)",
    "CREATE TABLE positions (ticket TEXT PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE deals (ticket INTEGER PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE tokens (token TEXT PRIMARY KEY) WITHOUT ROWID",
    "INSERT INTO place VALUES (1, 1709625602000000000, x'')",
    "INSERT INTO tokens VALUES ('token-order-1')",
    """INSERT INTO header VALUES (1, '{"account":"paper","currency":"USD","is_hedging":true,
        "market":"a market","origin_ns":1709625600000000000,"deposit":"10000.00",
        "balance":"9999.65","last_order":1,"rollover_ns":1709676000000000000,
        "quotes":[{"symbol":"EURUSD","ts_ns":1709625602000000000,"bid":1.1,"ask":1.1001,"seq":0}]
        }')""",
    """INSERT INTO positions VALUES ('1', '{"ticket":"1","symbol":"EURUSD","side":1,
        "quantity":0.1,"open_price":1.1001,"stop_loss":1.05,"take_profit":0.0,"margin":"366.67",
        "swap":"0.00","magic":7,"token":"token-order-1","opened_ts_ns":1709625601000000000}')""",
    """INSERT INTO deals VALUES (1, '{"ticket":"1","order_ticket":"1","position_ticket":"1",
        "symbol":"EURUSD","side":1,"is_exit":false,"quantity":0.1,"price":1.1001,
        "commission":"-0.35","swap":"0.00","profit":"0.00","reason":"client",
        "token":"token-order-1","magic":7,"ts_ns":1709625601000000000}')""",
)
"""An account as the version before pending orders wrote it, with one position."""


def test_a_file_of_the_first_version_goes_on(tmp_path: Path) -> None:
    """Balance, position, deal and token are there; it trades on, and is of this version then."""
    path = tmp_path / "paper.sqlite"
    with sqlite3.connect(path) as database:
        for statement in VERSION_1:
            database.execute(statement)
    database.close()
    first = Session(path)
    assert first.broker.account().balance == Decimal("9999.65")
    assert [one.amount for one in first.broker.desk.book.operations] == [Decimal("10000.00")]
    (position,) = first.broker.positions()
    assert (position.ticket, position.quantity, position.stop_loss) == ("1", 0.1, 1.05)
    trace = first.broker.trace("token-order-1")
    assert trace is not None
    assert (trace.is_over, len(trace.deals)) == (True, 1)
    first.broker.submit(order(order_id="second"))
    first.quote(3, 1.1)
    assert [deal.ticket for deal in first.broker.deals(0)] == ["1", "2"]
    before = figures(first.broker)
    first.die()
    again = Session(path)
    assert figures(again.broker) == before
    again.die()


def test_a_file_of_the_future_is_refused(tmp_path: Path) -> None:
    """What a newer Plan2 wrote is not touched."""
    path = tmp_path / "paper.sqlite"
    Session(path).die()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 3")
    database.close()
    with pytest.raises(ConfigError, match="Use the Plan2 that wrote it"):
        open_account_file(path)


def test_working_and_ended_orders_come_back(tmp_path: Path) -> None:
    """A limit works on after the restart and is filled under its own order id."""
    path = tmp_path / "paper.sqlite"
    first = Session(path)
    first.quote(1, 1.1)
    for number, price in enumerate((1.09, 1.08)):
        first.broker.submit(
            pending("EURUSD", Side.BUY, Trigger.LIMIT, price, order_id=f"p{number}")
        )
    first.quote(2, 1.1)
    first.broker.submit(cancelling("2"))
    first.quote(3, 1.1)
    before = figures(first.broker)
    history = first.broker.desk.book.history
    first.die()
    again = Session(path)
    assert figures(again.broker) == before
    assert again.broker.desk.book.history == history
    assert history["2"].end_reason == "withdrawn"
    again.quote(4, 1.0895)
    (update,) = again.updates
    assert (update.kind, update.order_id, update.ticket) == (UpdateKind.FILLED, "p0", "1")
    again.die()


def test_a_working_order_needs_its_symbol(tmp_path: Path) -> None:
    """A symbol with a working order cannot be left out of the configuration."""
    path = tmp_path / "paper.sqlite"
    first = Session(path)
    first.quote(1, 1.1)
    first.broker.submit(pending("EURUSD", Side.BUY, Trigger.LIMIT, 1.09))
    first.quote(2, 1.1)
    first.die()
    with pytest.raises(ConfigError, match="EURUSD"):
        Session(path, symbols=("USDJPY",))


class Follower:
    """Hears EURUSD up to an instant."""

    def __init__(self, terminal: SimulatedTerminal, end_ns: int) -> None:
        self.terminal = terminal
        self.end_ns = end_ns
        self.heard: list[Tick] = []

    def on_tick(self, tick: Tick) -> None:
        """Keep EURUSD, stop at the end."""
        if tick.symbol == "EURUSD":
            self.heard.append(tick)
        if tick.ts_ns >= self.end_ns:
            self.terminal.player.stop()

    def on_order_update(self, update: OrderUpdate) -> None:
        """There are no orders."""
        raise AssertionError(update)

    def on_link(self, change: LinkChange) -> None:
        """The link is of no interest here."""


async def followed(terminal: SimulatedTerminal, hours: int) -> list[Tick]:
    """EURUSD of one run that ends so many hours after the market's first instant."""
    follower = Follower(terminal, TUESDAY_NS + hours * NS_PER_HOUR)
    await terminal.start(follower)
    await terminal.wait()
    await terminal.stop()
    return follower.heard


@pytest.mark.parametrize("symbols", [("EURUSD",), ("GBPUSD", "EURUSD")], ids=["same", "more"])
async def test_the_market_goes_on_where_it_stood(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    """A second run joins up with the first, also with other symbols and other `history_days`."""
    settings = Simulated(history_days=1, seed=4)
    more_days = msgspec.structs.replace(settings, history_days=9)
    kept = PaperAccount(data_dir=tmp_path, is_paced=False)
    first = await followed(open_synthetic(settings, ("EURUSD",), kept), hours=3)
    again = open_synthetic(more_days, symbols, kept)
    second = await followed(again, hours=6)
    memory = PaperAccount(is_paced=False)
    whole = await followed(open_synthetic(settings, ("EURUSD",), memory), hours=6)
    assert second[0].ts_ns >= first[-1].ts_ns
    joined = first + [tick for tick in second if tick.ts_ns > first[-1].ts_ns]
    assert joined == whole[: len(joined)]
    assert len(whole) - len(joined) <= 1  # beside another symbol the end may come a tick earlier
    history = await again.history("EURUSD", TUESDAY_NS, TUESDAY_NS + NS_PER_HOUR)
    early = [tick.bid for tick in whole if tick.ts_ns < TUESDAY_NS + NS_PER_HOUR]
    assert history.bid.tolist() == early


async def test_another_seed_or_strength_is_another_market(tmp_path: Path) -> None:
    """An account cannot be moved to a market it did not trade on."""
    paper = PaperAccount(data_dir=tmp_path)
    await open_synthetic(Simulated(seed=1), ("EURUSD",), paper).stop()
    with pytest.raises(ConfigError, match="seed 1"):
        open_synthetic(Simulated(seed=2), ("EURUSD",), paper)
    with pytest.raises(ConfigError, match="seed 1"):
        open_synthetic(Simulated(seed=1, strength=2.0), ("EURUSD",), paper)
    open_account_file(account_path(tmp_path, "paper")).close()  # the refusal let go of the file
