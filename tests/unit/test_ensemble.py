"""The ensemble: arithmetic by hand with fake members, replay with real ones."""

import base64
import math
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from model_fixtures import instrument, random_walk, small_report

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import Tick
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.models.calibration import Calibration
from plan2.intelligence.models.ensemble import BARRIER, Ensemble, load_ensembles
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.session import FAILURES
from plan2.intelligence.training.train import register_report

pytest.importorskip("torch")


class _Member:
    """Says what it is told to."""

    def __init__(  # noqa: PLR0917 - what a manifest says, in short
        self,
        model_id,
        raw,
        slope=1.0,
        variance=0.0,
        horizon_s=7_200,
        is_kept=False,
        blend_weight=1.0,
    ):
        self.raw = raw
        self.is_kept = is_kept
        self.committed = 0
        self.resets = 0
        self.manifest = SimpleNamespace(
            model_id=model_id,
            family=model_id.split("-")[0],
            horizon_s=horizon_s,
            bar_period_s=60,
            barrier_sigmas=0.75,
            blend_weight=blend_weight,
            calibration=Calibration(
                slope=slope,
                intercept=0.0,
                slope_variance=0.0,
                intercept_variance=variance,
                covariance=0.0,
                n_eff=100.0,
            ),
        )

    def probability(self, reading):
        if isinstance(self.raw, type):
            raise self.raw("the run failed")
        return self.raw

    def commit(self, sequence_closed, sequence):
        self.committed += 1

    def reset(self):
        self.resets += 1

    def memory(self):
        return b""

    def replay(self, values, memory):
        return self.raw

    def state_bytes(self):
        return b""


def reading(**changes):
    """An engine that is ready, with a sigma of 2."""
    fields = {
        "values": np.zeros(56),
        "sequence": np.zeros(16),
        "sequence_closed": np.zeros(16),
        "sigma": 2.0,
        "ready": True,
        "gap_reset": False,
    }
    return SimpleNamespace(**{**fields, **changes})


def logit(p):
    """Log-odds."""
    return math.log(p / (1 - p))


def test_a_stack_counts_by_its_weights():
    """By hand: weights 0.5 and 1.5 are a quarter and three quarters; disagreement by weight too."""
    members = [_Member("a-1", 0.6, blend_weight=0.5), _Member("b-1", 0.8, blend_weight=1.5)]
    forecast = Ensemble("X", members).forecast(7, reading())
    blend = 0.25 * logit(0.6) + 0.75 * logit(0.8)
    assert forecast.p_up == pytest.approx(1 / (1 + math.exp(-blend)), abs=1e-5)
    assert [vote.weight for vote in forecast.votes] == [0.25, 0.75]
    assert forecast.disagreement == pytest.approx(
        math.sqrt(0.25 * 0.15**2 + 0.75 * 0.05**2), abs=1e-5
    )


def test_without_anybody_who_counts_there_is_no_forecast():
    """The only member with a weight fails; the other one has none."""
    members = [_Member("a-1", 0.6, blend_weight=0.0), _Member("b-1", math.nan, blend_weight=2.0)]
    forecast = Ensemble("X", members).forecast(7, reading())
    assert forecast.abstained == "no_model_available"


def test_the_blend_is_the_mean_of_calibrated_logits():
    """Slopes 1 and 0.5 on 0.6 and 0.8: (logit 0.6 + 0.5·logit 0.8) / 2."""
    forecast = Ensemble("X", [_Member("a-1", 0.6), _Member("b-1", 0.8, 0.5)]).forecast(7, reading())
    second = 1 / (1 + math.exp(-0.5 * logit(0.8)))
    expected = 1 / (1 + math.exp(-(logit(0.6) + 0.5 * logit(0.8)) / 2))

    assert forecast.p_up == round(expected, 5)
    assert [vote.calibrated for vote in forecast.votes] == [0.6, round(second, 5)]
    assert [vote.weight for vote in forecast.votes] == [0.5, 0.5]
    assert forecast.disagreement == pytest.approx(abs(0.6 - second) / 2, abs=1e-5)
    assert forecast.standard_error == pytest.approx(forecast.disagreement, abs=1e-5)
    assert (forecast.symbol, forecast.ts_ns, forecast.abstained) == ("X", 7, "")


def test_the_barrier_is_sigma_times_the_root_of_the_horizon():
    """0.75 · 2 · √120."""
    forecast = Ensemble("X", [_Member("a-1", 0.6)]).forecast(7, reading())

    assert forecast.barrier == pytest.approx(0.75 * 2.0 * math.sqrt(120))
    assert forecast.horizon_s == 7_200


