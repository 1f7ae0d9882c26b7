"""When contract data and terms of the account are read again while the link stays up.

All symbols once each broker day, shortly after its midnight, when brokers change swaps and margins;
and a symbol at once when an order was refused for a reason that its contract data should have told.
One symbol at each look at the account, so that quotes and orders never wait for more than one.
"""

from collections import deque
from typing import Final

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.server_time import ServerTime
from plan2.dataflow.terminals.mt5.symbols import Symbols
from plan2.dataflow.terminals.mt5.telling import Teller

DAY_S: Final = 86_400
SETTLED_S: Final = 600
"""After the broker's midnight: until then many quote nothing, or change the data still."""
HINTS: Final = frozenset(
    {"invalid_volume", "invalid_stops", "invalid_price", "trade_disabled", "no_money"}
    | {"invalid_expiration", "frozen", "invalid_fill", "limit_volume", "invalid_order"}
    | {"long_only", "short_only", "close_only"}
)
"""Reasons of a refusal that say: the contract may not be what it was."""


class Renewing:
    """Has the symbols of one terminal read again."""

    def __init__(self, calls: Calls, symbols: Symbols, time: ServerTime, teller: Teller) -> None:
        self._calls = calls
        self._symbols = symbols
        self._time = time
        self._teller = teller
        self._due: deque[str] = deque()
        self._day: int | None = None

    def begin(self) -> None:
        """All were read just now."""
        self._due.clear()
        self._day = None

    def hint(self, ours: str, reason: str) -> None:
        """An order of this symbol was refused."""
        if reason in HINTS and ours in self._symbols.contracts and ours not in self._due:
            self._due.appendleft(ours)

    def look(self, now_ns: int) -> None:
        """Read what is due, one symbol at most; only while the terminal shows our account."""
        if self._time.is_known:
            day = (self._time.to_server_s(now_ns) - SETTLED_S) // DAY_S
            if self._day is not None and day != self._day:
                self._due.extend(one for one in self._symbols.contracts if one not in self._due)
            self._day = day
        if not self._due:
            return
        account = self._calls.account_info()
        if isinstance(account, CallFailed):
            return
        self._teller.money_digits = account.currency_digits
        self._symbols.read_again(self._due.popleft(), account)
