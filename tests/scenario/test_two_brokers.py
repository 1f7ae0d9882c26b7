"""Two brokers that disagree: each account deals, is valued and is limited at its own broker."""

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest
from test_same_ticks import (  # noqa: F401 - `day` is a fixture
    SETTINGS,
    SYMBOL,
    TUESDAY_NS,
    Sink,
    day,
    floor_on,
    played,
    terminal_on,
)
from test_shared_market import Guest

from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.opening import JoinedMarket, PaperAccount, join_market
from plan2.foundation.bus import Bus
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.events.order import OrderPlaced, PositionOpened
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, TenantId, Tick, TickBlock
from plan2.intelligence.decision.apart import Tolerance
from plan2.intelligence.decision.explain import replay
from plan2.intelligence.decision.record import DecisionRecord, Reason
from plan2.intelligence.own_quotes import OwnSeat, OwnTerms
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import AccountIdentity
from plan2.intelligence.trading.journal import MemoryJournal
from plan2.wiring.assembly import AccountPlan, Floor, build_account
from plan2.wiring.venue import Venue

MORNING = 9_000
"""Ticks of the day until a good eight o'clock; the first trades come at four."""
SHARED = instruments((SYMBOL,), SETTINGS.simulated.leverage)
PIP = 0.0001
Quote = Callable[[Tick], Tick | None]


def moved(bid: float, ask: float) -> Quote:
    """A broker that quotes so much beside the market, in pips."""
    return lambda tick: msgspec.structs.replace(
        tick, bid=round(tick.bid + bid * PIP, 5), ask=round(tick.ask + ask * PIP, 5)
    )


@pytest.fixture(scope="module")
def morning(day: TickBlock) -> TickBlock:  # noqa: F811
    """The first half of a day."""
    return day.slice(0, MORNING)


class OtherBroker:
    """A paper broker of its own prices: what the market quotes reaches it changed, or not at all.

    Attributes:
        quotes: what it quoted, by time.
    """

    def __init__(self, quote: Quote, guest: Guest, seat: OwnSeat) -> None:
        self._quote, self._guest, self._seat = quote, guest, seat
        self.quotes: dict[int, Tick] = {}

    def on_tick(self, tick: Tick) -> None:
        """The broker first, as any terminal does it; then the account's own quote."""
        own = self._quote(tick)
        if own is not None:
            self.quotes[own.ts_ns] = own
            self._guest.terminal.on_tick(own)
            self._seat.on_tick(own)


class Played(NamedTuple):
    """A day on two brokers."""

    floor: Floor
    guest: Guest
    other: OtherBroker

    def events(self, kind: type) -> list:
        """What the guest wrote down of a kind."""
        return [fact.event for fact in self.guest.sink.facts if isinstance(fact.event, kind)]

    def records(self) -> list[DecisionRecord]:
        """The guest's decisions as they are stored."""
        made = self.events(DecisionMade)
        return [msgspec.convert(event.record, DecisionRecord) for event in made]


