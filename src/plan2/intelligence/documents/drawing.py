"""Drawings of a report as SVG text that takes its colours from the page, light or dark.

Needs matplotlib; it is imported when a page is written and never while trading.
"""

import io
import re
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK: Final = "#010203"
SERIES: Final = tuple(f"#0405{number:02x}" for number in range(8))
"""Stand-ins that are replaced by the page's own colours."""
# Matplotlib's stubs want 300 literal keys here.
SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "plan2",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def canvas(width: float = 7.2, height: float = 3.0) -> tuple[Figure, Axes]:
    """An empty drawing, sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def colour(number: int) -> str:
    """The colour of a series."""
    return SERIES[number % len(SERIES)]


def as_text(figure: Figure, title: str) -> str:
    """The figure as an `<svg>` element without ids that two of them would share."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[a-z]+[a-z0-9.]*_\d+"', "", svg)
    svg = svg.replace(INK, "var(--ink)")
    for number, stand_in in enumerate(SERIES):
        svg = svg.replace(stand_in, f"var(--series-{number})")
    svg = re.sub(
        r"(font(?:-family)?: [^;\"]*?)'DejaVu Sans'[^;\"]*", r"\1system-ui, sans-serif", svg
    )
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
