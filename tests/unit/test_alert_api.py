"""Routes of alerts through the whole gateway: declared, tried, raised, acknowledged, put off."""

from pathlib import Path

import pytest

from unit.alert_fixtures import price
from unit.whole_stage import WholeStage

RULES = "/api/v1/alerts/rules"
BODY = {"name": "high", "condition": price("above", 1.1), "cooldown_s": 0}


@pytest.fixture
async def stage(tmp_path: Path) -> WholeStage:
    """The product's routes around fakes."""
    return await WholeStage.open(tmp_path)


async def test_the_life_of_an_alert(stage: WholeStage) -> None:
    """From the rule to the history; every answer says how it stands."""
    room = stage.alerts
    room.readings.quote(1.2)
    async with await stage.signed_in() as client:
        tried = (await client.post(f"{RULES}/try", json=BODY)).json()
        assert (tried["would_fire"], tried["value"]) == (True, pytest.approx(1.2))
        assert room.desk.rules == {}
        made = (await client.post(RULES, json=BODY)).json()
        assert made["threshold"] == "above 1.1"
        assert room.see(1.2) == 1
        assert room.see(1.0) == 0
        assert room.see(1.3) == 1
        await room.desk.save()
        first, second = (each.alert.alert_id for each in room.told)
        done = await client.post(f"/api/v1/alerts/{first}/acknowledge")
        assert done.json()["state"] == "acknowledged"
        assert (await client.post(f"/api/v1/alerts/{first}/acknowledge")).status_code == 404
        later = await client.post(f"/api/v1/alerts/{second}/snooze", json={"minutes": 5})
        assert later.json()["due_us"] == (room.clock.now_ns() + 300 * 10**9) // 1_000
        page = (await client.get("/api/v1/alerts", params={"limit": 1})).json()
        assert [each["alert_id"] for each in page["items"]] == [second]
        rest = await client.get("/api/v1/alerts", params={"cursor": page["next_cursor"]})
        assert [each["state"] for each in rest.json()["items"]] == ["acknowledged"]
        changed = await client.put(f"{RULES}/{made['rule_id']}", json=BODY | {"severity": "info"})
        assert changed.json()["severity"] == "info"
        assert (await client.get(RULES)).json()["items"][0]["fired"] == 2
        assert (await client.delete(f"{RULES}/{made['rule_id']}")).status_code == 200
        assert (await client.get(RULES)).json()["items"] == []
    assert room.desk.waiting == {}


@pytest.mark.parametrize(
    "condition",
    [{}, {"kind": "moon"}, price("above", 1.1, loud=1), price("sideways", 1.1), price("above", "x"),
     {"kind": "feature", "symbol": "EURUSD", "formula": "__import__('os')", "test": "above",
      "level": 1}],
)  # fmt: skip
async def test_a_rule_that_cannot_hold_is_refused_with_the_reason(stage, condition) -> None:
    """422 and nothing kept."""
    async with await stage.signed_in() as client:
        answer = await client.post(RULES, json=BODY | {"condition": condition})
    assert answer.status_code == 422, answer.text
    assert stage.alerts.desk.rules == {}


async def test_a_heartbeat_is_heard(stage: WholeStage) -> None:
    """A program's word reaches the rule about its silence."""
    async with await stage.signed_in() as client:
        assert (await client.post("/api/v1/alerts/heartbeat/script")).status_code == 200
    assert stage.alerts.readings.heard == {
        ("heartbeat", "script"): stage.alerts.clock.now_ns()
    }  # fmt: skip
