"""What stands between an account and an order besides its money, folded from the same events.

Switches, price references, message and execution counters, permission, and the account's mode.
Per tick only the references move; everything else is looked up when an order is wanted.
"""

import msgspec

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.config.schema import Risk
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.base import Event
from plan2.foundation.events.order import OrderPlaced
from plan2.intelligence.risk.counters import Executions, Messages
from plan2.intelligence.risk.mode import SELF_ARMING, AccountMode, armed_mode_of, mode_of
from plan2.intelligence.risk.news import NewsShades
from plan2.intelligence.risk.reference import ReferencePrices
from plan2.intelligence.risk.switch import Scope, Switches

EVERY_SYMBOL = "*"
WITHDRAWAL = OrderKind.CANCEL.value


class GuardFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The guard's share of `AccountFigures`, under the same names."""

    trading_state: float
    symbol_permitted: float
    account_mode: float
    armed_mode: float
    volume_max_lots: float
    messages_last_second: float
    messages_last_minute: float
    exit_messages_last_second: float
    exit_messages_last_minute: float
    executions_in_window: float
    reference_mid: float
    reference_age_ms: float
    window_mid: float
    news_size_factor: float


class AccountGuard:
    """The guard of one account."""

    def __init__(self, limits: Risk) -> None:
        self.switches = Switches()
        self.mode = AccountMode.REAL
        """Of what kind the account is; real until its terminal says something else."""
        self.flows: set[str] = set()
        """Every flow that an order or a switch of the account has named."""
        self.news = NewsShades()
        """What tagged news leaves of entries."""
        self._take(limits)
        self._references = ReferencePrices(limits.collar_window_s)
        self._messages, self._exit_messages = Messages(), Messages()
        self._executions = Executions(limits.executions_max, limits.executions_window_s)
        self.on_tick = self._references.on_tick

    def adopt(self, limits: Risk) -> None:
        """Go by other limits from now on."""
        self._take(limits)
        self._references.adopt(limits.collar_window_s)
        self._executions.adopt(limits.executions_max, limits.executions_window_s)

    def _take(self, limits: Risk) -> None:
        self._limits = limits
        self._permitted = frozenset(limits.symbols_permitted)

    @property
    def spent_flows(self) -> set[str]:
        """Flows that used up their automatic entries and must be stopped."""
        return self._executions.spent

    @property
    def is_self_arming(self) -> bool:
        """Whether the account needs no mode to be named, because it is nobody's money."""
        return self.mode in SELF_ARMING

    def know_mode(self, word: str) -> None:
        """The terminal said what kind of account it is; what nobody knows counts as real."""
        self.mode = mode_of(word)

    def apply(self, event: Event) -> None:
        """Fold an event, at a restart and live; others than these two are ignored."""
        if isinstance(event, OrderPlaced):
            self._note_flow(event.flow_id)
            self._messages.note(event.ts_ns)
            if event.kind != WITHDRAWAL:
                self._exit_messages.note(event.ts_ns)
            self._executions.apply(event)
        elif isinstance(event, TradingStateChanged):
            self._note_flow(event.target if event.scope == Scope.FLOW else "")
            self.switches.apply(event)
            self._executions.switched(event)

    def figures(self, symbol: str, flow_id: str, ts_ns: int) -> GuardFigures:
        """What the gate looks at for an order of this symbol and flow at a market time."""
        limits, references = self._limits, self._references
        by_symbol = limits.order_volume_max_lots_by_symbol
        return GuardFigures(
            trading_state=float(self.switches.state_of(symbol, flow_id)),
            symbol_permitted=float(self._may_trade(symbol)),
            account_mode=float(self.mode),
            armed_mode=self._armed_mode(),
            volume_max_lots=by_symbol.get(symbol, limits.order_volume_max_lots),
            messages_last_second=float(self._messages.last_second(ts_ns)),
            messages_last_minute=float(self._messages.last_minute(ts_ns)),
            exit_messages_last_second=float(self._exit_messages.last_second(ts_ns)),
            exit_messages_last_minute=float(self._exit_messages.last_minute(ts_ns)),
            executions_in_window=float(self._executions.in_window(flow_id, ts_ns)),
            reference_mid=references.mid(symbol),
            reference_age_ms=references.age_ms(symbol, ts_ns),
            window_mid=references.window_mid(symbol),
            news_size_factor=self.news.factor(symbol, ts_ns),
        )

    def _note_flow(self, flow_id: str) -> None:
        if flow_id:
            self.flows.add(flow_id)

    def _may_trade(self, symbol: str) -> bool:
        return EVERY_SYMBOL in self._permitted or symbol in self._permitted

    def _armed_mode(self) -> float:
        return float(self.mode) if self.is_self_arming else armed_mode_of(self.switches.armed_mode)
