"""The host's memory of what it sent: room on a full disk, torn lines, nothing sent twice."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from twin_fixtures import ground

from plan2.dataflow.terminals.mt5.engine import Mt5Engine
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.port import OrderUpdate, UpdateKind
from plan2.dataflow.terminals.remote import order_memory
from plan2.dataflow.terminals.remote.order_memory import FILE_NAME, ROOM, OrderMemory
from plan2.foundation.clock import LiveClock
from simulated_world import order

ANSWER = (OrderUpdate(kind=UpdateKind.ACCEPTED, ts_ns=1, order_id="x", ticket="7"),)

GROWN, MANY = 20_000, 40
"""Bytes of lines that are worth it, and so many orders of half a thousand each make them."""


def opened(folder: Path) -> OrderMemory:
    """A memory in use."""
    memory = OrderMemory(folder, LiveClock())
    memory.open()
    return memory


@contextmanager
def full_disk(file: Path) -> Iterator[None]:
    """No file may become longer than this one is now: the system refuses it as a full disk does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_orders_go_out_on_a_full_disk_while_there_is_room(tmp_path: Path) -> None:
    """Hundreds of closes with their answers; then one is refused, and nothing is half told."""
    memory = opened(tmp_path)
    sent: list[str] = []
    with full_disk(tmp_path / FILE_NAME), contextlib.suppress(OSError):
        for number in range(ROOM):
            memory.begin(f"order-{number}")
            sent.append(f"order-{number}")
            memory.finish(sent[-1], ANSWER)
    assert 500 < len(sent) < 5_000
    memory.close()
    again = OrderMemory(tmp_path, LiveClock())
    again.open()
    assert all(again.told(one) is not None for one in sent)
    assert again.told(f"order-{len(sent) + 1}") is None


@pytest.mark.parametrize("kept", [1, 7, 18])
def test_a_line_torn_in_the_middle_of_the_room_is_the_last(tmp_path: Path, kept: int) -> None:
    """Empty lines follow it; what was before is known, and so is what comes after a restart."""
    memory = opened(tmp_path)
    memory.begin("whole")
    memory.finish("whole", ANSWER)
    memory.begin("torn")
    memory.close()
    path = tmp_path / FILE_NAME
    text = path.read_bytes()
    place = text.index(b"torn") - len('{"order_id":"')
    path.write_bytes(text[: place + kept].ljust(len(text), b"\n"))
    again = opened(tmp_path)
    assert again.told("whole") == ANSWER
    assert again.told("torn") is None
    again.begin("next")
    again.close()
    last = opened(tmp_path)
    assert last.told("next") is not None
    assert last.told("whole") == ANSWER


def test_a_line_longer_than_what_is_left_of_the_room(tmp_path: Path) -> None:
    """More is made, and all is read again."""
    memory = opened(tmp_path)
    names = [f"order-{number}-" + "x" * 5_000 for number in range(2 * ROOM // 5_000)]
    for name in names:
        memory.begin(name)
    memory.close()
    again = opened(tmp_path)
    assert all(again.told(name) is not None for name in names)


def small(folder: Path) -> OrderMemory:
    """A memory of ten orders that is worth shortening soon."""
    return OrderMemory(folder, LiveClock(), keep=10, growth=GROWN)


def grown(folder: Path) -> OrderMemory:
    """A memory of few orders whose file has outgrown them; the last one is being sent."""
    memory = small(folder)
    memory.open()
    for number in range(MANY):
        name = f"order-{number}-" + "x" * 500
        memory.begin(name)
        memory.finish(name, ANSWER)
        memory.acknowledged(name)
    memory.begin("heard")
    memory.finish("heard", ANSWER)
    memory.begin("on its way")
    return memory


def known_after_a_crash(folder: Path) -> OrderMemory:
    """What the next process knows; the one before never closed its file."""
    again = small(folder)
    waiting = dict(again.open())
    assert waiting.keys() == {"heard", "on its way"}
    assert again.told("heard") == ANSWER
    told = again.told("on its way")
    assert told is not None
    assert [one.kind for one in told] == [UpdateKind.UNKNOWN]
    return again


def test_a_file_that_has_grown_is_shortened_while_it_is_in_use(tmp_path: Path) -> None:
    """Nothing that is remembered is lost; what comes after goes into the new file."""
    memory, path = grown(tmp_path), tmp_path / FILE_NAME
    before = len(path.read_bytes().strip())
    last = f"order-{MANY - 1}-" + "x" * 500

    memory.shorten()

    assert len(path.read_bytes().strip()) < before / 2
    assert not path.with_suffix(".new").exists()
    assert memory.told(last) == ANSWER
    memory.begin("after")
    memory.finish("after", ANSWER)
    memory.acknowledged("after")
    size = path.stat().st_size
    memory.shorten()
    assert path.stat().st_size == size  # it has not grown again
    again = known_after_a_crash(tmp_path)
    assert again.told(last) == again.told("after") == ANSWER


def test_a_file_of_what_is_remembered_is_left_alone(tmp_path: Path) -> None:
    """A start of few orders, and one that remembers all it holds."""
    memory = opened(tmp_path)
    memory.begin("one")
    inode = (tmp_path / FILE_NAME).stat().st_ino
    memory.shorten()
    assert (tmp_path / FILE_NAME).stat().st_ino == inode
    memory.close()
    memory.shorten()
    with pytest.raises(OSError, match="not open"):
        memory.begin("two")


class Ended(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["write", "fsync", "replace", "sync_folder", "open"])
def test_a_process_that_ends_while_the_file_is_shortened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """At every step one of the two files is whole, and nothing is sent twice."""
    memory = grown(tmp_path)

    def end(*_: object) -> None:
        raise Ended

    with monkeypatch.context() as patched:
        match step:
            case "write":
                patched.setattr(order_memory, "_line", end)
            case "fsync":
                patched.setattr(order_memory.os, "fsync", end)
            case "replace":
                patched.setattr(Path, "replace", end)
            case "sync_folder":
                patched.setattr(order_memory, "sync_folder", end)
            case "open":
                patched.setattr(OrderMemory, "_open_file", end)
        with pytest.raises(Ended):
            memory.shorten()

    known_after_a_crash(tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace", "sync_folder"])
def test_a_disk_that_refuses_the_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The file in place goes on, closes still leave, and it is not tried again at once."""
    memory, tries = grown(tmp_path), []

    def refuse(*_: object) -> None:
        tries.append(step)
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        where = {"fsync": order_memory.os, "replace": Path, "sync_folder": order_memory}[step]
        patched.setattr(where, step, refuse)
        memory.shorten()
        memory.shorten()
    memory.begin("after")
    memory.finish("after", ANSWER)
    memory.acknowledged("after")

    assert tries == [step]
    again = known_after_a_crash(tmp_path)
    assert again.told("after") == ANSWER


def test_a_state_that_cannot_be_written_keeps_no_order_back(tmp_path: Path) -> None:
    """It only helps to tell whose a deal is."""
    here = ground()
    options = Mt5Options(
        symbols=("EURUSD",), may_guess_terminal=True, state_path=str(tmp_path / "gone" / "s.json")
    )
    engine = Mt5Engine(cast(Mt5Module, here.mt5), options, here.clock)
    engine.connect()
    updates = engine.submit(order("EURUSD", order_id="one"))
    assert UpdateKind.REJECTED not in {update.kind for update in updates}
    assert here.mt5.positions_total() == 1
    assert not (tmp_path / "gone").exists()
