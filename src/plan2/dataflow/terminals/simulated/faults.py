"""Seeded misfortunes on the way to and from the broker, for tests of the order path.

Each order draws its fate when it is submitted, so the same seed and the same orders meet the same
misfortunes. All chances are 0 unless a test asks for them.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.foundation.values import NS_PER_MS, Tick

RETRYABLE = (
    Refusal.REQUOTE,
    Refusal.PRICE_CHANGED,
    Refusal.NO_QUOTES,
    Refusal.TOO_MANY_REQUESTS,
    Refusal.LOCKED,
)


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How often each misfortune befalls an order (or a tick); fractions of 1.

    Attributes:
        lost_order: it never reaches the broker; the answer is UNKNOWN.
        lost_reply: it is executed, but the answer is UNKNOWN.
        duplicate_reply: every answer arrives twice.
        delay: it arrives `delay_ms` later. late_reply: its answers do.
        reorder: its answers arrive in reverse.
        partial_fill: it is filled for half of its lots at first, rounded down to a tradable volume;
        of a market order the rest is cancelled, a pending order works on.
        late_history: the broker's history, and with it the deal's message, comes
        `late_history_ms` after the execution; positions show it at once.
        rejected: it is refused for one of `rejections`.
        duplicate_tick: of a tick: it is heard twice. frozen_quotes: of a tick: no tick is heard for
        `frozen_ms` from it on, while the broker goes on.
    """

    seed: int = 0
    lost_order: float = 0.0
    lost_reply: float = 0.0
    duplicate_reply: float = 0.0
    delay: float = 0.0
    delay_ms: int = 2_000
    partial_fill: float = 0.0
    late_reply: float = 0.0
    late_reply_ms: int = 2_000
    reorder: float = 0.0
    late_history: float = 0.0
    late_history_ms: int = 3_000
    rejected: float = 0.0
    rejections: tuple[Refusal, ...] = RETRYABLE
    duplicate_tick: float = 0.0
    frozen_quotes: float = 0.0
    frozen_ms: int = 30_000


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What will happen to one order."""

    is_lost: bool = False
    is_reply_lost: bool = False
    is_reply_double: bool = False
    is_reordered: bool = False
    is_partial: bool = False
    delay_ns: int = 0
    reply_delay_ns: int = 0
    history_delay_ns: int = 0
    rejection: Refusal | None = None


class FaultDraw:
    """Deals out fates, one per order, from a seeded generator."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._generator = np.random.default_rng(faults.seed)

    def next_fate(self) -> Fate:
        """The fate of the next order; always ten draws, so that no chance shifts another."""
        one = self._faults
        lost, reply, double, late, part, *others = self._generator.random(10).tolist()
        late_reply, reorder, history, rejected, which = others
        return Fate(
            is_lost=lost < one.lost_order,
            is_reply_lost=reply < one.lost_reply,
            is_reply_double=double < one.duplicate_reply,
            is_reordered=reorder < one.reorder,
            is_partial=part < one.partial_fill,
            delay_ns=one.delay_ms * NS_PER_MS if late < one.delay else 0,
            reply_delay_ns=one.late_reply_ms * NS_PER_MS if late_reply < one.late_reply else 0,
            history_delay_ns=one.late_history_ms * NS_PER_MS if history < one.late_history else 0,
            rejection=_chosen(one.rejections, which) if rejected < one.rejected else None,
        )


class HistoryVeil:
    """Which orders and deals the broker's history does not show yet."""

    def __init__(self) -> None:
        self._until_ns: dict[str, int] = {}

    def hide(self, order_ticket: str, now_ns: int, delay_ns: int) -> None:
        """Show the order and its deals only after the delay; forget what is shown by now."""
        still = {ticket: until for ticket, until in self._until_ns.items() if until > now_ns}
        self._until_ns = {**still, order_ticket: now_ns + delay_ns}

    def is_hidden(self, order_ticket: str, now_ns: int) -> bool:
        """Whether the order and its deals cannot be seen yet."""
        return now_ns < self._until_ns.get(order_ticket, 0)


def spoiled(hear: Callable[[Tick], None], faults: Faults) -> Callable[[Tick], None]:
    """The way of ticks to a listener, with freezes and repetitions; `hear` itself without any."""
    if not faults.duplicate_tick and not faults.frozen_quotes:
        return hear
    generator = np.random.default_rng((faults.seed, 1))
    frozen_until_ns = 0

    def deliver(tick: Tick) -> None:
        nonlocal frozen_until_ns
        double, freeze = generator.random(2).tolist()
        if tick.ts_ns < frozen_until_ns:
            return
        if freeze < faults.frozen_quotes:
            frozen_until_ns = tick.ts_ns + faults.frozen_ms * NS_PER_MS
            return
        hear(tick)
        if double < faults.duplicate_tick:
            hear(tick)

    return deliver


def _chosen(rejections: tuple[Refusal, ...], draw: float) -> Refusal:
    return rejections[int(draw * len(rejections))]
