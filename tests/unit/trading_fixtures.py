"""Builders for the tests of decision, risk and trading: small, explicit, with round numbers."""

from collections.abc import Callable
from decimal import Decimal

import numpy as np

from plan2.dataflow.terminals.port import (
    ApprovedOrder,
    Deal,
    LinkChange,
    LinkState,
    OrderUpdate,
    UpdateKind,
)
from plan2.foundation.bus import Bus
from plan2.foundation.config.schema import Decision as DecisionConfig
from plan2.foundation.config.schema import Management, Risk
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.events.fact import Fact
from plan2.foundation.instrument import Instrument
from plan2.foundation.latency import Latency
from plan2.foundation.values import NS_PER_SECOND, Side, TenantId, Tick
from plan2.intelligence.decision.decide import Rules
from plan2.intelligence.decision.keeping import DecisionKeeper, Scene, parameters_of
from plan2.intelligence.decision.material import Owner
from plan2.intelligence.models.forecast import Forecast, Vote
from plan2.intelligence.risk.limits import AccountFigures
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import AccountIdentity, AccountServices, TradingAccount
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.journal import Entry, MemoryJournal

NOON_NS = 1_709_640_000 * NS_PER_SECOND  # Tuesday 2024-03-05 12:00 UTC

EURUSD = Instrument(
    symbol="EURUSD", base="EUR", quote="USD", digits=5, commission_per_lot=Decimal("3.50")
)
MANAGEMENT = Management()
RULES = Rules(account_id="test", decision=DecisionConfig(explore_after_s=0.0), risk=Risk())


def tick(bid: float = 1.10000, ask: float = 1.10010, after_s: float = 0.0, seq: int = 0) -> Tick:
    """A EURUSD quote `after_s` seconds after noon."""
    return Tick("EURUSD", NOON_NS + int(after_s * NS_PER_SECOND), bid, ask, seq)


def forecast(p_up: float, barrier: float = 0.00200, standard_error: float = 0.0) -> Forecast:
    """A two-hour EURUSD forecast with one vote."""
    vote = Vote(model_id="m-1", family="xgboost", raw=p_up, calibrated=p_up, weight=1.0)
    return Forecast(
        symbol="EURUSD",
        ts_ns=NOON_NS,
        p_up=p_up,
        barrier=barrier,
        horizon_s=7200,
        disagreement=0.0,
        standard_error=standard_error,
        calibration_id="c-1",
        votes=(vote,),
    )


def figures(**changes: float) -> AccountFigures:
    """An idle, armed account of 10,000 USD."""
    values = {
        "trading_state": float(TradingState.ARMED),
        "symbol_blocked": 0.0,
        "equity": 10_000.0,
        "day_start_equity": 10_000.0,
        "week_start_equity": 10_000.0,
        "peak_equity": 10_000.0,
        "margin_free": 10_000.0,
        "positions": 0.0,
        "positions_symbol": 0.0,
        "orders_pending_symbol": 0.0,
        "exposure": 0.0,
        "orders_last_minute": 0.0,
        "seconds_since_same": 1e6,
        "cooldown_left_s": 0.0,
        "tick_age_ms": 0.0,
        "quote_rate": 1.0,
        "base_rate": 1.1,
        "position_quantity": 0.0,
        "link_up": 1.0,
        "books_agree": 1.0,
        "symbol_permitted": 1.0,
        "account_mode": 0.0,
        "armed_mode": 0.0,
        "volume_max_lots": 20.0,
        "messages_last_second": 0.0,
        "messages_last_minute": 0.0,
        "exit_messages_last_second": 0.0,
        "exit_messages_last_minute": 0.0,
        "executions_in_window": 0.0,
        "reference_mid": 1.10005,
        "reference_age_ms": 0.0,
        "window_mid": 1.10005,
        "symbol_disputed": 0.0,
        "volatility_day": 0.005,
        "volatility_sum": 0.0,
        "volatility_squares": 0.0,
        "base_exposure": 0.0,
        "quote_exposure": 0.0,
        "shortfall_history": 0.0,
    }
    return AccountFigures(**{**values, **changes})


