"""A report as one HTML file: the verdict first, in plain words, then what it rests on.

No script, no address, no font from elsewhere: it works from a disk, in a mail and under the
strictest content security policy. Everything that is not our own text is escaped.
"""

from html import escape

import numpy as np

from plan2.intelligence.documents.html import document, section, table
from plan2.intelligence.training import plots
from plan2.intelligence.training.bootstrap import Interval
from plan2.intelligence.training.evaluate import Evaluation
from plan2.intelligence.training.metrics import POWER_TABLE
from plan2.intelligence.training.plain_words import evidence_of, first_words, flags_in_words
from plan2.intelligence.training.report import TrainReport


def page_of(report: TrainReport, title: str) -> str:
    """The whole document."""
    figures, ensemble = report.figures, report.ensemble
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict">{escape(first_words(ensemble))}</p>',
        f"<p>{escape(report.note)}</p>" if report.note else "",
        *(f'<p class="verdict flag">{escape(text)}</p>' for text in flags_in_words(ensemble)),
        section("What was tested", _counts(report)),
        section("What trading on it would have paid", plots.equity(figures)),
        section("Against simple rules at the same events", _baselines(report)),
        section("Forecasts", _forecasts(report)),
        section("Are the probabilities right?", _calibration(report)),
        section("Fold by fold", _folds(report)),
        section("With higher costs and later entries", _stress(report)),
        section("Corrected for luck", _evidence(ensemble)),
        *(
            section(f"What {name} listens to", plots.importance(rises))
            for name, rises in figures.importance.items()
        ),
    ]
    if figures.losses:
        parts.append(section("How the nets learned", plots.losses(figures.losses)))
    parts.append(section("How much evidence an accuracy needs", _power()))
    return document(title, "\n".join(parts))


def _counts(report: TrainReport) -> str:
    first, last = (_day(ts_ns) for ts_ns in (report.first_ts_ns, report.last_ts_ns))
    head = (
        f"<p>{escape(', '.join(report.symbols))}, {first} to {last}, horizon "
        f"{report.horizon_s // 60} minutes: {report.events} resolved events, worth about "
        f"{report.n_eff:.0f} independent ones. The newest tenth is sealed and has no part here.</p>"
    )
    kinds = list(next(iter(report.counts.values())))
    rows = [[symbol, *(f"{c[kind]}" for kind in kinds)] for symbol, c in report.counts.items()]
    return head + table(["symbol", *kinds], rows) + _missing(report)


def _missing(report: TrainReport) -> str:
    return "".join(f"<p>Not trained: {escape(text)}</p>" for text in report.missing)


def _forecasts(report: TrainReport) -> str:
    rows = [
        [
            name,
            _percent(each.accuracy),
            _percent(each.log_loss_skill),
            _percent(each.skill_vs_logistic),
            f"{each.auc:.3f}",
            f"{each.calibration_error:.3f} ({each.calibration_null:.3f})",
            f"{each.trades.trades}",
            "–" if each.trades.sharpe is None else f"{each.trades.sharpe:.2f}",
            f"{each.trades.drawdown_r:.1f}",
            f"{each.trades.turnover:.1f}",
            f"{each.trades.cost_share:.0%}",
            each.verdict,
        ]
        for name, each in _everyone(report)
    ]
    head = ["", "accuracy, 95 %", "log-loss skill, 95 %", "against logistic, 95 %", "AUC"]
    head += ["calibration error (chance)", "trades", "Sharpe", "drawdown, R"]
    return table([*head, "turnover a day", "cost share", "verdict"], rows)


def _baselines(report: TrainReport) -> str:
    ensemble = report.ensemble
    rows = [["ensemble", f"{ensemble.accuracy.value:.1%}", f"{ensemble.net_r.value:+.3f}"]]
    rows += [
        [name.replace("_", " "), f"{score.accuracy:.1%}", f"{score.net_r_mean:+.3f}"]
        for name, score in ensemble.baselines.items()
    ]
    share = f"{ensemble.random_side_p:.1%}"
    luck = f"<p>The same sides at other times pay as much in {share} of cases.</p>"
    return table(["rule", "accuracy", "net R per event"], rows) + luck


def _calibration(report: TrainReport) -> str:
    figures = report.figures
    bins, counts = figures.reliability["ensemble"], figures.histogram["ensemble"]
    pictures = plots.reliability(bins) + plots.histogram(figures.edges, counts)
    return f'<div class="pair">{pictures}</div>'


def _folds(report: TrainReport) -> str:
    names = [name for name, _ in _everyone(report)]
    rows = [
        [
            f"{_day(fold.first_ts_ns)} to {_day(fold.last_ts_ns)}",
            f"{fold.train}",
            f"{fold.test}",
            *(f"{fold.accuracy[n]:.1%} / {fold.log_loss_skill[n]:+.2%}" for n in names),
        ]
        for fold in report.figures.folds
    ]
    note = "<small>Accuracy / log-loss skill.</small>"
    return table(["tested", "trained on", "events", *names], rows) + note


def _stress(report: TrainReport) -> str:
    rows = [
        [name, *(_r(each.stress[key]) for key in ("1", "1.5", "2", "late"))]
        for name, each in _everyone(report)
        if each.stress
    ]
    if not rows:
        return "<p>There were too few trades for an interval.</p>"
    head = ["net R per trade, 95 %", "real cost", "1.5 × cost", "2 × cost", "one tick later"]
    return table(head, rows)


def _evidence(evaluation: Evaluation) -> str:
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in evidence_of(evaluation)
    )
    return f"<dl>{items}</dl>"


def _power() -> str:
    rows = [[f"{accuracy:.0%}", f"{events:,}"] for accuracy, events in POWER_TABLE.items()]
    return table(["accuracy", "independent events needed"], rows)


def _everyone(report: TrainReport) -> list[tuple[str, Evaluation]]:
    return [*report.families.items(), ("ensemble", report.ensemble)]


def _percent(interval: Interval) -> str:
    return f"{interval.value:.2%} ({interval.low:.2%} … {interval.high:.2%})"


def _r(interval: Interval) -> str:
    return f"{interval.value:+.3f} ({interval.low:+.3f} … {interval.high:+.3f})"


def _day(ts_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[D]"))
