"""A host process for tests: a real host around a scripted engine whose broker is a file.

`remote_child.py local FOLDER` is the child of a `LocalHost`; `remote_child.py agent FOLDER URL`
connects out with the key of PLAN2_TERMINAL_KEY; `remote_child.py parent FOLDER` runs a `LocalHost`
itself. Every order that reaches the broker is a line of FOLDER/broker.txt, every start one of
FOLDER/starts.txt. Order ids script it: `die…` ends the process in the middle, `hang…` blocks the
whole interpreter for good, `hold…` waits until FOLDER/release exists.
"""

import asyncio
import ctypes
import os
import sys
import time
from pathlib import Path

import numpy as np

from plan2.connectivity.channels.websocket import connect_websocket
from plan2.dataflow.terminals.port import ApprovedOrder, OrderUpdate
from plan2.dataflow.terminals.remote.agent import run_agent
from plan2.dataflow.terminals.remote.child import read_errand, run_child
from plan2.dataflow.terminals.remote.host import HostOptions, TerminalHost
from plan2.dataflow.terminals.remote.local_host import LocalHost
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import Plan2Error
from plan2.foundation.ids import RandomIds
from plan2.foundation.lock import DataDirLock
from plan2.foundation.loop import run_async
from plan2.foundation.secret import Secret
from remote_world import ScriptedEngine


class FileEngine(ScriptedEngine):
    """A broker that writes down what reaches it."""

    folder = Path()

    def submit(self, order: ApprovedOrder) -> tuple[OrderUpdate, ...]:
        """Note the order, then do as its id says."""
        with (self.folder / "broker.txt").open("a", encoding="ascii") as broker:
            broker.write(f"{order.order_id}\n")
        if order.order_id.startswith("die"):
            os._exit(9)
        if order.order_id.startswith("hang"):
            ctypes.PyDLL(None).sleep(3600)  # keeps the interpreter lock, as MetaTrader5 does
        while order.order_id.startswith("hold") and not (self.folder / "release").exists():
            time.sleep(0.002)
        return super().submit(order)


def main() -> int:
    """Be what the arguments say."""
    role, folder = sys.argv[1], Path(sys.argv[2])
    FileEngine.folder = folder
    options = HostOptions(folder=folder / "host", name="desk-7", version="0.0.test", poll_s=0.005)
    if role == "parent":
        run_async(_be_parent(folder))
        return 0
    errand = read_errand() if role == "local" else None
    with DataDirLock(folder / "host"), (folder / "starts.txt").open("a") as starts:
        starts.write(f"{os.getpid()}\n")
        starts.flush()
        try:
            if errand is not None:
                run_async(run_child(errand, FileEngine, options, LiveClock(), RandomIds()))
            else:
                run_async(_be_agent(options, sys.argv[3]))
        except Plan2Error as error:
            _say(str(error))
            return error.exit_code
    return 0


async def _be_agent(options: HostOptions, url: str) -> None:
    key = Secret(os.environ["PLAN2_TERMINAL_KEY"])
    host = TerminalHost(FileEngine, options, LiveClock(), RandomIds())
    host.start()
    try:
        await run_agent(
            host,
            lambda: connect_websocket(url, key),
            np.random.default_rng(1),
            _say,
        )
    finally:
        await host.stop()


async def _be_parent(folder: Path) -> None:
    terminal = RemoteTerminal("parent", LiveClock())
    argv = [sys.executable, __file__, "local", str(folder)]
    hosting = asyncio.create_task(LocalHost(terminal, argv, b"{}", np.random.default_rng(1)).run())
    await terminal.wait_ready(60)
    os.write(1, b"ready\n")
    await hosting


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
