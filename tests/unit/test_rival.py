"""A challenger against the champion: on sealed events that neither had a part in, and only once."""

import msgspec
import numpy as np
import onnxruntime
import pytest
from arch.bootstrap import StationaryBootstrap
from candidate_fixtures import GOOD
from model_fixtures import MONDAY_NS, dataset, request
from sklearn.metrics import log_loss

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MINUTE
from plan2.intelligence.models.gates import findings
from plan2.intelligence.models.lifecycle import Candidate, State
from plan2.intelligence.models.members import LoadedModel
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training import again
from plan2.intelligence.training.again import evaluate_again
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.report import TrainReport, lines_of, metrics_of
from plan2.intelligence.training.rival import (
    Past,
    Rival,
    champion_chances,
    comparable_rows,
    paired_skill,
    rival_of,
)
from plan2.intelligence.training.seal import Seals, sealed_rows
from plan2.intelligence.training.train import (
    NOTHING_YET,
    propose_report,
    register_report,
    train_on,
)
from plan2.intelligence.training.trials import Trials

SYMBOLS = ("EURUSD",)
ASKED = request(SYMBOLS)


def trained(data: Dataset, names: tuple[str, ...], past: Past = NOTHING_YET) -> TrainReport:
    """A training run on ready arrays."""
    found, missing = families(names)
    return train_on(ASKED, data, found, lambda *_: None, missing, past)


def rival(report: TrainReport, seals: Seals) -> Rival:
    """A run's models as the champion."""
    models = tuple(LoadedModel(each.manifest, each.content) for each in report.models)
    return Rival(candidate_id="champ", models=models, seals=seals)


@pytest.fixture(scope="module")
def weeks() -> Dataset:
    """Eight days with a signal, an event every ten minutes; a gap after five days."""
    return dataset(SYMBOLS, bars=12_000)


@pytest.fixture(scope="module")
def contrary() -> TrainReport:
    """A champion of the first two days that learned the opposite."""
    early = dataset(SYMBOLS, bars=3_000, seed=5)
    return trained(early.with_sides(-early.labels["side"]), ("logistic",))


def test_the_interval_is_that_of_another_bootstrap() -> None:
    """The point by scikit-learn's loss, the bounds by arch's stationary bootstrap."""
    rng = np.random.default_rng(3)
    n, block = 1_500, 8.0
    level = np.convolve(rng.normal(size=n), np.ones(8) / 8, "same")
    truth = 1.0 / (1.0 + np.exp(-2.0 * level))
    up = (rng.random(n) < truth).astype(np.float64)
    mine = 1.0 / (1.0 + np.exp(-2.0 * level - rng.normal(0.0, 0.2, n)))
    theirs = np.clip(truth + rng.normal(0.0, 0.12, n), 0.05, 0.95)
    found = paired_skill((mine, theirs), up, block, 1)

    losses = np.column_stack([-np.log(np.where(up > 0, p, 1.0 - p)) for p in (mine, theirs)])
    drawn = StationaryBootstrap(block, losses, seed=7).apply(
        lambda x: np.array([1.0 - x[:, 0].mean() / x[:, 1].mean()]), 4_000
    )
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.value == pytest.approx(1.0 - log_loss(up, mine) / log_loss(up, theirs))
    width = high - low
    assert found.low == pytest.approx(low, abs=0.08 * width)
    assert found.high == pytest.approx(high, abs=0.08 * width)


def test_the_champion_says_what_its_files_say(weeks: Dataset) -> None:
    """Trees by ONNX Runtime row by row, the LSTM walked from the gap; then calibrated and blended.

    Its rows lie after the gap, so a state that were not forgotten there would tell.
    """
    report = trained(dataset(SYMBOLS, bars=3_000, seed=5), ("xgboost", "lstm"))
    rows = sealed_rows(weeks)
    found = champion_chances(weeks, rows, rival(report, None).models)  # type: ignore[arg-type]

    series = weeks.series[0]
    bars = series.event_bar[weeks.event[rows]]
    start = int(np.flatnonzero(series.is_reset[: bars[0] + 1])[-1])
    assert start == 7_200
    total = np.zeros(len(rows))
    for model in report.models:
        session = onnxruntime.InferenceSession(model.content)
        inputs = [each.name for each in session.get_inputs()]
        if len(inputs) == 1:
            raw = _tree_chances(session, weeks.values[rows].astype(np.float32))
        else:
            raw = _walked(session, inputs, series.sequence[start : bars[-1] + 1])[bars - start]
        line = model.manifest.calibration
        total += line.slope * np.log(raw / (1.0 - raw)) + line.intercept
    np.testing.assert_allclose(found, 1.0 / (1.0 + np.exp(-total / 2.0)), atol=2e-5)


def _tree_chances(session: onnxruntime.InferenceSession, values: np.ndarray) -> np.ndarray:
    name = session.get_inputs()[0].name
    found = [np.ravel(session.run(None, {name: row[None]})[-1])[-1] for row in values]
    return np.array(found, np.float64)


def _walked(
    session: onnxruntime.InferenceSession, inputs: list[str], bars: np.ndarray
) -> np.ndarray:
    """The chance after each bar; the state goes from each step into the next."""
    shapes = {each.name: each.shape for each in session.get_inputs()}
    channel, *states = inputs
    held = {
        name: np.zeros([size if isinstance(size, int) else 1 for size in shapes[name]], np.float32)
        for name in states
    }
    found = []
    for bar in bars:
        out = session.run(None, {channel: bar[None], **held})
        found.append(float(np.ravel(out[0])[0]))
        held = dict(zip(states, out[1:], strict=True))
    return np.array(found)


