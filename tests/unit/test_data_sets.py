"""Data sets: written, read back to the bit, rebuilt to the same hash, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from model_fixtures import EURUSD, MONDAY_NS, random_walk, request

from plan2.commands.dataset import command
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.bar_series import BarSeries
from plan2.dataflow.bars import build_bars
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, TickBlock
from plan2.intelligence.training.assemble import assemble
from plan2.intelligence.training.data_sets import DataSets, Terms
from plan2.intelligence.training.dataset import SymbolSamples, pooled
from plan2.intelligence.training.from_bars import (
    HIGH_FIRST,
    LOW_FIRST,
    samples_of_bars,
    ticks_of_bars,
)
from plan2.intelligence.training.labels import LONG, SHORT, Status
from plan2.wiring.data_sets import request_for

ASKED = request()
TERMS = Terms(ASKED.plan(), ASKED.rules(), "ticks", 0, MONDAY_NS + 9 * NS_PER_DAY)
ARRAYS = ("bar_ts", "mid", "sequence", "is_reset", "event_bar", "values", "labels")


@pytest.fixture(scope="module")
def ticks() -> TickBlock:
    """Two days with a hole of five hours."""
    walk = random_walk(1, 2.0)
    ts_ns = walk.ts_ns.copy()
    ts_ns[len(ts_ns) // 2 :] += 5 * NS_PER_HOUR
    return TickBlock(walk.symbol, ts_ns, walk.bid, walk.ask)


@pytest.fixture(scope="module")
def whole(ticks: TickBlock) -> SymbolSamples:
    """Its samples."""
    return assemble([ticks], EURUSD, ASKED.plan(), ASKED.rules())


@pytest.fixture
def folder(tmp_path: Path, ticks: TickBlock) -> Path:
    """A data folder with the ticks archived."""
    TickArchive(tmp_path / "archive").merge(ticks)
    return tmp_path


def invoke(folder: Path, *arguments: object) -> Result:
    """Run the verb on a data folder."""
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(command, [*words, "--data-dir", str(folder)])


def test_samples_come_back_to_the_bit(tmp_path: Path, whole: SymbolSamples) -> None:
    """Every array, over several days and a hole."""
    store = DataSets(tmp_path)
    manifest = store.write("two", [whole], TERMS, 1)
    (found,) = store.load("two")
    for name in ARRAYS:
        assert getattr(found, name).tobytes() == getattr(whole, name).tobytes(), name
        assert getattr(found, name).shape == getattr(whole, name).shape
    assert pooled([found]).row_hash() == pooled([whole]).row_hash()
    part = manifest.symbols["EURUSD"]
    assert part.counts == whole.counts()
    assert 0 < manifest.n_eff <= manifest.rows == len(pooled([whole]))
    assert part.tick_hash == whole.tick_hash
    assert len({partition.day_ns for partition in part.partitions}) == 3


def test_the_hash_is_of_the_contents_only(tmp_path: Path, whole: SymbolSamples) -> None:
    """Another name and time give the same; another value or rule another one (ML-025)."""
    store = DataSets(tmp_path)
    first = store.write("a", [whole], TERMS, 1)
    assert store.write("b", [whole], TERMS, 2).hash == first.hash
    assert store.write("a", [whole], TERMS, 3).created_ts_ns == 1  # the same again: unchanged
    moved = replace(whole, mid=np.nextafter(whole.mid, 2.0))
    with pytest.raises(InputError, match="other contents"):
        store.write("a", [moved], TERMS, 4)
    longer = request(horizon_minutes=240)
    assert store.write("c", [whole], TERMS._replace(rules=longer.rules()), 5).hash != first.hash


def test_a_changed_file_is_found_and_not_read(tmp_path: Path, whole: SymbolSamples) -> None:
    """One value of one file; a missing file; and no training on either."""
    store = DataSets(tmp_path)
    store.write("set", [whole], TERMS, 1)
    assert store.verify("set") == ()
    file = min((tmp_path / "set" / "EURUSD").glob("events-*"))
    table = pl.read_parquet(file)
    table.with_columns(pl.col("feature_0") + 1e-9).write_parquet(file)
    (fault,) = store.verify("set")
    assert "other rows" in fault
    with pytest.raises(InputError, match="damaged"):
        store.load("set")
    file.unlink()
    assert "cannot be read" in store.verify("set")[0]


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "a b"])
def test_names_that_are_none_are_refused(tmp_path: Path, whole: SymbolSamples, name: str) -> None:
    """A data set is a folder, and nothing else."""
    with pytest.raises(InputError, match="cannot name"):
        DataSets(tmp_path).write(name, [whole], TERMS, 1)


def test_from_the_archive_to_a_data_set_and_back(folder: Path, whole: SymbolSamples) -> None:
    """build, list, show, verify with a rebuild, and export, as a person would."""
    built = json.loads(invoke(folder, "build", "two", "--json").stdout)
    assert built["source"] == "ticks"
    assert built["symbols"]["EURUSD"]["counts"] == whole.counts()
    (line,) = json.loads(invoke(folder, "list", "--json").stdout)
    assert (line["name"], line["rows"]) == ("two", len(pooled([whole])))
    assert "EURUSD      2024-01-01 to" in invoke(folder, "show", "two").output
    told = invoke(folder, "verify", "two", "--rebuild")
    assert told.output == f"two is sound: {line['rows']:,} rows, hash {line['hash'][:12]}.\n"
    out = folder / "out"
    assert invoke(folder, "export", "two", "--out", out).exit_code == 0
    table = pq.read_table(out / "EURUSD.parquet")
    np.testing.assert_array_equal(
        table["return_5"].to_numpy(), whole.values[:, ASKED.plan().names.index("return_5")]
    )


def test_more_ticks_in_the_archive_change_what_is_rebuilt(folder: Path, ticks: TickBlock) -> None:
    """The hash names the raw data too: verify says so, with an error."""
    assert invoke(folder, "build", "two").exit_code == 0
    later = TickBlock("EURUSD", ticks.ts_ns[-50:] + NS_PER_HOUR, ticks.bid[-50:], ticks.ask[-50:])
    TickArchive(folder / "archive").merge(later)
    told = invoke(folder, "verify", "two", "--rebuild")
    assert isinstance(told.exception, InputError)
    assert "the archive or the code changed" in told.output


def test_training_follows_the_data_set_or_refuses(folder: Path) -> None:
    """Horizon and features come from it; one of other features is not read."""
    assert invoke(folder, "build", "slow", "--horizon", 240).exit_code == 0
    found = request_for(folder, "slow", ASKED)
    assert found.horizon_minutes == 240
    manifest = folder / "datasets" / "slow" / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace(ASKED.plan().schema_id, "f" * 64))
    with pytest.raises(InputError, match="Build it again"):
        request_for(folder, "slow", ASKED)


def bars(ticks: TickBlock, period_s: int = 60) -> BarSeries:
    """Bars of ticks."""
    return build_bars(ticks, period_s)


def test_ticks_of_bars_by_hand() -> None:
    """Open, the two extremes in the order asked, and close just before the end."""
    prices = np.array([[1.10], [1.12], [1.09], [1.11], *[[np.nan]] * 4])
    one = BarSeries("EURUSD", 60, np.array([MONDAY_NS]), prices, np.array([9]), np.array([12]))
    low, high = ticks_of_bars(one, EURUSD, LOW_FIRST), ticks_of_bars(one, EURUSD, HIGH_FIRST)
    assert low.bid.tolist() == [1.10, 1.09, 1.12, 1.11]
    assert high.bid.tolist() == [1.10, 1.12, 1.09, 1.11]
    np.testing.assert_allclose(low.ask - low.bid, 0.00012)
    seconds = ((low.ts_ns - MONDAY_NS) / NS_PER_SECOND).tolist()
    assert seconds == [0.0, 20.0, 40.0, 59.999]
    with pytest.raises(InputError, match="no recorded spread"):
        ticks_of_bars(replace(one, spread_points=np.array([-1])), EURUSD)


def test_bars_give_no_better_results_than_ticks_do(ticks: TickBlock) -> None:
    """Each side has the worse of the two orders, and what depends on the order is not decided."""
    series = bars(ticks)

    def make(block: TickBlock) -> SymbolSamples:
        return assemble([block], EURUSD, ASKED.plan(), ASKED.rules())

    merged = samples_of_bars(series, EURUSD, 7_200, make)
    low = make(ticks_of_bars(series, EURUSD, LOW_FIRST)).labels
    high = make(ticks_of_bars(series, EURUSD, HIGH_FIRST)).labels
    solved = merged.labels["status"] == Status.RESOLVED
    assert solved.sum() > 20
    net = merged.labels["net"][solved]
    np.testing.assert_array_equal(net[:, LONG], low["net"][solved, LONG])
    np.testing.assert_array_equal(net[:, SHORT], high["net"][solved, SHORT])
    agree = low["side"] == high["side"]
    assert np.all(merged.labels["side"][~agree] == 0)


def test_bars_that_are_too_coarse_are_refused(ticks: TickBlock) -> None:
    """Hours hold both barriers of a two-hour bet too often."""
    with pytest.raises(InputError, match="at least 20 bars"):
        samples_of_bars(bars(ticks, 3_600), EURUSD, 7_200, lambda block: block)  # type: ignore[arg-type,return-value]


def test_a_data_set_of_archived_bars(tmp_path: Path, ticks: TickBlock) -> None:
    """Where there are no ticks; the manifest says so, and a rebuild gives the same."""
    BarArchive(tmp_path / "archive").merge(bars(ticks))
    built = json.loads(invoke(tmp_path, "build", "m1", "--bars", "1m", "--json").stdout)
    assert built["source"] == "bars"
    assert invoke(tmp_path, "verify", "m1", "--rebuild").exit_code == 0
    assert "Made of bars" in invoke(tmp_path, "show", "m1").output
