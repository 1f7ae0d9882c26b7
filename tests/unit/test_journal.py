"""The order journal: what was acknowledged comes back, torn tails do not, damage is refused."""

import errno
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_fixtures import NOON_NS, Desk, forecast, scene, tick

from plan2.dataflow.terminals.port import OrderKind
from plan2.foundation.errors import JournalLost
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading import journal as journal_module
from plan2.intelligence.trading.journal import HEADER, Entry, FileJournal
from plan2.intelligence.trading.switching import Change


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


class FullDisk:
    """While `is_full`, no file of zeros can be made: there is no room for another segment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        made = journal_module._zeros

        def zeros(path: Path, size: int) -> Path:
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return made(path, size)

        monkeypatch.setattr(journal_module, "_zeros", zeros)


def filled(folder: Path, disk: FullDisk) -> FileJournal:
    """A journal whose segment has no room for a long record any more, on a disk that is full."""
    journal = FileJournal(folder, segment_bytes=4096)
    journal.open()
    journal.append([entry(0, 3_000)])
    disk.is_full = True
    return journal


def test_on_a_full_disk_what_reduces_risk_goes_out_on_the_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries are refused at once and for as long; the others are on disk, and come back."""
    disk = FullDisk(monkeypatch)
    journal = filled(tmp_path, disk)
    with pytest.raises(JournalLost, match="spare"):
        journal.append([entry(1, 2_000)], adds_risk=True)
    for number in range(2, 20):
        journal.append([entry(number, 2_000)])
        with pytest.raises(JournalLost):
            journal.append([entry(99)], adds_risk=True)
    assert reopened_as_it_is(tmp_path) == [
        entry(0, 3_000), *(entry(number, 2_000) for number in range(2, 20))
    ]  # fmt: skip


def test_a_spare_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing can be written, and nothing counts as written."""
    disk = FullDisk(monkeypatch)
    journal = filled(tmp_path, disk)
    for number in range(100):  # each 10 KB and a little
        journal.append([entry(number, 10_000)])
    with pytest.raises(JournalLost):
        journal.append([entry(100, 60_000)])
    assert len(reopened_as_it_is(tmp_path)) == 101


def test_with_room_again_there_is_a_spare_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything that adds risk is written."""
    disk = FullDisk(monkeypatch)
    journal = filled(tmp_path, disk)
    journal.append([entry(1, 2_000)])
    assert not (tmp_path / journal_module.SPARE_NAME).exists()
    disk.is_full = False
    journal.append([entry(2, 2_000)], adds_risk=True)
    assert (tmp_path / journal_module.SPARE_NAME).exists()
    disk.is_full = True
    journal.append([entry(3, 3_900)])
    assert len(reopened_as_it_is(tmp_path)) == 4


def reopened_as_it_is(folder: Path) -> list[Entry]:
    """What is in the segments, as another process would read it."""
    found: list[Entry] = []
    for path in sorted(folder.glob("orders-*.journal")):
        found += journal_module._read_segment(path)[0]
    return found


def test_a_first_record_that_is_too_long_stays_when_it_is_stored(tmp_path: Path) -> None:
    """Its segment takes the place of the empty one, and is not deleted while it is written."""
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    journal.release(journal.append([entry(1, 10_000)]))
    journal.append([entry(2)])
    assert entry(2) in reopened_as_it_is(tmp_path)


def test_a_kill_on_a_full_disk_closes_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account halts at its next entry; the closing order leaves, written down before."""
    disk = FullDisk(monkeypatch)
    desk = Desk()
    journal = FileJournal(tmp_path, segment_bytes=4096)
    journal.open()
    desk.journal.append = journal.append  # type: ignore[method-assign]
    desk.arm()
    desk.account.on_tick(scene(tick(), forecast(0.60)))
    (entered,) = desk.sent
    desk.fill(entered, 1.10010, "7")
    journal.append([entry(0, 3_900)])
    disk.is_full = True
    change = Change(
        state=TradingState.HALTED, ts_ns=NOON_NS + 1, actor="user:ann", reason="kill: test"
    )
    desk.account.kills.begin(change, closes_foreign=False)
    assert [one.kind for one in desk.sent] == [OrderKind.OPEN, OrderKind.CLOSE]
    assert not (tmp_path / journal_module.SPARE_NAME).exists(), "no need of it"
    kept = {one.type for one in reopened_as_it_is(tmp_path)}
    assert {"KillBegun", "TradingStateChanged", "OrderPlaced"} <= kept
