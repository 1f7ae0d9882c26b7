"""What a broker changes of a contract while Plan2 runs: gone by, told once, kept, replayed."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from trading_fixtures import EURUSD, NOON_NS, Desk

from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.account import ContractChanged
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import RandomIds
from plan2.foundation.instrument import Instrument, changed_terms
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.decision.replayer import RecordReplayer
from plan2.wiring.contract_changes import ContractChanges
from plan2.wiring.live_account import LiveAccount, read_account, renewed, write_account
from plan2.wiring.tenant_run import TenantRun

FUTURE = msgspec.structs.replace(EURUSD, tick_size=0.00005, tick_value=6.25)


class House:
    """One account at a broker, and everything that is told of its contracts."""

    def __init__(self, folder: Path, known: Instrument = EURUSD) -> None:
        self.clock = SimulatedClock(NOON_NS)
        self.instruments = {"EURUSD": known}
        self.desk = Desk()
        self.desk.account.portfolio._instruments = self.instruments
        self.events: list[ContractChanged] = []
        self.halts: list[str] = []
        self.shown: list[Instrument] = []
        self.market: Any = SimpleNamespace(
            terminal=RemoteTerminal("own", self.clock),
            instruments=self.instruments,
            earlier=[],
            clock=self.clock,
            account_id="own",
        )
        run: Any = SimpleNamespace(
            tenant_id=MAIN_TENANT, market=self.market, account=self.desk.account,
            appender=SimpleNamespace(put=self._put), halt=self.halts.append,
        )  # fmt: skip
        self.run = cast(TenantRun, run)
        self.path = folder / "live" / "own.json"
        self.changes = ContractChanges(
            lambda: [self.run], folder, self.clock, RandomIds(), self.shown.append
        )
        write_account(self.path, account(known))

    def _put(self, new: NewEvent) -> None:
        assert isinstance(new.event, ContractChanged)
        assert new.stream_id == "account:own"
        self.events.append(new.event)

    def tell(self, **terms: object) -> Instrument:
        """The terminal tells changed contract data."""
        told = msgspec.structs.replace(self.instruments["EURUSD"], **terms)
        self.changes.take(self.run, {"EURUSD": told})
        return told


def account(known: Instrument) -> LiveAccount:
    """What is kept of the account."""
    return LiveAccount(
        login="1", server="s", mode="demo", currency="USD", start_balance="1000", since_ns=1,
        instruments={"EURUSD": known},
    )  # fmt: skip


@pytest.mark.parametrize(
    "terms",
    [
        {"stops_level_points": 20},
        {"volume_max": 5.0, "leverage": 20.0},
        {"swap_long_points": -9.0},
        {"margin_rate_long": 1.5},
        {"commission_per_lot": Decimal("5.00")},
    ],
)
def test_it_is_gone_by_and_told_once(tmp_path: Path, terms: dict[str, Any]) -> None:
    """The account's own view, the screens and the log; told again only when it changes again."""
    house = House(tmp_path)
    told = house.tell(**terms)

    assert house.desk.account.portfolio.instruments["EURUSD"] is told
    assert house.shown == [told]
    (event,) = house.events
    assert event.is_adopted
    assert event.after == {name: str(value) for name, value in sorted(terms.items())}
    assert event.before == {name: str(getattr(EURUSD, name)) for name in sorted(terms)}
    house.changes.take(house.run, {"EURUSD": told})
    assert len(house.events) == 1
    assert house.halts == []


def test_a_tick_of_another_value_values_open_positions_anew(tmp_path: Path) -> None:
    """As exchanges change it with a currency; what was reckoned before is forgotten."""
    house = House(tmp_path, FUTURE)
    house.desk.account.portfolio._profits["1"] = cast(Any, ((), Decimal(1)))

    house.tell(tick_value=7.5)

    assert house.desk.account.portfolio._profits == {}
    assert house.instruments["EURUSD"].lot_units == pytest.approx(150_000.0)


@pytest.mark.parametrize(
    ("known", "terms"),
    [
        (EURUSD, {"margin_rate_long": 1.005}),
        (FUTURE, {"tick_value": 6.26}),
        (EURUSD, {"commission_per_lot": Decimal("3.52")}),
    ],
)
def test_what_is_only_measured_anew_is_no_change(
    tmp_path: Path, known: Instrument, terms: dict[str, Any]
) -> None:
    """Quotes and rounding blur it."""
    house = House(tmp_path, known)
    house.tell(**terms)

    assert house.events == []
    assert house.instruments["EURUSD"] is known


@pytest.mark.parametrize("terms", [{"contract_size": 1_000.0}, {"digits": 4}])
def test_another_thing_is_never_taken_over(tmp_path: Path, terms: dict[str, Any]) -> None:
    """New risk is halted until a start takes it over; it is said once."""
    house = House(tmp_path)
    told = house.tell(**terms)
    house.changes.take(house.run, {"EURUSD": told})

    assert house.instruments["EURUSD"] is EURUSD
    assert [event.is_adopted for event in house.events] == [False]
    assert len(house.halts) == 1
    assert "start Plan2 anew" in house.halts[0]


async def test_it_is_kept_for_the_next_start(tmp_path: Path) -> None:
    """With what held before; a terminal that cannot be asked changes nothing."""
    house = House(tmp_path)
    await house.changes.learn()
    assert house.events == []
    told = house.tell(stops_level_points=20)

    await house.changes.learn()

    kept = read_account(house.path)
    assert kept is not None
    assert kept.instruments == {"EURUSD": told}
    assert [(one.until_ns, one.instrument) for one in kept.earlier] == [(NOON_NS, EURUSD)]


def test_swaps_leave_no_earlier_contract() -> None:
    """They change every night, and no decision goes by them."""
    known = account(EURUSD)
    told = msgspec.structs.replace(EURUSD, swap_long_points=-9.0)

    assert renewed(known, {"EURUSD": told}, 5).earlier == ()
    assert renewed(known, {"EURUSD": told}, 5).instruments == {"EURUSD": told}
    assert changed_terms(told, EURUSD) == {"swap_long_points"}


@pytest.mark.parametrize(("ts_ns", "level"), [(5, 0), (9, 0), (10, 20), (19, 20), (20, 40)])
def test_a_decision_is_replayed_with_the_contract_of_its_time(ts_ns: int, level: int) -> None:
    """Of two changes the one that held then."""
    first, second, third = (
        msgspec.structs.replace(EURUSD, stops_level_points=points) for points in (0, 20, 40)
    )
    known = renewed(account(first), {"EURUSD": second}, 10)
    known = renewed(known, {"EURUSD": third}, 20)
    replayer = RecordReplayer(cast(Any, None), known.instruments, known.earlier)
    record = cast(DecisionRecord, SimpleNamespace(symbol="EURUSD", ts_ns=ts_ns))

    found = replayer._contract_at(record)

    assert found is not None
    assert found.stops_level_points == level


def test_what_an_earlier_version_kept_reads_as_it_was() -> None:
    """Without the list of what held before."""
    kept = msgspec.json.decode(msgspec.json.encode(account(EURUSD)))
    del kept["earlier"]

    assert msgspec.convert(kept, LiveAccount) == account(EURUSD)
