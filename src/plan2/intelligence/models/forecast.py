"""What the models say about one symbol at one tick, calibrated and with its uncertainty."""

import msgspec


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One model's part in a forecast.

    `raw` is the model's own probability of "up", `calibrated` after its calibration, both in 0..1;
    `weight` is its share in the blend; `abstained` is empty or says why the vote did not count.
    `age_s`: for nets that run when a bar closes, seconds since the end of that bar; else 0.
    """

    model_id: str
    family: str
    raw: float
    calibrated: float
    weight: float
    abstained: str = ""
    age_s: float = 0.0


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The ensemble's calibrated belief, and the bet it is about.

    Proposition: within `horizon_s` seconds the mid price rises by `barrier` (quote currency)
    before it falls by as much; if it does neither, the sign of its change decides.

    `p_up` is calibrated and rounded to 1e-5, so that batch and single-row inference cannot differ
    in effect. `disagreement` is the standard deviation of the votes; `standard_error` contains it,
    the calibration's own error and the widening for missing members; both in probability.
    `abstained` is empty, or the reason why there is no usable forecast (p_up is then 0.5).
    """

    symbol: str
    ts_ns: int
    p_up: float
    barrier: float
    horizon_s: int
    disagreement: float
    standard_error: float
    calibration_id: str
    votes: tuple[Vote, ...]
    abstained: str = ""
