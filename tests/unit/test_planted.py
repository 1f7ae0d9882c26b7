"""What is planted in a simulated market explains good figures, and what knows more is a leak."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from candidate_fixtures import GOOD
from model_fixtures import dataset, request, samples

from plan2.commands.training_order import Order
from plan2.commands.training_run import carry_out
from plan2.dataflow.archive import END_OF_TIME_NS, TickArchive
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.dataflow.terminals.simulated.opening import FOLDER, PaperAccount, open_synthetic
from plan2.dataflow.terminals.simulated.origin import Origin, read_origin, write_origin
from plan2.foundation.config.schema import Simulated
from plan2.foundation.errors import ConfigError
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, Float64Array
from plan2.intelligence.models.gates import LEAK_SUSPECT, PLANTED_ACCURACY, PLANTED_EDGE
from plan2.intelligence.models.gates import leak_finding as finding
from plan2.intelligence.models.lifecycle import Candidate, State
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.dataset import Dataset, pooled
from plan2.intelligence.training.evaluate import Evaluation, Flag
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.plain_words import evidence_of, flags_in_words
from plan2.intelligence.training.planted import planted_sides
from plan2.intelligence.training.report import metrics_of
from plan2.intelligence.training.train import judge

START_NS = FIRST_INSTANT_NS - NS_PER_DAY
ORIGIN = Origin(seed=3, strength=1.0, start_ns=START_NS)
LEGS = {"EURUSD": 0.064, "GBPUSD": 0.074}
"""Annual volatilities of docs/simulated_market.md's sheet."""


def drawn(symbol: str) -> tuple[Dataset, Float64Array]:
    """Events at some ticks of a day, and the latent drifts of the legs at the minute after each."""
    market = SyntheticMarket(3, (symbol, *LEGS), START_NS)
    ticks, minutes, readings = [], [], []
    for hour in market.hours(FIRST_INSTANT_NS):
        minutes.append(market.position_ns - NS_PER_HOUR + np.arange(60) * NS_PER_MINUTE)
        readings.append(np.column_stack([market.drift_of(leg) for leg in LEGS]))
        ticks.append(hour[symbol])
    ts_ns = np.concatenate([block.ts_ns for block in ticks])
    mid = np.concatenate([(block.bid + block.ask) / 2 for block in ticks])
    chosen = np.unique(ts_ns[: -len(ticks[-1]) : 997], return_index=True)[1] * 997
    starts = np.concatenate(minutes)
    after = [int(np.flatnonzero(starts > ts)[0]) for ts in ts_ns[chosen]]
    made = samples(symbol, 100 + len(chosen), 1, 1.0, 1)
    labels = made.labels.copy()
    labels["t0"], labels["t1"] = ts_ns[chosen], ts_ns[chosen] + 1
    bars = np.arange(len(chosen))
    found = replace(
        made, bar_ts=ts_ns[chosen], mid=mid[chosen], event_bar=bars, labels=labels,
        sequence=made.sequence[: len(bars)], is_reset=made.is_reset[: len(bars)],
    )  # fmt: skip
    return pooled([found]), np.concatenate(readings)[after]


def test_the_side_is_that_of_the_latent_drift() -> None:
    """Of a major its own reading; of a cross both legs', bent and scaled by hand."""
    data, readings = drawn("EURUSD")
    assert len(data) > 20
    np.testing.assert_array_equal(planted_sides(data, ORIGIN), np.sign(readings[:, 0]))
    data, readings = drawn("EURGBP")
    euro, pound = (readings * np.abs(readings) * np.array(list(LEGS.values()))).T
    np.testing.assert_array_equal(planted_sides(data, ORIGIN), np.sign(euro - pound))


def test_nothing_is_said_of_other_ticks() -> None:
    """Another seed, a real market's quotes, a symbol that is not on offer; strength 0 is known."""
    data, _ = drawn("EURUSD")
    assert planted_sides(data, Origin(seed=4, strength=1.0, start_ns=START_NS)) is None
    assert planted_sides(data, Origin(seed=3, strength=2.0, start_ns=START_NS)) is None
    (series,) = data.series
    moved = replace(data, series=(replace(series, mid=series.mid + 1e-5),))
    assert planted_sides(moved, ORIGIN) is None
    strange = replace(data, series=(replace(series, symbol="BTCUSD"),))
    assert planted_sides(strange, ORIGIN) is None


@pytest.fixture(scope="module")
def strong() -> Dataset:
    """A strong signal, and whoever knows its latent state, which feature 1 shows exactly."""
    data = dataset(bars=8_000, strength=3.0)
    return replace(data, planted=np.sign(data.values[:, 1]))


def judged(data: Dataset) -> Evaluation:
    """The evaluation of a logistic regression."""
    found = request(tuple(series.symbol for series in data.series))
    return judge(found, data, families(("logistic",))[0], lambda _: None)[1]["ensemble"]


