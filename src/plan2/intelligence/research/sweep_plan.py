"""What a sweep is asked for."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from plan2.foundation.errors import InputError
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.research.ranges import Range
from plan2.intelligence.research.score import METRICS

Method = Literal["grid", "random", "tpe"]
TRIALS_USUAL: Final = 200


class SweepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which points are tried, how they compare, and when it is enough.

    Attributes:
        method: every combination, uniform draws, or Optuna's tree of Parzen estimators.
        trials: at most so many, those of an interrupted run included; a grid takes all of its own.
        metric: one of `METRICS`; more is better.
        minutes: stop after this long; None = no limit.
        patience: stop after so many trials without a better one; 0 = never.
        median_stop: leave a trial that is below the median after the first third of the window.
        seed: of the draws.
    """

    ranges: tuple[Range, ...]
    method: Method = "grid"
    trials: Annotated[int, Meta(ge=1, le=100_000)] = TRIALS_USUAL
    metric: str = "sharpe"
    minutes: float | None = None
    patience: int = 0
    median_stop: bool = False
    seed: int = 1

    def check(self, flow: Flow) -> None:
        """Hold it against the flow.

        Raises:
            InputError: a range is of no parameter of the flow, or the metric is unknown.
        """
        for each in self.ranges:
            if each.name not in flow.parameters:
                known = ", ".join(flow.parameters) or "none"
                raise InputError(f"{flow.name} has no parameter {each.name!r}; it has {known}.")
        if self.metric not in METRICS:
            raise InputError(
                f"{self.metric!r} is no metric to compare trials by; known: {', '.join(METRICS)}."
            )
