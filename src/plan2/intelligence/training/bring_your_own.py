"""A model that somebody else trained: an ONNX file and a declaration of what it is.

Nothing is believed. The file must load, take our features and answer with probabilities, also for
hard rows; and it must answer its own declared examples as declared. How good it is nobody has shown
here, so it starts without a single figure.
"""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import onnx

from plan2.foundation.errors import InputError, ModelMismatch
from plan2.foundation.values import Float32Array, Float64Array
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.models.calibration import Calibration
from plan2.intelligence.models.manifest import (
    Manifest,
    Parity,
    Provenance,
    TrainedModel,
    model_id_of,
)
from plan2.intelligence.models.session import RowModel, Session, open_session
from plan2.intelligence.models.window import WindowModel
from plan2.intelligence.training import parity
from plan2.intelligence.training.evaluate import Verdict
from plan2.intelligence.training.families.available import KNOWN
from plan2.intelligence.training.families.tabular import OUTPUT
from plan2.intelligence.training.labels import LABEL_VERSION
from plan2.intelligence.training.provenance import code_hash, library_versions, lock_hash

FLAG = "IMPORTED"
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
EXAMPLES_MIN = 8
FLOAT = "tensor(float)"


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer that the model must give.

    `input`: the features in schema order, or bars of channels one after the other, oldest first;
    NaN (in JSON null) = undefined. `probability`: of up, 0 to 1.
    """

    input: tuple[float | None, ...]
    probability: float


class Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an imported model says of itself.

    `feature_schema`: id of the features that it takes (`plan2 features --json` names it). `data`:
    symbol → what it was trained on, a hash or words. `slope` and `intercept`: its calibration; the
    default slope takes its log-odds down as much as models of markets need on average.
    """

    family: str
    symbols: tuple[str, ...]
    feature_schema: str
    horizon_minutes: int
    data: dict[str, str]
    examples: tuple[Example, ...]
    bar_period_s: int = 60
    barrier_sigmas: float = 0.75
    slope: float = 0.3
    intercept: float = 0.0
    trained_with: str = ""


def declared(file: Path) -> Declaration:
    """The declaration in a .toml or .json file.

    Raises:
        InputError: it is not one; says what is missing or wrong.
    """
    decode = msgspec.toml.decode if file.suffix == ".toml" else msgspec.json.decode
    try:
        return decode(file.read_bytes(), type=Declaration)
    except msgspec.DecodeError as error:
        raise InputError(
            f"{file} does not describe a model: {error}.",
            remedy="docs/models.md shows an example; .toml and .json are read.",
        ) from error


def imported(content: bytes, declaration: Declaration, ts_ns: int) -> TrainedModel:
    """A registrable model from somebody's file, when it is what its declaration says.

    Args:
        content: the ONNX file.
        declaration: what it claims to be.
        ts_ns: time written into the manifest, UTC.

    Raises:
        ModelMismatch: says what was expected, what was found and what to do.
    """
    plan = default_plan(declaration.bar_period_s)
    _check_claims(declaration, plan)
    graph = parity.inspected(content)
    foreign = sorted({opset.domain for opset in graph.opset_import} - DOMAINS)
    if foreign:
        raise _refused(f"operators of {foreign[0]!r} are used", "only standard ones are served")
    session = open_session(content)
    shape = _shape_of(session, plan)
    rows = _rows_of(declaration, shape)
    found = _check_examples(session, declaration, rows, shape)
    _check_range(session, rows, shape)
    return TrainedModel(
        content=content, manifest=_manifest(content, graph, declaration, found, ts_ns)
    )


def _check_claims(declaration: Declaration, plan: FeaturePlan) -> None:
    if declaration.family in KNOWN or not declaration.family.isidentifier():
        raise _refused(
            f"the family is called {declaration.family!r}",
            "give it a name of its own: letters, digits and _, none of Plan2's families",
        )
    if declaration.feature_schema != plan.schema_id:
        raise _refused(
            f"it takes features {declaration.feature_schema[:12]}…, bars of "
            f"{plan.bar_period_s} s have {plan.schema_id[:12]}…",
            "train it on rows of `plan2 features`, which names the schema",
        )
    if not declaration.symbols or set(declaration.data) != set(declaration.symbols):
        raise _refused(
            f"it speaks about {list(declaration.symbols)} and was trained on "
            f"{sorted(declaration.data)}",
            "name the data of each symbol",
        )
    if len(declaration.examples) < EXAMPLES_MIN:
        raise _refused(f"{len(declaration.examples)} examples", f"give {EXAMPLES_MIN} or more")


