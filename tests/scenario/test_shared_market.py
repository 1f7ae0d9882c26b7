"""Many tenants on one market: each trades for itself, and exactly as it would alone."""

from decimal import Decimal
from typing import NamedTuple

import msgspec
from test_same_ticks import (  # noqa: F401 - `day` is a fixture
    SETTINGS,
    TUESDAY_NS,
    Sink,
    day,
    floor_on,
    played,
    terminal_on,
)

from plan2.dataflow.terminals.simulated.opening import JoinedMarket, PaperAccount, join_market
from plan2.dataflow.terminals.simulated.paper import PaperTerminal
from plan2.foundation.bus import Bus
from plan2.foundation.errors import InvariantBroken, Unrecoverable
from plan2.foundation.latency import Latency
from plan2.foundation.values import TenantId, TickBlock
from plan2.intelligence.decision.decide import Rules
from plan2.intelligence.pipeline import Seat
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import AccountIdentity, TradingAccount
from plan2.intelligence.trading.journal import MemoryJournal
from plan2.wiring.assembly import AccountPlan, Floor, build_account, terms_of
from plan2.wiring.venue import Venue


class Guest(NamedTuple):
    """A further tenant's account, its terminal, and what it wrote down."""

    account: TradingAccount
    terminal: PaperTerminal
    sink: Sink
    faults: list[Unrecoverable]

    @property
    def seat(self) -> Seat:
        """Its place at the pipeline."""
        return Seat(self.account, self.faults.append)


def guest_on(terminal, tenant: str, settings=SETTINGS) -> Guest:
    """A tenant's account on the market that `terminal` plays; its folder is memory."""
    joined = JoinedMarket(
        identity=terminal.market,
        mode="replay",
        clock=terminal.clock,
        contracts=terminal.instruments(),
        history=terminal.history,
    )
    paper = join_market(settings.simulated, joined, PaperAccount(account=f"paper-{tenant}"))
    sink = Sink()
    account = build_account(
        AccountPlan(
            settings=settings,
            config_hash="config",
            identity=AccountIdentity(
                tenant_id=TenantId(tenant),
                account_id=f"paper-{tenant}",
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            instruments=terminal.instruments(),
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


async def play_with(ticks: TickBlock, *tenants: str) -> tuple[Floor, list[Guest]]:
    """The day with the market's own account and one of each tenant."""
    terminal = terminal_on(ticks)
    floor = floor_on(terminal, MemoryJournal(), Sink())
    floor.account.set_state(TradingState.ARMED, TUESDAY_NS, "test", "test")
    venue = Venue(floor.pipeline)
    guests = [guest_on(terminal, tenant) for tenant in tenants]
    for guest in guests:
        await guest.terminal.start(guest.seat)
        venue.join(guest.terminal)
        floor.pipeline.join(guest.seat)
    await terminal.start(venue)
    await terminal.wait()
    return floor, guests


async def test_a_joined_account_decides_and_earns_as_it_would_alone(day: TickBlock) -> None:  # noqa: F811
    """Same market, same settings: one digest, one balance, whoever else is there."""
    alone, _, _ = await played(day)
    floor, guests = await play_with(day, "acme", "beta")
    for account in (floor.account, *(guest.account for guest in guests)):
        assert account.keeper.digest == alone.keeper.digest
        assert account.portfolio.balance == alone.account.portfolio.balance
    assert alone.keeper.kept > 10


async def test_no_fact_of_one_tenant_reaches_another(day: TickBlock) -> None:  # noqa: F811
    """Every fact names its own tenant, and the broker's accounts hold their own deals only."""
    _, (acme, beta) = await play_with(day, "acme", "beta")
    for guest, name in ((acme, "acme"), (beta, "beta")):
        events = [fact.event for fact in guest.sink.facts]
        named = {event.tenant_id for event in events if hasattr(event, "tenant_id")}
        assert named == {name}
        deals = await guest.terminal.deals(0)
        theirs = await guest.terminal.account()
        assert deals
        assert theirs is not None
        assert guest.account.portfolio.balance == theirs.balance
    tokens = [
        {deal.token for deal in await guest.terminal.deals(0) or ()} for guest in (acme, beta)
    ]
    assert tokens[0].isdisjoint(tokens[1] - {""})


async def test_a_fault_of_one_account_stops_that_one_alone(day: TickBlock) -> None:  # noqa: F811
    """An invariant that breaks in one tenant's books is told to its own seat; others trade on."""
    terminal = terminal_on(day)
    floor = floor_on(terminal, MemoryJournal(), Sink())
    floor.account.set_state(TradingState.ARMED, TUESDAY_NS, "test", "test")
    venue, sick = Venue(floor.pipeline), guest_on(terminal, "sick")

    def break_down(_: object) -> None:
        raise InvariantBroken("the books do not add up")

    sick.account.on_tick = break_down  # type: ignore[method-assign]
    floor.pipeline.join(sick.seat)
    await terminal.start(venue)
    await terminal.wait()
    alone, _, _ = await played(day)
    assert len(sick.faults) == len(day)
    assert floor.keeper.digest == alone.keeper.digest


async def test_one_that_left_trades_no_more(day: TickBlock) -> None:  # noqa: F811
    """A suspended tenant's account sees no tick from the moment it leaves."""
    terminal = terminal_on(day)
    floor = floor_on(terminal, MemoryJournal(), Sink())
    guest = guest_on(terminal, "acme")
    floor.pipeline.join(guest.seat)
    floor.pipeline.leave(guest.account)
    await terminal.start(Venue(floor.pipeline))
    await terminal.wait()
    assert guest.account.quotes == {}


async def test_new_settings_hold_from_the_next_tick_and_are_recorded(day: TickBlock) -> None:  # noqa: F811
    """A limit of no positions, adopted at noon: no entry after it, and records name the numbers."""
    terminal = terminal_on(day)
    floor = floor_on(terminal, MemoryJournal(), Sink())
    guest = guest_on(terminal, "acme")
    await guest.terminal.start(guest.seat)
    venue = Venue(floor.pipeline)
    venue.join(guest.terminal)
    floor.pipeline.join(guest.seat)
    noon_ns = TUESDAY_NS + 12 * 3_600_000_000_000
    stricter = msgspec.structs.replace(
        SETTINGS, risk=msgspec.structs.replace(SETTINGS.risk, order_volume_max_lots=0.001)
    )
    rules, owner = terms_of(guest.account.identity, stricter, "other")

    class Listening(Venue):
        """Adopts at noon, between two ticks."""

        def on_tick(self, tick) -> None:
            if guest.account.rules is not rules and tick.ts_ns >= noon_ns:
                guest.account.adopt(rules, owner, stricter.management)
            super().on_tick(tick)

    listening = Listening(floor.pipeline)
    listening.join(guest.terminal)
    await terminal.start(listening)
    await terminal.wait()
    placed = [fact.event for fact in guest.sink.facts if type(fact.event).__name__ == "OrderPlaced"]
    records = [
        fact.event.record
        for fact in guest.sink.facts
        if type(fact.event).__name__ == "DecisionMade"
    ]
    assert [event for event in placed if event.kind == "open" and event.ts_ns < noon_ns]
    assert not [event for event in placed if event.kind == "open" and event.ts_ns >= noon_ns]
    after = [record for record in records if record["ts_ns"] >= noon_ns]
    assert {record["config_hash"] for record in after} == {"other"}
    assert isinstance(guest.account.rules, Rules)
