"""Helpers for tests of the compiled account: a tape of quotes fed by hand, in prices and lots."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, Float64Array
from plan2.intelligence.backtest.account import entries
from plan2.intelligence.backtest.account.codes import ASKED
from plan2.intelligence.backtest.account.frames import AccountFrames, Rows
from plan2.intelligence.backtest.account.terms import open_account
from plan2.intelligence.flows.flow import Execution, Exits, Flow, FlowAccount, FlowRisk, Source

TUESDAY_NS = 1_709_625_600_000_000_000
"""2024-03-05 08:00 UTC, a Tuesday in London hours; New York's winter: the day turns at 22:00."""
FREE = Decimal(0)
EURUSD = Instrument(
    symbol="EURUSD", base="EUR", quote="USD", digits=5, commission_per_lot=Decimal(0)
)
USDJPY = Instrument(
    symbol="USDJPY", base="USD", quote="JPY", digits=3, commission_per_lot=Decimal(0)
)
GOLD = Instrument(
    symbol="XAUUSD", base="XAU", quote="USD", digits=2, contract_size=100.0, volume_max=50.0,
    commission_per_lot=FREE,
)  # fmt: skip


def flow(*, exits: Exits | None = None, risk: dict[str, Any] | None = None, **options: Any) -> Flow:
    """A flow without costs that fills at the next quote; `options`: of account or execution."""
    of_account = {
        name: options.pop(name) for name in FlowAccount.__struct_fields__ if name in options
    }
    calm = {"latency_ms": 0.0}
    return Flow(
        name="tape",
        source=Source(symbol="EURUSD"),
        exits=exits or Exits(),
        risk=FlowRisk(**{"positions_max": 100, **(risk or {})}),
        account=FlowAccount(**of_account),
        execution=Execution(**{**calm, **options}),
    )


@dataclass
class Tape:
    """An account and the time it stands at; every price in quote currency, sizes in lots."""

    accounts: npt.NDArray[np.void]
    instrument: Instrument
    now_ns: int = TUESDAY_NS
    rows: Rows = field(default_factory=Rows)

    def quote(self, bid: float, ask: float, after_s: float = 1.0) -> int:
        """A quote so many seconds after the last one; the bits that it brings."""
        self.now_ns += round(after_s * NS_PER_SECOND)
        scale = 10**self.instrument.digits
        flags = entries.quote_entry(
            self.accounts, self.now_ns, round(bid * scale), round(ask * scale)
        )
        if flags & 8:
            self.rows.take(self.accounts)
        return flags

    def enter(self, side: int, lots: float = 0.10, **exits: float) -> int:
        """Ask for an entry; `exits` are distances or prices of `Exits`, in price units."""
        scale = 10**self.instrument.digits
        for name in self.accounts["exits"].dtype.names:
            self.accounts["exits"][name] = round(exits.get(name, 0.0) * scale)
        return entries.enter_entry(self.accounts, side, self.steps(lots))

    def leave(self, side: int = 0) -> int:
        """Ask to close every position of a side."""
        return entries.leave_entry(self.accounts, side)

    def close(self, ticket: int, lots: float) -> int:
        """Ask to close lots of a position."""
        return entries.close_entry(self.accounts, ticket, self.steps(lots), ASKED)

    def close_by(self, ticket: int, opposite: int) -> int:
        """Ask to close two positions against each other."""
        return entries.close_by_entry(self.accounts, ticket, opposite)

    def finish(self) -> AccountFrames:
        """Close what is open and take everything out."""
        entries.finish_entry(self.accounts)
        return self.frames()

    def frames(self) -> AccountFrames:
        """What has happened so far."""
        return self.rows.frames(self.accounts, self.instrument)

    def steps(self, lots: float) -> int:
        """Lots in steps."""
        return round(lots / self.instrument.volume_step)

    @property
    def balance(self) -> Decimal:
        """To the cent."""
        return self.money("balance")

    @property
    def equity(self) -> Decimal:
        """At the last quote, to the cent."""
        return Decimal(entries.equity_entry(self.accounts)) / 100

    @property
    def held(self) -> npt.NDArray[np.void]:
        """The open positions, oldest first."""
        return self.accounts["positions"][0, : int(self.accounts["held"][0])]

    def money(self, name: str) -> Decimal:
        """A field in cents as money."""
        return Decimal(int(self.accounts[name][0])) / 100


def tape(
    instrument: Instrument = EURUSD,
    *,
    slips: Float64Array | None = None,
    quote_wait_s: float = 0.0,
    **options: Any,
) -> Tape:
    """An account without costs; `options` as for `flow`."""
    accounts = open_account(flow(**options), instrument, slips=slips, quote_wait_s=quote_wait_s)
    return Tape(accounts, instrument)
