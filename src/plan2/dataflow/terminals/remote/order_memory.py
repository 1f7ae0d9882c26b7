"""Which orders this host has sent, kept in a file, so that none is ever sent twice.

One JSON object per line: `sending` before the broker is called, durable when `begin` returns; then
the broker's words; then that the server has them. A line that was torn by a crash is the last one
and is left out. An order that was being sent when the process ended has an unknown outcome.

Lines are written over empty ones that lie ready on disk, so that a full disk does not keep orders
out of the market at once: there is room for the way out.

When the file has grown to twice what is remembered, it is written anew beside itself and takes the
old one's place as a whole: whenever the process ends, one of the two is there, with every order.
"""

import contextlib
import os
import threading
from pathlib import Path
from typing import IO, Final

import msgspec

from plan2.dataflow.terminals.port import OrderUpdate, UpdateKind
from plan2.foundation.clock import Clock
from plan2.foundation.durable import sync_folder
from plan2.foundation.errors import InputError, require

FILE_NAME: Final = "orders.jsonl"
KEEP: Final = 10_000
"""Orders that are remembered; older ones are past any link's patience by far."""

ROOM: Final = 256 * 1024
"""Bytes of empty lines that lie ready: for about a thousand orders and what is said of them."""


GROWTH: Final = 1024 * 1024
"""Bytes of lines that a file may have grown by, at least, before it is worth writing it anew."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of an order: being sent (nothing else set), answered, or known to the server."""

    order_id: str
    updates: tuple[OrderUpdate, ...] | None = None
    is_known: bool = False


class Sent(msgspec.Struct):
    """What is known about an order; `updates` is None while it is being sent."""

    updates: tuple[OrderUpdate, ...] | None = None
    is_known: bool = False


