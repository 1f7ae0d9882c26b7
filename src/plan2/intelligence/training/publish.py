"""A report becomes a page in the reports folder and a line in its list."""

from pathlib import Path

import numpy as np

from plan2.intelligence.training.page import page_of
from plan2.intelligence.training.report import TrainReport, metrics_of
from plan2.intelligence.training.reports import ReportItem, Reports, report_id_of

TITLES = {"train": "Training", "evaluate": "Evaluation"}


def publish(report: TrainReport, made_by: str, made_ts_ns: int, data_dir: Path) -> Path:
    """Write the page of a report that "train" or "evaluate" made; returns its file."""
    minute = str(np.datetime64(made_ts_ns, "ns").astype("datetime64[m]")).replace("T", " ")
    page = page_of(report, f"{TITLES[made_by]} of {minute} UTC: {', '.join(report.symbols)}")
    ensemble = report.ensemble
    item = ReportItem(
        report_id=report_id_of(made_ts_ns, page),
        made_by=made_by,
        made_ts_ns=made_ts_ns,
        symbols=report.symbols,
        families=tuple(report.families),
        horizon_s=report.horizon_s,
        first_ts_ns=report.first_ts_ns,
        last_ts_ns=report.last_ts_ns,
        events=report.events,
        n_eff=ensemble.n_eff,
        n_required=ensemble.n_required,
        verdict=report.verdict,
        flags=tuple(str(flag) for flag in ensemble.flags),
        metrics=metrics_of(ensemble),
        model_ids=tuple(model.manifest.model_id for model in report.models),
        note=report.note,
    )
    return Reports(data_dir).add(item, page)
