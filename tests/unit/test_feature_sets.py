"""Feature sets: what a formula may say, what its values are, and what identifies a set."""

from pathlib import Path

import numpy as np
import pytest
from features_fixtures import EURUSD, random_ticks

from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.values import Float64Array
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.expressions import read_formula
from plan2.intelligence.features.feature_set import parse_set
from plan2.intelligence.features.plan import FeaturePlan, default_plan

TEXT = """
[set]
name = "mixed"
version = 3
include = ["spread", "session_london"]

[features]
pull = { formula = "(return_5 - 2 * return_1) / volatility_ew_60", unit = "σ", meaning = "pull" }
limits = "clip(ema_gap_10, -0.5, 0.5) + min(rsi_mid_14, 50) - max(-adx_mid_14, -20)"
shape = "log(abs(return_15) + 1) * lag(bar_progress, 1) + lag(lag(return_1, 2), 3)"
"""
BLOCK = random_ticks(4_000)


def columns(text: str) -> tuple[dict[str, Float64Array], dict[str, Float64Array]]:
    """Values of a set and of the catalogue at each bar's close of the same ticks."""
    plan, whole = default_plan(60, parse_set(text, "test")), default_plan()
    own = FeatureEngine(plan, EURUSD).step_block(BLOCK).values
    catalogue = FeatureEngine(whole, EURUSD).step_block(BLOCK).values
    return dict(zip(plan.names, own.T, strict=True)), dict(
        zip(whole.names, catalogue.T, strict=True)
    )


def before(values: Float64Array, rows: int) -> Float64Array:
    """The same column, `rows` bar closes earlier."""
    return np.concatenate([np.full(rows, np.nan), values[:-rows]])


def test_columns_are_what_numpy_makes_of_the_catalogue() -> None:
    """Every operation, nested lags and plain features; NaN wherever a part is NaN."""
    own, base = columns(TEXT)
    pull = (base["return_5"] - 2 * base["return_1"]) / base["volatility_ew_60"]
    limits = (
        np.clip(base["ema_gap_10"], -0.5, 0.5)
        + np.minimum(base["rsi_mid_14"], 50)
        - np.maximum(-base["adx_mid_14"], -20)
    )
    shape = np.log(np.abs(base["return_15"]) + 1) * before(base["bar_progress"], 1)
    shape += before(base["return_1"], 5)
    np.testing.assert_array_equal(own["spread"], base["spread"])
    np.testing.assert_allclose(own["pull"], pull, rtol=1e-12)
    np.testing.assert_allclose(own["limits"], limits, rtol=1e-12)
    np.testing.assert_allclose(own["shape"], shape, rtol=1e-12)
    assert np.isfinite(own["pull"]).sum() > 100


def test_what_has_no_value_is_nan_never_infinite() -> None:
    """Division by zero and the logarithm of nothing are undefined."""
    own, _ = columns(
        '[set]\nname="edge"\n[features]\nratio="spread / (spread - spread)"\n'
        'none="log(spread - spread)"\nhuge="1e200 * 1e200 * spread"'
    )
    for values in own.values():
        assert np.isnan(values).all()


def test_warm_up_is_that_of_the_slowest_term_and_its_lag() -> None:
    """return_5 needs 6 bars, lagged by 5 it needs 11; a term that waits makes its formula wait."""
    assert read_formula("return_5").warmup == 6
    assert read_formula("return_5 + lag(return_5, 5)").warmup == 11
    assert read_formula("lag(spread, 2)").warmup == 3
    assert not read_formula("lag(spread, 2)").waits
    assert read_formula("return_day / volatility_ew_60").waits
    found = parse_set(TEXT, "test")
    assert [feature.warmup for feature in found.features] == [0, 0, 61, 61, 16]


