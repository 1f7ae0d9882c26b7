"""What the learning loop is told when a bar closes; made on the bus, read off the tick path."""

from dataclasses import dataclass

from plan2.foundation.values import Float64Array, Tick
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.members import Reading
from plan2.intelligence.training.labels import Tape


@dataclass(frozen=True, slots=True)
class Moment:
    """A copy of what the feature engine showed at a tick; a `Reading` that does not change.

    values float64[F], sequence and sequence_closed float64[16]; `sigma` quote currency;
    closed_ns UTC.
    """

    values: Float64Array
    sequence: Float64Array
    sequence_closed: Float64Array
    sigma: float
    ready: bool
    gap_reset: bool
    closed_ns: int


def moment_of(reading: Reading) -> Moment:
    """Copy a reading; the engine's own arrays are overwritten by the next tick."""
    return Moment(
        values=reading.values.copy(),
        sequence=reading.sequence.copy(),
        sequence_closed=reading.sequence_closed.copy(),
        sigma=reading.sigma,
        ready=reading.ready,
        gap_reset=reading.gap_reset,
        closed_ns=reading.closed_ns,
    )


@dataclass(frozen=True, slots=True)
class BarNote:
    """A closed bar: the ticks since the one before, the last of which closed it.

    `closing` is that last tick, `moment` the features after it, `forecast` the champion's at it
    (None without models). `tape` holds one entry per tick, oldest first.
    """

    symbol: str
    tape: Tape
    closing: Tick
    moment: Moment
    forecast: Forecast | None
