"""In-process events of level 4 that carry its own types; they are not stored as such."""

from plan2.foundation.events.base import Event
from plan2.intelligence.models.forecast import Forecast


class ForecastMade(Event, frozen=True, kw_only=True, gc=False):
    """A forecast was computed for a tick."""

    forecast: Forecast