def test_values_begin_exactly_when_the_warm_up_says() -> None:
    """NaN before the declared number of bars, a value from then on."""
    plan = default_plan(60, parse_set(TEXT, "test"))
    rows = FeatureEngine(plan, EURUSD).step_block(BLOCK)
    for column, warmup in enumerate(plan.warmups):
        first = int(np.flatnonzero(np.isfinite(rows.values[:, column]))[0])
        assert first == max(warmup - 1, 0)  # the first row follows the first committed bar


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("__import__('os')", "no function"),
        ("spread.real", "not allowed"),
        ("spread ** 2", "not allowed"),
        ("spread if spread else 1", "not allowed"),
        ("[spread for spread in spread]", "not allowed"),
        ("'spread'", "not allowed"),
        ("True * spread", "not allowed"),
        ("spraed + 1", "Nearest: spread"),
        ("exp(spread)", "no function"),
        ("min(spread)", "takes 2 arguments"),
        ("clip(spread, low=0, high=1)", "not allowed"),
        ("lag(spread, 0)", "1 to 240"),
        ("lag(lag(spread, 200), 100)", "1 to 240"),
        ("lag(spread, -1)", "1 to 240"),
        ("lag(spread, 1.5)", "1 to 240"),
        ("1 + 2", "uses no feature"),
        ("spread +", "not a formula"),
        ("1e999 * spread", "too large"),
        ("spread" + " + spread" * 60, "at most"),
        ("(" * 60 + "spread" + ")" * 300, "not a formula"),
        ("spread+" + "(spread-" * 20 + "spread" + ")" * 20, "nested too deeply"),
    ],
)
def test_whatever_is_no_formula_is_refused_in_words(formula: str, said: str) -> None:
    """Nothing outside of the white list gets through."""
    with pytest.raises(InputError) as caught:
        read_formula(formula)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        '[set]\nname="A b"\ninclude=["cost"]',
        '[set]\nname="a"\nversion=0\ninclude=["cost"]',
        '[set]\nname="a"',
        '[set]\nname="a"\ninclude=["mid"]',
        '[set]\nname="a"\ninclude=["prices"]',
        '[set]\nname="a"\ncolour="red"\ninclude=["cost"]',
        '[set]\nname="a"\n[features]\nspread="spread * 2"',
        '[set]\nname="a"\n[features]\nx="nothing"',
    ],
)
def test_impossible_sets_are_refused(text: str) -> None:
    """A file that is no set, or redefines what the catalogue means."""
    with pytest.raises(InputError, match="test"):
        parse_set(text, "test")


def test_a_set_is_identified_by_what_its_columns_mean() -> None:
    """Names of files and spacing do not matter; formulas and their order do."""
    plan = default_plan(60, parse_set(TEXT, "test"))
    renamed = TEXT.replace("mixed", "other").replace("version = 3", "version = 4")
    spaced = renamed.replace("min(rsi_mid_14, 50)", "min( rsi_mid_14,50 )")
    changed = TEXT.replace("min(rsi_mid_14, 50)", "min(rsi_mid_14, 51)")
    assert default_plan(60, parse_set(spaced, "test")).schema_id == plan.schema_id
    assert default_plan(60, parse_set(changed, "test")).schema_id != plan.schema_id
    assert default_plan().schema_id != plan.schema_id
    assert plan.warmup_bars == 61


def test_a_snapshot_of_another_set_is_refused() -> None:
    """And windows that scale have no meaning for formulas."""
    plain = FeatureEngine(default_plan(), EURUSD)
    own = FeatureEngine(default_plan(60, parse_set(TEXT, "test")), EURUSD)
    with pytest.raises(InputError, match="schema"):
        own.restore(plain.snapshot())
    with pytest.raises(ConfigError, match="window_scale"):
        FeaturePlan(60, 1_800, 2, parse_set(TEXT, "test"))


def test_the_set_in_the_docs_is_one() -> None:
    """What docs/features.md shows can be used as it stands."""
    text = (Path(__file__).parents[2] / "docs" / "features.md").read_text("utf-8")
    block = text.split("```toml\n")[1].split("```")[0]
    found = parse_set(block, "docs/features.md")
    assert [feature.field for feature in found.features] == [
        *("spread", "spread_z_60", "spread_to_sigma", "spread_seasonal_ratio", "return_60"),
        *("momentum", "spread_shock", "return_30"),
    ]