def scene(quote: Tick, belief: Forecast | None, ready: bool = True) -> Scene:
    """What the pipeline hands to an account."""
    return Scene(
        tick=quote,
        now_ns=quote.ts_ns,
        ready=ready,
        schema_id="schema-1",
        features=np.array([1.5, np.nan]),
        forecast=belief,
        states=lambda: {"m-1": b"\0\0\0"},
        volatility=lambda: 0.005,
        novelty=float,
    )


class ListSink:
    """Keeps facts in a list, like an event store that is always up."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def put(self, fact: Fact, on_stored: Callable[[], None] | None) -> None:
        """Store at once."""
        self.facts.append(fact)
        if on_stored is not None:
            on_stored()

    def names(self) -> list[str]:
        """Event types in order."""
        return [type(item.event).__name__ for item in self.facts]


class ListJournal(MemoryJournal):
    """A journal that remembers, and can be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.records: list[list[Entry]] = []
        self.failure: Exception | None = None

    def append(self, entries: object, *, adds_risk: bool = False) -> int:
        """Keep the entries or raise the planted failure."""
        if self.failure is not None:
            raise self.failure
        self.records.append(list(entries))  # type: ignore[call-overload]
        self.entries.extend(self.records[-1])
        return super().append([])


def owner_of(rules: Rules) -> Owner:
    """In whose name the tests decide; positions live two hours."""
    return Owner(
        TenantId("default"), rules.account_id, "config-1", parameters_of(rules), 7200, "test"
    )


class Desk:
    """An account with everything around it replaced by lists."""

    def __init__(
        self,
        rules: Rules = RULES,
        management: Management = MANAGEMENT,
        instrument: Instrument = EURUSD,
    ) -> None:
        self.is_connected = True
        self.sink = ListSink()
        self.journal = ListJournal()
        self.sent: list[ApprovedOrder] = []
        self.journaled_when_sent: list[list[str]] = []
        self.announced_when_sent: list[list[str]] = []
        self.bus = Bus()
        self.account = TradingAccount(
            AccountIdentity(
                tenant_id=TenantId("default"),
                account_id=rules.account_id,
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            {instrument.symbol: instrument},
            rules,
            AccountServices(
                chronicle=Chronicle(self.journal, self.sink, self.bus),
                keeper=DecisionKeeper(rules, owner_of(rules)),
                submit=self._submit,
                latency=Latency(),
                management=management,
            ),
        )
        self.account.guard.know_mode("simulated")
        self.account.on_link(LinkChange(state=LinkState.UP, reason="test", ts_ns=NOON_NS))
        self.sink.facts.clear()

    def _submit(self, order: ApprovedOrder) -> None:
        if not self.is_connected:
            raise TerminalUnavailable("not connected")
        self.sent.append(order)
        self.journaled_when_sent.append([entry.type for entry in self.journal.entries])
        self.announced_when_sent.append(self.sink.names())

    def arm(self) -> "Desk":
        """Switch trading on."""
        self.account.set_state(TradingState.ARMED, NOON_NS, "user:tester", "test")
        return self

    def fill(self, order: ApprovedOrder, price: float, ticket: str, **deal: object) -> None:
        """The broker executes an order in full at a price."""
        values: dict[str, object] = {
            "ticket": ticket,
            "order_ticket": "o" + ticket,
            "position_ticket": "p1",
            "symbol": order.symbol,
            "side": order.side,
            "is_exit": False,
            "quantity": order.quantity,
            "price": price,
            "commission": Decimal("0.00"),
            "swap": Decimal("0.00"),
            "profit": Decimal("0.00"),
            "reason": "client",
            "token": order.token,
            "magic": order.magic,
            "ts_ns": order.ts_ns + NS_PER_SECOND,
        }
        made = Deal(**{**values, **deal})  # type: ignore[arg-type]
        self.account.on_order_update(
            OrderUpdate(kind=UpdateKind.FILLED, ts_ns=made.ts_ns, deal=made)
        )


BUY, SELL = Side.BUY, Side.SELL
