"""From a family to a registrable model: final fit, ONNX file, parity gate, manifest."""

import hashlib

from plan2.foundation.errors import ModelMismatch
from plan2.intelligence.models.calibration import Calibration
from plan2.intelligence.models.manifest import (
    Manifest,
    Parity,
    Provenance,
    TrainedModel,
    model_id_of,
)
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.evaluate import Evaluation
from plan2.intelligence.training.families.family import Family
from plan2.intelligence.training.parity import inspected
from plan2.intelligence.training.provenance import code_hash, library_versions, lock_hash
from plan2.intelligence.training.report import metrics_of
from plan2.intelligence.training.request import TrainRequest


def export(
    family: Family,
    dataset: Dataset,
    calibration: Calibration,
    evaluation: Evaluation,
    request: TrainRequest,
    blend_weight: float = 1.0,
) -> TrainedModel:
    """Fit on all rows and bring the model into the form in which it is served.

    `calibration`, `evaluation` and `blend_weight` come from forecasts that the final fit had no
    part in.

    Raises:
        ModelMismatch: the exported file does not say what the fitted model says.
    """
    fitted = family.fit(dataset, dataset.all_rows(), request.seed)
    content = fitted.to_onnx()
    graph = inspected(content)
    parity = fitted.parity(content, dataset, request.seed)
    _require_parity(family, parity)
    plan, rules = request.plan(), request.rules()
    manifest = Manifest(
        model_id=model_id_of(family.name, content, calibration, plan.schema_id, blend_weight),
        family=family.name,
        symbols=tuple(samples.symbol for samples in dataset.series),
        trained_ts_ns=request.ts_ns,
        sha256=hashlib.sha256(content).hexdigest(),
        opset={opset.domain or "ai.onnx": opset.version for opset in graph.opset_import},
        ir_version=graph.ir_version,
        schema_id=plan.schema_id,
        feature_names=plan.names,
        sequence_names=plan.sequence_names,
        horizon_s=rules.horizon_s,
        bar_period_s=rules.bar_period_s,
        barrier_sigmas=rules.barrier_sigmas,
        label_version=rules.version,
        calibration=calibration,
        scaler=fitted.scaler(),
        parity=parity,
        metrics=metrics_of(evaluation),
        verdict=str(evaluation.verdict),
        flags=tuple(str(flag) for flag in evaluation.flags),
        provenance=_provenance(family, dataset, request),
        blend_weight=blend_weight,
    )
    return TrainedModel(content=content, manifest=manifest)


def _require_parity(family: Family, parity: Parity) -> None:
    if not parity.passed:
        raise ModelMismatch(
            f"{family.name}: the ONNX file differs from the trained model by "
            f"{parity.max_difference:.2e} on {parity.rows} rows, allowed is {parity.limit:.0e}.",
            remedy="No model was registered; report this with the versions of the libraries.",
        )


def _provenance(family: Family, dataset: Dataset, request: TrainRequest) -> Provenance:
    return Provenance(
        tick_hashes={samples.symbol: samples.tick_hash for samples in dataset.series},
        row_hash=dataset.row_hash(),
        first_ts_ns=int(dataset.labels["t0"][0]),
        last_ts_ns=int(dataset.labels["t1"].max()),
        rows=len(dataset),
        n_eff=dataset.n_eff,
        code_hash=code_hash(),
        lock_hash=lock_hash(),
        versions=library_versions(),
        seed=request.seed,
        threads=1,
        trials=family.tried,
        parameters=family.parameters(),
        parent=request.parents.get(family.name, ""),
        sources=dict(dataset.sources),
        planted=str(request.origin) if dataset.planted is not None else "",
    )
