"""The hub supervises the components of the process: order of start and stop, restarts, health.

Components start by declared needs, then level, then order of addition, and stop in reverse. A
crashed one is restarted with growing, jittered pauses; after `attempts_max` failures in a row it
counts as DOWN, a critical one halts trading, and the attempts go on at the longest pause, so that
what heals comes back by itself (trading resumes only by a person). An `Unrecoverable` error halts
at once and is not retried. This is the one file that may catch every exception.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from plan2.foundation.errors import Recoverable, Unrecoverable, require
from plan2.foundation.health import UP, Check, Health, HealthBoard, Status
from plan2.foundation.log import logger, speaking_for
from plan2.foundation.secret import redact_text

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part with a life of its own, as the composition root describes it.

    Attributes:
        name: unique, snake_case; the health page shows it.
        level: 1 (foundation) to 5 (interface).
        start: returns when the part can do its work.
        run: the part's own loop, if it has one; ending is fine, raising means a restart.
        stop: gives everything back; called after `run` was cancelled, before each restart, and
            after a start that failed or was cancelled half-way.
        check: what the part says about itself while it is up.
        needs: names of components that must be up first.
        critical: must start for the process to start, and halts trading when it stays down.
        tenant_id: whose it is, for the log; "" = the installation's, or as its hub's.
    """

    name: str
    level: int
    start: Step | None = None
    run: Step | None = None
    stop: Step | None = None
    check: Check | None = None
    needs: tuple[str, ...] = ()
    critical: bool = False
    tenant_id: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the hub waits; seconds."""

    attempts_max: int = 5
    pause_first_s: float = 0.5
    pause_max_s: float = 60.0
    healthy_after_s: float = 60.0
    """Running this long forgives earlier failures."""
    stop_deadline_s: float = 30.0
    poll_every_s: float = 1.0


DOUBLINGS_MAX: Final = 20


class Hub:
    """Starts, watches, restarts and stops the components.

    Args:
        board: where states are reported.
        halt: called with the reason when trading must stop.
        rng: the jitter of the pauses.
        patience: limits and pauses.
    """

    def __init__(
        self,
        board: HealthBoard,
        halt: Callable[[str], None],
        rng: np.random.Generator,
        patience: Patience | None = None,
    ) -> None:
        self._board = board
        self._halt = halt
        self._rng = rng
        self._patience = patience or Patience()
        self._components: list[Component] = []
        self._begun: list[Component] = []
        self._running: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._polling: asyncio.Task[None] | None = None
        self._log = logger("hub")

    def add(self, component: Component) -> None:
        """Declare a component; nothing starts before `start()`."""
        self._board.add(
            component.name, component.level, required=component.critical, check=component.check
        )
        self._components.append(component)

    async def start(self) -> None:
        """Start every component in order; the caller awaits `stop()` in `finally`, come what may.

        A component that is not critical may fail to start: it is retried in the background, and so
        are those that need it.

        Raises:
            Exception: whatever a critical component's start raised.
        """
        self._polling = asyncio.create_task(self._poll_forever(), name="hub.poll")
        for component in _in_order(self._components):
            self._begun.append(component)
            with speaking_for(component.tenant_id):  # the task it gets speaks for it as well
                failure = await self._begin(component)
                if failure is not None and component.critical:
                    self._report(component.name, Health(Status.DOWN, _reason(failure)))
                    raise failure
                self._tasks[component.name] = asyncio.create_task(
                    self._supervise(component, failure), name=component.name
                )

    async def stop(self) -> list[str]:
        """Stop in reverse order; a component that takes too long is left behind and named.

        Each may use an equal share of what is left of the deadline, so that one slow component
        cannot take the time of the database, which stops last.

        Returns:
            Names of the components that did not stop in order.
        """
        if self._polling is not None:
            self._polling.cancel()
            self._polling = None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience.stop_deadline_s
        failed = []
        while self._begun:
            share_s = max(deadline - loop.time(), 0.0) / len(self._begun)
            component = self._begun.pop()
            with speaking_for(component.tenant_id):
                is_ended = await self._end(component, share_s)
            if not is_ended:
                failed.append(component.name)
        return failed

    def poll(self) -> None:
        """Ask every check; one that raises marks its part DOWN. Called once a second."""
        silent = {component.name for component in self._components} - self._running
        for name, check in self._board.checks.items():
            if name in silent:
                continue
            try:
                health = check()
            except Exception as error:
                health = Health(Status.DOWN, f"The check failed: {_reason(error)}")
            self._report(name, health)

    async def _poll_forever(self) -> None:
        while True:
            self.poll()
            await asyncio.sleep(self._patience.poll_every_s)

    async def _begin(self, component: Component) -> Exception | None:
        """Start once; the error, if any, is returned."""
        self._report(component.name, Health(Status.STARTING))
        try:
            missing = [need for need in component.needs if self._board.status_of(need) not in UP]
            if missing:
                return Recoverable(f"It waits for {', '.join(missing)}.")
            if component.start is not None:
                await component.start()
        except Exception as error:
            return error
        self._running.add(component.name)
        self._report(component.name, Health(Status.OK))
        return None

    async def _supervise(self, component: Component, failure: Exception | None) -> None:
        """Run the component and restart it after failures until it ends, or is cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            if failure is not None:
                failures += 1
                if self._is_final(component, failure, failures):
                    return
                await asyncio.sleep(self._pause_s(failures))
                failure = await self._restart(component)
                if failure is not None:
                    continue
            began_s = loop.time()
            failure = await self._run(component)
            if failure is None:
                return
            if loop.time() - began_s >= self._patience.healthy_after_s:
                failures = 0

    async def _run(self, component: Component) -> Exception | None:
        if component.run is None:
            return None
        try:
            await component.run()
        except Exception as error:
            return error
        finally:
            self._running.discard(component.name)
        self._report(component.name, Health(Status.STOPPED, "It finished its work."))
        return None

    async def _restart(self, component: Component) -> Exception | None:
        try:
            if component.stop is not None:
                await component.stop()
        except Exception as error:
            self._log.warning("component_cleanup_failed", name=component.name, reason=str(error))
        return await self._begin(component)

    def _is_final(self, component: Component, failure: Exception, failures: int) -> bool:
        """Report a failure; whether it ends the attempts for good."""
        reason = _reason(failure)
        self._log.error(
            "component_failed", name=component.name, failures=failures, exc_info=failure
        )
        is_fault = isinstance(failure, Unrecoverable)
        attempts_max = self._patience.attempts_max
        if is_fault or failures >= attempts_max:
            self._report(component.name, Health(Status.DOWN, reason))
            if is_fault or (component.critical and failures == attempts_max):
                self._halt(f"{component.name} is down: {reason}")
        else:
            text = f"Restart {failures} of {attempts_max} after: {reason}"
            self._report(component.name, Health(Status.STARTING, text))
        return is_fault

    def _pause_s(self, failures: int) -> float:
        doubled: float = self._patience.pause_first_s * 2 ** min(failures - 1, DOUBLINGS_MAX)
        jitter: float = self._rng.uniform(0.5, 1.0)
        return min(doubled, self._patience.pause_max_s) * jitter

    async def _end(self, component: Component, share_s: float) -> bool:
        """Cancel the component's task and stop it; whether that went in order."""
        self._running.discard(component.name)
        task = self._tasks.pop(component.name, None)
        try:
            async with asyncio.timeout(share_s):
                if task is not None:
                    task.cancel()
                    await asyncio.wait({task})
                if component.stop is not None:
                    await component.stop()
        except Exception as error:
            late = isinstance(error, TimeoutError)
            reason = f"It did not stop within {share_s:.1f} s." if late else _reason(error)
            self._log.error("component_stop_failed", name=component.name, reason=reason)
            self._report(component.name, Health(Status.DOWN, reason))
            return False
        self._report(component.name, Health(Status.STOPPED))
        return True

    def _report(self, name: str, health: Health) -> None:
        """Tell the board; a listener that raises is a fault of ours and halts trading."""
        try:
            self._board.report(name, health)
        except Exception as error:
            self._log.error("listener_failed", name=name, exc_info=error)
            self._halt(f"A listener of {name}'s health failed: {_reason(error)}")


def _in_order(components: Sequence[Component]) -> list[Component]:
    """By needs, then level, then order of addition.

    Raises:
        InvariantBroken: a need that does not exist, or needs in a circle.
    """
    waiting = sorted(components, key=lambda component: component.level)
    placed: dict[str, Component] = {}
    while waiting:
        ready = [c for c in waiting if all(need in placed for need in c.needs)]
        names = [c.name for c in waiting]
        require(bool(ready), f"components {names} need each other or something that is not there")
        placed[ready[0].name] = ready[0]
        waiting.remove(ready[0])
    return list(placed.values())


def _reason(error: BaseException) -> str:
    return redact_text(f"{type(error).__name__}: {error}")