class OrderMemory:
    """The orders of a host; thread-safe. `open` reads the file, `close` lets go of it."""

    def __init__(self, folder: Path, clock: Clock, keep: int = KEEP, growth: int = GROWTH) -> None:
        self._path = folder / FILE_NAME
        self._clock = clock
        self._keep = keep
        self._growth = growth
        self._orders: dict[str, Sent] = {}
        self._file: IO[bytes] | None = None
        self._is_in_use = False
        self._at = self._size = self._base = 0
        self._lock = threading.Lock()

    def open(self) -> list[tuple[str, tuple[OrderUpdate, ...]]]:
        """Read the file and make it short again.

        Returns:
            Orders with the words that the server may not have heard, oldest first; an order whose
            outcome is not known has UNKNOWN.

        Raises:
            InputError: a line before the last cannot be read; the message names file and line.
            OSError: the file cannot be used.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.is_file():
            self._read()
        for order_id, sent in self._orders.items():
            if sent.updates is None:
                sent.updates = (self._unknown(order_id),)
        self._is_in_use = True
        self._rewrite()
        return [
            (order_id, sent.updates)
            for order_id, sent in self._orders.items()
            if sent.updates is not None and not sent.is_known
        ]

    def told(self, order_id: str) -> tuple[OrderUpdate, ...] | None:
        """What was said about an order that was sent before; None when it was not."""
        with self._lock:
            sent = self._orders.get(order_id)
        if sent is None:
            return None
        return sent.updates if sent.updates is not None else (self._unknown(order_id),)

    def begin(self, order_id: str) -> None:
        """Note that an order is about to be sent; durable when this returns.

        Raises:
            OSError: it could not be noted; the order must not be sent.
        """
        with self._lock:
            require(order_id not in self._orders, f"order {order_id} is sent twice")
            file = self._write(Line(order_id))
            os.fsync(file.fileno())
            self._orders[order_id] = Sent()

    def finish(self, order_id: str, updates: tuple[OrderUpdate, ...]) -> None:
        """Note what the broker said, or why the order was not sent.

        Raises:
            OSError: it could not be written; it is still remembered while this process lives.
        """
        with self._lock:
            self._orders[order_id] = Sent(updates)
            while len(self._orders) > self._keep:
                del self._orders[next(iter(self._orders))]
            self._write(Line(order_id, updates))

    def acknowledged(self, order_id: str) -> None:
        """Note that the server has every word about an order; when that fails it hears it again."""
        with self._lock:
            sent = self._orders.get(order_id)
            if sent is None or sent.is_known or not self._is_in_use:
                return
            sent.is_known = True
            with contextlib.suppress(OSError):
                self._write(Line(order_id, is_known=True))

    def shorten(self) -> None:
        """Write the file anew once it is worth it; for moments in which no order waits.

        A disk that does not take the new file leaves the old one in use; more growth tries again.
        """
        with self._lock:
            if self._file is None or self._at - self._base < max(self._base, self._growth):
                return
            self._base = self._at
            with contextlib.suppress(OSError):
                self._rewrite()

    def close(self) -> None:
        """Let go of the file; harmless when repeated."""
        with self._lock:
            self._is_in_use = False
            self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> None:
        lines = self._path.read_bytes().rstrip(b"\n").split(b"\n")
        for number, text in enumerate(lines, 1):
            if not text:
                continue
            try:
                line = msgspec.json.decode(text, type=Line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if number == len(lines):
                    return  # the process ended while writing
                raise InputError(
                    f"Line {number} of {self._path} cannot be read: {error}.",
                    remedy="Move the file away once you know that none of its orders is open.",
                ) from error
            self._take(line)

    def _take(self, line: Line) -> None:
        if line.is_known:
            self._orders.setdefault(line.order_id, Sent()).is_known = True
        else:
            self._orders[line.order_id] = Sent(line.updates)

    def _rewrite(self) -> None:
        while len(self._orders) > self._keep:
            del self._orders[next(iter(self._orders))]
        new = self._path.with_suffix(".new")
        try:
            length = self._write_new(new)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        self._let_go()  # Windows replaces no file that is open
        new.replace(self._path)
        self._at = self._base = length
        self._size = length + ROOM
        sync_folder(self._path.parent)
        self._open_file()

    def _write_new(self, path: Path) -> int:
        """All that is remembered, and room, durable; returns the bytes of the lines."""
        with path.open("wb") as file:
            for order_id, sent in self._orders.items():
                file.write(_line(Line(order_id, sent.updates)))
                if sent.is_known:
                    file.write(_line(Line(order_id, is_known=True)))
            length = file.tell()
            file.write(b"\n" * ROOM)
            file.flush()
            os.fsync(file.fileno())
        return length

    def _open_file(self) -> IO[bytes]:
        """The file in use; opened where a rewriting that did not succeed has left it closed."""
        if self._file is None:
            if not self._is_in_use:
                raise OSError(f"{self._path} is not open")
            self._file = self._path.open("r+b", buffering=0)
        return self._file

    def _write(self, line: Line) -> IO[bytes]:
        file = self._open_file()
        text = _line(line)
        if self._at + len(text) > self._size:
            self._make_room(file)
        file.seek(self._at)
        written = file.write(text)
        if written != len(text):
            file.seek(self._at)
            file.write(b"\n" * written)  # half a line would spoil the next
            raise OSError(f"wrote {written} of {len(text)} bytes of a line to {self._path}")
        self._at += written
        return file

    def _make_room(self, file: IO[bytes]) -> None:
        """Lay more empty lines ready; where there is no room for them, the line itself may fit."""
        with contextlib.suppress(OSError):
            file.seek(self._at)
            self._size = self._at + file.write(b"\n" * ROOM)
            os.fsync(file.fileno())

    def _unknown(self, order_id: str) -> OrderUpdate:
        return OrderUpdate(
            kind=UpdateKind.UNKNOWN,
            ts_ns=self._clock.now_ns(),
            order_id=order_id,
            reason="host_ended_while_sending",
        )


def _line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
