"""Similar situations: found exactly, never from the future, one a horizon, and honest about it."""

from dataclasses import replace

import numpy as np
import pytest

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_HOUR, NS_PER_SECOND, Float64Array
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.regimes.embedding import REGIME_FEATURES, fit_embedding, regime_columns
from plan2.intelligence.regimes.similar import SituationIndex, build_index
from plan2.intelligence.training.dataset import SymbolSamples
from plan2.intelligence.training.labels import LABEL, Status

NAMES = default_plan().names
HORIZON_S = 7_200
HORIZON_NS = HORIZON_S * NS_PER_SECOND
EVENTS = 1_500


def samples(seed: int = 1, every_ns: int = NS_PER_HOUR) -> SymbolSamples:
    """An event an hour; longs win 1 R where the first regime feature is above 0, else lose it."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(EVENTS, len(NAMES)))
    labels = np.zeros(EVENTS, LABEL)
    labels["t0"] = 10**18 + np.arange(EVENTS) * every_ns
    labels["t1"] = labels["t0"] + HORIZON_NS // 2
    labels["status"] = Status.RESOLVED
    labels["barrier"] = 0.001
    up = np.sign(values[:, NAMES.index(REGIME_FEATURES[0])])
    labels["net"] = np.column_stack([up, -up]) * 0.001
    none = np.empty(0)
    return SymbolSamples(
        symbol="EURUSD",
        bar_ts=labels["t0"].copy(),
        mid=none,
        sequence=np.empty((0, 16), np.float32),
        is_reset=np.empty(0, np.bool_),
        event_bar=np.arange(EVENTS),
        values=values,
        labels=labels,
        tick_hash="",
    )


@pytest.fixture(scope="module")
def known() -> SymbolSamples:
    """The training period."""
    return samples()


@pytest.fixture(scope="module")
def index(known: SymbolSamples) -> SituationIndex:
    """Its index."""
    return build_index(known, NAMES, HORIZON_S)


def regime(known: SymbolSamples, row: int) -> Float64Array:
    """The regime features of an event."""
    return regime_columns(known.values[row : row + 1], NAMES)[0]


def test_there_are_32_features_and_all_are_in_the_catalogue() -> None:
    """None of them waits for a day or a week."""
    assert len(set(REGIME_FEATURES)) == 32
    assert set(REGIME_FEATURES) <= set(NAMES)
    with pytest.raises(InputError, match="lack 31"):
        regime_columns(np.zeros((1, 2)), ("spread", "other"))


def test_points_are_white() -> None:
    """Correlated features of any scale become uncorrelated ones of variance 1."""
    rng = np.random.default_rng(2)
    base = rng.normal(size=(5_000, 32))
    mixed = base @ rng.normal(size=(32, 32)) * np.logspace(-6, 3, 32)
    points = fit_embedding(mixed).points(mixed)
    np.testing.assert_allclose(np.cov(points, rowvar=False), np.eye(points.shape[1]), atol=0.05)
    with pytest.raises(InputError, match="too few"):
        fit_embedding(mixed[:40])


def test_neighbours_are_those_of_a_plain_loop(known: SymbolSamples, index: SituationIndex) -> None:
    """An independent brute-force search, one event at a time, gives the same ones in order."""
    row, ts_ns = 1_200, int(known.labels["t0"][1_200])
    found = index.query(regime(known, row), ts_ns, 1)
    point = index.points[row]
    pairs = sorted(
        (float(np.linalg.norm(index.points[other] - point)), int(index.t0[other]))
        for other in range(EVENTS)
        if index.t1[other] < ts_ns - HORIZON_NS
    )
    blocks: set[int] = set()
    expected = []
    for distance, t0 in pairs:
        if t0 // HORIZON_NS not in blocks:
            blocks.add(t0 // HORIZON_NS)
            expected.append((t0, round(distance, 4)))
    shown = [(item.ts_ns, item.distance) for item in found.nearest]
    assert shown == expected[:10]
    assert found.n == 50


def test_a_twin_from_the_future_is_never_found(known: SymbolSamples) -> None:
    """ML-092: the same situation, a horizon too late to be known, changes nothing."""
    ts_ns = int(known.labels["t0"][700])
    planted = known.values.copy()
    planted[700] = planted[702] = planted[699] = known.values[100]
    index = build_index(replace(known, values=planted), NAMES, HORIZON_S)
    found = index.query(regime(known, 100), ts_ns, 1)
    times = [item.ts_ns for item in found.nearest]
    assert times[0] == known.labels["t0"][100]
    assert found.nearest[0].distance == 0.0
    assert max(times) + HORIZON_NS // 2 < ts_ns - HORIZON_NS
    assert sum(item.distance == 0.0 for item in found.nearest) == 1


def test_fifty_events_of_one_hour_are_one_neighbour() -> None:
    """Events a minute apart: no two neighbours share a block of one horizon, and n_eff says so."""
    close = samples(3, every_ns=60 * NS_PER_SECOND)
    index = build_index(close, NAMES, HORIZON_S)
    found = index.query(regime(close, 0), int(close.labels["t0"][-1]) + 9 * HORIZON_NS, 1)
    blocks = [item.ts_ns // HORIZON_NS for item in found.nearest]
    assert len(set(blocks)) == len(blocks)
    assert found.n == len(set((close.labels["t0"] // HORIZON_NS).tolist()))
    assert found.n_eff <= found.n


def test_results_are_those_of_the_side_asked(known: SymbolSamples, index: SituationIndex) -> None:
    """A planted relation is seen from both sides, its interval holds the mean."""
    late = int(known.labels["t0"][-1]) + 9 * HORIZON_NS
    usual = np.median(regime_columns(known.values, NAMES), axis=0)
    usual[0] = 2.5
    long, short = index.query(usual, late, 1), index.query(usual, late, -1)
    assert long.net_r_mean is not None
    assert long.net_r_mean > 0.5
    assert short.net_r_mean == pytest.approx(-long.net_r_mean)
    assert long.hit_rate == pytest.approx(1.0 - (short.hit_rate or 0.0))
    assert (long.net_r_low or 0.0) <= long.net_r_mean <= (long.net_r_high or 0.0)


def test_too_few_neighbours_give_no_figures(known: SymbolSamples, index: SituationIndex) -> None:
    """Four are no statistics; none at all is novel."""
    few = index.query(regime(known, 9), int(known.labels["t0"][9]), 1)
    assert 0 < few.n < 5
    assert few.net_r_mean is few.net_r_low is few.hit_rate is None
    nothing = index.query(regime(known, 0), int(known.labels["t0"][0]), 1)
    assert (nothing.n, nothing.is_novel) == (0, True)


def test_novelty_is_the_mean_distance_of_the_ten_nearest_blocks(
    known: SymbolSamples, index: SituationIndex
) -> None:
    """Against a plain sort of numpy's distances, one event a block of one horizon."""
    fresh = regime_columns(samples(5).values, NAMES)[:50]
    for row in (*fresh, regime(known, 7)):
        point = index.embedding.points(row[None, :])[0]
        nearest: dict[int, float] = {}
        for place in np.linalg.norm(index.points - point, axis=1).argsort(kind="stable"):
            distance = float(np.linalg.norm(index.points[place] - point))
            nearest.setdefault(int(index.t0[place]) // HORIZON_NS, distance)
        mean = np.mean(list(nearest.values())[:10])
        share = float(np.searchsorted(index.reference, mean)) / len(index.reference)
        assert index.novelty(row) == round(share, 5)


def test_what_was_never_seen_is_novel(known: SymbolSamples, index: SituationIndex) -> None:
    """Twenty quartiles away in every direction; fresh draws of the same market are not."""
    assert index.novelty(np.full(32, 20.0)) > 0.99
    fresh = regime_columns(samples(8).values, NAMES)
    share = np.mean([index.novelty(row) > 0.99 for row in fresh[:200]])
    assert share < 0.05


@pytest.mark.parametrize("every_s", [20, 600, 7_200])
def test_dense_events_give_the_neighbours_of_a_plain_loop(every_s: int) -> None:
    """360 events in one block make the search widen; nothing is lost by it."""
    dense = samples(3, every_s * NS_PER_SECOND)
    index = build_index(dense, NAMES, HORIZON_S)
    asked = regime(dense, 700)
    point = index.embedding.points(asked[None, :])[0]
    now_ns = int(index.t1[900]) + HORIZON_NS + 1
    nearest: dict[int, tuple[float, int]] = {}
    for row in range(EVENTS):
        if index.t1[row] < now_ns - HORIZON_NS:
            distance = float(np.sqrt(((index.points[row] - point) ** 2).sum()))
            block = int(index.t0[row] // HORIZON_NS)
            nearest[block] = min(nearest.get(block, (np.inf, -1)), (distance, row))
    expected = sorted(nearest.values())[:50]
    found = index.query(asked, now_ns, 1)
    assert found.n == len(expected)
    assert [each.ts_ns for each in found.nearest] == [
        int(index.t0[row]) for _, row in expected[:10]
    ]
