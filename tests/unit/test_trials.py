"""Trials are written down for good; changes to the record are found."""

import multiprocessing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.chained_file import ChainedFile
from plan2.foundation.errors import InvariantBroken
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR
from plan2.intelligence.training.outcomes import weekdays
from plan2.intelligence.training.trials import FILE_NAME, Trial, Trials


def trial(question="EURUSD", family="xgboost", net_r=(0.1, -0.2), ts_ns=1, **changes):
    """A try with these results."""
    return Trial(
        question=question,
        family=family,
        origin="train",
        ts_ns=ts_ns,
        parameters={"depth": 3, **changes},
        schema_id="s",
        first_weekday=100,
        net_r=net_r,
        log_loss_skill=0.0,
    )


def test_trials_are_found_by_question_and_family(tmp_path):
    """In the order in which they were made, by another object too."""
    trials = Trials(tmp_path / "models")
    for each in (trial(), trial(family="lstm"), trial(question="XAUUSD")):
        trials.record(each)

    again = Trials(tmp_path / "models")
    assert [t.family for t in again.of("EURUSD")] == ["xgboost", "lstm"]
    assert again.of("EURUSD", "lstm") == (trial(family="lstm"),)
    assert again.of("GBPUSD") == ()


def test_a_repeated_trial_counts_once(tmp_path):
    """The same parameters with the same results later; other parameters are another try."""
    trials = Trials(tmp_path)
    for number, each in enumerate((trial(), trial(ts_ns=2), trial(depth=4)), 1):
        assert trials.record(each) == number

    assert len(trials.of("EURUSD")) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0].replace(b"0.1", b"0.9"), *lines[1:]],
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0], b"nonsense", lines[2]],
    ],
    ids=["changed", "first dropped", "middle dropped", "swapped", "garbage"],
)
def test_a_changed_record_is_refused(tmp_path, damage):
    """Whatever was done to a line that others follow, reading says so."""
    trials = Trials(tmp_path)
    for depth in range(3):
        trials.record(trial(depth=depth))
    file = tmp_path / FILE_NAME
    file.write_bytes(b"\n".join(damage(file.read_bytes().splitlines())) + b"\n")

    with pytest.raises(InvariantBroken, match="line"):
        trials.of("EURUSD")


def test_there_is_no_way_to_take_a_trial_away():
    """The record offers nothing but adding and reading."""
    offered = {name for name in dir(Trials) if not name.startswith("_")}

    assert offered == {"record", "of"}


@given(cut=st.integers(1, 40))
def test_a_torn_line_is_removed_by_the_next_entry(tmp_path_factory, cut):
    """What a crash left of an entry is no entry, and the next one follows the last whole one."""
    file = ChainedFile(tmp_path_factory.mktemp("torn") / "entries.jsonl")
    for content in (b'"one"', b'"two"'):
        file.add(content)
    whole = file._path.read_bytes()
    file._path.write_bytes(whole[:-cut])

    assert file.entries() == [b'"one"']
    assert file.add(b'"three"') == 2
    assert file.entries() == [b'"one"', b'"three"']


def test_long_entries_are_read_back(tmp_path):
    """Longer than what is read at once when looking for the last line."""
    file = ChainedFile(tmp_path / "entries.jsonl")
    long = b'"' + b"x" * 200_000 + b'"'

    assert [file.add(long), file.add(long), file.add(b"1")] == [1, 2, 3]
    assert file.entries() == [long, long, b"1"]


def record_many(folder, family):
    """Twenty tries of one process."""
    for depth in range(20):
        Trials(folder).record(trial(family=family, depth=depth))


def test_several_processes_record_at_once(tmp_path):
    """None is lost and the chain holds."""
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=record_many, args=(tmp_path, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert len(Trials(tmp_path).of("EURUSD")) == 40


def test_results_on_days_that_were_tested():
    """A stretch inside of the tested one, or nothing."""
    tried = trial(net_r=(1.0, 2.0, 3.0))

    assert tried.on(101, 2).tolist() == [2.0, 3.0]
    assert tried.on(99, 2) is None
    assert tried.on(101, 3) is None


def test_weekdays_equal_numpy():
    """Numpy's business days, rolled forward over weekends; Sunday evening belongs to Monday."""
    days = np.arange(20_000, 20_050)
    expected = np.busday_count("1970-01-01", np.busday_offset(days.astype("M8[D]"), 0, "forward"))

    assert weekdays(days * NS_PER_DAY + 23 * NS_PER_HOUR).tolist() == expected.tolist()
    assert weekdays(np.array([0])).tolist() == [0]
