"""The one thread that calls the engine: orders first, then questions, then polls, then history.

A call that blocks delays everything behind it, so an order waits for at most the one call that
runs. A poll that is late by `POLL_LATE_NS` goes before questions, so that those cannot starve it.
Whatever happens is told as a `Report`; the lane knows nothing of links and servers.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    LinkChange,
    LinkState,
    OrderUpdate,
    UpdateKind,
)
from plan2.dataflow.terminals.remote.engine import HostEngine, Polled
from plan2.dataflow.terminals.remote.order_memory import OrderMemory
from plan2.dataflow.terminals.remote.protocol import Ask, Submit
from plan2.dataflow.terminals.remote.questions import AskHistory, Question
from plan2.dataflow.terminals.remote.reading import ask_engine
from plan2.foundation.clock import Clock, stopwatch_ns
from plan2.foundation.errors import OutcomeUnknown, Plan2Error, TerminalUnavailable
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND

POLL_LATE_NS: Final = 500 * NS_PER_MS
RECONNECT_FIRST_S: Final = 1.0
RECONNECT_MAX_S: Final = 30.0
CONNECT_LIMIT_S: Final = 180.0
HISTORY_LIMIT_S: Final = 180.0
"""What may be silent for so long is announced: a terminal that must be started, a cold cache."""


class Connected(msgspec.Struct, frozen=True):
    """The engine is attached to this account."""

    account: AccountState


class Told(msgspec.Struct, frozen=True):
    """The outcome of an order."""

    order_id: str
    updates: tuple[OrderUpdate, ...]


class Answered(msgspec.Struct, frozen=True):
    """The answer to a question; None when it could not be asked."""

    request_id: int
    value: object


class Ended(msgspec.Struct, frozen=True):
    """The lane is over; `error` says why unless it was stopped."""

    error: Plan2Error | None


Report = Connected | Polled | Told | Answered | LinkChange | Ended
Announce = Callable[[str, float], None]
"""Say what is about to block and for how long at most; returns when it was said. 0.0 = over."""


class _Waiting(msgspec.Struct, frozen=True):
    """A question and when it loses its interest, on the stopwatch."""

    request_id: int
    question: Question
    until_ns: int


class Lane:
    """Runs an engine in a thread of its own.

    Args:
        factory: makes the engine; called on the lane's thread.
        memory: which orders were sent.
        clock: the host's clock. poll_s: pause between two polls.
        report: told of everything that happens, on the lane's thread.
        announce: called before a call that may block for long.
    """

    def __init__(
        self,
        factory: Callable[[], HostEngine],
        memory: OrderMemory,
        clock: Clock,
        poll_s: float,
        report: Callable[[Report], None],
        announce: Announce,
    ) -> None:
        self._factory = factory
        self._memory = memory
        self._clock = clock
        self._poll_ns = int(poll_s * NS_PER_SECOND)
        self._report = report
        self._announce = announce
        self._orders: deque[Submit] = deque()
        self._questions: deque[_Waiting] = deque()
        self._histories: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._is_connected = False
        self._due_ns = 0
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin; the engine is made and connected on the new thread."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call that runs; the last report is `Ended`."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()

    @property
    def waiting_orders(self) -> int:
        """Orders that were not begun yet."""
        return len(self._orders)

    def add_order(self, wanted: Submit) -> None:
        """Put an order behind those that wait."""
        with self._changed:
            self._orders.append(wanted)
            self._changed.notify()

    def add_question(self, asked: Ask) -> None:
        """Put a question behind those that wait."""
        until_ns = stopwatch_ns() + int(asked.within_s * NS_PER_SECOND)
        waiting = _Waiting(asked.request_id, asked.question, until_ns)
        is_history = isinstance(asked.question, AskHistory)
        with self._changed:
            (self._histories if is_history else self._questions).append(waiting)
            self._changed.notify()

    def drop_waiting(self) -> None:
        """The link is gone: forget questions, and refuse the orders that were not begun."""
        with self._changed:
            self._questions.clear()
            self._histories.clear()
            dropped, self._orders = self._orders, deque()
        for wanted in dropped:
            self._refuse(wanted.order, "not_sent: the link was lost before the order's turn")

    def _run(self) -> None:
        error: Plan2Error | None = OutcomeUnknown("The engine's thread ended without a word.")
        try:
            engine = self._factory()
            try:
                while (turn := self._next_turn(engine)) is not None:
                    turn()
            finally:
                engine.close()
            error = None
        except Plan2Error as found:
            error = found
        finally:
            self._report(Ended(error))

    def _next_turn(self, engine: HostEngine) -> Callable[[], None] | None:
        """What to do next; waits until there is something. None when it is time to end."""
        with self._changed:
            while not self._is_stopping:
                late_ns = stopwatch_ns() - self._due_ns
                if self._orders:
                    wanted = self._orders.popleft()
                    return lambda: self._submit(engine, wanted)
                if self._questions and late_ns < POLL_LATE_NS:
                    asked = self._questions.popleft()
                    return lambda: self._answer(engine, asked)
                if late_ns >= 0:
                    return lambda: self._look(engine)
                if self._histories:
                    asked = self._histories.popleft()
                    return lambda: self._answer(engine, asked)
                self._changed.wait(-late_ns / NS_PER_SECOND)
        return None

    def _look(self, engine: HostEngine) -> None:
        """Poll, or try to connect."""
        if self._is_connected:
            self._poll(engine)
        else:
            self._connect(engine)

    def _poll(self, engine: HostEngine) -> None:
        try:
            polled = engine.poll()
        except TerminalUnavailable as error:
            self._lose(str(error))
            return
        self._due_ns = stopwatch_ns() + self._poll_ns
        self._report(polled)
        if not self._orders:
            self._memory.shorten()
        if polled.link is not None and polled.link.state is LinkState.DOWN:
            self._is_connected = False
            self._due_ns = stopwatch_ns() + int(RECONNECT_FIRST_S * NS_PER_SECOND)

    def _connect(self, engine: HostEngine) -> None:
        self._announce("connecting to the terminal", CONNECT_LIMIT_S)
        try:
            account = engine.connect()
        except TerminalUnavailable as error:
            self._lose(str(error))
            return
        finally:
            self._announce("", 0.0)
        self._failures = 0
        self._is_connected = True
        self._due_ns = 0
        self._report(Connected(account))

    def _lose(self, reason: str) -> None:
        """The terminal is gone; try again later, each time after a longer pause."""
        self._is_connected = False
        pause_s = min(RECONNECT_FIRST_S * 2**self._failures, RECONNECT_MAX_S)
        self._failures = min(self._failures + 1, 10)
        self._due_ns = stopwatch_ns() + int(pause_s * NS_PER_SECOND)
        self._report(LinkChange(state=LinkState.DOWN, reason=reason, ts_ns=self._clock.now_ns()))

    def _answer(self, engine: HostEngine, asked: _Waiting) -> None:
        if stopwatch_ns() > asked.until_ns:
            return  # nobody waits for it any more
        is_slow = isinstance(asked.question, AskHistory)
        value: object = None
        if self._is_connected:
            if is_slow:
                self._announce("asking for history", HISTORY_LIMIT_S)
            try:
                value = ask_engine(engine, asked.question)
            except TerminalUnavailable as error:
                self._lose(str(error))
            finally:
                if is_slow:
                    self._announce("", 0.0)
        self._report(Answered(asked.request_id, value))

    def _submit(self, engine: HostEngine, wanted: Submit) -> None:
        order = wanted.order
        told = self._memory.told(order.order_id)
        if told is not None:
            self._report(Told(order.order_id, told))
        elif self._clock.now_ns() > wanted.send_by_ns:
            self._refuse(order, "not_sent: the order arrived too late to be sent")
        elif not self._is_connected:
            self._refuse(order, "not_sent: the host has no connection to the terminal")
        else:
            self._send(engine, order)

    def _send(self, engine: HostEngine, order: ApprovedOrder) -> None:
        try:
            self._memory.begin(order.order_id)
        except OSError as error:
            self._refuse(order, f"not_sent: the host cannot note the order: {error.strerror}")
            return
        try:
            updates = engine.submit(order)
        except Plan2Error as error:
            updates = (self._word(order, UpdateKind.UNKNOWN, str(error)),)
        self._tell(order.order_id, updates)

    def _refuse(self, order: ApprovedOrder, reason: str) -> None:
        """Say that an order was certainly not sent, and never send it later."""
        self._tell(order.order_id, (self._word(order, UpdateKind.REJECTED, reason),))

    def _tell(self, order_id: str, updates: tuple[OrderUpdate, ...]) -> None:
        with contextlib.suppress(OSError):  # remembered all the same while this process lives
            self._memory.finish(order_id, updates)
        self._report(Told(order_id, updates))

    def _word(self, order: ApprovedOrder, kind: UpdateKind, reason: str) -> OrderUpdate:
        now_ns = self._clock.now_ns()
        return OrderUpdate(kind=kind, ts_ns=now_ns, order_id=order.order_id, reason=reason)
