"""What a piece of research is asked for, as it is kept: the same wish goes on where it stopped."""

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from plan2.foundation.errors import InputError
from plan2.intelligence.flows.flow import LONGEST_FILE, Flow, parse_flow, with_parameters
from plan2.intelligence.research.ranges import grid, parse_ranges
from plan2.intelligence.research.stress import StressPlan
from plan2.intelligence.research.subject import Window
from plan2.intelligence.research.sweep_plan import Method, SweepPlan
from plan2.intelligence.research.walk_forward import WalkPlan

Kind = Literal["sweep", "walk_forward", "stress"]
KINDS: Final[tuple[Kind, ...]] = ("sweep", "walk_forward", "stress")
END_OF_TIME_NS: Final = 2**63 - 1


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One piece of research; times UTC ns, 0 = as far as the ticks go.

    Attributes:
        flow: the text of the flow, TOML. symbol: empty = the flow's own.
        parameters: numbers that differ from the flow's and do not vary.
        ranges: of the parameters that do, as `ranges.parse_range` reads them; not for stress.
        others: see `SweepPlan`, `WalkPlan` and `StressPlan`.
    """

    kind: Kind
    flow: Annotated[str, Meta(max_length=LONGEST_FILE)]
    symbol: str = ""
    start_ns: int = 0
    end_ns: int = 0
    parameters: dict[str, float] = {}
    ranges: tuple[Annotated[str, Meta(max_length=500)], ...] = ()
    method: Method = "grid"
    trials: Annotated[int, Meta(ge=1, le=100_000)] = 200
    metric: str = "sharpe"
    minutes: Annotated[float, Meta(gt=0)] | None = None
    patience: Annotated[int, Meta(ge=0)] = 0
    median_stop: bool = False
    folds: Annotated[int, Meta(ge=2, le=100)] = 6
    train_share: Annotated[float, Meta(ge=1, le=50)] = 3.0
    mode: Literal["rolling", "anchored"] = "rolling"
    noise_points: Annotated[float, Meta(ge=0)] = 2.0
    noise_runs: Annotated[int, Meta(ge=0, le=1_000)] = 20
    jitter_runs: Annotated[int, Meta(ge=0, le=1_000)] = 10
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1
    processes: Annotated[int, Meta(ge=1, le=64)] = 1

    @property
    def research_id(self) -> str:
        """The same for equal wishes; how many processes work does not change what comes out."""
        bare = msgspec.structs.replace(self, processes=1)
        text = msgspec.json.encode(bare, order="deterministic")
        return hashlib.sha256(text).hexdigest()[:16]

    @property
    def window(self) -> Window:
        """The time asked for."""
        return Window(self.start_ns, self.end_ns or END_OF_TIME_NS)

    def flow_of(self) -> Flow:
        """The flow with its symbol and its fixed numbers.

        Raises:
            InputError: it cannot be read, or has no such parameter.
        """
        flow = with_parameters(parse_flow(self.flow), self.parameters)
        if not self.symbol:
            return flow
        source = msgspec.structs.replace(flow.source, symbol=self.symbol)
        return msgspec.structs.replace(flow, source=source)

    def sweep_plan(self) -> SweepPlan:
        """How points are chosen.

        Raises:
            InputError: a range cannot be used.
        """
        return SweepPlan(
            ranges=parse_ranges(self.ranges),
            method=self.method,
            trials=self.trials,
            metric=self.metric,
            minutes=self.minutes,
            patience=self.patience,
            median_stop=self.median_stop,
            seed=self.seed,
        )

    def walk_plan(self) -> WalkPlan:
        """How the time is cut.

        Raises:
            InputError: a range cannot be used.
        """
        return WalkPlan(
            sweep=self.sweep_plan(),
            folds=self.folds,
            train_share=self.train_share,
            mode=self.mode,
        )

    def stress_plan(self) -> StressPlan:
        """How much is run under worse conditions."""
        return StressPlan(
            noise_points=self.noise_points,
            noise_runs=self.noise_runs,
            jitter_runs=self.jitter_runs,
            seed=self.seed,
        )

    def check(self) -> None:
        """Refuse what cannot be carried out, before anything is begun.

        Raises:
            InputError: the flow, a range, the metric or the time cannot be used.
        """
        flow = self.flow_of()
        if self.end_ns and self.start_ns >= self.end_ns:
            raise InputError("The first time must be before the time to stop at.")
        if self.kind == "stress":
            if self.ranges:
                raise InputError("Stress runs one point; give numbers, not ranges.")
            return
        plan = self.sweep_plan()
        plan.check(flow)
        if plan.method == "grid":
            grid(plan.ranges)