def guest_at(terminal, contract: Instrument) -> Guest:
    """A tenant's account at a broker with its own contract data."""
    joined = JoinedMarket(
        identity=terminal.market,
        mode="replay",
        clock=terminal.clock,
        contracts={SYMBOL: contract},
        history=terminal.history,
    )
    paper = join_market(SETTINGS.simulated, joined, PaperAccount(account="acme-1"))
    sink = Sink()
    account = build_account(
        AccountPlan(
            settings=SETTINGS,
            config_hash="config",
            identity=AccountIdentity(
                tenant_id=TenantId("acme"),
                account_id="acme-1",
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            instruments={SYMBOL: contract},
            bus=Bus(),
            latency=Latency(),
            journal=MemoryJournal(),
            sink=sink,
            submit=paper.submit,
        )
    )
    account.guard.know_mode("replay")
    account.set_state(TradingState.ARMED, TUESDAY_NS, "test", "test")
    return Guest(account, paper, sink, [])


async def play(
    ticks: TickBlock,
    quote: Quote,
    contract: Instrument = SHARED[SYMBOL],
    told: Instrument | None = None,
) -> Played:
    """The day with the market's own account, and one at a broker that quotes otherwise."""
    terminal = terminal_on(ticks)
    floor = floor_on(terminal, MemoryJournal(), Sink())
    floor.account.set_state(TradingState.ARMED, TUESDAY_NS, "test", "test")
    guest = guest_at(terminal, contract)
    terms = OwnTerms(
        shared=terminal.instruments(),
        current={SYMBOL: told or contract}.get,
        tolerance=Tolerance(),
        spike_sigmas=20.0,
        clock=terminal.clock,
    )
    seat = OwnSeat(guest.account, guest.faults.append, {SYMBOL: contract}, terms)
    other = OtherBroker(quote, guest, seat)
    venue = Venue(floor.pipeline)
    await guest.terminal.start(seat)
    venue.join(other)
    floor.pipeline.join(seat)
    await terminal.start(venue)
    await terminal.wait()
    assert not guest.faults
    return Played(floor, guest, other)


async def test_orders_stops_and_valuation_go_by_the_own_brokers_prices(morning: TickBlock) -> None:
    """0.1 pip above the market and 0.1 wider: every price of every order is the own broker's."""
    alone, _, _ = await played(morning)
    done = await play(morning, moved(0.1, 0.2))
    placed = [event for event in done.events(OrderPlaced) if event.kind == "open"]
    assert len(placed) > 3
    for event in placed:
        own = done.other.quotes[event.ts_ns]
        assert event.price == (own.ask if event.side == "buy" else own.bid)
        assert event.stop_loss + event.take_profit == pytest.approx(2 * own.mid, abs=2e-5)
    prices = {price for own in done.other.quotes.values() for price in (own.bid, own.ask)}
    assert {event.open_price for event in done.events(PositionOpened)} <= prices
    theirs = await done.guest.terminal.account()
    assert theirs is not None
    assert done.guest.account.portfolio.balance == theirs.balance
    last = list(done.other.quotes.values())[-1]
    assert done.guest.account.quotes[SYMBOL] == last
    assert done.floor.keeper.digest == alone.keeper.digest
    assert done.floor.account.portfolio.balance == alone.account.portfolio.balance


async def test_every_kept_decision_can_be_taken_again_from_its_record(morning: TickBlock) -> None:
    """Traded or refused, with the broker's own contract data in the record."""
    contract = msgspec.structs.replace(SHARED[SYMBOL], commission_per_lot=Decimal("5.00"))
    done = await play(morning, moved(0.1, 0.2), contract)
    records = done.records()
    assert {record.reason for record in records} >= {Reason.EXPLORATION, Reason.POSITION_OPEN}
    for record in records:
        known = contract if record.contract is msgspec.UNSET else record.contract
        assert known == contract
        assert replay(record, known, lambda each: each.forecast).differences == ()


@pytest.mark.parametrize(
    ("quote", "reason", "words"),
    [
        (moved(5.0, 5.0), Reason.QUOTES_APART, "spreads from the market's"),
        (moved(-1.0, 1.0), Reason.SPREAD_TOO_WIDE, "times the market's; at most 2"),
    ],
)
async def test_a_broker_that_quotes_too_far_away_gets_no_entry(
    morning: TickBlock,
    quote: Quote,
    reason: Reason,
    words: str,
) -> None:
    """Refused with its reason and its figures, all day, while the market's own account trades."""
    done = await play(morning, quote)
    assert done.events(OrderPlaced) == []
    record = next(each for each in done.records() if each.reason is reason)
    assert words in record.sentence
    assert replay(record, SHARED[SYMBOL], lambda each: each.forecast).identical
    assert done.floor.account.orders.orders


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"digits": 3}, "digits 3 instead of 5"),
        ({"contract_size": 10_000.0}, "contract_size 10000.0 instead of 100000.0"),
        ({"quote": "JPY"}, "quote JPY instead of USD"),
        ({"commission_per_lot": Decimal("7.01")}, "more than 2 times"),
    ],
)
async def test_a_symbol_that_means_something_else_there_gets_no_entry(
    morning: TickBlock,
    changed: dict,
    words: str,
) -> None:
    """Digits, contract size, currencies and cost are what limits and forecasts are meant in."""
    contract = msgspec.structs.replace(SHARED[SYMBOL], **changed)
    done = await play(morning.slice(0, 2_000), moved(0, 0), contract)
    assert done.events(OrderPlaced) == []
    (record,) = done.records()
    assert record.reason is Reason.TERMS_DIFFER
    assert words in record.sentence


async def test_contract_data_that_changes_under_an_open_account_ends_its_entries(
    morning: TickBlock,
) -> None:
    """The broker tells another lot size than the account was opened with."""
    told = msgspec.structs.replace(SHARED[SYMBOL], volume_step=0.1)
    done = await play(morning.slice(0, 2_000), moved(0, 0), told=told)
    (record,) = done.records()
    assert record.reason is Reason.TERMS_DIFFER
    assert "changed its contract data since" in record.sentence


async def test_a_broker_that_falls_silent_gets_no_entry_on_an_old_quote(morning: TickBlock) -> None:
    """From six on its last quote is all there is; a second later it is too old to act on."""
    six_ns = TUESDAY_NS + 6 * NS_PER_HOUR

    def until_six(tick: Tick) -> Tick | None:
        return tick if tick.ts_ns < six_ns else None

    done = await play(morning, until_six)
    entries = [event for event in done.events(OrderPlaced) if event.kind == "open"]
    assert entries
    assert max(event.ts_ns for event in entries) < six_ns
    stale = [record for record in done.records() if record.reason is Reason.STALE_TICK]
    assert stale
    assert all(record.apart.market.ts_ns > six_ns for record in stale)  # the market's goes on
    theirs = done.floor.account.orders.orders.values()
    assert any(each.placed.kind == "open" and each.placed.ts_ns > six_ns for each in theirs)


async def test_a_loss_at_the_own_broker_halts_that_account_between_the_markets_ticks(
    morning: TickBlock,
) -> None:
    """A price that only the own broker shows takes its equity down; nobody waits for a forecast."""
    done = await play(morning.slice(0, 2_000), moved(0.0, 0.0))
    account = done.guest.account
    tick = account.quotes[SYMBOL]
    assert account.state is TradingState.ARMED
    account.apply(
        PositionOpened(
            ts_ns=tick.ts_ns,
            position_id="acme-1:77",
            account_id="acme-1",
            tenant_id="acme",
            symbol=SYMBOL,
            direction="buy",
            quantity=1.0,
            open_price=tick.ask,
            stop_loss=0.0,
            take_profit=0.0,
            commission="0.00",
            decision_id="",
            expires_ts_ns=0,
            is_managed=False,
        )
    )
    terms = OwnTerms(
        shared=SHARED,
        current={}.get,
        tolerance=Tolerance(),
        spike_sigmas=20.0,
        clock=SimulatedClock(tick.ts_ns + NS_PER_SECOND),
    )
    seat = OwnSeat(account, done.guest.faults.append, SHARED, terms)
    fall = 40 * PIP  # one lot loses 400 USD of 10,000; the limit of a day is 3 %
    seat.on_tick(Tick(SYMBOL, tick.ts_ns + NS_PER_SECOND, tick.bid - fall, tick.ask - fall))
    assert account.state is TradingState.HALTED
    assert done.floor.account.state is TradingState.ARMED
