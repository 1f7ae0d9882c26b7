"""The host engine over a MetaTrader5-shaped module: blocking calls, one thread, one account.

Invariants: an order is handed to the terminal at most once; nothing is told of another account than
the pinned one; a deal that reached the history is told; `None` means "could not be asked".
"""

import contextlib
from decimal import Decimal
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5 import reading
from plan2.dataflow.terminals.mt5.activity import AccountWatch
from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.history import TickHistory
from plan2.dataflow.terminals.mt5.memory import OrderMemory, State, load_state, save_state
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.polling import TickFeed
from plan2.dataflow.terminals.mt5.renewing import Renewing
from plan2.dataflow.terminals.mt5.sending import NOT_SENT, Sender
from plan2.dataflow.terminals.mt5.server_time import ServerTime
from plan2.dataflow.terminals.mt5.session import OTHER_ACCOUNT, Session
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.mt5.symbols import Symbols
from plan2.dataflow.terminals.mt5.telling import Teller
from plan2.dataflow.terminals.mt5.tracing import Tracer
from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    LinkChange,
    LinkState,
    OrderUpdate,
    TerminalOrder,
    TerminalPosition,
    Trace,
    UpdateKind,
)
from plan2.dataflow.terminals.remote.engine import Polled
from plan2.foundation.clock import Clock
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.instrument import CENT, Instrument
from plan2.foundation.secret import Secret
from plan2.foundation.values import NS_PER_MS, Tick, TickBlock

GAP: Final = "ticks of the break are in the history only"


