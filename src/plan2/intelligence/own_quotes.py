"""The place at the pipeline of an account that deals at another broker than the market's.

Features and forecasts come from the shared market; price collar, stops, sizing, valuation and loss
limits go by the quotes and the contract data of the account's own terminal. What it may not act on
is refused by the decision itself (`decision.decide_apart`), so that it is on record.
"""

from collections.abc import Callable

import msgspec

from plan2.dataflow.quality import QualityGate, Verdict
from plan2.foundation.clock import Clock
from plan2.foundation.errors import Unrecoverable
from plan2.foundation.events.market import MarketDataQuarantined
from plan2.foundation.instrument import IN_PASSING, Instrument, changed_terms
from plan2.foundation.values import Tick
from plan2.intelligence.decision.apart import Apart, Tolerance, terms_apart
from plan2.intelligence.decision.keeping import Scene
from plan2.intelligence.pipeline import FAULTS, Seat, unrecoverable
from plan2.intelligence.trading.account import TradingAccount


class OwnTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How an account's broker is compared with the shared market.

    Attributes:
        shared: contract data of the shared market; symbols of the account that are missing there
            are never traded.
        current: contract data of a symbol as the account's terminal tells them now; what is
            different from the account's own was changed by the broker since it was opened.
        tolerance: how far the quotes may be from each other.
        spike_sigmas: of the quality gate of the account's own quotes.
        clock: tells the time that quotes are stamped in.
    """

    shared: dict[str, Instrument]
    current: Callable[[str], Instrument | None]
    tolerance: Tolerance
    spike_sigmas: float
    clock: Clock


class OwnSeat(Seat):
    """The seat of such an account; it listens to the account's own terminal.

    Attributes:
        quotes: the newest accepted quote of each symbol, from the account's own broker.
        gates: what judges its quotes, by symbol.
    """

    __slots__ = ("_on_refused", "_own", "_terms", "_terms_of", "gates", "quotes")

    def __init__(
        self,
        account: TradingAccount,
        on_fault: Callable[[Unrecoverable], None],
        own: dict[str, Instrument],
        terms: OwnTerms,
        on_refused: Callable[[MarketDataQuarantined], None] = lambda _: None,
    ) -> None:
        super().__init__(account, on_fault)
        self.on_scene = self._on_scene
        self.quotes: dict[str, Tick] = {}
        self._own = own
        self._on_refused = on_refused
        self._terms = terms
        self.gates = {symbol: QualityGate(symbol, terms.spike_sigmas) for symbol in own}
        self._terms_of: dict[str, tuple[tuple[Instrument | None, Instrument | None], str]] = {}

    def on_tick(self, tick: Tick) -> None:
        """The account's own broker quoted: value it, whatever the shared market does."""
        gate = self.gates.get(tick.symbol)
        if gate is None:
            return
        verdict: Verdict = gate.check(tick, self._terms.clock.now_ns())
        if not verdict.is_accepted:
            # As the shared market's gate tells it; `reason` says why, and nothing acts on it.
            told = MarketDataQuarantined(ts_ns=tick.ts_ns, tick=tick, reason=verdict.reason)
            self._on_refused(told)
            return
        self.quotes[tick.symbol] = tick
        try:
            self.account.on_quote(tick)
        except FAULTS as fault:
            self.on_fault(unrecoverable(fault))

    def terms(self, symbol: str) -> str:
        """Why a symbol is not the same thing at the account's broker; empty when it is."""
        told, own = self._terms.current(symbol), self._own.get(symbol)
        known = self._terms_of.get(symbol)
        if known is None or known[0][0] is not told or known[0][1] is not own:
            known = self._terms_of[symbol] = ((told, own), self._compare(symbol, told))
        return known[1]

    def _compare(self, symbol: str, told: Instrument | None) -> str:
        shared, own = self._terms.shared.get(symbol), self._own.get(symbol)
        if shared is None or own is None:
            return "only one of both brokers offers it"
        if told is not None and changed_terms(told, own) - IN_PASSING:
            return "the broker changed its contract data since the account was opened"
        return terms_apart(shared, own)

    def _on_scene(self, scene: Scene) -> None:
        """Let the account act on a forecast at its own quote; without one only its flows look."""
        symbol = scene.tick.symbol
        own = self.quotes.get(symbol)
        if own is None:
            self.account.flows.watch(scene)
            return
        apart = Apart(
            market=scene.tick,
            now_ns=scene.now_ns,
            terms=self.terms(symbol),
            tolerance=self._terms.tolerance,
        )
        self.account.on_tick(msgspec.structs.replace(scene, tick=own, apart=apart))
