"""The route of stress: what the open positions would lose, and how their symbols correlate."""

import asyncio
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.signin import SignedRequest
from plan2.interface.api.desk import Desks
from plan2.interface.api.history import History
from plan2.interface.scenario_items import ScenarioReport
from plan2.interface.scenario_view import Returns, returns_of, scenarios_of

HOUR_S: Final = 3_600
HOURS: Final = 500
"""A month of trading."""


class ScenarioRoutes:
    """Stress of whoever's account asks."""

    def __init__(self, desks: Desks, history: History) -> None:
        self._desks = desks
        self._history = history

    def handlers(self) -> list[HTTPRouteHandler]:
        """The one route."""
        return [get("/api/v1/risk/scenarios", tags=["trading"])(self.scenarios)]

    async def scenarios(self, request: SignedRequest) -> ScenarioReport:
        """What the open positions would gain or lose in stress, and their correlations."""
        book = self._desks.of(request.auth).books.stress()
        returns = await self._returns(book.symbols)
        return await asyncio.to_thread(scenarios_of, book, returns)

    async def _returns(self, symbols: list[str]) -> Returns:
        """Hourly changes of the last month; archived bars are read in threads."""
        found = {}
        for symbol in symbols:
            series = await self._history.bars(symbol, HOUR_S, None, None, HOURS + 1)
            if len(series) > 1:
                found[symbol] = returns_of(series)
        return found
