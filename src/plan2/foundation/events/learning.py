"""Facts of the learning loop: what was forecast, what came of it, and what followed from that."""

import msgspec

from plan2.foundation.events.base import Event


class SampledForecast(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one candidate said at a sampled event; not an event itself.

    `votes`: model id → its calibrated probability of up. `logit`: of the blend of the votes, before
    the live calibration that `calibration_id` names. `side`: the better side, +1 or -1; 0 without a
    forecast. `abstained`: why acting on it would not have been worth it; empty = it would.
    """

    candidate_id: str
    role: str
    p_up: float
    logit: float
    votes: dict[str, float]
    side: int
    abstained: str
    calibration_id: str


class ForecastSampled(Event, frozen=True, kw_only=True, gc=False):
    """An event of the kind that models are trained on happened live; its outcome is waited for.

    Prices in quote currency per unit of the base. `is_independent`: no other such event of the
    symbol lies less than one horizon before it.
    """

    sample_id: str
    symbol: str
    mid: float
    spread: float
    sigma: float
    barrier: float
    horizon_s: int
    is_independent: bool
    forecasts: tuple[SampledForecast, ...]


class OutcomeRecorded(Event, frozen=True, kw_only=True, gc=False):
    """What became of a sampled event, by the label function of training; `ts_ns` is when.

    `status`: resolved, untradeable, interrupted or lost (`reason` says why). `side`: +1 up first,
    -1 down first, 0 unchanged. Results in R (multiples of the barrier), net of all costs.
    """

    sample_id: str
    symbol: str
    sampled_ts_ns: int
    status: str
    reason: str
    side: int
    net_r_long: float
    net_r_short: float
    cost_r: float
    hold_long_s: float
    hold_short_s: float
    is_independent: bool
    forecasts: tuple[SampledForecast, ...]


class DriftStateChanged(Event, frozen=True, kw_only=True, gc=False):
    """A drift signal rose or was lifted, with the figures behind it and what followed."""

    symbol: str
    candidate_id: str
    signal: str
    is_active: bool
    detector: str
    statistic: float
    limit: float
    events: int
    size_factor: float
    responses: tuple[str, ...]


class CalibrationRefitted(Event, frozen=True, kw_only=True, gc=False):
    """The live calibration of a candidate at a symbol was fitted again; bounded per day."""

    symbol: str
    candidate_id: str
    calibration_version: int
    slope: float
    intercept: float
    slope_before: float
    slope_wanted: float
    labels: int


class PromotionJudged(Event, frozen=True, kw_only=True, gc=False):
    """A challenger was held against the champion; `moved_to` is empty when it stays."""

    candidate_id: str
    champion_id: str
    pairs: int
    e_value: float
    mean_difference: float
    days: float
    labels_effective: float
    verdict: str
    moved_to: str
    reason: str


class RetrainingAsked(Event, frozen=True, kw_only=True, gc=False):
    """A new candidate was asked for."""

    slot: str
    cause: str
    labels_new: float


class SkewMeasured(Event, frozen=True, kw_only=True, gc=False):
    """Served feature vectors of a day were held against a replay of its archived ticks."""

    symbol: str
    day: str
    compared: int
    mismatches: int
    uncovered: int
    first_mismatch: str


class AbstentionsReported(Event, frozen=True, kw_only=True, gc=False):
    """A week's abstentions of a champion, and what acting would have brought, in R."""

    symbol: str
    candidate_id: str
    week: str
    sampled: int
    abstained: int
    value_r: float
    value_r_mean: float


class FeatureDriftMeasured(Event, frozen=True, kw_only=True, gc=False):
    """The newest days' features were held against the period that a champion was trained on.

    `drifted`: names of those that moved further than chance explains; `worst` has the largest PSI
    for its limit. `left_out`: columns that look at symbols of which too little is archived.
    """

    symbol: str
    candidate_id: str
    day: str
    bars: int
    training_bars: int
    drifted: tuple[str, ...]
    worst: str
    psi: float
    psi_limit: float
    left_out: tuple[str, ...] = ()
