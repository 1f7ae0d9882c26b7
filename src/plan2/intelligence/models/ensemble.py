"""The ensemble of one symbol: raw votes, calibrated, averaged, with the uncertainty of all that.

The blend is the plain mean of calibrated logits over the members that answered: with little signal
estimated weights cost more than they bring (specification, ml.md §6), unless training has shown
otherwise (`training.stacking`). A member that fails or gives no probability is left out and widens
the uncertainty; with none left there is no forecast. A record reproduces its forecast bit for bit.
"""

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from plan2.foundation.errors import ModelMismatch, require
from plan2.foundation.ids import derived_id
from plan2.foundation.values import NS_PER_SECOND, Float64Array
from plan2.intelligence.features.sampled import SampledFeatures
from plan2.intelligence.models.barrier import barrier_width
from plan2.intelligence.models.calibration import logit_of, probability_of
from plan2.intelligence.models.forecast import Forecast, Vote
from plan2.intelligence.models.members import LoadedModel, Member, Reading, values_of
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.session import FAILURES

DECIMALS = 5
WARMING_UP = "warming_up"
NO_MODEL = "no_model_available"
NOT_A_PROBABILITY = "not_a_probability"
BARRIER = "barrier"
CLOSED = "closed"
LINE = "live_calibration"
"""Keys among the states of a record: the barrier, the end of the last bar, the live calibration."""

_DOUBLE = struct.Struct("<d")
_TIME = struct.Struct("<q")
_LINE = struct.Struct("<qdd")


class LiveLine(NamedTuple):
    """The live calibration of a blend: logit → slope · logit + intercept; version 0 is none."""

    version: int
    slope: float
    intercept: float


IDENTITY = LiveLine(0, 1.0, 0.0)


