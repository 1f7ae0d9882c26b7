"""The way from a simulated terminal to its listener and broker, which a test may break.

While the link is not UP nothing is sent and no tick is heard. What the broker does by itself
meanwhile is told when the link is back, before the listener hears that it is.
"""

from collections.abc import Callable

import msgspec

from plan2.dataflow.terminals.port import (
    AccountState,
    Deal,
    LinkChange,
    LinkState,
    OrderUpdate,
    TerminalListener,
    TerminalOrder,
    TerminalPosition,
)
from plan2.dataflow.terminals.simulated.broker import PaperBroker
from plan2.dataflow.terminals.simulated.faults import spoiled
from plan2.foundation.values import Tick

RESTORED = "restored"


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal last knew of its account; it answers from here while cut off."""

    account: AccountState
    positions: tuple[TerminalPosition, ...]
    orders: tuple[TerminalOrder, ...]
    deals: tuple[Deal, ...]


class Link:
    """Carries words between one broker and one listener.

    `now_ns` is the market's time; `memory` what can be told while the broker is not reached, None
    when nothing can be.
    """

    def __init__(self, broker: PaperBroker, now_ns: Callable[[], int]) -> None:
        self.state = LinkState.DOWN
        self._broker = broker
        self._now_ns = now_ns
        self._listener: TerminalListener | None = None
        self._hear_tick: Callable[[Tick], None] = _nobody_listens
        self._held: list[OrderUpdate] = []
        self.memory: Memory | None = None

    def connect(self, listener: TerminalListener) -> None:
        """Attach the listener and say that the link is UP."""
        self._listener = listener
        self._hear_tick = spoiled(listener.on_tick, self._broker.options.faults)
        self._broker.connect(self._on_update)
        self._go(LinkState.UP, "connected")

    def close(self) -> None:
        """Go down without a word."""
        self.state = LinkState.DOWN
        self.memory = None

    def cut(self, state: LinkState, reason: str) -> None:
        """Make the broker unreachable; the senders of orders under way hear UNKNOWN."""
        if self.state is LinkState.UP:
            self._broker.give_up_waiting()
            self.memory = self._remember()
        if state is LinkState.DOWN:
            self.memory = None
        self._go(state, reason)

    def restore(self) -> None:
        """Be UP again, after the listener has heard what it missed."""
        held, self._held = self._held, []
        self.memory = None
        for update in held:
            self._say(update)
        self._go(LinkState.UP, RESTORED)

    def on_tick(self, tick: Tick) -> None:
        """Pass a tick on if the listener can hear it."""
        if self.state is LinkState.UP:
            self._hear_tick(tick)

    def _on_update(self, update: OrderUpdate) -> None:
        if self.state is LinkState.UP:
            self._say(update)
        else:
            self._held.append(update)

    def _say(self, update: OrderUpdate) -> None:
        if self._listener is not None:
            self._listener.on_order_update(update)

    def _go(self, state: LinkState, reason: str) -> None:
        self.state = state
        if self._listener is not None:
            change = LinkChange(state=state, reason=reason, ts_ns=self._now_ns())
            self._listener.on_link(change)

    def _remember(self) -> Memory:
        broker = self._broker
        return Memory(
            account=broker.account(),
            positions=broker.positions(),
            orders=broker.orders(),
            deals=broker.deals(0),
        )


def _nobody_listens(tick: Tick) -> None:
    """Before a listener is connected, ticks go to the broker only."""
