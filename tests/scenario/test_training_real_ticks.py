"""Nine days of real EURUSD: an honest report, registered models, forecasts in a replay."""

import json

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from model_fixtures import EURUSD

from plan2.commands.models import command as models
from plan2.commands.train import command as train
from plan2.dataflow.archive import TickArchive
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.models.ensemble import load_ensembles
from plan2.intelligence.models.registry import TrialRegistry

pytest.importorskip("torch")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(shared_data, tmp_path_factory):
    """A data folder with the archived ticks, and what `plan2 train --json` printed."""
    folder = tmp_path_factory.mktemp("real")
    frame = pl.read_parquet(shared_data / "ticks" / "oanda_eurusd_2014-05-01_09.parquet")
    ts_ns = frame["time_utc"].cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy()
    block = TickBlock("EURUSD", ts_ns, frame["bid"].to_numpy(), frame["ask"].to_numpy())
    TickArchive(folder / "archive").merge(block)
    result = CliRunner().invoke(train, ["--data-dir", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    return folder, json.loads(result.stdout), block


def test_the_verdict_on_nine_days_is_insufficient_evidence(trained):
    """Fewer than a hundred independent events cannot show anything, and the report says so."""
    _, report, _ = trained

    assert report["verdict"] == "insufficient evidence"
    assert 20 < report["n_eff"] < report["events"]
    assert report["metrics"]["ensemble"]["accuracy_low"] < 0.5
    assert any(line.startswith("Verdict: insufficient evidence.") for line in report["report"])


def test_every_event_is_accounted_for(trained):
    """Pending + resolved + untradeable + interrupted = events; a weekend interrupts labels."""
    counts = trained[1]["counts"]["EURUSD"]
    kinds = ("pending", "resolved", "untradeable", "interrupted")

    assert sum(counts[kind] for kind in kinds) == counts["events"]
    assert counts["resolved"] - counts["unchanged"] == trained[1]["events"]
    assert counts["interrupted"] >= 1
    assert counts["bars"] == pytest.approx(9_552, abs=5)


def test_models_are_registered_listed_and_shown(trained):
    """They are one candidate that serves nothing yet, and their cards hold the same verdict."""
    folder, report, _ = trained
    listed = CliRunner().invoke(models, ["list", "--json", "--data-dir", str(folder)])
    [line] = json.loads(listed.stdout)

    assert line["candidate_id"] == report["candidate_id"]
    assert sorted(line["models"]) == sorted(report["model_ids"])
    assert {name.split("-")[0] for name in line["models"]} == {"xgboost", "lstm"}
    assert (line["symbols"], line["serves"]) == (["EURUSD"], [])
    for model_id in report["model_ids"]:
        shown = CliRunner().invoke(models, ["show", model_id, "--data-dir", str(folder)])
        assert "insufficient evidence" in shown.stdout
        assert "up by 0.75 σ√horizon before down, within 120 min" in shown.stdout


def test_a_replay_of_the_last_day_shows_forecasts(trained):
    """Warm after four hours; probabilities move, and both members vote."""
    folder, _, block = trained
    plan = default_plan(60)
    ensemble = load_ensembles(TrialRegistry(folder / "models"), ["EURUSD"], plan.schema_id)[
        "EURUSD"
    ]
    engine = FeatureEngine(plan, EURUSD)
    day = block.ts_ns // NS_PER_DAY
    last = np.flatnonzero(day == day[-1])
    ensemble.catch_up(engine.step_block(block.slice(last[0] - 30_000, last[0])))
    forecasts = []
    for k in last[:2_000]:
        ts_ns, bid, ask = int(block.ts_ns[k]), float(block.bid[k]), float(block.ask[k])
        if engine.step(ts_ns, bid, ask):
            ensemble.commit(engine)
        forecasts.append(ensemble.forecast(ts_ns, engine))

    assert all(forecast.abstained == "" for forecast in forecasts)
    assert all(len(forecast.votes) == 2 for forecast in forecasts)
    assert len({forecast.p_up for forecast in forecasts}) > 10
    assert all(1e-4 < forecast.barrier < 1e-2 for forecast in forecasts)


def test_a_symbol_that_is_not_archived_is_named(trained):
    """With what is archived."""
    result = CliRunner().invoke(train, ["--symbol", "GBPUSD", "--data-dir", str(trained[0])])

    assert isinstance(result.exception, InputError)
    assert "archived symbols: EURUSD" in str(result.exception)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [("2020-01-01", "2020-02-01", "no closed bar"), ("2014-05-01", "2014-05-02", "too few")],
)
def test_too_few_ticks_are_a_mistake_with_a_remedy(trained, start, end, message):
    """An empty span and a single day."""
    arguments = ["--from", start, "--to", end, "--data-dir", str(trained[0])]
    result = CliRunner().invoke(train, arguments)

    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert result.exception.remedy