class Mt5Engine:
    """One terminal and one account; see `HostEngine`.

    Args:
        module: the MetaTrader5 package, or one of its shape. password: of the account; without it
            the terminal must be logged in already.

    Raises:
        ConfigError: the state file is not ours. InputError: the server clock is not understood.
    """

    def __init__(
        self, module: Mt5Module, options: Mt5Options, clock: Clock, password: Secret | None = None
    ) -> None:
        state = load_state(options.state_path)
        self._options = options
        self._clock = clock
        self._calls = Calls(module)
        self._session = Session(self._calls, options, password or Secret(""))
        self._symbols = Symbols(self._calls, options)
        self._time = ServerTime(options.server_clock, state.offset_s)
        self._memory = OrderMemory(state.sent, self._keep)
        self._teller = Teller(self._calls, self._symbols, self._memory, self._time, clock)
        self._watch = AccountWatch(self._calls, self._teller, self._memory, options.deal_overlap_s)
        self._sender = Sender(
            self._calls, self._session, self._symbols, self._memory, self._teller, clock
        )
        self._renewing = Renewing(self._calls, self._symbols, self._time, self._teller)
        self._tracer = Tracer(self._calls, self._teller, self._memory, options)
        self._history = TickHistory(self._calls, self._time, options.history_looks)
        self._feeds: dict[str, TickFeed] = {}
        self._untold: list[OrderUpdate] = []
        self._link = (LinkState.UP, "")
        self._looked_ns = 0
        self._saved = State()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the symbols."""
        return self._symbols.notes

    def connect(self) -> AccountState:
        """Attach to the terminal, verify the account, take up the symbols; repeat after a break.

        Raises:
            TerminalUnavailable: it cannot be reached now. ConfigError: a person must act.
        """
        account = self._session.attach()
        try:
            terminal = self._calls.terminal_info()
            if isinstance(terminal, CallFailed):
                raise TerminalUnavailable(f"The terminal does not tell its state: {terminal}.")
            self._teller.money_digits = account.currency_digits
            self._symbols.load(account)
            self._renewing.begin()
            self._begin(self._clock.now_ns())
        except TerminalUnavailable:
            self._session.is_attached = False
            raise
        self._link, self._looked_ns = (LinkState.UP, ""), 0
        return reading.account_of(account, terminal)

    def close(self) -> None:
        """Detach; harmless when repeated."""
        self._session.detach()
        self._keep()

    def poll(self) -> Polled:
        """What is new; after a break it says DOWN once, then nothing until `connect`."""
        if not self._session.is_attached:
            return Polled()
        now_ns = self._clock.now_ns()
        link: LinkChange | None = None
        if now_ns - self._looked_ns >= self._options.account_poll_ms * NS_PER_MS:
            self._looked_ns = now_ns
            link = self._look(now_ns)
        ticks = self._read_ticks(now_ns)
        broken = self._calls.broken
        if broken is not None:
            self._session.is_attached = False
            link = self._change(LinkState.DOWN, str(broken), now_ns)
        updates, self._untold = tuple(self._untold), []
        return Polled(ticks=tuple(ticks), updates=updates, link=link)

    def submit(self, order: ApprovedOrder) -> tuple[OrderUpdate, ...]:
        """Send the order exactly once; the answer, and the deals that can be seen already."""
        now_ns = self._clock.now_ns()
        if not self._session.is_attached or not self._time.is_known:
            refused = OrderUpdate(
                kind=UpdateKind.REJECTED, ts_ns=now_ns, order_id=order.order_id, reason=NOT_SENT
            )
            return (refused,)
        answer = self._sender.send(order)
        if answer.kind is UpdateKind.REJECTED:
            self._renewing.hint(order.symbol, answer.reason)
            return (answer,)
        self._look_at_account(now_ns)
        mine = [one for one in self._untold if one.order_id == order.order_id]
        self._untold = [one for one in self._untold if one.order_id != order.order_id]
        return (answer, *mine)

    def instruments(self) -> dict[str, Instrument] | None:
        """Contract data of the configured symbols by our names; commission as learned so far."""
        known = self._symbols.instruments
        return {
            symbol: msgspec.structs.replace(one, commission_per_lot=self.commission_per_lot(symbol))
            for symbol, one in known.items()
        } or None

    def commission_per_lot(self, symbol: str) -> Decimal:
        """Commission and fee per lot and side, from deals once both sides were seen."""
        contract = self._symbols.contracts.get(symbol)
        paid = self._watch.paid.get(contract.name) if contract is not None else None
        if paid is None or paid.lots_in <= 0 or paid.lots_out <= 0:
            return self._options.commission_per_lot
        lots = Decimal(repr(round(paid.lots_in + paid.lots_out, reading.LOT_DIGITS)))
        return (-paid.commission / lots).quantize(CENT)

    def account(self) -> AccountState | None:
        """The account's figures; None when it is another account now."""
        if not self._can_ask():
            return None
        account, terminal = self._calls.account_info(), self._calls.terminal_info()
        if isinstance(account, CallFailed) or isinstance(terminal, CallFailed):
            return None
        return reading.account_of(account, terminal)

    def positions(self) -> tuple[TerminalPosition, ...] | None:
        """All open positions, foreign ones too."""
        found = self._calls.positions_get() if self._is_current() else None
        if found is None or isinstance(found, CallFailed):
            return None
        return tuple(self._teller.position(one) for one in found)

    def orders(self) -> tuple[TerminalOrder, ...] | None:
        """All working pending orders, foreign ones too."""
        found = self._calls.orders_get() if self._is_current() else None
        if found is None or isinstance(found, CallFailed):
            return None
        return tuple(self._teller.order(one) for one in found if reading.is_pending(one))

    def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """All deals at or after a UTC time, oldest first."""
        if not self._is_current():
            return None
        start_s, end_s = self._teller.window_s(since_ts_ns)
        found = self._calls.history_deals(start_s, end_s)
        told = None if isinstance(found, CallFailed) else self._teller.deals(found)
        if told is None:
            return None
        return tuple(deal for deal in told if deal.ts_ns >= since_ts_ns)

    def trace(self, token: str) -> Trace | None:
        """What became of the order that carried `token`; "nothing" only while all is well."""
        found = self._tracer.trace(token, self._clock.now_ns()) if self._is_current() else None
        is_well = self._link[0] is LinkState.UP and not self._session.obstacle()
        return found if found is None or is_well or not found.is_empty else None

    def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock | None:
        """Ticks with start ≤ time < end; may block for minutes on a cold cache."""
        contract = self._symbols.contracts.get(symbol)
        if contract is None or not self._can_ask():
            return None
        span = (start_ts_ns, end_ts_ns)
        return self._history.read(symbol, contract.name, span, self._clock.now_ns())

    def _begin(self, now_ns: int) -> None:
        """Take up ticks and deals: at the first connection here and now, later where we were."""
        for ours, contract in self._symbols.contracts.items():
            feed = self._feeds.get(ours)
            if feed is None:
                feed = TickFeed(
                    self._calls, self._time, ours, contract.name, self._options.tick_batch
                )
                feed.begin(now_ns)
                self._feeds[ours] = feed
            else:
                feed.resume(now_ns, self._options.catch_up_s)
        self._tracer.since_ns = now_ns
        if self._time.is_known and not self._watch.is_begun:
            failed = self._watch.begin(now_ns)
            if failed is not None:
                raise TerminalUnavailable(f"The terminal does not tell its deals: {failed}.")

    def _look(self, now_ns: int) -> LinkChange | None:
        """Look at rights and account; the change of the link, if any."""
        obstacle = self._session.obstacle()
        if self._calls.broken is not None:
            return None
        if not obstacle.startswith(OTHER_ACCOUNT):
            self._look_at_account(now_ns)
            self._renewing.look(now_ns)
        reason = obstacle or self._time.doubt(now_ns)
        change = self._change(LinkState.DEGRADED if reason else LinkState.UP, reason, now_ns)
        self._keep()
        return change

    def _look_at_account(self, now_ns: int) -> None:
        if not self._time.is_known:
            return
        if not self._watch.is_begun:
            self._watch.begin(now_ns)
            return
        news = self._watch.look(now_ns)
        if not isinstance(news, CallFailed):
            self._untold += news

    def _read_ticks(self, now_ns: int) -> list[Tick]:
        if self._link[1].startswith(OTHER_ACCOUNT):
            return []
        ticks: list[Tick] = []
        for feed in self._feeds.values():
            found = feed.read(now_ns)
            if not isinstance(found, CallFailed):
                ticks += found
            if self._calls.broken is not None:
                break
        ticks.sort(key=lambda tick: tick.ts_ns)
        return ticks

    def _can_ask(self) -> bool:
        """Whether the terminal answers, shows our account, and its times can be told."""
        if not self._session.is_attached or not self._time.is_known:
            return False
        account = self._session.account()
        return not isinstance(account, CallFailed) and self._session.is_pinned(account)

    def _is_current(self) -> bool:
        """Whether the terminal also sees its trade server; else it answers from its memory."""
        terminal = self._calls.terminal_info() if self._can_ask() else None
        return terminal is not None and not isinstance(terminal, CallFailed) and terminal.connected

    def _change(self, state: LinkState, reason: str, now_ns: int) -> LinkChange | None:
        if (state, reason) == self._link:
            return None
        self._link = (state, reason)
        self._tracer.since_ns = now_ns
        return LinkChange(state=state, reason=reason, ts_ns=now_ns)

    def _keep(self) -> None:
        """Write down what should survive this process, when it has changed.

        It helps to tell whose a deal is; that no order is sent twice does not hang on it.
        """
        if not self._options.state_path:
            return
        state = State(offset_s=self._time.offset_s, sent=list(self._memory.by_token.values()))
        state = msgspec.json.decode(msgspec.json.encode(state), type=State)
        if state != self._saved:
            with contextlib.suppress(OSError):  # the disk is full: tried again at the next chance
                save_state(self._options.state_path, state)
                self._saved = state
