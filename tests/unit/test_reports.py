"""The report: one file that stands alone, listed and served; and the command that makes one."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner
from model_fixtures import dataset, random_walk, request

from plan2.commands.evaluate import command as evaluate
from plan2.dataflow.archive import TickArchive
from plan2.foundation.errors import InputError
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.figures import reliability
from plan2.intelligence.training.importance import importance_of
from plan2.intelligence.training.outcomes import outcomes_of, weekdays
from plan2.intelligence.training.page import page_of
from plan2.intelligence.training.plots import dates_of
from plan2.intelligence.training.publish import publish
from plan2.intelligence.training.reports import Reports, report_id_of
from plan2.intelligence.training.train import train_on
from plan2.intelligence.training.trials import Trials

MADE_NS = 1_704_067_261 * 1_000_000_000


@pytest.fixture(scope="module")
def report():
    """A small training run of trees."""
    found, missing = families(("xgboost",))
    data = dataset(bars=20_000, every=30)
    return train_on(request(("EURUSD", "GBPUSD")), data, found, lambda *_: None, missing)


class Elements(HTMLParser):
    """Every element and attribute of a page; fails on what is never closed."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open = set(), [], []

    def handle_starttag(self, tag, attrs):
        """Remember it."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """It closes itself."""
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        """It closes the last one that was opened."""
        assert self.open.pop() == tag


def test_a_page_needs_nothing_else(report):
    """No script, no handler, nothing that is loaded; every element is closed; both themes."""
    page = page_of(report, "Training")
    found = Elements()
    found.feed(page)

    assert found.open == []
    assert not found.tags & {"script", "link", "img", "iframe", "object", "embed", "form"}
    for name, value in found.attributes:
        assert not name.startswith("on"), name
        if name in {"href", "xlink:href", "src"}:
            assert value.startswith("#"), value
    assert not re.search(r"url\((?!#)", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme:dark" in page
    assert "#0102" not in page
    assert "#0405" not in page


def test_a_page_says_the_verdict_first_and_shows_everything(report):
    """Verdict, then every section with its picture; names are escaped."""
    page = page_of(report, "A <b>title</b>")
    order = [page.index(text) for text in ('class="verdict"', "What was tested", "Fold by fold")]

    assert order == sorted(order)
    assert "<b>title" not in page
    assert page.count("<svg") == 4
    for name in (*report.ensemble.baselines, "Deflated Sharpe ratio", "15,455"):
        assert name.replace("_", " ") in page


def test_reports_are_listed_newest_first_and_read_back(report, tmp_path):
    """Two of them; what is listed is what the evaluation found."""
    first = publish(report, "train", MADE_NS, tmp_path)
    second = publish(report, "evaluate", MADE_NS + 60_000_000_000, tmp_path)
    found = Reports(tmp_path).list()

    assert [each.made_by for each in found] == ["evaluate", "train"]
    assert found[1].report_id.startswith("20240101T000101-")
    assert found[1].metrics["n_eff"] == report.ensemble.n_eff
    assert len(found[1].model_ids) == 1
    assert Reports(tmp_path).page(found[0].report_id) == second.read_bytes()
    assert first.stem == found[1].report_id


@pytest.mark.parametrize("report_id", ["../secret", "20240101T000101-12345678", "", "a/b"])
def test_only_reports_are_read(tmp_path, report_id):
    """Nothing outside of the folder, and nothing that is no report."""
    (tmp_path / "secret.html").write_text("x")
    with pytest.raises(InputError, match="no report"):
        Reports(tmp_path).page(report_id)


def test_a_damaged_list_says_which_file(tmp_path):
    """And what to do."""
    reports = Reports(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / f"{report_id_of(MADE_NS, 'x')}.json").write_text("{")
    with pytest.raises(InputError, match=r"20240101T000101-.*cannot be read"):
        reports.list()


def test_the_band_of_a_perfect_forecaster_holds_it():
    """About one bin in twenty may be outside."""
    data = dataset(bars=60_000, every=10, strength=0.0)
    rows = data.all_rows()
    rng = np.random.default_rng(1)
    p = rng.beta(20, 20, len(rows))
    side = np.where(rng.random(len(rows)) < p, 1, -1).astype(np.int8)
    bins = reliability(p, outcomes_of(data.with_sides(side), rows), rng)

    assert len(bins) == 10
    assert sum(not each.low <= each.observed <= each.high for each in bins) <= 2
    assert sum(each.n for each in bins) == len(rows)


def test_importance_finds_the_features_that_matter(report):
    """Outcomes follow feature 1 exactly, feature 0 with noise, and no other."""
    table = report.figures.importance["xgboost"]
    first, exact = request().plan().names[:2]
    others = [rise for name, rise in table.items() if name not in {first, exact}]

    assert next(iter(table)) == exact
    assert table[exact] > 5.0 * max(others)


def test_a_model_that_reads_no_features_has_no_importance():
    """What a net over bars says does not change when features at the event are shuffled."""

    class Constant:
        """Says the same of every event."""

        def logits(self, data, rows):
            """Nothing but zeros."""
            return np.zeros(len(rows))

    data = dataset(bars=2_000)
    rng = np.random.default_rng(1)
    assert importance_of(Constant(), data, data.all_rows(), ("a",), rng) == {}


def test_dates_of_weekdays_are_the_days_they_came_from():
    """Monday to Friday there and back."""
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    working = days[np.is_busday(days)]
    ts_ns = working.astype("datetime64[ns]").astype(np.int64)

    assert (dates_of(weekdays(ts_ns)) == working).all()


@pytest.fixture(scope="module")
def archived(tmp_path_factory):
    """A data folder with ten days of a random walk."""
    folder = tmp_path_factory.mktemp("walk")
    TickArchive(folder / "archive").merge(random_walk(1, 10))
    return folder


def evaluated(folder, *options):
    """`plan2 evaluate` with the quickest family."""
    words = ["--data-dir", str(folder), "--families", "xgboost", *options]
    return CliRunner().invoke(evaluate, words)


def test_evaluate_judges_and_registers_nothing(archived):
    """A random walk: no skill; a trial and a report are there, a model is not."""
    result = evaluated(archived, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)

    assert found["verdict"] != "skill"
    assert found["model_ids"] == []
    assert Registry(archived / "models").list() == ()
    assert found["metrics"]["ensemble"]["trials"] == 1.0
    assert "sealed_log_loss_skill" not in found["metrics"]["ensemble"]
    listed = Reports(archived).list()
    assert [each.made_by for each in listed] == ["evaluate"]
    assert listed[0].verdict == found["verdict"]
    assert found["page"].endswith(f"{listed[0].report_id}.html")


def test_the_seal_is_opened_once(archived):
    """The second time is refused with the reason, and the skill of the first time was shown."""
    first, second = (evaluated(archived, "--open-sealed", "--json") for _ in range(2))

    assert first.exit_code == 0, first.output
    skill = json.loads(first.stdout)["metrics"]["xgboost"]["sealed_log_loss_skill"]
    assert skill < 0.05
    assert isinstance(second.exception, InputError)
    assert "opened before" in str(second.exception)
    trial = Trials(archived / "models").of("EURUSD 120min bars 60s barrier 0.75 labels v1")[0]
    assert trial.origin == "evaluate"
