"""Facts about long work: what was asked for, when it ran, how it ended."""

from plan2.foundation.events.base import Event


class RetrainModel(Event, frozen=True, kw_only=True, gc=False):
    """The command to train models anew; `job_id` is the job that carries it out.

    `start_ns` and `end_ns` are the stretch of ticks, UTC; 0 = as far as the archive goes.
    """

    job_id: str
    symbols: tuple[str, ...]
    families: tuple[str, ...]
    horizon_minutes: int
    seed: int
    start_ns: int
    end_ns: int
    by: str


class JobStarted(Event, frozen=True, kw_only=True, gc=False):
    """A job got its turn and runs; `waited_s` is how long it waited for it."""

    job_id: str
    kind: str
    waited_s: float
    by: str


class JobEnded(Event, frozen=True, kw_only=True, gc=False):
    """A job is over."""

    job_id: str
    kind: str
    state: str
    """`done`, `failed`, `cancelled` or `interrupted`."""
    seconds: float
    """How long it ran; 0 when it never began."""
    code: str
    """The failure's code, "" when there is none."""
    message: str
    by: str
    """Who asked for it or, when it was cancelled, who cancelled it."""
