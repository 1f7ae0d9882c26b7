"""Pictures of a report as SVG text that takes its colours from the page, light or dark.

Needs matplotlib, so it is imported when a page is written and never while trading.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib as mpl
import numpy as np

from plan2.foundation.values import Int64Array
from plan2.intelligence.documents.drawing import INK, SERIES, SETTINGS, as_text, canvas, colour
from plan2.intelligence.training.figures import Bin, Figures

RULES: Final = ("buy and hold", "logistic")
IMPORTANT: Final = 15


def equity(figures: Figures) -> str:
    """Running net results in R by weekday; simple rules are dashed."""
    with mpl.rc_context(SETTINGS):
        figure, axes = canvas()
        for number, (name, curve) in enumerate(figures.equity.items()):
            days = dates_of(figures.first_weekday + np.arange(len(curve), dtype=np.int64))
            style = "--" if name in RULES else "-"
            width = 2.0 if name == "ensemble" else 1.2
            axes.plot(days, curve, style, color=colour(number), lw=width, label=name)
        axes.axhline(0.0, color=INK, lw=0.6)
        axes.set_ylabel("net result, R")
        axes.legend(ncols=3, fontsize=8)
        figure.autofmt_xdate()
        return as_text(figure, "Running net result in R")


def reliability(bins: Sequence[Bin]) -> str:
    """How often up came against the forecast, with the band of a perfect forecaster."""
    with mpl.rc_context(SETTINGS):
        figure, axes = canvas(width=4.2, height=3.4)
        p = [each.p for each in bins]
        low, high = [each.low for each in bins], [each.high for each in bins]
        axes.fill_between(p, low, high, color=SERIES[0], alpha=0.2, lw=0, label="chance, 95 %")
        axes.plot(p, p, color=INK, lw=0.8, label="perfect")
        observed = [each.observed for each in bins]
        axes.plot(p, observed, "o-", color=SERIES[1], ms=4, lw=1.2, label="observed")
        axes.set_xlabel("forecast probability of up")
        axes.set_ylabel("share that went up")
        axes.legend(fontsize=8)
        return as_text(figure, "Reliability diagram")


def histogram(edges: Sequence[float], counts: Sequence[int]) -> str:
    """How many events got which forecast."""
    with mpl.rc_context(SETTINGS):
        figure, axes = canvas(width=4.2, height=3.4)
        axes.stairs(counts, edges, fill=True, color=SERIES[0], alpha=0.7)
        axes.axvline(0.5, color=INK, lw=0.8)
        axes.set_xlabel("forecast probability of up")
        axes.set_ylabel("events")
        return as_text(figure, "Histogram of forecasts")


def importance(table: Mapping[str, float]) -> str:
    """The features that matter most, the most important on top."""
    with mpl.rc_context(SETTINGS):
        best = list(table.items())[:IMPORTANT]
        figure, axes = canvas(height=0.6 + 0.24 * len(best))
        axes.barh([name for name, _ in best], [1e3 * rise for _, rise in best], color=SERIES[0])
        axes.invert_yaxis()
        axes.axvline(0.0, color=INK, lw=0.6)
        axes.set_xlabel("rise of the log loss when shuffled, thousandths of a nat")
        return as_text(figure, "Feature importance")


def losses(curves: Mapping[str, Sequence[float]]) -> str:
    """Mean training loss after each epoch of the nets."""
    with mpl.rc_context(SETTINGS):
        figure, axes = canvas()
        for number, (name, curve) in enumerate(curves.items()):
            epochs = range(1, len(curve) + 1)
            axes.plot(epochs, curve, "o-", ms=3, lw=1.2, color=colour(number), label=name)
        axes.axhline(float(np.log(2.0)), color=INK, lw=0.6, ls="--", label="a coin")
        axes.set_xlabel("epoch")
        axes.set_ylabel("training loss, nats")
        axes.legend(fontsize=8)
        return as_text(figure, "Learning curve")


def dates_of(weekday: Int64Array) -> np.ndarray:
    """The dates of numbers of weekdays (`outcomes.weekdays`), datetime64[D]."""
    since_monday = weekday + 3
    return (since_monday // 5 * 7 + since_monday % 5 - 3).astype("datetime64[D]")
