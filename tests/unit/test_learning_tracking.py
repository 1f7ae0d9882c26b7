"""Records of forecasters, the live calibration, and what a ledger makes of outcomes."""

import msgspec
import numpy as np
import pytest
from learning_fixtures import forecast, outcome
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from plan2.foundation.events.learning import (
    AbstentionsReported,
    CalibrationRefitted,
    DriftStateChanged,
    FeatureDriftMeasured,
)
from plan2.foundation.events.model import ModelAccuracyUpdated
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.learning.ledger import CANDIDATE, MODEL, Key, Ledger
from plan2.intelligence.learning.live_calibration import LabelledLogit, refit
from plan2.intelligence.learning.tracking import Track, calibration_of, scored_of, scores_of
from plan2.intelligence.models.calibration import fit
from plan2.intelligence.models.ensemble import LiveLine

HORIZON_S = 7_200


def told(rng, count: int, stretch: float = 1.0, edge: float = 0.8, **changes):
    """Outcomes whose odds the champion knows, stretched by overconfidence."""
    found = []
    for k in range(count):
        logit = rng.normal(0.0, edge)
        side = 1 if rng.random() < 1 / (1 + np.exp(-logit)) else -1
        p = 1 / (1 + np.exp(-stretch * logit))
        said = forecast("a", "champion", p, acts=bool(abs(p - 0.5) > 0.1))
        found.append(outcome(k, side, [said], **changes))
    return found


@pytest.fixture(scope="module")
def scored():
    """Five hundred independent events."""
    rng = np.random.default_rng(5)
    return [scored_of(o, o.forecasts[0], o.forecasts[0].p_up) for o in told(rng, 500)]


def test_scores_agree_with_another_library(scored):
    """Log loss, Brier score and the calibration line against scikit-learn."""
    p, up = (np.array([getattr(each, name) for each in scored]) for name in ("p", "up"))
    found = scores_of(scored, HORIZON_S, np.random.default_rng(1))
    logit = np.log(p / (1 - p))
    line = LogisticRegression(C=np.inf).fit(logit[:, None], up)

    assert found.log_loss.value == pytest.approx(log_loss(up, p))
    assert found.brier.value == pytest.approx(brier_score_loss(up, p))
    assert found.calibration.slope.value == pytest.approx(line.coef_[0, 0], abs=2e-3)
    assert found.calibration.intercept.value == pytest.approx(line.intercept_[0], abs=2e-3)
    assert found.calibration.slope.low < 1.0 < found.calibration.slope.high
    assert found.n_eff == pytest.approx(500)
    assert sum(each.count for each in found.reliability) == 500
    assert set(found.sessions) <= {"asia", "london", "new_york", "late"}


def test_abstentions_have_a_value(scored):
    """The mean result that acting on them would have had, against plain arithmetic."""
    found = scores_of(scored, HORIZON_S, np.random.default_rng(1))
    left = [each.result for each in scored if not each.is_acted]

    assert found.abstained == pytest.approx(len(left) / 500)
    assert found.abstained_r.value == pytest.approx(np.mean(left))


@pytest.mark.parametrize(
    ("right", "events", "verdict"),
    [(0.52, 2_000, "insufficient_evidence"), (0.62, 1_000, "edge_shown"), (0.5, 40, None)],
)
def test_the_power_table_decides_what_may_be_said(right, events, verdict):
    """ML-042: 52 % takes 3 863 independent events; fewer show nothing."""
    count = round(right * events)
    rows = [
        scored_of(o, o.forecasts[0], 0.6)
        for k in range(events)
        for o in [outcome(k, 1 if k * count // events != (k + 1) * count // events else -1,
                          [forecast("a", "champion", 0.6)])]
    ]  # fmt: skip
    found = scores_of(rows, HORIZON_S, np.random.default_rng(1))

    assert found.accuracy.value == pytest.approx(right, abs=1e-9)
    assert found.verdict == (verdict or "insufficient_evidence")
    if right == 0.52:
        assert found.n_required == pytest.approx(3_863, abs=2)


