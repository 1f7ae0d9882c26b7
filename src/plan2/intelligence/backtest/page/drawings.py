"""The drawings of a run's report; needs matplotlib, so it is imported when a page is written."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from plan2.intelligence.backtest.figures.terms import Costs, Curve, Excursion, Histogram, Pictures
from plan2.intelligence.documents.drawing import INK, SERIES, SETTINGS, as_text, canvas

GAINED, LOST = SERIES[2], SERIES[4]


def equity(pictures: Pictures, currency: str) -> str:
    """Equity above its drawdown, on one axis of time."""
    with mpl.rc_context(SETTINGS):
        figure, _ = canvas(height=4.2)
        figure.clear()
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _line(above, pictures.equity, SERIES[0])
        above.set_ylabel(f"equity, {currency}")
        times, values = _dates(pictures.drawdown), np.array(pictures.drawdown.values) * 100.0
        below.fill_between(times, values, 0.0, color=LOST, alpha=0.35, lw=0)
        below.plot(times, values, color=LOST, lw=0.8)
        below.set_ylabel("drawdown, %")
        figure.autofmt_xdate()
        return as_text(figure, "Equity and drawdown")


def exposure(pictures: Pictures) -> str:
    """Net lots over time."""
    with mpl.rc_context(SETTINGS):
        figure, axes = canvas(height=2.0)
        axes.step(
            _dates(pictures.lots), pictures.lots.values, where="post", color=SERIES[0], lw=0.8
        )
        axes.axhline(0.0, color=INK, lw=0.6)
        axes.set_ylabel("net lots")
        figure.autofmt_xdate()
        return as_text(figure, "Open lots over time")


def rolling(pictures: Pictures) -> str:
    """Sharpe ratio and volatility of the last month, day by day."""
    with mpl.rc_context(SETTINGS):
        figure, _ = canvas(height=3.4)
        figure.clear()
        above, below = figure.subplots(2, 1, sharex=True)
        _line(above, pictures.rolling_sharpe, SERIES[0])
        above.axhline(0.0, color=INK, lw=0.6)
        above.set_ylabel("Sharpe ratio")
        times = _dates(pictures.rolling_volatility)
        percent = np.array(pictures.rolling_volatility.values) * 100.0
        below.plot(times, percent, color=SERIES[1], lw=1.2)
        below.set_ylabel("volatility, %")
        figure.autofmt_xdate()
        return as_text(figure, "Rolling Sharpe ratio and volatility")


def histogram(bars: Histogram, label: str, scale: float = 1.0) -> str:
    """How often which result came, losses and gains in their colours."""
    with mpl.rc_context(SETTINGS):
        figure, axes = canvas(width=4.2, height=3.0)
        edges = np.array(bars.edges) * scale
        colours = [GAINED if middle > 0.0 else LOST for middle in (edges[1:] + edges[:-1]) / 2.0]
        axes.bar(edges[:-1], bars.counts, np.diff(edges), align="edge", color=colours, alpha=0.75)
        axes.axvline(0.0, color=INK, lw=0.8)
        axes.set_xlabel(label)
        axes.set_ylabel("count")
        return as_text(figure, f"Histogram: {label}")


def excursions(points: tuple[Excursion, ...], currency: str) -> str:
    """What each trade brought against how far it was down and up on the way."""
    with mpl.rc_context(SETTINGS):
        figure, _ = canvas(height=3.2)
        figure.clear()
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, name, label in ((left, "mae", "worst"), (right, "mfe", "best")):
            for is_gain, colour in ((True, GAINED), (False, LOST)):
                chosen = [each for each in points if (each.net > 0.0) is is_gain]
                axes.plot(
                    [getattr(each, name) for each in chosen],
                    [each.net for each in chosen],
                    ".", color=colour, ms=4, alpha=0.7, label="gained" if is_gain else "lost",
                )  # fmt: skip
            axes.axhline(0.0, color=INK, lw=0.6)
            axes.set_xlabel(f"{label} open profit, {currency}")
        left.set_ylabel(f"net result, {currency}")
        right.legend(fontsize=8)
        return as_text(figure, "Worst and best open profit against the result of each trade")


def costs(costs: Costs, currency: str) -> str:
    """From the result before costs down to the net result."""
    steps = [
        ("before costs", costs.before), ("spread", costs.spread), ("slippage", costs.slippage),
        ("commission", costs.commission), ("swap", costs.swap), ("net", costs.net),
    ]  # fmt: skip
    with mpl.rc_context(SETTINGS):
        figure, axes = canvas(height=2.6)
        level = 0.0
        for number, (name, amount) in enumerate(steps):
            is_total = name in {"before costs", "net"}
            bottom = 0.0 if is_total else level
            colour = SERIES[0] if is_total else GAINED if amount > 0.0 else LOST
            axes.bar(number, amount, bottom=bottom, color=colour, alpha=0.8)
            level = amount if is_total else level + amount
        axes.set_xticks(range(len(steps)), [name for name, _ in steps])
        axes.axhline(0.0, color=INK, lw=0.6)
        axes.set_ylabel(currency)
        return as_text(figure, "From the result before costs to the net result")


def _line(axes: Axes, curve: Curve, colour: str) -> None:
    axes.plot(_dates(curve), curve.values, color=colour, lw=1.2)


def _dates(curve: Curve) -> np.ndarray:
    return np.array(curve.ts_ns, np.int64).astype("datetime64[ns]").astype("datetime64[s]")
