"""What a flow reads from outside its own bars: catalogue features and the ensemble's forecasts.

Both come from the very objects that serve live ticks, and are known at the tick that closes a bar
of the feature engine. Forecasts are made one row at a time, as live, rounded to 1e-5; how usual the
situation is and how old the models are decides what is left of a size (`doubts.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array
from plan2.intelligence.backtest.doubts import NO_DOUBTS, Doubts
from plan2.intelligence.backtest.feeds import TickFeed
from plan2.intelligence.backtest.run_flow import Outer
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.sampled import SampledFeatures
from plan2.intelligence.flows.forecasts import check_features, forecast_row
from plan2.intelligence.flows.words import FORECASTS
from plan2.intelligence.models.ensemble import Ensemble


@dataclass(frozen=True, slots=True)
class BarReading:
    """What an ensemble needs of one closed bar; see `models.members.Reading`."""

    values: Float64Array
    sequence: Float64Array
    sequence_closed: Float64Array
    closed_ns: int
    sigma: float
    ready: bool
    gap_reset: bool


class Outside:
    """Collects outer values of a feed.

    Attributes:
        inference_s: seconds spent in models so far.

    Args:
        names: which values. engine: fresh, of the flow's symbol. ensemble: fresh; None when no
            forecast is read. uncertainty_weight: standard errors between p_up and p_up_lcb.
        doubts: what is held against the models.

    Raises:
        InputError: nobody forecasts, or a feature is not among those in use.
    """

    def __init__(
        self,
        names: Sequence[str],
        engine: FeatureEngine,
        ensemble: Ensemble | None,
        uncertainty_weight: float,
        doubts: Doubts = NO_DOUBTS,
    ) -> None:
        self.inference_s = 0.0
        self._doubts = doubts
        self._names = tuple(names)
        self._engine = engine
        self._ensemble = ensemble
        self._weight = uncertainty_weight
        if ensemble is None and set(names) & set(FORECASTS):
            raise InputError(
                f"{engine.symbol} has no models, and the flow reads their forecasts.",
                remedy="Train some with `plan2 train`.",
            )
        check_features(names, engine.plan.names)

    def collect(self, feed: TickFeed) -> Outer:
        """What is known at every closed bar of the feed."""
        times, rows = [np.empty(0, np.int64)], [np.empty((0, len(self._names)))]
        shares = [np.empty(0)]
        for block in feed.blocks():
            samples = self._engine.step_block(block)
            if len(samples):
                times.append(samples.ts_ns.copy())
                rows.append(self._rows(samples))
                shares.append(self._shares(samples))
        rows_of = (np.concatenate(times), np.concatenate(rows), np.concatenate(shares))
        if self._ensemble is not None:
            rows_of = self._doubts.around_events(*rows_of)
        return Outer(self._names, *rows_of)

    def _shares(self, samples: SampledFeatures) -> Float64Array:
        """What is left of a size at each row, float64[m]."""
        moments = samples.ts_ns.tolist()
        share = self._doubts.share
        return np.array([share(samples.catalogue[row], ts) for row, ts in enumerate(moments)])

    def _rows(self, samples: SampledFeatures) -> Float64Array:
        known = np.empty((len(samples), len(self._names)))
        places = self._engine.plan.names
        for column, name in enumerate(self._names):
            if name not in FORECASTS:
                known[:, column] = samples.values[:, places.index(name)]
        if self._ensemble is not None:
            began = stopwatch_ns()
            forecasts = self._forecasts(self._ensemble, samples)
            self.inference_s += (stopwatch_ns() - began) / 1e9
            for column, name in enumerate(self._names):
                if name in FORECASTS:
                    known[:, column] = forecasts[:, FORECASTS.index(name)]
        return known

    def _forecasts(self, ensemble: Ensemble, samples: SampledFeatures) -> Float64Array:
        """float64[m, 4] in the order of FORECASTS; NaN where there is no forecast."""
        out = np.empty((len(samples), len(FORECASTS)))
        for row in range(len(samples)):
            reading = _reading(samples, row)
            ensemble.commit(reading)
            ts_ns = int(samples.ts_ns[row])
            is_over = self._doubts.is_over(ts_ns)
            forecast = None if is_over else ensemble.forecast(ts_ns, reading)
            out[row] = forecast_row(forecast, self._weight)
        return out


def _reading(samples: SampledFeatures, row: int) -> BarReading:
    period_ns = samples.period_s * 1_000_000_000
    return BarReading(
        values=samples.values[row],
        sequence=samples.sequence[row],
        sequence_closed=samples.sequence_closed[row],
        closed_ns=int(samples.bar_ts_ns[row]) + period_ns,
        sigma=float(samples.sigma[row]),
        ready=bool(samples.ready[row]),
        gap_reset=bool(samples.gap_reset[row]),
    )