def test_good_figures_are_explained_by_what_is_planted(strong: Dataset) -> None:
    """Above 55 % and no better than whoever knows: no alarm, and a sentence that says why."""
    found = judged(strong)
    assert found.accuracy.value > 0.55
    assert found.lead_on_planted is not None
    assert found.lead_on_planted.low <= 0.0
    assert found.flags[0] is Flag.PLANTED_EDGE
    assert "on real data they would stop promotion" in flags_in_words(found)[0]
    figures = metrics_of(found)
    knowing = figures["accuracy"] - figures["lead_on_planted"]
    assert 0.6 < figures[PLANTED_ACCURACY] == pytest.approx(knowing)
    assert any("Whoever knows" in name for name, _ in evidence_of(found))


def test_the_same_figures_of_other_ticks_are_a_leak(strong: Dataset) -> None:
    """Where nothing is known to be planted."""
    found = judged(replace(strong, planted=None))
    assert found.flags[0] is Flag.LEAK_SUSPECT
    assert PLANTED_ACCURACY not in metrics_of(found)
    assert not any("Whoever knows" in name for name, _ in evidence_of(found))


def test_what_knows_more_than_is_planted_is_a_leak(strong: Dataset) -> None:
    """Features that know the outcome beat whoever knows the market; also where nothing is there."""
    values = strong.values.copy()
    values[:, 0] += strong.labels["side"]
    for planted in (strong.planted, np.zeros(len(strong))):
        found = judged(replace(strong, values=values, planted=planted))
        assert found.lead_on_planted is not None
        assert found.lead_on_planted.low > 0.0
        assert found.flags[0] is Flag.LEAK_SUSPECT


def candidate(flag: str, *, is_measured: bool) -> Candidate:
    """A candidate with a flag."""
    metrics = {**GOOD, PLANTED_ACCURACY: 0.6} if is_measured else GOOD
    return Candidate(
        candidate_id="c", symbols=("EURUSD",), model_ids=("m",), schema_id="s", verdict="skill",
        state=State.TRAINED, created_ns=0, since_ns=0, metrics=metrics, flags=(flag,), parent="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("flag", "is_measured", "on_planted", "elsewhere"),
    [
        (PLANTED_EDGE, True, True, False),
        (LEAK_SUSPECT, True, False, False),
        (LEAK_SUSPECT, False, True, False),
        ("UNCALIBRATED", True, True, True),
    ],
)
def test_the_gate_stops_what_nothing_explains(
    flag: str, is_measured: bool, on_planted: bool, elsewhere: bool
) -> None:
    """A planted edge stops nothing where it was planted and everything elsewhere.

    Candidates of before it was measured are not held up on a market whose structure is planted.
    """
    each = candidate(flag, is_measured=is_measured)
    assert finding(each, is_planted=True).is_met is on_planted
    assert finding(each).is_met is elsewhere


def test_the_market_is_written_down_beside_its_ticks(tmp_path: Path) -> None:
    """By the start that opens it; an account that is refused changes nothing."""
    assert read_origin(tmp_path / FOLDER) is None
    paper = PaperAccount(data_dir=tmp_path)
    settings = Simulated(seed=5, strength=2.0, history_days=3)
    terminal = open_synthetic(settings, ("EURUSD",), paper)
    kept = Origin(seed=5, strength=2.0, start_ns=FIRST_INSTANT_NS - 3 * NS_PER_DAY)
    assert read_origin(tmp_path / FOLDER) == kept
    assert str(kept) == "synthetic market of seed 5, planted strength 2"
    del terminal
    with pytest.raises(ConfigError):
        open_synthetic(Simulated(seed=6), ("EURUSD",), paper)
    assert read_origin(tmp_path / FOLDER) == kept
    (tmp_path / FOLDER / "market.json").write_bytes(b"{")
    assert read_origin(tmp_path / FOLDER) is None


@pytest.mark.slow
def test_a_training_on_the_simulated_market_knows_what_is_planted(tmp_path: Path) -> None:
    """From archived ticks to card: measured, named with its strength, and no alarm."""
    origin = Origin(seed=7, strength=5.0, start_ns=FIRST_INSTANT_NS - 16 * NS_PER_DAY)
    market = SyntheticMarket(7, ("EURUSD",), origin.start_ns, 5.0)
    home = tmp_path / FOLDER
    TickArchive(home / "archive").merge(market.generate(FIRST_INSTANT_NS)["EURUSD"])
    write_origin(home, origin)
    order = Order(
        folder=home, symbols=(), families=("logistic",), start_ns=0, end_ns=END_OF_TIME_NS, seed=1,
        horizon_minutes=120, bar_period_s=60,
    )  # fmt: skip
    trained = carry_out(order, lambda *_: None)
    figures = trained.metrics["ensemble"]
    assert figures[PLANTED_ACCURACY] > 0.6
    assert figures["lead_on_planted_low"] <= 0.0
    assert LEAK_SUSPECT not in trained.flags
    card = Registry(home / "models").show(trained.model_ids[0])
    assert card.provenance.planted == str(origin)