def _shape_of(session: Session, plan: FeaturePlan) -> tuple[int, ...]:
    """Shape of the one input: [1, features] or [1, bars, channels]."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shapes = [tuple(entry.shape) for entry in inputs]
    width, channels = len(plan.names), len(plan.sequence_names)
    is_row = shapes == [(1, width)]
    is_window = len(shapes) == 1 and len(shapes[0]) == 3 and isinstance(shapes[0][1], int)
    is_window = is_window and shapes[0][::2] == (1, channels)
    if not (is_row or is_window) or inputs[0].type != FLOAT:
        raise _refused(
            f"inputs of shape {shapes}",
            f"Take one float32 input [1, {width}] (features) or [1, bars, {channels}] (a window)",
        )
    answers = {each.name: (tuple(each.shape), each.type) for each in outputs}
    expected = ((1, 2), FLOAT) if is_row else ((1, 1), FLOAT)
    is_answer = answers.get(OUTPUT) == expected if is_row else [*answers.values()] == [expected]
    if not is_answer:
        raise _refused(
            f"outputs {answers}",
            f"give float32 {OUTPUT!r} [1, 2] (down, up) for features, or one [1, 1] (up) for a "
            "window",
        )
    return shapes[0]


def _rows_of(declaration: Declaration, shape: tuple[int, ...]) -> Float32Array:
    """The inputs of the examples, float32[n, values]."""
    wanted = int(np.prod(shape))
    lengths = {len(example.input) for example in declaration.examples}
    if lengths != {wanted}:
        raise _refused(f"examples of {sorted(lengths)} values", f"its input has {wanted}")
    values = [[np.nan if v is None else v for v in each.input] for each in declaration.examples]
    return np.array(values, np.float32)


def _answers(session: Session, rows: Float32Array, shape: tuple[int, ...]) -> Float64Array:
    """Probabilities of up as they will be served, float64[n]."""
    if len(shape) == 2:
        model = RowModel(session)
        return np.array([model.predict(row.astype(np.float64)) for row in rows])
    window = WindowModel(session)
    return np.array([window.replay(row.astype("<f4").tobytes()) for row in rows])


def _check_examples(
    session: Session, declaration: Declaration, rows: Float32Array, shape: tuple[int, ...]
) -> Parity:
    declared = np.array([example.probability for example in declaration.examples])
    difference = float(np.max(np.abs(_answers(session, rows, shape) - declared)))
    found = Parity(rows=len(rows), max_difference=difference, limit=parity.DIFFERENCE_MAX)
    if not found.passed:
        raise _refused(
            f"its answers differ from its examples by {difference:.2e}",
            f"at most {parity.DIFFERENCE_MAX:.0e} is allowed; were they made with another file?",
        )
    return found


def _check_range(session: Session, rows: Float32Array, shape: tuple[int, ...]) -> None:
    """Rows around the examples, with missing values, and extremes: always a probability."""
    edges = [np.unique(column[np.isfinite(column)]) for column in rows.T]
    hard = parity.hard_rows(rows, edges, np.random.default_rng(0))
    answers = _answers(session, hard, shape)
    bad = ~((answers >= 0.0) & (answers <= 1.0))
    if bad.any():
        raise _refused(
            f"{int(bad.sum())} of {len(hard)} answers are no probabilities, such as "
            f"{answers[bad][0]}",
            "end the graph with a sigmoid, and replace missing values inside it",
        )


def _manifest(
    content: bytes, graph: onnx.ModelProto, declaration: Declaration, found: Parity, ts_ns: int
) -> Manifest:
    plan = default_plan(declaration.bar_period_s)
    line = Calibration(
        slope=declaration.slope,
        intercept=declaration.intercept,
        slope_variance=0.09,  # that of the prior: no label has been seen
        intercept_variance=0.0025,
        covariance=0.0,
        n_eff=0.0,
    )
    horizon_s = declaration.horizon_minutes * 60
    return Manifest(
        model_id=model_id_of(declaration.family, content, line, plan.schema_id),
        family=declaration.family,
        symbols=declaration.symbols,
        trained_ts_ns=ts_ns,
        sha256=hashlib.sha256(content).hexdigest(),
        opset={opset.domain or "ai.onnx": opset.version for opset in graph.opset_import},
        ir_version=graph.ir_version,
        schema_id=plan.schema_id,
        feature_names=plan.names,
        sequence_names=plan.sequence_names,
        horizon_s=horizon_s,
        bar_period_s=declaration.bar_period_s,
        barrier_sigmas=declaration.barrier_sigmas,
        label_version=LABEL_VERSION,
        calibration=line,
        scaler={},
        parity=found,
        metrics={},
        verdict=str(Verdict.INSUFFICIENT),
        flags=(FLAG,),
        provenance=_provenance(declaration, ts_ns),
    )


def _provenance(declaration: Declaration, ts_ns: int) -> Provenance:
    return Provenance(
        tick_hashes=declaration.data,
        row_hash=hashlib.sha256(msgspec.json.encode(declaration, order="sorted")).hexdigest(),
        first_ts_ns=ts_ns,
        last_ts_ns=ts_ns,
        rows=0,
        n_eff=0.0,
        code_hash=code_hash(),
        versions=library_versions(),
        seed=0,
        threads=1,
        trials=1,
        parameters={"origin": "imported", "trained_with": declaration.trained_with},
        parent="",
        lock_hash=lock_hash(),
    )


def _refused(found: str, remedy: str) -> ModelMismatch:
    remedy = f"{remedy[0].upper()}{remedy[1:]}."
    return ModelMismatch(f"The model is not imported: {found}.", remedy=remedy)
