"""Lets running lanes go by the economic calendar as it is kept now, minutes before it counts."""

import asyncio

from plan2.foundation.config.schema import Settings
from plan2.foundation.scheduler import Job
from plan2.wiring.assembly import Floor
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.markets import Market
from plan2.wiring.surroundings import calendar_alone, calendar_of, schedules_of


class CalendarWatch:
    """Reads the calendar again when a file was imported: for the veto, and for sets that ask."""

    def __init__(self, floor: Floor, settings: Settings, market: Market) -> None:
        self._floor = floor
        self._plan = plan_of(settings)
        self._folder = market.home
        self._contracts = market.instruments
        self._seen = calendar_of(market.home).files()

    def jobs(self) -> list[Job]:
        """The chore; imports count from the second full minute after, so this is in time."""
        return [Job("read_calendar", self.read, "every 20 s")]

    async def read(self) -> None:
        """Hand new events to every lane, between two ticks."""
        files = calendar_of(self._folder).files()
        if files == self._seen:
            return
        around = await asyncio.to_thread(calendar_alone, self._folder, self._plan)
        schedules = await asyncio.to_thread(schedules_of, self._folder, self._contracts)
        for symbol, lane in self._floor.lanes.items():
            lane.schedule = schedules[symbol]
            if lane.engine.requested is not None:
                lane.engine.requested.look_at(around)
        self._seen = files
