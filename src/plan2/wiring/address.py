"""Serves the front at its address, tells a person where it is, and lets programs of theirs in."""

import asyncio
from collections.abc import Callable

from plan2.connectivity.identity.local_access import LocalAccess
from plan2.wiring.doorway import Doorway
from plan2.wiring.front import FrontParts


class Address:
    """The address of one run; printed with a sign-in token that works once."""

    def __init__(
        self,
        front: FrontParts,
        doorway: Doorway,
        local: LocalAccess,
        say: Callable[[str], None],
        on_url: Callable[[str], None],
    ) -> None:
        self._front = front
        self._doorway = doorway
        self._local = local
        self._say = say
        self._on_url = on_url

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._doorway.serve(self._front.app, self._announce)

    async def stop(self) -> None:
        """Take back what let programs of this machine in."""
        self._local.remove()

    def _announce(self, url: str) -> None:
        self._on_url(url)
        self._local.write(url, self._doorway.certificate())
        asyncio.get_running_loop().create_task(self._print(url))

    async def _print(self, url: str) -> None:
        sign_in, site = self._front.sign_in, self._front.site
        token = await sign_in.issue(await sign_in.ensure_administrator())
        if site.missing_reason:
            self._say(f"The web app is not built: {site.missing_reason}")
        self._say(f"\nOpen  {url}/signin?token={token}\n")
