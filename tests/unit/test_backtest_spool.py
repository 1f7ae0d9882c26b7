"""Rows of a run that memory does not hold come back as they were."""

from pathlib import Path

import numpy as np
import pytest

from plan2.intelligence.backtest.account import spool
from plan2.intelligence.backtest.account.records import EQUITY_ROW
from plan2.intelligence.backtest.account.spool import Spool


def rows(first: int, count: int) -> np.ndarray:
    """Rows that can be told apart."""
    made = np.zeros(count, EQUITY_ROW)
    made["ts_ns"] = np.arange(first, first + count)
    made["balance"] = -made["ts_ns"]
    return made


@pytest.mark.parametrize("sizes", [[], [3], [5, 5], [1, 9, 4, 2, 30, 1]])
def test_rows_come_back_in_order(
    sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come back in order, twice, however many were written to the file."""
    monkeypatch.setattr(spool, "IN_MEMORY", 10)
    kept, first = Spool(EQUITY_ROW, tmp_path), 0
    for size in sizes:
        kept.add(rows(first, size))
        first += size
    for _ in range(2):
        parts = list(kept.parts())
        assert max(len(part) for part in parts) <= 10
        found = np.concatenate(parts)
        assert found.dtype == EQUITY_ROW
        assert found["ts_ns"].tolist() == list(range(first))
        assert found["balance"].tolist() == [-number for number in range(first)]


def test_without_a_folder_temporary_files_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is not there is no error, and nothing with a name is left anywhere."""
    monkeypatch.setattr(spool, "IN_MEMORY", 2)
    for folder in (None, tmp_path / "missing", tmp_path):
        kept = Spool(EQUITY_ROW, folder)
        kept.add(rows(0, 4))
        kept.add(rows(4, 1))
        assert np.concatenate(list(kept.parts()))["ts_ns"].tolist() == [0, 1, 2, 3, 4]
    assert list(tmp_path.iterdir()) == []
