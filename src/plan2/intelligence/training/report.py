"""What a training run found, for people, scripts and manifests."""

import msgspec

from plan2.intelligence.models.gates import PLANTED_ACCURACY
from plan2.intelligence.models.manifest import TrainedModel
from plan2.intelligence.training.evaluate import Evaluation
from plan2.intelligence.training.figures import Figures
from plan2.intelligence.training.plain_words import (
    evidence_of,
    flags_in_words,
    required_in_words,
)


class TrainReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a training run.

    `counts`: per symbol, what became of bars and events. `families` and `ensemble`: out-of-sample
    evaluations; the ensemble's verdict is the run's. `missing`: families that could not be trained
    and why. `note`: what a reader must know before believing the figures. `figures`: what
    the pictures of the page show. `models` is empty when nothing was to be trained for serving.
    """

    symbols: tuple[str, ...]
    first_ts_ns: int
    last_ts_ns: int
    horizon_s: int
    counts: dict[str, dict[str, int]]
    events: int
    n_eff: float
    families: dict[str, Evaluation]
    ensemble: Evaluation
    missing: tuple[str, ...]
    note: str
    figures: Figures
    models: tuple[TrainedModel, ...]

    @property
    def verdict(self) -> str:
        """The ensemble's verdict."""
        return str(self.ensemble.verdict)


def metrics_of(evaluation: Evaluation) -> dict[str, float]:
    """The figures of an evaluation as one flat table, bounds as _low and _high.

    A figure that the evidence does not allow is absent.
    """
    table = {
        "n": float(evaluation.n),
        "n_eff": evaluation.n_eff,
        "base_rate": evaluation.base_rate,
        "log_loss": evaluation.log_loss,
        "auc": evaluation.auc,
        "calibration_error": evaluation.calibration_error,
        "calibration_null": evaluation.calibration_null,
        "random_side_p": evaluation.random_side_p,
        "trades": float(evaluation.trades.trades),
        "trades_net_r_total": evaluation.trades.net_r_total,
        "drawdown_r": evaluation.trades.drawdown_r,
        "turnover": evaluation.trades.turnover,
        "cost_share": evaluation.trades.cost_share,
    }
    for name in ("accuracy", "log_loss_skill", "brier_skill", "net_r", "skill_vs_logistic"):
        interval = getattr(evaluation, name)
        table |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    for name in ("skill_vs_champion", "lead_on_planted"):
        known = getattr(evaluation, name)
        if known is not None:
            table |= {name: known.value, f"{name}_low": known.low, f"{name}_high": known.high}
    return table | {name: value for name, value in _evidence(evaluation) if value is not None}


def _evidence(evaluation: Evaluation) -> list[tuple[str, float | None]]:
    """Figures that need more than a few events; what could not be computed is None, never 0."""
    stress = evaluation.stress.get("1.5")
    return [
        ("sharpe", evaluation.trades.sharpe),
        ("dsr", evaluation.dsr),
        ("pbo", evaluation.pbo),
        ("spa_p", evaluation.spa_p),
        ("trials", None if evaluation.trials is None else float(evaluation.trials)),
        ("net_r_low_1_5x", None if stress is None else stress.low),
        ("sealed_log_loss_skill", evaluation.sealed_log_loss_skill),
        (PLANTED_ACCURACY, evaluation.planted_accuracy),
    ]


def lines_of(report: TrainReport) -> list[str]:
    """The report as lines of text."""
    head = (
        f"Symbols {', '.join(report.symbols)}; horizon {report.horizon_s // 60} min; "
        f"{report.events} resolved events, about {report.n_eff:.0f} independent ones."
    )
    lines = [head]
    lines += [f"  {symbol}: {_counts(counts)}" for symbol, counts in report.counts.items()]
    lines += ["", _HEADER]
    rows = {**report.families, "ensemble": report.ensemble}
    lines += [_row(name, evaluation) for name, evaluation in rows.items()]
    lines += [
        f"  {name:<16}{score.accuracy:>8.1%}{'':>16}{'':>24}{score.net_r_mean:>+9.3f}"
        for name, score in report.ensemble.baselines.items()
    ]
    lines += ["", f"Verdict: {report.verdict}. {required_in_words(report.ensemble)}"]
    lines += _better_rules(report.ensemble)
    lines += [f"  {name + ':':<36}{text}" for name, text in evidence_of(report.ensemble)]
    lines += flags_in_words(report.ensemble)
    lines += [f"Not trained: {sentence}" for sentence in report.missing]
    return [*lines, report.note] if report.note else lines


_HEADER = (
    f"  {'out of sample':<16}{'accuracy':>8}{'95 %':>16}"
    f"{'log-loss skill, 95 %':>24}{'net R':>9}{'AUC':>8}"
)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _row(name: str, evaluation: Evaluation) -> str:
    accuracy, skill = evaluation.accuracy, evaluation.log_loss_skill
    return (
        f"  {name:<16}{accuracy.value:>8.1%}{f'{accuracy.low:.1%} … {accuracy.high:.1%}':>16}"
        f"{f'{skill.low:+.2%} … {skill.high:+.2%}':>24}{evaluation.net_r.value:>+9.3f}"
        f"{evaluation.auc:>8.3f}"
    )


def _better_rules(evaluation: Evaluation) -> list[str]:
    """The simple rules that were right more often at the same events."""
    better = [
        f"{name} ({score.accuracy:.1%})"
        for name, score in evaluation.baselines.items()
        if score.accuracy > evaluation.accuracy.value
    ]
    return [f"Right more often at the same events: {', '.join(better)}."] if better else []
