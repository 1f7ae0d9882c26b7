"""The report of a run: one file that stands alone, with every figure and every trade."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from plan2.intelligence.backtest.figures.definitions import DEFINITIONS
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import Made
from plan2.intelligence.backtest.publish import publish
from unit.backtest_fixtures import MONDAY_NS, flow_of, run_of, trade, walk


class Elements(HTMLParser):
    """Every element and attribute; fails on what is never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """It closes itself."""
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """It closes the last one that was opened."""
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of sixty days."""
    kept = KeptRuns(tmp_path_factory.mktemp("tenant"))
    summary = publish(walk(), kept, Made(ts_ns=MONDAY_NS, code_hash="c" * 64))
    return kept.page(summary.run_id).decode()


def test_it_needs_nothing_else(page: str) -> None:
    """No script, no handler, nothing that is loaded; every element is closed; both themes."""
    found = Elements()
    found.feed(page)
    assert found.open == []
    assert not found.tags & {"script", "link", "img", "iframe", "object", "embed", "form"}
    for name, value in found.attributes:
        assert not name.startswith("on"), name
        if name in {"href", "xlink:href", "src"}:
            assert str(value).startswith("#"), value
    assert not re.search(r"url\((?!#)", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme:dark" in page
    assert "#0102" not in page
    assert "#0405" not in page


def test_it_holds_every_figure_and_every_trade(page: str) -> None:
    """Labels of all figures, all trades in pages of a hundred, hashes and what is not simulated."""
    run = walk()
    for known in DEFINITIONS.values():
        assert known.label in page
    assert page.count("<details") == -(-run.trades.height // 100)
    assert f"Trades 301 to {run.trades.height}" in page
    for text in (
        run.run_id,
        run.log_digest,
        "Partial fills.",
        "ema(close, fast)",
        "Returns by month",
    ):
        assert text in page
    assert page.index("Insufficient evidence") < page.index("Equity and drawdown")


def test_the_same_run_makes_the_same_page(page: str, tmp_path: Path) -> None:
    """Byte for byte, when it is made at the same time."""
    kept = KeptRuns(tmp_path)
    run_id = publish(walk(), kept, Made(ts_ns=MONDAY_NS, code_hash="c" * 64)).run_id
    assert kept.page(run_id).decode() == page


def test_nothing_of_a_flow_is_taken_for_html(tmp_path: Path) -> None:
    """A reason with a tag in it is text; a run without trades has a page too."""
    kept = KeptRuns(tmp_path)
    nasty = run_of([trade(0, 1.0, exit_reason="<script>x</script>")], [(MONDAY_NS, 10_001.0)])
    found = kept.page(publish(nasty, kept, Made(ts_ns=1, code_hash="c" * 64)).run_id).decode()
    assert "<script" not in found
    assert "&lt;script&gt;" in found
    empty = run_of([], [(MONDAY_NS, 10_000.0)], flow=flow_of(name="idle"))
    assert (
        "No trades"
        in kept.page(publish(empty, kept, Made(ts_ns=1, code_hash="c" * 64)).run_id).decode()
    )
