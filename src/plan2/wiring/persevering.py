"""A watch that a full disk does not end: what cannot be written down now is tried again.

Without it a lost journal would end the watch for good, and once the disk has room again an account
could be armed that nobody compares with its broker and whose kills nobody sees through.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from plan2.foundation.errors import JournalLost
from plan2.foundation.health import Check, Health, Status

AGAIN_S: Final = 1.0
"""Pause after a failure, seconds."""
QUIET_S: Final = 10.0
"""Seconds without a failure after which the next one is another outage."""


class Persevering:
    """Runs a watch that runs for ever, again after each lost journal.

    Args:
        run: the watch's own loop.
        halt: told why trading has to stop, once for each outage.
        check: what the watch says about itself while all is well.
        again_s: pause after a failure.
    """

    def __init__(
        self,
        run: Callable[[], Awaitable[None]],
        halt: Callable[[str], None],
        check: Check = Health,
        again_s: float = AGAIN_S,
    ) -> None:
        self._run = run
        self._halt = halt
        self._check = check
        self._again_s = again_s
        self._reason = ""
        self._quiet_at_s = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._run()
            except JournalLost as error:
                is_known = bool(self._reason) and loop.time() < self._quiet_at_s
                self._reason, self._quiet_at_s = error.message, loop.time() + QUIET_S
                if not is_known:
                    self._halt(error.message)
            await asyncio.sleep(self._again_s)

    def check(self) -> Health:
        """DOWN while it cannot do its work; then what the watch itself says."""
        if self._reason and asyncio.get_running_loop().time() < self._quiet_at_s:
            return Health(Status.DOWN, self._reason)
        return self._check()
