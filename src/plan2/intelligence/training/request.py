"""What a training run is asked to do; together with the ticks it decides the result."""

from typing import Literal

import msgspec

from plan2.dataflow.terminals.simulated.origin import Origin
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.features.feature_set import FeatureSet
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.training.labels import LabelRules


class TrainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to train.

    `ts_ns` is the time written into the manifests. `parents`: family → id of the model that the new
    one would follow, `parent_slopes`: of that model's calibration. `is_simulated`, `is_of_bars`:
    the report then says what that means. `origin`: the simulated market that the ticks are said to
    be of; what is planted in it is then held against what is forecast. `feature_set`: what to train
    on instead of the whole catalogue. `device`: where nets are trained; "auto" takes a GPU where
    there is one.
    """

    symbols: tuple[str, ...]
    instruments: dict[str, Instrument]
    ts_ns: int
    families: tuple[str, ...] = ("xgboost", "lstm")
    horizon_minutes: int = 120
    bar_period_s: int = 60
    barrier_sigmas: float = 0.75
    latency_ms: int = 100
    seed: int = 1
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    is_simulated: bool = False
    is_of_bars: bool = False
    origin: Origin | None = None
    parents: dict[str, str] = {}
    parent_slopes: dict[str, float] = {}
    feature_set: FeatureSet | None = None

    def plan(self) -> FeaturePlan:
        """The features that are computed."""
        return default_plan(self.bar_period_s, self.feature_set)

    def rules(self) -> LabelRules:
        """What the labels mean; a hole that resets the features also ends a label."""
        return LabelRules(
            horizon_s=self.horizon_minutes * 60,
            bar_period_s=self.bar_period_s,
            barrier_sigmas=self.barrier_sigmas,
            latency_ms=self.latency_ms,
            gap_s=self.plan().gap_s,
        )

    def question(self) -> str:
        """What is forecast, in words that are the same for every trial that competes on it."""
        rules = self.rules()
        return (
            f"{'+'.join(sorted(self.symbols))} {self.horizon_minutes}min bars {self.bar_period_s}s "
            f"barrier {self.barrier_sigmas:g} labels v{rules.version}"
        )

    def embargo_s(self) -> int:
        """How long after a test row nothing is trained on: the longer of horizon and memory."""
        # Averages forget more slowly than the warm-up of a small set says.
        memory_bars = max(self.plan().warmup_bars, *self.plan().catalogue_warmups)
        memory_s = memory_bars * self.bar_period_s
        return max(self.horizon_minutes * 60, memory_s)

    def instrument(self, symbol: str) -> Instrument:
        """The contract data of a symbol.

        Raises:
            InputError: the request does not hold it.
        """
        found = self.instruments.get(symbol)
        if found is None:
            raise InputError(f"There is no contract data for {symbol}, so its costs are unknown.")
        return found