class Ensemble:
    """All members for one symbol.

    Attributes:
        symbol: what is forecast. members: sorted by id; model_ids: their ids.
        calibration_id: of this combination of members. horizon_s: of the proposition.
    """

    def __init__(self, symbol: str, members: Sequence[Member]) -> None:
        require(len(members) > 0, f"{symbol}: an ensemble has at least one member")
        self.symbol = symbol
        self.members = tuple(sorted(members, key=lambda member: member.manifest.model_id))
        first = self.members[0].manifest
        terms = {
            (m.manifest.horizon_s, m.manifest.bar_period_s, m.manifest.barrier_sigmas)
            for m in self.members
        }
        if len(terms) != 1:
            raise ModelMismatch(
                f"{symbol}: the champion's members forecast different things "
                f"(horizon, bar, barrier): {sorted(terms)}.",
                remedy="Train all families together.",
            )
        self.model_ids = tuple(member.manifest.model_id for member in self.members)
        self.calibration_id = derived_id("calibration", *self.model_ids)[:12]
        self.horizon_s = first.horizon_s
        self._width_of_one = barrier_width(
            1.0, first.barrier_sigmas, first.horizon_s / first.bar_period_s
        )
        self._weights = tuple(member.manifest.blend_weight for member in self.members)
        self._barrier = math.nan
        self._has_forecast = False
        self._is_kept = any(member.is_kept for member in self.members)
        self._closed_ns = 0  # of the last forecast, where it matters
        self._line = IDENTITY
        self._ts_ns = 0
        self._raw: list[float] = []  # of the last forecast, as the members said it
        self._parts: dict[tuple[str, ...], Ensemble | None] = {}
        self._told: dict[tuple[str, ...], Forecast | None] = {}  # since the last forecast

    @property
    def line(self) -> LiveLine:
        """The live calibration in force."""
        return self._line

    def calibrate(self, line: LiveLine) -> None:
        """Put another live calibration in force, from the next tick on."""
        self._line = line

    def forecast(self, ts_ns: int, reading: Reading) -> Forecast:
        """What the members together expect at this tick."""
        sigma = reading.sigma
        self._ts_ns = ts_ns
        self._told.clear()
        self._has_forecast = reading.ready and sigma > 0.0
        if not self._has_forecast:
            return self._abstention(ts_ns, WARMING_UP)
        self._barrier = sigma * self._width_of_one
        if self._is_kept:
            self._closed_ns = reading.closed_ns
        self._raw = raw = [_guarded(member, reading) for member in self.members]
        return self._blend(ts_ns, self._barrier, raw, ts_ns - self._closed_ns, self._line)

    def among(self, families: tuple[str, ...]) -> Forecast | None:
        """What the members of these families alone said at the last forecast, blended anew.

        As an ensemble of only them forecasts: without the live calibration, which is of the whole.
        None when there is no such member; blended once a tick, however many ask.
        """
        if families not in self._told:
            if families not in self._parts:
                chosen = [each for each in self.members if each.manifest.family in families]
                self._parts[families] = Ensemble(self.symbol, chosen) if chosen else None
            part = self._parts[families]
            said = zip(self.members, self._raw, strict=True) if self._has_forecast else ()
            raw = [answer for member, answer in said if part and member in part.members]
            known = (self._ts_ns, self._barrier, raw, self._closed_ns)
            self._told[families] = part.of_answers(*known) if part else None
        return self._told[families]

    def of_answers(self, ts_ns: int, barrier: float, raw: list[float], closed_ns: int) -> Forecast:
        """The forecast from what the members have said elsewhere; nothing said is none yet."""
        if not raw:
            return self._abstention(ts_ns, WARMING_UP)
        return self._blend(ts_ns, barrier, raw, ts_ns - closed_ns, IDENTITY)

    def commit(self, reading: Reading) -> None:
        """A bar closed: the members with memory step over it, or forget everything at a gap.

        One whose step fails starts anew; until then it would speak from a state that lacks a bar.
        """
        if reading.gap_reset:
            self.reset()
            return
        for member in self.members:
            try:
                member.commit(reading.sequence_closed, reading.sequence)
            except FAILURES:
                member.reset()

    def reset(self) -> None:
        """Forget all recurrent state, as after a gap."""
        for member in self.members:
            member.reset()

    def rewarm(self, closed_bars: Float64Array) -> None:
        """Take the state that walking over these bars from zero gives; float64[bars, channels]."""
        self.reset()
        for row in closed_bars:
            for member in self.members:
                member.commit(row, row)

    def catch_up(self, samples: SampledFeatures) -> None:
        """Walk the recurrent members over the closed bars of a block, as if each had been live."""
        for row in np.flatnonzero(samples.closed):
            if samples.gap_reset[row]:
                self.reset()
                continue
            for member in self.members:
                member.commit(samples.sequence_closed[row], samples.sequence[row])

    def states(self) -> dict[str, bytes]:
        """What the last forecast started from besides the features, for the decision record.

        Model id → little-endian float32 (hidden, cell, sequence); the key "barrier" holds the
        barrier as one float64, "closed" the end of the bar closed last as one int64 when a member
        keeps its answer from there, "live_calibration" version, slope and intercept once there is
        one. Empty when the last forecast had no basis.
        """
        if not self._has_forecast:
            return {}
        memories = {m.manifest.model_id: m.memory() for m in self.members}
        memories[BARRIER] = _DOUBLE.pack(self._barrier)
        if self._is_kept:
            memories[CLOSED] = _TIME.pack(self._closed_ns)
        if self._line.version:
            memories[LINE] = _LINE.pack(*self._line)
        return memories

    def recompute(
        self, ts_ns: int, values: Sequence[float | None], states: Mapping[str, str]
    ) -> Forecast:
        """The forecast again, from a decision record alone; the live state stays as it is.

        Raises:
            ModelMismatch: the record was made by other models.
        """
        if not states:
            return self._abstention(ts_ns, WARMING_UP)
        kept = {CLOSED} if self._is_kept else set()
        missing = ({BARRIER, *self.model_ids} | kept) - set(states)
        if missing:
            raise ModelMismatch(
                f"{self.symbol}: the record holds no state for {sorted(missing)}; it was made by "
                f"{sorted(models_in(states))}.",
                remedy="Load the models that the record names.",
            )
        row = values_of(tuple(values))
        memories = {key: base64.b64decode(text) for key, text in states.items()}
        raw = [m.replay(row, memories[m.manifest.model_id]) for m in self.members]
        (barrier,) = _DOUBLE.unpack(memories[BARRIER])
        (closed_ns,) = _TIME.unpack(memories[CLOSED]) if self._is_kept else (ts_ns,)
        line = LiveLine(*_LINE.unpack(memories[LINE])) if LINE in memories else IDENTITY
        return self._blend(ts_ns, barrier, raw, ts_ns - closed_ns, line)

    def state_bytes(self) -> bytes:
        """The committed state of all members, for a snapshot; call between ticks."""
        return b"".join(member.state_bytes() for member in self.members)

    def set_state(self, data: bytes) -> None:
        """Continue from a snapshot of an ensemble of the same models.

        Raises:
            ModelMismatch: the snapshot has another length.
        """
        widths = [len(member.state_bytes()) for member in self.members]
        if sum(widths) != len(data):
            raise ModelMismatch(
                f"{self.symbol}: state of {sum(widths)} bytes expected, {len(data)} found.",
                remedy="It belongs to other models; start cold.",
            )
        start = 0
        for member, width in zip(self.members, widths, strict=True):
            member.set_state(data[start : start + width])
            start += width

    def _blend(
        self, ts_ns: int, barrier: float, raw: list[float], age_ns: int, line: LiveLine
    ) -> Forecast:
        """Calibrate, average and measure the disagreement; everything rounded to 1e-5."""
        total = spread = weight = mean = squares = 0.0
        answered = 0
        calibrated = []
        for member, own, probability in zip(self.members, self._weights, raw, strict=True):
            if not 0.0 <= probability <= 1.0:
                calibrated.append(math.nan)
                continue
            calibration, logit = member.manifest.calibration, logit_of(probability)
            p = probability_of(calibration.logit(logit))
            total += own * calibration.logit(logit)
            spread += own * math.sqrt(calibration.logit_variance(logit))
            mean += own * p
            weight += own
            answered += 1
            calibrated.append(p)
        votes = self._votes(raw, calibrated, weight, age_ns)
        if weight <= 0.0:
            return self._abstention(ts_ns, NO_MODEL, votes)
        mean /= weight
        for own, p in zip(self._weights, calibrated, strict=True):
            squares += 0.0 if math.isnan(p) else own * (p - mean) ** 2
        p_up = probability_of(line.slope * (total / weight) + line.intercept)
        disagreement = math.sqrt(squares / weight)
        calibration_error = line.slope * spread / weight * p_up * (1.0 - p_up)
        widening = math.sqrt(len(raw) / answered)
        return Forecast(
            symbol=self.symbol,
            ts_ns=ts_ns,
            p_up=round(p_up, DECIMALS),
            barrier=barrier,
            horizon_s=self.horizon_s,
            disagreement=round(disagreement, DECIMALS),
            standard_error=round(math.hypot(disagreement, calibration_error) * widening, DECIMALS),
            calibration_id=self._calibration_name(line),
            votes=votes,
        )

    def _calibration_name(self, line: LiveLine) -> str:
        return f"{self.calibration_id}.{line.version}" if line.version else self.calibration_id

    def _votes(
        self, raw: list[float], calibrated: list[float], total: float, age_ns: int
    ) -> tuple[Vote, ...]:
        age_s = round(age_ns / NS_PER_SECOND, 3)
        return tuple(
            Vote(
                model_id=member.manifest.model_id,
                family=member.manifest.family,
                raw=round(raw[k], DECIMALS),
                calibrated=round(calibrated[k], DECIMALS),
                weight=self._weights[k] / total if total > 0.0 else 0.0,
                age_s=age_s if member.is_kept else 0.0,
            )
            if not math.isnan(calibrated[k])
            else Vote(
                model_id=member.manifest.model_id,
                family=member.manifest.family,
                raw=0.5,
                calibrated=0.5,
                weight=0.0,
                abstained=NOT_A_PROBABILITY,
            )
            for k, member in enumerate(self.members)
        )

    def _abstention(self, ts_ns: int, reason: str, votes: tuple[Vote, ...] = ()) -> Forecast:
        return Forecast(
            symbol=self.symbol,
            ts_ns=ts_ns,
            p_up=0.5,
            barrier=0.0,
            horizon_s=self.horizon_s,
            disagreement=0.0,
            standard_error=0.0,
            calibration_id=self.calibration_id,
            votes=votes,
            abstained=reason,
        )


def models_in(states: Mapping[str, str]) -> frozenset[str]:
    """Ids of the models whose states a decision record holds."""
    return frozenset(states) - {BARRIER, CLOSED, LINE}


def _guarded(member: Member, reading: Reading) -> float:
    """A member's raw probability, NaN when its run fails."""
    try:
        return member.probability(reading)
    except FAILURES:
        return math.nan


def load_ensembles(
    registry: Registry, symbols: Sequence[str], schema_id: str
) -> dict[str, Ensemble]:
    """One ensemble for each symbol that has a champion; models are loaded once and shared.

    Raises:
        ModelMismatch: a champion belongs to other features or its file was changed.
    """
    champions = registry.champion(symbols, schema_id)
    wanted = sorted({model_id for ids in champions.values() for model_id in ids})
    models: dict[str, LoadedModel] = {mid: registry.load(mid, schema_id) for mid in wanted}
    return {
        symbol: Ensemble(symbol, [models[model_id].member() for model_id in ids])
        for symbol, ids in champions.items()
    }
