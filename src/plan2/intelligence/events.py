"""In-process events of level 4 that carry its own types; they are not stored as such."""

from plan2.foundation.events.base import Event
from plan2.intelligence.models.forecast import Forecast


class ForecastMade(Event, frozen=True, kw_only=True, gc=False):
    """A forecast was computed for a tick."""

    forecast: Forecast


class BrokerViewChanged(Event, frozen=True, kw_only=True, gc=False):
    """What only the broker has of an account is not what it was at the last comparison."""
