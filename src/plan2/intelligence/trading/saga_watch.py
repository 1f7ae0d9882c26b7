"""Watches the sagas of an account: what takes too long is driven on, and a person is told."""

import asyncio
from typing import Protocol

from plan2.foundation.clock import Clock
from plan2.foundation.health import Health, Status
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.trading.saga import Overdue, Remedy, SagaBook

AGAIN_NS = 2 * NS_PER_SECOND
"""Time of the terminal's clock between two attempts at the same remedy."""
ALARM_AFTER_S = 30.0
"""A step that has waited this long is told to a person even while a remedy is tried."""
STEP_S = 0.25
"""Real time between two looks."""
SHOWN = 3


class Inquirer(Protocol):
    """Who can ask the broker about an order at once: the reconciler."""

    def ask_now(self, order_id: str) -> None:
        """Ask without waiting any longer."""
        ...


class Protector(Protocol):
    """Who can protect a position: management, by setting a stop or closing it."""

    def protect(self, position_id: str, now_ns: int) -> object:
        """Protect the position."""
        ...


class SagaWatch:
    """Carries out the remedies of the saga table through those who own them."""

    def __init__(
        self, sagas: SagaBook, inquirer: Inquirer, protector: Protector, clock: Clock
    ) -> None:
        self._sagas = sagas
        self._inquirer = inquirer
        self._protector = protector
        self._clock = clock
        self._tried_ns: dict[str, int] = {}
        self.overdue: list[Overdue] = []
        """What took too long at the last look."""

    def step(self, now_ns: int) -> None:
        """Look at all sagas once."""
        self.overdue = self._sagas.overdue(now_ns)
        late = {one.saga.order_id for one in self.overdue}
        self._tried_ns = {key: at for key, at in self._tried_ns.items() if key in late}
        for one in self.overdue:
            order_id = one.saga.order_id
            if now_ns - self._tried_ns.get(order_id, -AGAIN_NS) >= AGAIN_NS:
                self._tried_ns[order_id] = now_ns
                self._remedy(one, now_ns)

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            self.step(self._clock.now_ns())
            await asyncio.sleep(STEP_S)

    def health(self) -> Health:
        """Whether every order gets on; names those that do not."""
        told = [
            one
            for one in self.overdue
            if one.remedy is not Remedy.ASK or one.waited_s >= ALARM_AFTER_S
        ]
        metrics = {"sagas": float(len(self._sagas.live)), "overdue": float(len(self.overdue))}
        if not told:
            return Health(Status.OK, "", metrics)
        text = "; ".join(str(one) for one in told[:SHOWN])
        more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
        return Health(Status.DEGRADED, f"{text}{more}.", metrics)

    def _remedy(self, one: Overdue, now_ns: int) -> None:
        if one.remedy is Remedy.ASK:
            self._inquirer.ask_now(one.saga.order_id)
        elif one.remedy is Remedy.PROTECT:
            for position_id, stake in one.saga.stakes.items():
                if not stake.is_protected:
                    self._protector.protect(position_id, now_ns)
