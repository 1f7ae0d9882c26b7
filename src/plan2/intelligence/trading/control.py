"""The trading switch as people use it: pause, resume, halt, kill; durable when it returns."""

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import TradingAccount


class AccountControl:
    """Switches one account in the name of an actor, who gives a reason."""

    def __init__(self, account: TradingAccount, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    async def set_state(self, state: str, actor: str, reason: str) -> None:
        """Arm, pause or halt.

        Raises:
            InputError: `state` is none of armed, paused, halted.
        """
        try:
            wanted = TradingState[state.upper()]
        except KeyError:
            words = ", ".join(item.word for item in TradingState)
            raise InputError(f"There is no trading state {state!r}; there are {words}.") from None
        self._account.set_state(wanted, self._clock.now_ns(), actor, reason)

    async def kill(self, actor: str, reason: str) -> None:
        """Halt, and close every position on its symbol's next quote."""
        self._account.kill(self._clock.now_ns(), actor, reason)
