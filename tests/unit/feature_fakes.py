# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""Features and situations as the routes ask for them, without an engine behind."""

from collections.abc import Sequence

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND, Float64Array
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.features.set_check import CheckReport
from plan2.intelligence.regimes.similar import Neighbour, SimilarSituations
from plan2.interface.api.ports import FeatureVector

NOON_NS = 1_709_640_000 * NS_PER_SECOND  # Tuesday 2024-03-05 12:00 UTC


class FakeFeatures:
    """One vector with a hole for EURUSD, none for others."""

    def latest(self, symbol: str) -> FeatureVector | None:
        if symbol != "EURUSD":
            return None
        return FeatureVector(
            ts_ns=NOON_NS,
            schema_id="schema-1",
            ready=False,
            names=("spread", "rsi_14"),
            units=("pip", "1"),
            values=np.array([1.0, np.nan]),
        )

    def names(self, schema_id: str) -> tuple[str, ...] | None:
        return ("spread", "rsi_14") if schema_id == "schema-1" else None

    def plan(self) -> FeaturePlan:
        return default_plan()

    def checked(self, schema_id: str) -> CheckReport | None:
        return None


class FakeSituations:
    """Knows EURUSD only: one neighbour for whatever is asked."""

    def similar(
        self, symbol: str, named: tuple[Sequence[str], Float64Array], ts_ns: int, side: int
    ) -> SimilarSituations:
        if symbol != "EURUSD":
            raise InputError(f"There is no data set of {symbol} to compare with.")
        near = Neighbour(
            ts_ns=ts_ns - NS_PER_SECOND,
            distance=float(named[1][0]),
            net_r_long=0.5,
            net_r_short=-0.7,
        )
        return SimilarSituations(
            version=1,
            n=1,
            n_eff=1.0,
            net_r_mean=None,
            net_r_low=None,
            net_r_high=None,
            hit_rate=None,
            distance_percentile=0.4,
            is_novel=False,
            nearest=(near,),
        )