def test_the_standard_error_contains_the_calibrations_own():
    """Logit variance 0.04 at p = 0.5: 0.2 · 0.25."""
    members = [_Member("a-1", 0.5, variance=0.04), _Member("b-1", 0.5, variance=0.04)]
    forecast = Ensemble("X", members).forecast(7, reading())

    assert forecast.disagreement == 0.0
    assert forecast.standard_error == pytest.approx(0.05)


@pytest.mark.parametrize("bad", [math.nan, 1.5, -0.1, math.inf, FAILURES[0]])
def test_a_member_that_fails_is_dropped_and_widens_the_error(bad):
    """Half of the members: the error grows by √2; the vote says why it does not count."""
    members = [_Member("a-1", 0.6, variance=0.04), _Member("b-1", bad)]
    alone = Ensemble("X", members[:1]).forecast(7, reading())
    forecast = Ensemble("X", members).forecast(7, reading())

    assert forecast.p_up == alone.p_up == 0.6
    assert forecast.standard_error == pytest.approx(alone.standard_error * math.sqrt(2), abs=1e-5)
    assert [vote.weight for vote in forecast.votes] == [1.0, 0.0]
    assert forecast.votes[1].abstained == "not_a_probability"
    assert b"NaN" not in msgspec.json.encode(forecast)


def test_with_no_member_left_there_is_no_forecast():
    """Abstained, and p is one half only in name."""
    forecast = Ensemble("X", [_Member("a-1", math.nan)]).forecast(7, reading())

    assert forecast.abstained == "no_model_available"
    assert forecast.p_up == 0.5


@pytest.mark.parametrize("engine", [reading(ready=False), reading(sigma=math.nan)])
def test_while_warming_up_nothing_is_forecast(engine):
    """There is no state to record either, and the record reproduces just that."""
    ensemble = Ensemble("X", [_Member("a-1", 0.6)])
    forecast = ensemble.forecast(7, engine)

    assert forecast.abstained == "warming_up"
    assert ensemble.states() == {}
    assert ensemble.recompute(7, [None] * 56, {}) == forecast


def test_a_gap_resets_instead_of_committing():
    """The bar before the gap is not part of what follows."""
    member = _Member("a-1", 0.6)
    ensemble = Ensemble("X", [member])
    ensemble.commit(reading())
    ensemble.commit(reading(gap_reset=True))

    assert (member.committed, member.resets) == (1, 1)


def test_members_must_forecast_the_same_thing():
    """Different horizons cannot be averaged."""
    with pytest.raises(ModelMismatch, match="different things"):
        Ensemble("X", [_Member("a-1", 0.6), _Member("b-1", 0.6, horizon_s=3_600)])


