"""What a worker says to its parent: JSON lines on standard output, and the child's side of it.

Libraries print to standard output when they please; `open_channel` therefore keeps the real one for
messages and sends everything else to standard error.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import msgspec

from plan2.foundation.errors import Plan2Error

LINE_MAX_BYTES: Final = 16 * 1024 * 1024
"""The longest message; a result that is larger belongs into a file whose path is the result."""
ORPHANED_EXIT_CODE: Final = 70


class Progress(msgspec.Struct, frozen=True, tag=True):
    """How far the work is, 0 to 1, what it is doing, and figures worth showing."""

    fraction: float
    message: str = ""
    figures: dict[str, float] = {}


class Result(msgspec.Struct, frozen=True, tag=True):
    """The work is done; `value` is plain data."""

    value: Any  # the verb that the child runs owns the shape


class Failure(msgspec.Struct, frozen=True, tag=True):
    """The work cannot be done: one of our errors, as data."""

    code: str
    message: str
    remedy: str


Message = Progress | Result | Failure


def decode(line: bytes) -> Message | None:
    """A message from a line; None when the line is something else."""
    try:
        message: Message = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return message


class Channel:
    """The child's way to its parent; thread-safe, each message is written at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def progress(self, fraction: float, message: str = "", **figures: float) -> None:
        """Say how far the work is."""
        self._write(Progress(fraction, message, figures))

    def result(self, value: object) -> None:
        """Hand over the result: structs, dataclasses or plain data, at most `LINE_MAX_BYTES`."""
        self._write(Result(msgspec.to_builtins(value)))

    def failure(self, error: Plan2Error) -> None:
        """Say why the work cannot be done; the child then exits with the error's code."""
        self._write(Failure(error.code, error.message, error.remedy))

    def _write(self, message: Message) -> None:
        line = _ENCODER.encode(message)
        if len(line) >= LINE_MAX_BYTES:
            line = _ENCODER.encode(
                Failure(
                    "worker_message_too_long",
                    f"A message of {len(line)} bytes is above the limit of {LINE_MAX_BYTES}.",
                    "Write the result into a file and report its path.",
                )
            )
        with self._lock:
            self._stream.write(line + b"\n")
            self._stream.flush()


def open_channel() -> Channel:
    """Become a worker: keep standard output for messages, and end when the parent disappears.

    Call it once, before anything heavy is imported.
    """
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return Channel(messages)


def answer(work: Callable[[Channel], object]) -> None:
    """Become a worker, do the work, and hand its result to the parent, or why there is none.

    Raises:
        Plan2Error: the work's own, after the parent was told.
    """
    channel = open_channel()
    try:
        channel.result(work(channel))
    except Plan2Error as error:
        channel.failure(error)
        raise


def _end_with_parent() -> None:
    """The parent never writes to our standard input; its end means that the parent is gone."""
    while os.read(sys.stdin.fileno(), 1):  # not sys.stdin.read: its lock would block our exit
        continue
    os._exit(ORPHANED_EXIT_CODE)


_DECODER: Final = msgspec.json.Decoder(Message)
_ENCODER: Final = msgspec.json.Encoder()
