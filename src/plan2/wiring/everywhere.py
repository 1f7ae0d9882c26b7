"""The trading switches of all tenants at once, for those who run the installation."""

from collections.abc import Awaitable, Callable, Sequence

from plan2.foundation.errors import InputError, JournalLost, Plan2Error
from plan2.intelligence.trading.control import AccountSwitches, Control, Selector


class Everywhere:
    """Implements `TradingSwitches` over every tenant that is open.

    A tenant that refuses, or cannot write it down, keeps no other from being switched.

    Args:
        controls: every tenant's own, asked anew each time.
    """

    def __init__(self, controls: Callable[[], Sequence[Control]]) -> None:
        self._controls = controls

    async def set_state(
        self, state: str, actor: str, reason: str, selector: Selector | None = None, mode: str = ""
    ) -> None:
        """Switch every tenant.

        Raises:
            InputError: nobody could be switched. JournalLost: somebody could not write it down.
        """
        await self._on_each(lambda control: control.set_state(state, actor, reason, selector, mode))

    async def kill(
        self,
        actor: str,
        reason: str,
        selector: Selector | None = None,
        *,
        closes_foreign: bool = False,
    ) -> None:
        """Kill in every tenant.

        Raises:
            InputError, JournalLost: as `set_state`.
        """
        await self._on_each(
            lambda control: control.kill(actor, reason, selector, closes_foreign=closes_foreign)
        )

    def overview(self) -> tuple[AccountSwitches, ...]:
        """How every account of every tenant stands."""
        return tuple(each for control in self._controls() for each in control.overview())

    async def _on_each(self, act: Callable[[Control], Awaitable[None]]) -> None:
        controls = self._controls()
        failures: list[Plan2Error] = []
        for control in controls:
            try:
                await act(control)
            except (InputError, JournalLost) as error:
                failures.append(error)
        lost = next((error for error in failures if isinstance(error, JournalLost)), None)
        if lost is not None:
            raise lost
        if failures and len(failures) == len(controls):
            raise failures[0]