def test_votes_are_in_the_order_of_their_ids():
    """Whatever order the members come in."""
    one = Ensemble("X", [_Member("b-1", 0.7), _Member("a-1", 0.6)])
    two = Ensemble("X", [_Member("a-1", 0.6), _Member("b-1", 0.7)])

    assert one.model_ids == ("a-1", "b-1")
    assert one.forecast(1, reading()) == two.forecast(1, reading())


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A registry with both families, and the schema id."""
    registry = Registry(tmp_path_factory.mktemp("models"))
    report = small_report()
    register_report(registry, report)
    return registry, report.models[0].manifest.schema_id


@pytest.fixture
def pair(loaded):
    """Two ensembles of the same models: one live, one to compare with."""
    return [load_ensembles(loaded[0], ["EURUSD"], loaded[1])["EURUSD"] for _ in range(2)]


def new_engine():
    """An engine with the default features."""
    return FeatureEngine(default_plan(60), instrument("EURUSD"))


def ticks(block):
    """The ticks of a block, one by one."""
    rows = zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True)
    return [Tick("EURUSD", *row) for row in rows]


def walk(engine, ensemble, block):
    """Run ticks through engine and ensemble as the pipeline does; yields tick and forecast."""
    for tick in ticks(block):
        if engine.step(tick.ts_ns, tick.bid, tick.ask):
            ensemble.commit(engine)
        yield tick, ensemble.forecast(tick.ts_ns, engine)


def as_recorded(ensemble):
    """The states as a decision record holds them."""
    return {key: base64.b64encode(state).decode() for key, state in ensemble.states().items()}


def test_every_recorded_forecast_is_reproduced_bit_for_bit(pair):
    """From values and states alone, by other objects, with JSON in between."""
    live, later = pair
    engine = new_engine()
    block = random_walk(1, 0.3)
    live.catch_up(engine.step_block(block.slice(0, 5_500)))
    seen = 0
    for tick, forecast in walk(engine, live, block.slice(5_500, 6_000)):
        values = [None if math.isnan(v) else v for v in engine.values.tolist()]
        record = msgspec.json.decode(msgspec.json.encode([values, live.states()]))
        assert forecast.abstained == ""
        again = later.recompute(tick.ts_ns, record[0], record[1])
        assert msgspec.json.encode(again) == msgspec.json.encode(forecast)
        seen += 1

    assert seen == 500


def test_recomputing_leaves_the_live_state_alone(pair):
    """A walk with a replay after every tick equals a walk without."""
    plain, disturbed = pair
    block = random_walk(2, 0.3)
    engines = [new_engine(), new_engine()]
    for engine, ensemble in zip(engines, pair, strict=True):
        ensemble.catch_up(engine.step_block(block.slice(0, 5_500)))
    rest = block.slice(5_500, 5_800)
    expected = [forecast for _, forecast in walk(engines[0], plain, rest)]
    found = []
    for tick, forecast in walk(engines[1], disturbed, rest):
        found.append(forecast)
        assert disturbed.recompute(tick.ts_ns, engines[1].values.tolist(), as_recorded(disturbed))

    assert found == expected


def test_catching_up_equals_having_been_live(pair):
    """The same forecasts whether the history was walked tick by tick or as a block."""
    live, late = pair
    block = random_walk(3, 0.3)
    engines = [new_engine(), new_engine()]
    for _ in walk(engines[0], live, block.slice(0, 5_600)):
        pass
    late.catch_up(engines[1].step_block(block.slice(0, 5_600)))
    rest = block.slice(5_600, 5_700)

    assert live.state_bytes() == late.state_bytes()
    assert list(walk(engines[0], live, rest)) == list(walk(engines[1], late, rest))


def test_a_snapshot_continues_bit_for_bit(pair):
    """Features and recurrent state restored together; a wrong snapshot is refused."""
    live, restored = pair
    block = random_walk(4, 0.3)
    engine, other = new_engine(), new_engine()
    live.catch_up(engine.step_block(block.slice(0, 5_630)))
    other.restore(engine.snapshot())
    restored.set_state(live.state_bytes())
    rest = block.slice(5_630, 5_700)

    assert list(walk(engine, live, rest)) == list(walk(other, restored, rest))
    with pytest.raises(ModelMismatch, match="start cold"):
        restored.set_state(b"short")


def test_a_record_of_other_models_is_refused(pair):
    """The message names what is missing and what the record has."""
    with pytest.raises(ModelMismatch, match="lstm-000000000000"):
        pair[0].recompute(1, [0.0] * 56, {BARRIER: "", "lstm-000000000000": ""})


def test_states_name_every_model_and_the_barrier(pair):
    """Trees have no state; the net has hidden, cell and sequence as float32."""
    engine = new_engine()
    pair[0].catch_up(engine.step_block(random_walk(5, 0.3)))
    forecast = pair[0].forecast(1, engine)
    states = pair[0].states()

    assert set(states) == {*pair[0].model_ids, BARRIER}
    assert [len(states[model_id]) for model_id in pair[0].model_ids] == [4 * (32 + 32 + 16), 0]
    assert np.frombuffer(states[BARRIER], "<f8")[0] == forecast.barrier


def test_symbols_share_models_but_not_state(loaded):
    """Two symbols walk the same net without disturbing each other."""
    ensembles = load_ensembles(loaded[0], ["EURUSD", "GBPUSD", "XAUUSD"], loaded[1])
    alone = load_ensembles(loaded[0], ["EURUSD"], loaded[1])["EURUSD"]
    rows = np.random.default_rng(0).normal(size=(40, 16))
    for row in rows:
        ensembles["EURUSD"].commit(reading(sequence_closed=row))
        ensembles["GBPUSD"].commit(reading(sequence_closed=-row))
        alone.commit(reading(sequence_closed=row))

    assert set(ensembles) == {"EURUSD", "GBPUSD"}
    assert ensembles["EURUSD"].state_bytes() == alone.state_bytes()
    assert ensembles["GBPUSD"].state_bytes() != alone.state_bytes()
