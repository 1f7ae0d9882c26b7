"""The kill switch for when everything else is dead: a file named KILL in the data folder.

Its mere presence kills: trading is halted, working orders are withdrawn, positions closed. A first
line such as `symbol EURUSD`, `flow main` or `account paper` narrows it down; what cannot be read
means everything. While the file is there nothing can be resumed, and a start does not trade.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from plan2.foundation.errors import InputError, JournalLost
from plan2.intelligence.risk.switch import Scope
from plan2.intelligence.trading.control import Control, Selector

FILE_NAME: Final = "KILL"
ACTOR: Final = "file:KILL"
EVERY_S: Final = 0.2
READ_MAX_BYTES: Final = 4_096

Seen = tuple[int, int]
"""Time of the last change and size of the file: what makes it another wish."""


class KillFile:
    """Watches for the file.

    Args:
        path: where it would lie.
        say: tells a person.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        self._done: Seen | None = None
        self._failed: Seen | None = None

    def locks(self) -> str:
        """Why nothing may be resumed; empty without the file."""
        return f"the kill file {self._path} is there" if self._seen() is not None else ""

    async def hold(self, control: Control) -> None:
        """Before the first tick: halt everything when the file is there, and say so."""
        if self._seen() is None:
            return
        await control.set_state("halted", ACTOR, self.locks(), Selector(scope=Scope.GLOBAL))
        self._say(f"NOT TRADING: {self.locks()}. Remove it, then resume.")

    async def run(self, control: Control) -> None:
        """Look five times a second until cancelled."""
        while True:
            await self.check(control)
            await asyncio.sleep(EVERY_S)

    async def check(self, control: Control) -> None:
        """Carry the file's wish out, once for each time it is written."""
        seen = self._seen()
        if seen is None:
            self._done = None
            return
        if seen == self._done:
            return
        selector = self._read()
        try:
            await self._kill(control, selector)
        except JournalLost as error:
            if seen != self._failed:
                self._say(f"KILL FILE: trading is halted, but nothing could be sent: {error}")
            self._failed = seen
            return
        self._done = seen

    async def _kill(self, control: Control, selector: Selector) -> None:
        try:
            await control.kill(ACTOR, f"{selector.scope} {selector.target}".strip(), selector)
            meant = selector.where.words
        except InputError as error:
            await control.kill(ACTOR, f"everything, because: {error}", Selector(scope=Scope.GLOBAL))
            meant = "everything"
        self._say(f"KILL FILE: {meant} halted, orders withdrawn, positions being closed.")

    def _seen(self) -> Seen | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError:
            return (0, 0)  # it cannot be looked at: better to stop than to trade on
        return (found.st_mtime_ns, found.st_size)

    def _read(self) -> Selector:
        """What the first line asks for; everything when it says nothing that is understood."""
        try:
            with self._path.open("rb") as file:
                words = file.read(READ_MAX_BYTES).decode("utf-8", "replace").split("\n")[0].split()
        except OSError:
            words = []
        return selector_of(words)


def selector_of(words: list[str]) -> Selector:
    """A scope and its name as a selector; everything when it is neither."""
    if len(words) == 2:
        scope, name = words
        if scope == Scope.ACCOUNT:
            return Selector(account_id=name)
        if scope in {Scope.SYMBOL, Scope.FLOW}:
            return Selector(scope=Scope(scope), target=name)
    return Selector(scope=Scope.GLOBAL)
