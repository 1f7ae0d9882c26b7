"""A report as one HTML file: the verdict first, in plain words, then what it rests on.

No script, no address, no font from elsewhere: it works from a disk, in a mail and under the
strictest content security policy. Everything that is not our own text is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import numpy as np

from plan2.intelligence.training import plots
from plan2.intelligence.training.bootstrap import Interval
from plan2.intelligence.training.evaluate import Evaluation
from plan2.intelligence.training.metrics import POWER_TABLE
from plan2.intelligence.training.plain_words import evidence_of, first_words, flags_in_words
from plan2.intelligence.training.report import TrainReport

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2024;--paper:#fff;--soft:#f2f4f6;--line:#d5dae0;
--series-0:#2563a8;--series-1:#b4530a;--series-2:#2b7a3f;--series-3:#8a3ab9;--series-4:#a8274a;
--series-5:#5b6b00;--series-6:#00747c;--series-7:#6b7280}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--paper:#15181b;--soft:#1f2428;
--line:#39414a;--series-0:#7db4f0;--series-1:#f0a35e;--series-2:#79c98d;--series-3:#c99af0;
--series-4:#f08aa6;--series-5:#c9d36a;--series-6:#63cdd6;--series-7:#a3abb5}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;
max-width:60rem;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.verdict{font-size:1.15rem;background:var(--soft);border-left:.4rem solid var(--series-0);
padding:.8rem 1rem}.flag{border-color:var(--series-4)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}
.pair{display:flex;flex-wrap:wrap;gap:1rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:0 1rem}
dd{margin:0}small{opacity:.8}
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page_of(report: TrainReport, title: str) -> str:
    """The whole document."""
    figures, ensemble = report.figures, report.ensemble
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict">{escape(first_words(ensemble))}</p>',
        f"<p>{escape(report.note)}</p>" if report.note else "",
        *(f'<p class="verdict flag">{escape(text)}</p>' for text in flags_in_words(ensemble)),
        _section("What was tested", _counts(report)),
        _section("What trading on it would have paid", plots.equity(figures)),
        _section("Against simple rules at the same events", _baselines(report)),
        _section("Forecasts", _forecasts(report)),
        _section("Are the probabilities right?", _calibration(report)),
        _section("Fold by fold", _folds(report)),
        _section("With higher costs and later entries", _stress(report)),
        _section("Corrected for luck", _evidence(ensemble)),
        *(
            _section(f"What {name} listens to", plots.importance(table))
            for name, table in figures.importance.items()
        ),
    ]
    if figures.losses:
        parts.append(_section("How the nets learned", plots.losses(figures.losses)))
    parts.append(_section("How much evidence an accuracy needs", _power()))
    return _document(title, "\n".join(parts))


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{content}\n</section>"


def _counts(report: TrainReport) -> str:
    first, last = (_day(ts_ns) for ts_ns in (report.first_ts_ns, report.last_ts_ns))
    head = (
        f"<p>{escape(', '.join(report.symbols))}, {first} to {last}, horizon "
        f"{report.horizon_s // 60} minutes: {report.events} resolved events, worth about "
        f"{report.n_eff:.0f} independent ones. The newest tenth is sealed and has no part here.</p>"
    )
    kinds = list(next(iter(report.counts.values())))
    rows = [[symbol, *(f"{c[kind]}" for kind in kinds)] for symbol, c in report.counts.items()]
    return head + _table(["symbol", *kinds], rows) + _missing(report)


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
    return _table([*head, "turnover a day", "cost share", "verdict"], rows)


def _baselines(report: TrainReport) -> str:
    ensemble = report.ensemble
    rows = [["ensemble", f"{ensemble.accuracy.value:.1%}", f"{ensemble.net_r.value:+.3f}"]]
    rows += [
        [name.replace("_", " "), f"{score.accuracy:.1%}", f"{score.net_r_mean:+.3f}"]
        for name, score in ensemble.baselines.items()
    ]
    share = f"{ensemble.random_side_p:.1%}"
    luck = f"<p>The same sides at other times pay as much in {share} of cases.</p>"
    return _table(["rule", "accuracy", "net R per event"], rows) + luck


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
    return _table(["tested", "trained on", "events", *names], rows) + note


def _stress(report: TrainReport) -> str:
    rows = [
        [name, *(_r(each.stress[key]) for key in ("1", "1.5", "2", "late"))]
        for name, each in _everyone(report)
        if each.stress
    ]
    if not rows:
        return "<p>There were too few trades for an interval.</p>"
    head = ["net R per trade, 95 %", "real cost", "1.5 × cost", "2 × cost", "one tick later"]
    return _table(head, rows)


def _evidence(evaluation: Evaluation) -> str:
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in evidence_of(evaluation)
    )
    return f"<dl>{items}</dl>"


def _power() -> str:
    rows = [[f"{accuracy:.0%}", f"{events:,}"] for accuracy, events in POWER_TABLE.items()]
    return _table(["accuracy", "independent events needed"], rows)


def _everyone(report: TrainReport) -> list[tuple[str, Evaluation]]:
    return [*report.families.items(), ("ensemble", report.ensemble)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    first = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    rest = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{first}</tr></thead><tbody>{rest}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _percent(interval: Interval) -> str:
    return f"{interval.value:.2%} ({interval.low:.2%} … {interval.high:.2%})"


def _r(interval: Interval) -> str:
    return f"{interval.value:+.3f} ({interval.low:+.3f} … {interval.high:+.3f})"


def _day(ts_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[D]"))
