"""What this host remembers of the orders it sent, and which broker tickets belong to them.

Brokers rewrite comments, so a token found in a comment is only the last resort: the order ticket
from the answer comes first, then the position it opened. An order whose answer was lost has
neither; a deal or order that nobody claims, of the same magic, symbol, side and size and not older,
is taken for it when it is the only one that can be.
"""

import enum
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from plan2.dataflow.terminals.port import ApprovedOrder, OrderKind
from plan2.foundation.errors import ConfigError
from plan2.foundation.values import NS_PER_SECOND

REMEMBERED: Final = 1_000
OPENERS_MAX: Final = 20_000
SKEW_NS: Final = 5 * NS_PER_SECOND
"""How much earlier than sent an order may seem to have been set up: clocks differ."""
LOT_EPSILON: Final = 1e-9


class Stage(enum.StrEnum):
    """How far a sent order is, as far as this host knows."""

    SENT = "sent"
    """On its way, or its answer was lost."""
    ANSWERED = "answered"
    """The broker took it; more may come."""
    OVER = "over"
    """Nothing more will come."""


class Sent(msgspec.Struct, kw_only=True):
    """An order that was handed to the terminal; `symbol` is the broker's name, `side` ±1."""

    token: str
    order_id: str
    kind: OrderKind
    symbol: str
    side: int
    quantity: float
    magic: int
    sent_ns: int
    order_ticket: int = 0
    stage: Stage = Stage.SENT
    filled: float = 0.0


class State(msgspec.Struct, kw_only=True):
    """What survives this process."""

    offset_s: int | None = None
    sent: list[Sent] = []


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """The outline of a deal or order at the broker, for finding who sent it."""

    ticket: int
    symbol: str
    side: int
    quantity: float
    magic: int
    ts_ns: int
    comment: str


class OrderMemory:
    """Sent orders by token and by ticket, positions by the token that opened them; bounded.

    Args:
        sent: what an earlier process remembered. keep: called before an order leaves, to write the
            memory down.
    """

    def __init__(self, sent: Iterable[Sent] = (), keep: Callable[[], None] = lambda: None) -> None:
        self._keep = keep
        self.by_token: dict[str, Sent] = {one.token: one for one in sent}
        self._by_ticket = {one.order_ticket: one for one in self.by_token.values()}
        self._by_ticket.pop(0, None)
        self._openers: dict[int, str] = {}

    def add(self, order: ApprovedOrder, symbol: str, now_ns: int) -> Sent:
        """Remember an order right before it is sent."""
        while len(self.by_token) >= REMEMBERED:
            self.forget(next(iter(self.by_token)))
        one = Sent(
            token=order.token,
            order_id=order.order_id,
            kind=order.kind,
            symbol=symbol,
            side=int(order.side),
            quantity=order.quantity,
            magic=order.magic,
            sent_ns=now_ns,
        )
        self.by_token[order.token] = one
        self._keep()
        return one

    def forget(self, token: str) -> None:
        """Drop an order that certainly was not sent, or is too old."""
        one = self.by_token.pop(token, None)
        if one is not None:
            self._by_ticket.pop(one.order_ticket, None)

    def note_ticket(self, one: Sent, ticket: int) -> None:
        """The broker's ticket of a sent order is known now."""
        if ticket and not one.order_ticket:
            one.order_ticket = ticket
            self._by_ticket[ticket] = one

    def note_opener(self, identifier: int, token: str) -> None:
        """The order with this token opened this position."""
        if len(self._openers) >= OPENERS_MAX:
            del self._openers[next(iter(self._openers))]
        self._openers[identifier] = token

    def opener(self, identifier: int) -> str | None:
        """The token of the order that opened a position, None when not known."""
        return self._openers.get(identifier)

    def of_ticket(self, ticket: int) -> Sent | None:
        """The sent order of a broker's ticket."""
        return self._by_ticket.get(ticket)

    def claim(self, found: Outline) -> Sent | None:
        """The sent order that a deal or order at the broker belongs to; links them for good."""
        known = self._by_ticket.get(found.ticket)
        if known is None:
            by_comment = self.by_token.get(found.comment)
            fitting = [by_comment] if by_comment is not None else self.fitting(found)
            known = fitting[0] if len(fitting) == 1 else None
            if known is not None and known.order_ticket in {0, found.ticket}:
                self.note_ticket(known, found.ticket)
            elif known is not None:
                known = None
        return known

    def fitting(self, found: Outline) -> list[Sent]:
        """Sent orders without a ticket that this may be the execution of."""
        return [one for one in self.by_token.values() if is_fitting(one, found)]

    def open_orders(self) -> list[Sent]:
        """Orders of which more may come, with a ticket."""
        return [
            one
            for one in self.by_token.values()
            if one.order_ticket and one.stage is not Stage.OVER
        ]


def is_fitting(one: Sent, found: Outline) -> bool:
    """Whether a deal or order nobody claims could be what became of a sent one."""
    is_open = one.order_ticket == 0 and one.stage is not Stage.OVER
    is_of_us = one.magic == found.magic != 0 and one.symbol == found.symbol
    is_same = one.side == found.side and found.quantity <= one.quantity + LOT_EPSILON
    is_same = is_same or one.kind is OrderKind.CLOSE_BY  # its deals have both sides
    return is_open and is_of_us and is_same and found.ts_ns >= one.sent_ns - SKEW_NS


def load_state(path: str) -> State:
    """What an earlier process wrote; a fresh state without a file.

    Raises:
        ConfigError: the file is there but is not ours.
    """
    file = Path(path)
    if not path or not file.is_file():
        return State()
    try:
        return msgspec.json.decode(file.read_bytes(), type=State)
    except (msgspec.MsgspecError, OSError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}.",
            remedy="Move the file away after checking that no order of the account is open.",
        ) from error


def save_state(path: str, state: State) -> None:
    """Write the state so that a killed process leaves the old or the new one, never half of it."""
    if path:
        file = Path(path)
        fresh = file.with_name(file.name + ".new")
        fresh.write_bytes(msgspec.json.encode(state))
        fresh.replace(file)
