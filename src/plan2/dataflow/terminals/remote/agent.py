"""An agent: a host that connects out to its server, and comes back whenever the link is lost.

Pauses grow and are jittered, so that a thousand agents do not come back in the same second. What
only a person can settle (a revoked key, another version, another agent in our place) ends it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import numpy as np

from plan2.connectivity.channels.channel import Channel, ChannelClosed, CloseCode
from plan2.dataflow.terminals.remote.host import TerminalHost
from plan2.foundation.errors import ConfigError, TerminalUnavailable

PAUSE_FIRST_S: Final = 0.5
PAUSE_MAX_S: Final = 30.0
STEADY_AFTER_S: Final = 60.0
"""A link that lasted this long forgives earlier failures."""

REMEDIES: Final = {
    CloseCode.REFUSED: "Make a new key on the server with `plan2 terminal-keys create`.",
    CloseCode.FORBIDDEN: "Log the terminal in to the account that the key is for.",
    CloseCode.VERSION: "Install the same version of Plan2 on both machines.",
    CloseCode.REPLACED: "Stop the other agent, or make a key for another account.",
}
"""Ends of a link that coming back would only repeat."""

Connect = Callable[[], Awaitable[Channel]]


async def run_agent(
    host: TerminalHost, connect: Connect, rng: np.random.Generator, say: Callable[[str], None]
) -> None:
    """Serve one link after another until cancelled, or until the engine has ended.

    Args:
        host: the engine and what waits for the server; started and stopped by the caller.
        connect: opens a link; `ConfigError` ends the agent, `TerminalUnavailable` is tried again.
        rng: the jitter of the pauses.
        say: told in plain sentences what happens.

    Raises:
        ConfigError: a person must act: the key, the account, the version, or a second agent.
        Plan2Error: the engine has ended.
    """
    tasks = [
        asyncio.create_task(host.run_engine()),
        asyncio.create_task(_keep_linked(host, connect, rng, say)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _keep_linked(
    host: TerminalHost, connect: Connect, rng: np.random.Generator, say: Callable[[str], None]
) -> None:
    """Serve one link after another until a person must act."""
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        began_s = loop.time()
        try:
            channel = await connect()
            say("Connected to the server.")
            await host.serve(channel)
        except ChannelClosed as closed:
            if closed.code in REMEDIES:
                raise _final(closed) from closed
            reason = str(closed)
        except (TerminalUnavailable, TimeoutError) as error:
            reason = str(error)
        failures = 1 if loop.time() - began_s > STEADY_AFTER_S else failures + 1
        pause_s = min(PAUSE_FIRST_S * 2 ** min(failures - 1, 10), PAUSE_MAX_S)
        pause_s *= float(rng.uniform(0.5, 1.0))
        say(f"No link to the server: {reason} Trying again in {pause_s:.1f} s.")
        await asyncio.sleep(pause_s)


def _final(closed: ChannelClosed) -> ConfigError:
    return ConfigError(
        f"The server has ended the link: {closed.reason or closed.code}.",
        remedy=REMEDIES[CloseCode(closed.code)],
    )
