"""Where the account of a tenant other than the main one deals: on paper, or at its own broker.

The paper account lives on the shared market's ticks. A broker's account has its own terminal on
another machine, its own quotes and its own contract data; from the shared market it takes only
features, forecasts and history.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from plan2.dataflow.terminals.port import Terminal
from plan2.dataflow.terminals.remote.peer import RemoteOptions
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.dataflow.terminals.simulated.paper import History
from plan2.foundation.clock import Clock
from plan2.foundation.config.schema import Settings
from plan2.foundation.config.schema_tenant_brokers import TenantBrokers as Granted
from plan2.foundation.hub import Component
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TenantId, TickBlock
from plan2.intelligence.decision.apart import Tolerance
from plan2.intelligence.own_quote_watch import OwnQuoteWatch
from plan2.intelligence.own_quotes import OwnSeat, OwnTerms
from plan2.intelligence.pipeline import Seat
from plan2.wiring.live import LIVE
from plan2.wiring.live_account import LiveAccount
from plan2.wiring.markets import Market
from plan2.wiring.paper_tenant import paper_market
from plan2.wiring.tenant_run import TenantRun
from plan2.wiring.terminal_health import health_of
from plan2.wiring.venue import TickTaker

ON_PAPER: Final = ""
"""What a place on paper is named, where a broker's is named after its account."""


class TenantPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two.

    Attributes:
        name: the broker's account, or ON_PAPER.
        market: the tenant's account on the market, not started yet. terminal: the account's.
        taker: hears the shared market's ticks as long as the account is open; None at a broker.
        seat_of: the account's seat at the pipeline; asked once.
        components: what the tenant's hub runs beside everything else.
    """

    name: str
    market: Market
    terminal: Terminal
    seat_of: Callable[[TenantRun], Seat]
    taker: TickTaker | None = None
    components: tuple[Component, ...] = ()


class TenantTerminal(RemoteTerminal):
    """A tenant's own terminal; the past it tells is the shared market's, as forecasts need it."""

    def __init__(self, name: str, clock: Clock, options: RemoteOptions, history: History) -> None:
        super().__init__(name, clock, options)
        self._shared_history = history

    def contract(self, symbol: str) -> Instrument | None:
        """Contract data of one symbol, as last told; the same object until it is told anew."""
        return self._link.instruments.get(symbol)

    async def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock:
        """The shared market's ticks with start ≤ time < end."""
        return await self._shared_history(symbol, start_ts_ns, end_ts_ns)


def paper_place(
    shared: Market, tenant_id: TenantId, settings: Settings, folder: Path
) -> TenantPlace:
    """A tenant's paper account on the shared market; its file lies in `folder`."""
    market, terminal = paper_market(shared, tenant_id, settings, folder)
    return TenantPlace(
        name=ON_PAPER,
        market=market,
        terminal=terminal,
        seat_of=lambda run: run.seat,
        taker=terminal,
    )


def broker_place(
    shared: Market,
    account_id: str,
    known: LiveAccount,
    terminal: TenantTerminal,
    settings: Settings,
) -> TenantPlace:
    """A tenant's account at its own broker, as its terminal told it the first time or since."""
    instruments = {name: one for name, one in known.instruments.items() if name in shared.symbols}
    market = msgspec.structs.replace(
        shared,
        mode=LIVE,
        label=f"LIVE account {known.login} at {known.server}: {known.mode.upper()}",
        account_id=account_id,
        currency=known.currency,
        start_balance=Decimal(known.start_balance),
        symbols=tuple(instruments),
        terminal=terminal,
        instruments=instruments,
        earlier=list(known.earlier),
        since_ns=known.since_ns,
        identity=f"live {known.server}",
        wait_start=None,
        finished=None,
    )
    terms = terms_of_broker(shared, terminal, settings)
    watch = OwnQuoteWatch(shared.clock)

    def seat_of(run: TenantRun) -> Seat:
        seat = OwnSeat(
            run.account, lambda fault: run.halt(str(fault)), instruments, terms, run.bus.publish
        )
        watch.follow(seat.gates)
        return seat

    return TenantPlace(
        name=account_id,
        market=market,
        terminal=terminal,
        seat_of=seat_of,
        components=(
            Component(name="terminal", level=3, check=health_of(terminal)),
            Component(name="own_quotes", level=4, check=watch.check),
        ),
    )


def terms_of_broker(shared: Market, terminal: TenantTerminal, settings: Settings) -> OwnTerms:
    """How a tenant's broker is compared with the shared market."""
    return OwnTerms(
        shared=shared.instruments,
        current=terminal.contract,
        tolerance=tolerance_of(settings.tenant_brokers),
        spike_sigmas=settings.market.spike_sigmas,
        clock=shared.clock,
    )


def tolerance_of(granted: Granted) -> Tolerance:
    """How far the quotes of two brokers may be from each other."""
    return Tolerance(
        age_max_ms=granted.quote_age_max_ms,
        gap_max_spreads=granted.quote_gap_max_spreads,
        spread_max_ratio=granted.spread_max_ratio,
    )


def common_symbols(shared: Market, own: dict[str, Instrument]) -> tuple[str, ...]:
    """What both brokers offer."""
    return tuple(symbol for symbol in shared.symbols if symbol in own)
