"""The child's side of a host on this machine: its errand, its one link, and its end.

The errand is one line on standard input; nothing secret is in the arguments. The child ends with
its link, and with its parent: standard input ends when the parent does. While the engine blocks the
interpreter nobody could notice that, so a timer outside of it ends the process in any case.
"""

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from plan2.connectivity.channels.channel import ChannelClosed
from plan2.connectivity.channels.framed import connect_loopback
from plan2.dataflow.terminals.remote.engine import HostEngine
from plan2.dataflow.terminals.remote.host import HostOptions, TerminalHost
from plan2.dataflow.terminals.remote.peer import BUSY_MAX_S
from plan2.foundation.clock import Clock
from plan2.foundation.errors import ConfigError
from plan2.foundation.ids import IdSource
from plan2.foundation.secret import Secret

ERRAND_MAX_BYTES: Final = 1024 * 1024
ORPHANED_EXIT_CODE: Final = 70
REARM_EVERY_S: Final = 5.0
STUCK_MAX_S: Final = BUSY_MAX_S + 2 * REARM_EVERY_S
"""A little longer than any parent waits."""


class Errand(msgspec.Struct, frozen=True):
    """Where the parent listens, what proves that we are its child, and what the engine needs."""

    port: int
    secret: str
    settings: msgspec.Raw


def read_errand() -> Errand:
    """Read the errand from standard input, and end when that ends.

    Raises:
        ConfigError: nobody gave one; this command is for Plan2 itself.
    """
    line = sys.stdin.buffer.readline(ERRAND_MAX_BYTES)
    try:
        errand = msgspec.json.decode(line, type=Errand)
    except msgspec.DecodeError as error:
        raise ConfigError(
            "There is no errand on standard input.",
            remedy="`plan2 terminal --local` is started by `plan2 serve`.",
        ) from error
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    return errand


async def run_child(
    errand: Errand,
    factory: Callable[[], HostEngine],
    options: HostOptions,
    clock: Clock,
    ids: IdSource,
) -> None:
    """Serve the parent until the link ends.

    Raises:
        Plan2Error: the engine has ended, or the order memory cannot be read.
        OSError: the parent cannot be reached.
    """
    rearming = asyncio.create_task(_stay_armed())
    host = TerminalHost(factory, options, clock, ids)
    host.start()
    try:
        await host.serve(await connect_loopback(errand.port, Secret(errand.secret)))
    except ChannelClosed:
        return
    finally:
        await host.stop()
        rearming.cancel()
        faulthandler.cancel_dump_traceback_later()


async def _stay_armed() -> None:
    """Put off the timer that ends a stuck process; it runs outside of the interpreter."""
    while True:
        faulthandler.dump_traceback_later(STUCK_MAX_S, exit=True)
        await asyncio.sleep(REARM_EVERY_S)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os._exit(ORPHANED_EXIT_CODE)
