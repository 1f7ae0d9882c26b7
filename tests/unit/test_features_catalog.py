"""The catalogue, the plan's identity, and the records behind them."""

import math
import re
from pathlib import Path

import pytest

from plan2.foundation.errors import ConfigError
from plan2.intelligence.features import catalog
from plan2.intelligence.features import plan as planning
from plan2.intelligence.features.catalog import GROUPS, SEQUENCE, TABULAR
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.features.records import record_dtype
from plan2.intelligence.features.state import CHANNELS, VALUES, engine_dtype, word_of

FORBIDDEN = re.compile(r"ofi|order_flow|micro_?price|imbalance|volume")


def test_every_feature_is_described() -> None:
    """Unit, range, warm-up, version and meaning are there; names are unique."""
    names = [feature.field for feature in (*TABULAR, *SEQUENCE)]
    assert len(names) == len(set(names))
    assert len(TABULAR) >= 40
    assert len(SEQUENCE) == 16
    for feature in (*TABULAR, *SEQUENCE):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", feature.field)
        assert feature.unit
        assert feature.meaning
        assert feature.low < feature.high
        assert feature.warmup >= 0
        assert feature.version >= 1


def test_names_are_honest() -> None:
    """Quotes without sizes give no order flow and no micro-price."""
    assert not [name for name in default_plan().names if FORBIDDEN.search(name)]


def test_the_kernels_write_the_catalogue_in_its_order() -> None:
    """The fields of the compiled output records are the catalogue's names."""
    assert VALUES.names == default_plan().names
    assert CHANNELS.names == default_plan().sequence_names
    assert sum(len(group) for group in GROUPS.values()) == len(TABULAR)


def test_schema_id_depends_on_every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bar period, gap, order, unit, version: each changes the identity; rebuilding does not."""
    reference = default_plan().schema_id
    assert default_plan().schema_id == reference
    assert re.fullmatch(r"[0-9a-f]{64}", reference)
    assert default_plan(300).schema_id != reference
    assert FeaturePlan(60, 3_600).schema_id != reference
    swapped = (TABULAR[1], TABULAR[0], *TABULAR[2:])
    monkeypatch.setattr(planning, "TABULAR", swapped)
    assert default_plan().schema_id != reference


@pytest.mark.parametrize(
    ("period_s", "gap_s", "scale"), [(0, 1_800, 1), (7_000, 9_000, 1), (300, 60, 1), (60, 1_800, 0)]
)
def test_impossible_plans_are_refused(period_s: int, gap_s: int, scale: int) -> None:
    """A period must divide the day, a gap must hold a bar, windows must exist."""
    with pytest.raises(ConfigError):
        FeaturePlan(period_s, gap_s, scale)


def test_state_is_made_of_words_and_memory_comes_last() -> None:
    """So it can be copied, hashed, and wiped from `memory` on."""
    dtype = engine_dtype(1)
    assert dtype.itemsize % 8 == 0
    assert dtype.names is not None
    assert dtype.names[0] == "values"
    assert dtype.names[-1] == "memory"
    assert word_of(dtype, "values") == 0
    assert word_of(dtype, "sequence") == len(TABULAR)


def test_records_refuse_fields_they_cannot_hold() -> None:
    """A text or an array without a size is a mistake in the code."""

    class Text:
        name: str

    class Unsized:
        row: list[float]

    for record in (Text, Unsized):
        with pytest.raises(TypeError, match="record field"):
            record_dtype(record, 1)


def test_infinite_ranges_are_only_used_where_nothing_bounds_the_value() -> None:
    """Shares, positions and calendar values have finite ranges."""
    bounded = {"share", "position", "sin", "cos", "session", "rsi"}
    for feature in TABULAR:
        if any(word in feature.field for word in bounded):
            assert math.isfinite(feature.low)
            assert math.isfinite(feature.high)


def test_no_other_library_computes_features() -> None:
    """ML-013: no pandas and no rolling windows of tables; kernels and numpy alone."""
    folder = Path(catalog.__file__).parent
    for file in sorted(folder.glob("*.py")):
        text = file.read_text("utf-8")
        assert "import pandas" not in text, file.name
        assert not re.search(r"\.(rolling|ewm|rolling_mean|ewm_mean)\(", text), file.name
