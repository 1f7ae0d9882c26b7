"""Hysteresis against a plain reference; formulas against the compiled machine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.alerts.conditions import Bounds
from plan2.intelligence.alerts.formula import LiveFormulas
from plan2.intelligence.alerts.memory import Memory, advanced
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.feature_set import parse_set
from plan2.intelligence.features.plan import default_plan

VALUES = st.lists(st.integers(-6, 6).map(float), max_size=40)


@given(VALUES, st.integers(0, 3).map(float), st.booleans())
def test_above_and_below_mirror_and_never_fire_twice_without_return(path, rearm, crosses) -> None:
    """Between two firings the figure was at least `rearm` on the other side of the level."""
    up, down = ("crosses_above", "crosses_below") if crosses else ("above", "below")
    fired = {}
    for test, sign in ((up, 1.0), (down, -1.0)):
        memory, places = Memory(), []
        for place, value in enumerate(path):
            step = advanced(memory, Bounds(test, 0.0, rearm), sign * value, place, 0.0)
            memory = step.memory
            places += [place] if step.fires else []
        fired[test] = places
    assert fired[up] == fired[down]
    for first, second in zip(fired[up], fired[up][1:], strict=False):
        assert min(path[first:second]) <= -rearm
    assert all(path[place] > 0.0 for place in fired[up])


FORMULAS = (
    "rsi_mid_14 / 100",
    "return_1 + lag(return_1, 1) - lag(return_1, 3)",
    "clip(bollinger_percent_b_20, 0, 1) * abs(bar_return)",
    "log(tick_rate_10) / sigma",
    "min(mid, lag(mid, 2)) / max(mid, 1) - -1",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_agree_with_the_compiled_machine(text) -> None:
    """The columns of a feature set are the reference; looks happen after every tick here."""
    instrument = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
    feature_set = parse_set(f'[set]\nname = "one"\n[features]\nx = "{text}"\n', "here")
    engine = FeatureEngine(default_plan(60, feature_set), instrument)
    live = LiveFormulas(engine)
    live.value(text, 1.1)
    rng = np.random.default_rng(7)
    ts_ns, mid = 1_767_607_200 * NS_PER_SECOND, 1.1
    for place in range(400):
        gap_s = 7_200 if place == 250 else int(rng.integers(5, 40))
        ts_ns += gap_s * NS_PER_SECOND
        mid = float(np.clip(mid + rng.normal(0, 2e-4), 0.9, 1.3))
        bid, ask = mid - 5e-5, mid + 5e-5
        engine.step(ts_ns, bid, ask)
        found = live.value(text, 0.5 * (bid + ask))
        live.look(0.5 * (bid + ask))
        assert found == pytest.approx(float(engine.values[0]), rel=1e-12, nan_ok=True)