def test_overlapping_labels_count_once():
    """The same event told three times is one effective label."""
    rng = np.random.default_rng(2)
    once = [scored_of(o, o.forecasts[0], o.forecasts[0].p_up) for o in told(rng, 60)]
    thrice = [each for each in once for _ in range(3)]
    line, tripled = calibration_of(once), calibration_of(thrice)

    assert scores_of(thrice, HORIZON_S, rng).n_eff == pytest.approx(60)
    assert tripled.slope.value == pytest.approx(line.slope.value)
    assert tripled.slope.high == pytest.approx(line.slope.high)


def test_a_refit_is_bounded_and_versioned():
    """ML-047: MAP-Platt on independent labels, the slope moves by at most 0.2 a day."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0.0, 1.0, 600)
    up = (rng.random(600) < 1 / (1 + np.exp(-0.2 * logits))).astype(float)
    labelled = [LabelledLogit(*pair) for pair in zip(logits, up, strict=True)]
    wanted = fit(logits, up, np.ones(600), slope_prior=1.0)
    first = refit(labelled)
    second = refit(labelled, first.line)

    assert first.slope_wanted == pytest.approx(wanted.slope)
    assert (first.line.version, first.line.slope) == (1, pytest.approx(0.8))
    assert (second.line.version, second.line.slope) == (2, pytest.approx(0.6))
    assert refit(labelled[:49]) is None
    assert refit(labelled, LiveLine(4, wanted.slope, 0.0)).line.slope == pytest.approx(
        wanted.slope, abs=0.1
    )


def ledger_of(**changes) -> Ledger:
    """A ledger whose candidates were validated at the odds of `told`."""
    metrics = {"accuracy": 0.64, "base_rate": 0.5, "brier_skill": 0.12, "cost_share": 0.05}
    return Ledger(HORIZON_S, lambda _name: metrics, **changes)


def test_a_ledger_folds_the_same_twice():
    """What a restart reads again leads to the same state, line by line."""
    outcomes = told(np.random.default_rng(7), 400, stretch=3.0)
    one, other = ledger_of(), ledger_of()
    events = [e for o in outcomes for e in (*one.on_day("EURUSD", o.ts_ns), *one.absorb(o))]
    refits = {e.ts_ns: e for e in events if isinstance(e, CalibrationRefitted)}
    for each in outcomes:
        for ts_ns in [ts for ts in refits if ts <= each.ts_ns]:
            other.adopt_line(refits.pop(ts_ns))
        other.absorb(each)

    assert one.line("EURUSD") == other.line("EURUSD") != (0, 1.0, 0.0)
    assert one.watches["EURUSD"].readings() == other.watches["EURUSD"].readings()
    assert one.scores(Key(CANDIDATE, "a", "EURUSD")) == other.scores(Key(CANDIDATE, "a", "EURUSD"))


def test_overconfidence_is_noticed_and_cured():
    """Calibration drift halves the size, refits, and is lifted once new outcomes look right."""
    ledger, rng, events = ledger_of(), np.random.default_rng(8), []
    for each in told(rng, 1_500, stretch=3.0):
        line = ledger.line("EURUSD")
        said = each.forecasts[0]
        p = 1 / (1 + np.exp(-(line.slope * said.logit + line.intercept)))
        said = msgspec.structs.replace(said, p_up=float(p))
        each = msgspec.structs.replace(each, forecasts=(said,))
        events += ledger.on_day("EURUSD", each.ts_ns)
        events += ledger.absorb(each)
    drift = [e for e in events if isinstance(e, DriftStateChanged)]
    calibration = [(e.is_active, e.size_factor) for e in drift if "calibration" in e.signal]
    slopes = [e.slope for e in events if isinstance(e, CalibrationRefitted)]

    assert calibration[0] == (True, 0.5)
    assert (False, 1.0) in calibration
    assert slopes[-1] == pytest.approx(1 / 3, abs=0.12)
    assert max(abs(np.diff([1.0, *slopes]))) <= 0.2 + 1e-12


def test_a_day_brings_measured_accuracies_and_a_week_its_abstentions():
    """Only what the evidence carries is told; ML-012: rate and value of a week's abstentions."""
    ledger, events = ledger_of(), []
    for each in told(np.random.default_rng(9), 400, edge=1.5):
        events += ledger.on_day("EURUSD", each.ts_ns)
        events += ledger.absorb(each)
    measured = [e for e in events if isinstance(e, ModelAccuracyUpdated)]
    weeks = [e for e in events if isinstance(e, AbstentionsReported)]
    track = ledger.tracks[Key(MODEL, "a-model", "EURUSD")]
    second = [s for s in track.since(0) if s.t0 // NS_PER_DAY in range(19_730, 19_737)]

    assert {e.model_id for e in measured} == {"a-model"}
    assert 0.6 < measured[-1].accuracy < 0.85
    assert [e.week for e in weeks] == [f"2024-W{week:02d}" for week in range(1, len(weeks) + 1)]
    assert weeks[1].sampled == len(second)
    assert weeks[1].abstained == sum(not each.is_acted for each in second)
    assert weeks[1].value_r == pytest.approx(
        sum(each.result for each in second if not each.is_acted)
    )


def test_a_new_champion_is_judged_by_itself():
    """Its tracks, its detectors and no live calibration of the one before."""
    ledger = ledger_of()
    for each in told(np.random.default_rng(10), 200, stretch=3.0):
        ledger.on_day("EURUSD", each.ts_ns)
        ledger.absorb(each)
    before = ledger.line("EURUSD").version
    ledger.absorb(outcome(200, 1, [forecast("b", "champion", 0.6)]))

    assert before > 0
    assert ledger.line("EURUSD").version == 0
    assert ledger.watches["EURUSD"].events == 1
    assert ledger.size_factor("EURUSD") == 1.0
    assert ledger.scores(Key(CANDIDATE, "b", "EURUSD")).verdict == "insufficient_evidence"


def measured(drifted: tuple[str, ...], champion: str = "champion") -> FeatureDriftMeasured:
    """Five days of bars held against the training period."""
    return FeatureDriftMeasured(
        ts_ns=1, symbol="EURUSD", candidate_id=champion, day="2024-03-05", bars=7_000,
        training_bars=40_000, drifted=drifted, worst="cost", psi=0.4, psi_limit=0.2,
    )  # fmt: skip


def test_feature_drift_widens_the_novelty_veto_and_nothing_else():
    """ML-072: told once when it begins and once when it ends; sizes and retraining stay."""
    ledger = ledger_of()
    assert not ledger.widens_novelty("EURUSD")
    (told_begin,) = ledger.measured(measured(("cost",)))
    assert (told_begin.signal, told_begin.is_active) == ("feature_drift", True)
    assert told_begin.responses == ("novelty_veto",)
    assert ledger.widens_novelty("EURUSD")
    assert ledger.size_factor("EURUSD") == 1.0
    assert ledger.measured(measured(("cost", "return_5"))) == []
    (told_end,) = ledger.measured(measured(()))
    assert (told_end.signal, told_end.is_active) == ("feature_drift", False)
    assert not ledger.widens_novelty("EURUSD")


def test_another_champion_is_not_blamed_for_the_drift_of_the_one_before():
    """What was trained on other days is judged by them."""
    ledger = ledger_of()
    ledger.measured(measured(("cost",)))
    ledger.measured(measured((), champion="next"))
    assert ledger.champions["EURUSD"] == "next"
    assert not ledger.widens_novelty("EURUSD")


def test_scores_are_read_while_the_loop_adds(scored):
    """Pages ask from a thread: an outcome that comes in the middle is left for the next look."""
    track = Track()

    class Late:
        """An outcome that is looked at just when the next one arrives."""

        @property
        def t0(self) -> int:
            """Reading it lets the loop add one."""
            track.add(scored[1])
            return scored[0].t0

    track.add(Late())
    assert len(track.since(0)) == 1
    assert track.added == 2
