"""The feature engines as the routes see them: the vector after the last tick, with its names."""

from collections.abc import Mapping
from pathlib import Path

from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.set_check import CheckReport, saved_report
from plan2.intelligence.pipeline import Lane, Pipeline
from plan2.interface.api.ports import FeatureVector


class LaneFeatures:
    """Reads the engines of a running pipeline; call it on the loop's thread."""

    def __init__(self, pipeline: Pipeline, data_dir: Path) -> None:
        self._pipeline = pipeline
        self._data_dir = data_dir
        self._lanes: Mapping[str, Lane] = pipeline.lanes

    def latest(self, symbol: str) -> FeatureVector | None:
        """A copy of the vector after the last tick; None before the first one."""
        tick = self._pipeline.last_ticks.get(symbol)
        if tick is None:
            return None
        engine = self._lanes[symbol].engine
        return FeatureVector(
            ts_ns=tick.ts_ns,
            schema_id=engine.plan.schema_id,
            ready=engine.ready,
            names=engine.plan.names,
            units=engine.plan.units,
            values=engine.values.copy(),
        )

    def plan(self) -> FeaturePlan:
        """What all symbols compute."""
        return next(iter(self._lanes.values())).engine.plan

    def checked(self, schema_id: str) -> CheckReport | None:
        """The last result of `plan2 features check` for these features."""
        return saved_report(self._data_dir, schema_id)

    def names(self, schema_id: str) -> tuple[str, ...] | None:
        """Names of a schema's features; None when no engine runs it."""
        for lane in self._lanes.values():
            if lane.engine.plan.schema_id == schema_id:
                return lane.engine.plan.names
        return None