def test_a_better_challenger_is_told_and_opens_the_gate(
    weeks: Dataset, contrary: TrainReport, tmp_path
) -> None:
    """In the ensemble's figures, the report's words and the condition of validation."""
    seals = Seals(tmp_path)
    past = Past(rival=rival(contrary, seals))
    report = trained(weeks, ("logistic",), past)
    skill = report.ensemble.skill_vs_champion
    assert skill is not None
    assert 0.0 < skill.low < skill.value < skill.high
    figures = metrics_of(report.ensemble)
    assert figures["skill_vs_champion_low"] == skill.low
    assert any("against the champion" in line and "+" in line for line in lines_of(report))
    metrics = {**GOOD, "skill_vs_logistic_low": -0.1, "skill_vs_champion_low": skill.low}
    candidate = Candidate(
        candidate_id="c", symbols=SYMBOLS, model_ids=("m",), schema_id="s", verdict="skill",
        state=State.TRAINED, created_ns=0, since_ns=0, metrics=metrics, flags=(), parent="",
    )  # fmt: skip
    (found,) = [each for each in findings(candidate, State.VALIDATED, None) if each.name == "skill"]
    assert found.is_met
    assert found.sentence.startswith("… against the champion")
    (opening,) = seals.of(ASKED.question())
    assert (opening.family, opening.against) == ("ensemble", "champ")
    rows = sealed_rows(weeks)
    assert opening.first_ts_ns == weeks.labels["t0"][rows[0]]
    assert opening.last_ts_ns == weeks.labels["t0"][rows[-1]]


def test_the_same_events_are_not_shown_a_second_time(
    weeks: Dataset, contrary: TrainReport, tmp_path
) -> None:
    """The next challenger of any champion waits for events that came after, an evaluation too."""
    past = Past(rival=rival(contrary, Seals(tmp_path)))
    trained(weeks, ("logistic",), past)
    again = trained(weeks, ("logistic",), past)
    assert again.ensemble.skill_vs_champion is None
    assert "skill_vs_champion_low" not in metrics_of(again.ensemble)
    other = Rival(candidate_id="other", models=past.rival.models, seals=past.rival.seals)  # type: ignore[union-attr]
    assert len(comparable_rows(weeks, ASKED, other)) == 0


def test_an_evaluation_is_shown_what_no_comparison_showed(
    weeks: Dataset, contrary: TrainReport, tmp_path, monkeypatch
) -> None:
    """Nothing twice, either way round; once enough events are younger, those and only those."""
    monkeypatch.setattr(again, "gathered", lambda request, blocks, *_: blocks[request.symbols[0]])
    seals = Seals(tmp_path)
    trained(weeks, ("logistic",), Past(rival=rival(contrary, seals)))

    def evaluated(data: Dataset) -> float | None:
        asked = msgspec.structs.replace(ASKED, families=("logistic",))
        blocks = {"EURUSD": data}
        report = evaluate_again(asked, blocks, lambda *_: None, Trials(tmp_path), seals)  # type: ignore[arg-type]
        return report.ensemble.sealed_log_loss_skill

    with pytest.raises(InputError, match=r"0 independent ones are younger, 100 are needed"):
        evaluated(weeks)
    seen_ns = seals.seen_until_ns(ASKED.question())
    longer = dataset(SYMBOLS, bars=16_000)
    rows = sealed_rows(longer)
    assert longer.labels["t0"][rows[0]] > seen_ns
    assert evaluated(longer) is not None
    assert seals.seen_until_ns(ASKED.question()) == longer.labels["t0"][rows[-1]]
    assert len(comparable_rows(longer, ASKED, rival(contrary, seals))) == 0


def test_what_the_champion_was_trained_on_is_left_out(
    weeks: Dataset, contrary: TrainReport, tmp_path
) -> None:
    """Only sealed events after its last label, a hundred at least, and about the same question."""
    champion = rival(contrary, Seals(tmp_path))
    assert len(comparable_rows(weeks, ASKED, champion)) == 119
    for minutes, left in ((10_810, 118), (10_980, 101), (11_000, 0), (20_000, 0)):
        card = contrary.models[0].manifest
        last_ns = MONDAY_NS + minutes * NS_PER_MINUTE
        origin = msgspec.structs.replace(card.provenance, last_ts_ns=last_ns)
        late = msgspec.structs.replace(card, provenance=origin)
        later = LoadedModel(late, contrary.models[0].content)
        moved = Rival(candidate_id="late", models=(later,), seals=champion.seals)
        assert len(comparable_rows(weeks, ASKED, moved)) == left, minutes
    assert len(comparable_rows(weeks, request(SYMBOLS, horizon_minutes=60), champion)) == 0
    assert len(comparable_rows(weeks, ASKED, None)) == 0


def test_the_champion_is_the_registrys(contrary: TrainReport, tmp_path) -> None:
    """Whoever serves the symbols; none before that, and none whose file was changed."""
    registry, seals = Registry(tmp_path), Seals(tmp_path)
    assert rival_of(registry, SYMBOLS, seals) is None
    register_report(registry, contrary)
    found = rival_of(registry, SYMBOLS, seals)
    assert found is not None
    assert found.candidate_id == propose_report(registry, contrary).candidate_id
    file = tmp_path / contrary.models[0].manifest.model_id / "model.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert rival_of(registry, SYMBOLS, seals) is None
