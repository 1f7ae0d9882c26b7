"""The trading switches that bear on one account: five scopes, and the strictest counts.

They are folded from `TradingStateChanged`, so they survive a restart. An account starts halted;
nothing else is switched off until somebody does so.
"""

import enum
from typing import Final

import msgspec

from plan2.foundation.events.account import TradingStateChanged
from plan2.intelligence.risk.state import TradingState, strictest


class Scope(enum.StrEnum):
    """What a switch bears on."""

    GLOBAL = "global"
    """Every account of this process."""
    TENANT = "tenant"
    ACCOUNT = "account"
    SYMBOL = "symbol"
    """One symbol of the account."""
    FLOW = "flow"
    """One flow of the account."""


TARGETED: Final = frozenset({Scope.SYMBOL, Scope.FLOW})
"""Scopes that need a name."""


class Where(msgspec.Struct, frozen=True):
    """Which switch: its scope, and the symbol or flow it names."""

    scope: Scope = Scope.ACCOUNT
    target: str = ""

    def covers(self, symbol: str, flow_id: str) -> bool:
        """Whether an order or position of this symbol and flow belongs to it."""
        if self.scope is Scope.SYMBOL:
            return symbol == self.target
        return self.scope is not Scope.FLOW or flow_id == self.target

    @property
    def words(self) -> str:
        """How a person reads it."""
        return f"{self.scope} {self.target}".strip()


ACCOUNT: Final = Where()
WHOLE: Final = (Where(Scope.GLOBAL), Where(Scope.TENANT), ACCOUNT)
"""The switches that bear on the whole account."""


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """A switch as it was last set; by whom, why and when (market time)."""

    where: Where
    state: TradingState
    actor: str
    reason: str
    ts_ns: int


class Switches:
    """All switches of one account; `apply` is the only way they change for good.

    `whole` is the state of the account as a whole; `armed_mode` the word for the mode of account
    that a person armed it for.
    """

    def __init__(self) -> None:
        start = Switch(
            where=ACCOUNT, state=TradingState.HALTED, actor="system", reason="never armed", ts_ns=0
        )
        self._set: dict[Where, Switch] = {ACCOUNT: start}
        self.whole = TradingState.HALTED
        self.armed_mode = ""

    @property
    def is_new(self) -> bool:
        """Whether the account's own switch was never thrown."""
        return self._set[ACCOUNT].ts_ns == 0

    def apply(self, event: TradingStateChanged) -> None:
        """Fold a change."""
        where = Where(Scope(event.scope), event.target)
        self._put(
            Switch(
                where=where,
                state=TradingState[event.new_state.upper()],
                actor=event.actor,
                reason=event.reason,
                ts_ns=event.ts_ns,
            )
        )
        if where == ACCOUNT and event.mode:
            self.armed_mode = event.mode

    def force(self, switch: Switch) -> None:
        """Set a switch in memory alone: for a halt that can no longer be written down."""
        self._put(switch)

    def at(self, where: Where) -> TradingState:
        """One switch."""
        switch = self._set.get(where)
        return switch.state if switch is not None else TradingState.ARMED

    def state_of(self, symbol: str, flow_id: str) -> TradingState:
        """The strictest of the switches that bear on a symbol and a flow."""
        if len(self._set) == 1:
            return self.whole
        symbols, flows = Where(Scope.SYMBOL, symbol), Where(Scope.FLOW, flow_id)
        return strictest((self.whole, self.at(symbols), self.at(flows)))

    def why(self, symbol: str = "", flow_id: str = "") -> Switch:
        """The switch that decides for a symbol and a flow."""
        bearing = (*WHOLE, Where(Scope.SYMBOL, symbol), Where(Scope.FLOW, flow_id))
        state = self.state_of(symbol, flow_id)
        known = (self._set[where] for where in bearing if where in self._set)
        return next(switch for switch in known if switch.state is state)

    def all(self) -> tuple[Switch, ...]:
        """Every switch that was ever set, the account's first."""
        return tuple(self._set.values())

    def _put(self, switch: Switch) -> None:
        self._set[switch.where] = switch
        self.whole = strictest(self.at(where) for where in WHOLE)
