"""Feature drift from archived ticks: the same market is none, another spread is."""

from pathlib import Path

import numpy as np
import pytest
from model_fixtures import EURUSD, MONDAY_NS, random_walk

from plan2.dataflow.archive import TickArchive
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.features.catalog import CALENDAR
from plan2.intelligence.learning.skew import EngineState
from plan2.wiring.feature_drift import SymbolDrift, shifts_of

STATE = EngineState(ts_ns=0, ticks_at=0, instrument=EURUSD, bar_period_s=60, snapshot=b"")
TRAINED = (MONDAY_NS, MONDAY_NS + 12 * NS_PER_DAY - 1)
END_NS = MONDAY_NS + 14 * NS_PER_DAY


def archived(folder: Path, factor: float) -> TickArchive:
    """Fourteen days of a random walk; the spread of the last two is `factor` times as wide."""
    ticks = random_walk(11, 14.0)
    late = ticks.ts_ns > TRAINED[1]
    spread = np.where(late, factor, 1.0) * (ticks.ask - ticks.bid)
    mid = 0.5 * (ticks.ask + ticks.bid)
    archive = TickArchive(folder)
    archive.merge(
        TickBlock(
            symbol="EURUSD",
            ts_ns=ticks.ts_ns,
            bid=np.round(mid - spread / 2, 5),
            ask=np.round(mid + spread / 2, 5),
        )
    )
    return archive


@pytest.mark.slow
def test_a_wider_spread_is_found_and_the_calendar_is_left_out(tmp_path: Path) -> None:
    """Three times the spread: features of cost drift; names of the calendar are not looked at."""
    shifts, (bars, trained) = shifts_of(archived(tmp_path, 3.0), STATE, TRAINED, END_NS)
    assert trained > 2 * bars > 0
    drifted = {each.name for each in shifts if each.has_drifted}
    assert any("spread" in name or "cost" in name for name in drifted)
    assert not {feature.field for feature in CALENDAR} & {each.name for each in shifts}
    found = SymbolDrift(
        symbol="EURUSD", model_id="m", day="2024-01-14", bars=bars, training_bars=trained,
        features=shifts,
    )  # fmt: skip
    event = found.event("champion")
    assert set(event.drifted) == drifted
    assert event.ts_ns == END_NS
    assert event.psi > event.psi_limit


@pytest.mark.slow
def test_the_same_market_is_no_drift(tmp_path: Path) -> None:
    """The walk goes on as before: nothing is named."""
    shifts, _ = shifts_of(archived(tmp_path, 1.0), STATE, TRAINED, END_NS)
    assert [each.name for each in shifts if each.has_drifted] == []


def test_too_little_to_compare_is_said(tmp_path: Path) -> None:
    """A model trained until yesterday evening has nothing new to be held against."""
    archive = archived(tmp_path, 1.0)
    with pytest.raises(InputError, match="0 bars since the training"):
        shifts_of(archive, STATE, (MONDAY_NS, END_NS), END_NS)
