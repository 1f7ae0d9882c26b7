"""The order journal: what was acknowledged comes back, torn tails do not, damage is refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.foundation.errors import JournalLost
from plan2.intelligence.trading.journal import HEADER, Entry, FileJournal


def entry(number: int, size: int = 20) -> Entry:
    """An entry with a payload of `size` bytes."""
    return Entry(f"id-{number}", "order:a", "OrderPlaced", 1, "", b"x" * size)


def reopened(folder: Path) -> list[Entry]:
    """What a new process finds."""
    journal = FileJournal(folder, segment_bytes=4096)
    found = journal.open()
    journal.close()
    return found


def test_what_was_appended_comes_back_in_order(tmp_path: Path) -> None:
    """Across several segments, without a clean close."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    assert journal.open() == []
    for number in range(100):
        journal.append([entry(number, 200)])
    assert len(list(tmp_path.glob("*.journal"))) > 4
    assert reopened(tmp_path) == [entry(number, 200) for number in range(100)]


def test_an_orderly_end_leaves_nothing_that_is_stored(tmp_path: Path) -> None:
    """The next version need not be able to read it; one record that is not stored keeps all."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    numbers = [journal.append([entry(number, 200)]) for number in range(30)]
    for number in numbers[:4] + numbers[5:]:
        journal.release(number)
    journal.close()
    left = reopened(tmp_path)
    assert entry(29, 200) in left
    again = FileJournal(tmp_path, segment_bytes=4096)
    assert again.open() == left
    again.release_all()
    again.release(again.append([entry(30)]))
    again.close()
    assert not list(tmp_path.iterdir())


def test_what_the_store_refused_stays(tmp_path: Path) -> None:
    """Though every record was said to be stored."""
    journal = FileJournal(tmp_path)
    journal.open()
    journal.release(journal.append([entry(1)]))
    journal.hold()
    journal.close()
    assert reopened(tmp_path) == [entry(1)]


def test_a_torn_last_record_is_not_an_entry(tmp_path: Path) -> None:
    """It was never acknowledged; everything before it is intact."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    journal.append([entry(1)])
    journal.append([entry(2)])
    path = next(tmp_path.glob("*.journal"))
    data = bytearray(path.read_bytes())
    first = HEADER.size + HEADER.unpack_from(data, 0)[0]
    second = first + HEADER.size + HEADER.unpack_from(data, first)[0]
    data[second - 5 : second] = bytes(5)
    path.write_bytes(data)
    assert reopened(tmp_path) == [entry(1)]


def test_damage_in_the_middle_is_refused(tmp_path: Path) -> None:
    """A flipped byte before other records must not pass silently."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    journal.append([entry(1)])
    journal.append([entry(2)])
    path = next(tmp_path.glob("*.journal"))
    data = bytearray(path.read_bytes())
    data[HEADER.size + 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalLost, match="damaged at byte 0"):
        reopened(tmp_path)


def test_released_segments_are_deleted_and_the_rest_kept(tmp_path: Path) -> None:
    """Only whole segments that are in the event store go."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    numbers = [journal.append([entry(number, 1000)]) for number in range(12)]
    before = len(list(tmp_path.glob("*.journal")))
    for number in numbers[:6]:
        journal.release(number)
    assert len(list(tmp_path.glob("*.journal"))) < before
    kept = [item.event_id for item in reopened(tmp_path)]
    assert kept[-6:] == [f"id-{number}" for number in range(6, 12)]


def test_a_record_that_nobody_stored_keeps_its_segment(tmp_path: Path) -> None:
    """The queue was full for the third: later ones being stored say nothing about it."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    numbers = [journal.append([entry(number, 1000)]) for number in range(12)]
    for number in (*numbers[:2], *numbers[3:]):
        journal.release(number)
    assert "id-2" in [item.event_id for item in reopened(tmp_path)]


def test_a_record_larger_than_a_segment_fits(tmp_path: Path) -> None:
    """A segment grows for it."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    journal.append([entry(1, 10_000)])
    assert reopened(tmp_path) == [entry(1, 10_000)]


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """A file where the folder should be."""
    blocked = tmp_path / "journal"
    blocked.write_text("in the way")
    with pytest.raises(JournalLost, match="cannot be used"):
        FileJournal(blocked).open()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=30), st.integers(0, 29))
def test_any_sizes_and_any_restart_point(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], restart: int
) -> None:
    """Reopening in the middle neither loses nor repeats an entry."""
    folder = tmp_path_factory.mktemp("journal")
    journal = FileJournal(folder, segment_bytes=4096)
    journal.open()
    for number, size in enumerate(sizes):
        if number == restart:
            journal = FileJournal(folder, segment_bytes=4096)
            assert len(journal.open()) == number
        journal.append([entry(number, size)])
    assert reopened(folder) == [entry(number, size) for number, size in enumerate(sizes)]
