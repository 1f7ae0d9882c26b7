"""Feature drift from archived ticks: the same market is none, another spread is."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from model_fixtures import EURUSD, MONDAY_NS, random_walk, small_report

from plan2.dataflow.archive import TickArchive
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.features.catalog import CALENDAR, TABULAR
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.features.shelf import Shelf
from plan2.intelligence.learning.skew import EngineState
from plan2.intelligence.models.manifest import Manifest
from plan2.wiring.feature_drift import SymbolDrift, own_columns, shifts_of

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


def card_of(schema_id: str) -> Manifest:
    """A model of these features that was trained on the first twelve days."""
    manifest = small_report(("logistic",)).models[0].manifest
    first_ns, last_ns = TRAINED
    origin = msgspec.structs.replace(manifest.provenance, first_ts_ns=first_ns, last_ts_ns=last_ns)
    return msgspec.structs.replace(manifest, schema_id=schema_id, provenance=origin)


SET = """
[set]
name = "mine"
peers = ["GBPUSD"]
include = ["return_60", "on_request", "events"]
[features]
lead = "of(GBPUSD, return_5)"
soon = "minutes_to_event / 60"
"""


@pytest.mark.slow
def test_what_a_set_asks_for_is_looked_at_too(tmp_path: Path) -> None:
    """A peer ten times as wild since the training: its return drifts, the symbol's own do not.

    Columns of the catalogue are there once, those that follow the calendar of events never.
    """
    found = Shelf(tmp_path, MAIN_TENANT).add(SET, "test")
    archive = archived(tmp_path / "archive", 1.0)
    calm = random_walk(12, 14.0, "GBPUSD")
    middle = int(np.searchsorted(calm.ts_ns, TRAINED[1]))
    steps = np.diff(np.log(calm.bid), prepend=np.log(calm.bid[0]))
    steps[middle:] *= 10.0
    wild = np.round(calm.bid[0] * np.exp(np.cumsum(steps)), 5)
    archive.merge(TickBlock("GBPUSD", calm.ts_ns, wild, wild + 5e-5))
    card = card_of(default_plan(60, found).schema_id)
    own = own_columns(tmp_path, card, "EURUSD", END_NS)
    assert own is not None
    shifts, _ = shifts_of(archive, STATE, TRAINED, END_NS, own)
    names = [each.name for each in shifts]
    assert len(set(names)) == len(names)
    more = {"lead", "cci_20", "bars_since_gap", "quote_unchanged", "quote_crossed"}
    assert set(names) - {feature.field for feature in TABULAR} == more
    assert [each.name for each in shifts if each.has_drifted] == ["lead"]
    plain = small_report(("logistic",)).models[0].manifest
    assert own_columns(tmp_path, plain, "EURUSD", END_NS) is None


ACROSS = """
[set]
name = "across"
peers = ["GBPUSD", "USDJPY"]
include = ["return_60", "on_request"]
[features]
lead = "of(GBPUSD, return_5)"
yen = "of(USDJPY, return_5)"
strong = "strength_gap_60"
"""


@pytest.mark.slow
def test_a_peer_that_is_not_archived_takes_only_its_own_columns_away(tmp_path: Path) -> None:
    """Without yen: its column and the strengths, which need all pairs, are named and left out.

    GBPUSD, archived of the training alone, is undefined in the newest days: that is no drift.
    """
    found = Shelf(tmp_path, MAIN_TENANT).add(ACROSS, "test")
    archive = archived(tmp_path / "archive", 1.0)
    card = card_of(default_plan(60, found).schema_id)
    peer = random_walk(12, 14.0, "GBPUSD")
    archive.merge(peer)
    own = own_columns(tmp_path, card, "EURUSD", END_NS)
    assert own is not None
    assert (own.absent, own.left_out) == (("USDJPY",), ("yen", "strong"))
    shifts, _ = shifts_of(archive, STATE, TRAINED, END_NS, own)
    assert {"lead", "cci_20"} <= {each.name for each in shifts}
    assert not {"yen", "strong"} & {each.name for each in shifts}
    assert [each.name for each in shifts if each.has_drifted] == []
    drift = SymbolDrift(
        symbol="EURUSD", model_id="m", day="2024-01-14", bars=1, training_bars=2,
        features=shifts, left_out=own.left_out, absent=own.absent,
    )  # fmt: skip
    assert drift.event("champion").left_out == ("yen", "strong")

    old = tmp_path / "old"
    Shelf(old, MAIN_TENANT).add(ACROSS, "test")
    before = archived(old / "archive", 1.0)
    before.merge(peer.slice(0, int(np.searchsorted(peer.ts_ns, TRAINED[1]))))
    own = own_columns(old, card, "EURUSD", END_NS)
    assert own is not None
    assert own.left_out == ("lead", "yen", "strong")


@pytest.mark.slow
def test_where_nothing_of_a_set_can_be_measured_the_catalogue_is(tmp_path: Path) -> None:
    """Every own column looks at a peer that is nowhere: the rest is measured all the same."""
    text = ACROSS.replace(', "on_request"', "")
    found = Shelf(tmp_path, MAIN_TENANT).add(text, "test")
    archive = archived(tmp_path / "archive", 1.0)
    own = own_columns(tmp_path, card_of(default_plan(60, found).schema_id), "EURUSD", END_NS)
    assert own is not None
    assert own.columns == ()
    shifts, _ = shifts_of(archive, STATE, TRAINED, END_NS, own)
    assert {each.name for each in shifts} <= {feature.field for feature in TABULAR}


def test_too_little_to_compare_is_said(tmp_path: Path) -> None:
    """A model trained until yesterday evening has nothing new to be held against."""
    archive = archived(tmp_path, 1.0)
    with pytest.raises(InputError, match="0 bars since the training"):
        shifts_of(archive, STATE, (MONDAY_NS, END_NS), END_NS)
