"""A paper account's ledger lets go of what nobody asks for any more; nothing else changes."""

import sqlite3
from contextlib import closing as shut
from decimal import Decimal
from pathlib import Path

import pytest

from plan2.dataflow.terminals.port import Deal, OrderUpdate
from plan2.dataflow.terminals.simulated.account_file import AccountFile, open_account_file
from plan2.dataflow.terminals.simulated.book import BalanceOperation
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.rolling import KEEP_NS, ROLLED, Rolled, roll_off
from plan2.foundation.errors import JournalLost
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, Side, Tick
from simulated_world import TUESDAY_NS, closing, order

OPTIONS = BrokerOptions(market="a market", start_ns=TUESDAY_NS, latency_ms=0)
WEEKS_KEPT = KEEP_NS // (7 * NS_PER_DAY)


class Life:
    """One life of a broker on a file, which trades once a week."""

    def __init__(self, path: Path) -> None:
        self.file = open_account_file(path)
        self.broker = PaperBroker(instruments(("EURUSD",)), OPTIONS, self.file)
        self.updates: list[OrderUpdate] = []
        self.broker.connect(self.updates.append)

    def quote(self, week: int, seconds: int, bid: float) -> None:
        """A quote of a Tuesday."""
        ts_ns = TUESDAY_NS + 7 * week * NS_PER_DAY + seconds * NS_PER_SECOND
        self.broker.on_tick(Tick("EURUSD", ts_ns, bid, round(bid + 0.0001, 5)))

    def trade(self, week: int) -> None:
        """Buy, and close a little higher or lower."""
        self.quote(week, 1, 1.1)
        now_ns = self.broker.now_ns()
        self.broker.submit(order(order_id=f"in-{week}", ts_ns=now_ns))
        self.quote(week, 2, 1.1)
        ticket = self.broker.positions()[-1].ticket
        leaving = closing(
            "EURUSD", Side.SELL, ticket, quantity=0.1, order_id=f"out-{week}", ts_ns=now_ns
        )
        self.broker.submit(leaving)
        self.quote(week, 3, 1.1 + 0.0003 * (week % 5 - 1))

    def figures(self) -> tuple[object, ...]:
        """What the account is worth."""
        return self.broker.account(), self.broker.positions(), self.broker.orders()


def rows(path: Path) -> dict[str, int]:
    """How much the file holds."""
    with shut(sqlite3.connect(path)) as database:
        return {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("deals", "orders", "operations", "tokens")
        }


def lived(path: Path, weeks: range) -> Life:
    """A life that trades in these weeks."""
    life = Life(path)
    for week in weeks:
        life.trade(week)
    return life


def test_a_restart_lets_go_of_what_is_old_and_keeps_the_money(tmp_path: Path) -> None:
    """Of a year of trades the last 90 days stay; balance and equity do not change by a cent."""
    path = tmp_path / "paper.sqlite"
    first = lived(path, range(52))
    before, deals = first.figures(), first.broker.deals(0)
    first.file.close()

    again = Life(path)
    kept = again.broker.deals(0)
    assert again.figures() == before
    assert kept == deals[-len(kept) :]
    assert len(kept) == 2 * (WEEKS_KEPT + 1)
    again.file.close()
    assert rows(path) == {
        "deals": len(kept), "orders": len(kept), "operations": 2, "tokens": 104
    }  # fmt: skip


def test_the_next_year_goes_into_the_same_sum(tmp_path: Path) -> None:
    """Two restarts, one operation; numbers go on, tokens are known, and the file stays small."""
    path = tmp_path / "paper.sqlite"
    lived(path, range(52)).file.close()
    second = lived(path, range(52, 104))
    before, last = second.figures(), second.broker.deals(0)[-1]
    second.file.close()

    third = Life(path)
    assert third.figures() == before
    assert int(last.ticket) == 208
    assert [one.comment for one in third.broker.desk.book.operations] == ["deposit", ROLLED]
    third.quote(104, 0, 1.1)
    third.broker.submit(order(order_id="in-3"))
    third.quote(104, 1, 1.1)
    assert [update.reason for update in third.updates] == ["duplicate_token"]
    third.trade(104)
    assert [one.ticket for one in third.broker.deals(0)][-2:] == ["209", "210"]
    third.file.close()
    fourth = Life(path)
    assert fourth.file.load() is not None
    assert fourth.broker.account().balance == third.broker.account().balance
    fourth.file.close()
    assert rows(path)["deals"] < 4 * WEEKS_KEPT


def test_an_open_positions_own_deals_stay(tmp_path: Path) -> None:
    """However old: what it came from is still asked for."""
    path = tmp_path / "paper.sqlite"
    first = Life(path)
    first.broker.submit(order(order_id="held", quantity=0.2))
    first.quote(0, 0, 1.1)
    for week in range(52):
        first.trade(week)
    held = first.broker.positions()
    first.file.close()

    again = Life(path)
    assert again.broker.positions() == held
    assert again.broker.deals(0)[0].ticket == "1"
    trace = again.broker.trace("token-held")
    assert trace is not None
    assert [one.ticket for one in trace.deals] == ["1"]
    again.file.close()


def test_all_is_old_but_the_last_deal_is_known(tmp_path: Path) -> None:
    """From it the next is numbered; nothing young is ever let go of."""
    path = tmp_path / "paper.sqlite"
    life = lived(path, range(4))
    book = life.broker.desk.book
    balance = book.balance

    assert roll_off(book, TUESDAY_NS) is None
    assert roll_off(book, TUESDAY_NS + 10 * KEEP_NS) is not None
    assert [one.ticket for one in book.deals] == ["8"]
    assert book.balance == balance == worth(book.operations, book.deals)
    life.file.close()


def worth(operations: list[BalanceOperation], deals: list[Deal]) -> Decimal:
    """The book's invariant."""
    moves = (one.profit + one.commission + one.swap for one in deals)
    return sum((one.amount for one in operations), Decimal(0)) + sum(moves, Decimal(0))


class Ended(BaseException):
    """The process ends here."""


def test_a_process_that_ends_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is in the file; the next start does it again, and not twice."""
    path = tmp_path / "paper.sqlite"
    first = lived(path, range(52))
    before = first.figures()
    first.file.close()
    known = rows(path)

    def end(file: AccountFile, rolled: Rolled) -> None:
        database = file._database
        database.execute("BEGIN IMMEDIATE")
        database.executemany("DELETE FROM deals WHERE ticket = ?", [(t,) for t in rolled.deals])
        file.close()
        raise Ended

    with monkeypatch.context() as patched:
        patched.setattr(AccountFile, "roll_off", end)
        with pytest.raises(Ended):
            Life(path)
    assert rows(path) == known
    again = Life(path)
    assert again.figures() == before
    again.file.close()
    assert rows(path)["deals"] < known["deals"]


def test_a_disk_that_refuses_leaves_the_file_whole(tmp_path: Path) -> None:
    """All of it or nothing: an operation that cannot be written brings the deals back."""
    path = tmp_path / "paper.sqlite"
    lived(path, range(4)).file.close()
    known, file = rows(path), open_account_file(path)
    saved = file.load()
    assert saved is not None
    file._database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON operations BEGIN SELECT RAISE(FAIL, 'full'); END"
    )
    total = BalanceOperation(ticket="1000000002", ts_ns=0, amount=Decimal(0), comment=ROLLED)
    tickets = tuple(one.ticket for one in saved.deals)
    with pytest.raises(JournalLost):
        file.roll_off(Rolled(deals=tickets, orders=("1",), total=total))
    assert file.load() == saved
    file.close()
    assert rows(path) == known
