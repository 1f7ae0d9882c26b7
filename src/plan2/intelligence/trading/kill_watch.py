"""Sees kills and withdrawing switches through on one account, by asking its terminal.

Runs beside the ticks, so that it also works while no quote comes. A question that was not answered
proves nothing: it is asked again.
"""

import asyncio
from typing import Final

from plan2.dataflow.terminals.port import OrderSide
from plan2.foundation.clock import Clock
from plan2.intelligence.trading.account import TradingAccount

STEP_S: Final = 0.2
ASK_EVERY_STEPS: Final = 5


class KillWatch:
    """The watch on one account; `clock` tells market time."""

    def __init__(self, account: TradingAccount, terminal: OrderSide, clock: Clock) -> None:
        self._account = account
        self._terminal = terminal
        self._clock = clock
        self._steps = 0

    async def run(self) -> None:
        """Five times a second until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(STEP_S)

    async def step(self) -> None:
        """Withdraw what the switches forbid, push every kill on, and now and then ask for proof.

        Raises:
            JournalLost: nothing can be written down any more.
        """
        account, now_ns = self._account, self._clock.now_ns()
        account.withdrawal.enforce(now_ns)
        if not account.kills.live:
            return
        account.kills.push(now_ns)
        self._steps += 1
        if self._steps % ASK_EVERY_STEPS == 0:
            await self.verify()

    async def verify(self) -> None:
        """Ask the terminal for its orders, then for its positions, and hold the kills to it."""
        orders = await self._terminal.orders()
        positions = await self._terminal.positions()
        if orders is not None and positions is not None:
            self._account.kills.verify(orders, positions, self._clock.now_ns())
