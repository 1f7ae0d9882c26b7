"""`/learning` through the gateway: records that say what they do not know, contests, outcomes."""

from pathlib import Path

import pytest

from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from unit.interface_fixtures import ORIGIN
from unit.learning_fixtures import forecast, outcome
from unit.whole_stage import WholeStage


@pytest.fixture
async def stage(tmp_path: Path) -> WholeStage:
    """Every route, and a loop with forty outcomes of one champion and one challenger."""
    return await WholeStage.open(tmp_path)


async def test_the_state_of_the_loop(stage: WholeStage) -> None:
    """ML-042: a coin's forty outcomes are insufficient evidence, whatever the figures look like."""
    cookie, _ = await stage.open_session()
    async with stage.client(origin=ORIGIN) as client:
        client.cookies.set("p2_session", cookie)
        found = (await client.get("/api/v1/learning")).json()

    (symbol,) = found["symbols"]
    scores = symbol["scores"]
    assert (symbol["symbol"], symbol["candidate_id"]) == ("EURUSD", "old")
    assert scores["verdict"] == "insufficient_evidence"
    assert scores["accuracy"]["low"] < scores["accuracy"]["value"] < scores["accuracy"]["high"]
    assert set(symbol["models"]) == {
        "new-model", "old-model",
    }  # fmt: skip
    assert {each["detector"] for each in symbol["detectors"]} >= {"cusum", "adwin", "page_hinkley"}
    assert symbol["signals"][0]["signal"] == "feature_drift"
    (contest,) = found["contests"]
    assert (contest["candidate_id"], contest["state"], contest["pairs"]) == ("new", "shadow", 40)
    assert (contest["e_value"], contest["proof_at"]) == (1.0, 20.0)
    assert found["skew_mismatches"] == 1


async def test_outcomes_newest_first_and_by_symbol(stage: WholeStage) -> None:
    """Abstentions too, each with what its side would have brought."""
    said = [forecast("old", "champion", 0.4, acts=False)]
    for k, symbol in enumerate(("EURUSD", "GBPUSD", "EURUSD")):
        made = outcome(k, 1, said, symbol)
        new = NewEvent(stream_id="learning:x", event=made, event_id=derived_id("t", symbol, k))
        await stage.store.append(MAIN_TENANT, [new])
    cookie, _ = await stage.open_session()
    async with stage.client(origin=ORIGIN) as client:
        client.cookies.set("p2_session", cookie)
        both = (await client.get("/api/v1/learning/outcomes?limit=2")).json()
        rest = (await client.get(f"/api/v1/learning/outcomes?cursor={both['next_cursor']}")).json()
        euro = (await client.get("/api/v1/learning/outcomes?symbol=EURUSD")).json()
        bad = await client.get("/api/v1/learning/outcomes?symbol=%27")

    assert [each["sample_id"] for each in both["items"]] == ["sample-EURUSD-2", "sample-GBPUSD-1"]
    assert [each["sample_id"] for each in rest["items"]] == ["sample-EURUSD-0"]
    assert rest["next_cursor"] is None
    assert len(euro["items"]) == 2
    (one,) = both["items"][0]["forecasts"]
    assert (one["side"], one["abstained"], one["net_r"]) == (-1, "cost_above_edge", -1.05)
    assert bad.status_code == 400
