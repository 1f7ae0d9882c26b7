"""Jobs over the API: choices, starting with validation, following, cancelling, starting again."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from plan2.connectivity.identity.principal import Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.jobs.job import JobKind
from plan2.dataflow.archive import TickArchive
from plan2.foundation.values import TickBlock
from plan2.intelligence.training.job import TrainWish, command_of
from unit.callers_fixtures import Calling, caller
from unit.interface_fixtures import TENANT, problem_of
from unit.job_fixtures import RIGHT, until
from unit.whole_stage import WholeStage

BOSS = Calling(via=Via.COOKIE, role=Role.PORTFOLIO_MANAGER)
ANALYST = Calling(via=Via.COOKIE, role=Role.ANALYST)
DAY_NS = int(dt.datetime(2024, 1, 2, 10, tzinfo=dt.UTC).timestamp()) * 10**9
TRAIN = "/api/v1/jobs/train"


def ticks(symbol: str) -> TickBlock:
    """Three ticks of a day."""
    ts_ns = np.array([DAY_NS, DAY_NS + 10**9, DAY_NS + 2 * 10**9], dtype=np.int64)
    return TickBlock(symbol, ts_ns, np.array([1.1, 1.2, 1.3]), np.array([1.2, 1.3, 1.4]))


@pytest.fixture
async def stage(tmp_path: Path) -> WholeStage:
    """Every route; ticks of two symbols are archived, and children wait for a file."""
    stage = await WholeStage.open(tmp_path)
    for symbol in ("EURUSD", "GBPUSD"):
        TickArchive(tmp_path / "archive").merge(ticks(symbol))
    room = stage.job_room
    room.jobs.kinds["train"] = JobKind(  # type: ignore[index]
        name="train", command=room.command, right=RIGHT, timeout_s=60.0
    )
    return stage


async def test_what_can_be_trained_on(stage: WholeStage) -> None:
    """Archived symbols with their time, known families, and what is configured."""
    async with await caller(stage, ANALYST) as client:
        found = (await client.get("/api/v1/training")).json()
    assert [each["symbol"] for each in found["symbols"]] == ["EURUSD", "GBPUSD"]
    assert found["symbols"][0] == {
        "symbol": "EURUSD", "days": 1, "ticks": 3, "bars": 0,
        "first_us": DAY_NS // 1000, "last_us": DAY_NS // 1000 + 2_000_000,
    }  # fmt: skip
    assert "xgboost" in found["families"]
    assert (found["usual_families"], found["horizon_minutes"]) == (["xgboost"], 120)
    assert found["refusal"] == ""


async def test_a_training_from_start_to_end(stage: WholeStage) -> None:
    """Started with defaults filled in, listed, its log read, done with its verdict."""
    async with await caller(stage, BOSS) as client:
        response = await client.post(TRAIN, json={"symbols": ["EURUSD"], "seed": 7})
        assert response.status_code == 202
        job = response.json()
        assert job["state"] == "waiting"
        assert job["parameters"] == {
            "symbols": ["EURUSD"], "families": ["xgboost"], "horizon_minutes": 120,
            "bar_period_s": 60, "seed": 7, "start_us": 0, "end_us": 0, "feature_set": "",
        }  # fmt: skip
        jobs = stage.job_room.jobs
        await until(lambda: jobs.under_way(TENANT)[0].fraction > 0)
        path = f"/api/v1/jobs/{job['job_id']}"
        now = (await client.get(path)).json()
        assert (now["state"], now["fraction"], now["result"]) == ("running", 0.25, None)
        assert "25% half of a half" in (await client.get(path + "/log")).json()["lines"]
        stage.job_room.gate.touch()
        await jobs.wait(TENANT, job["job_id"])
        done = (await client.get(path)).json()
        assert (done["state"], done["verdict"]) == ("done", "insufficient evidence")
        assert done["result"]["verdict"] == "insufficient evidence"
        listed = (await client.get("/api/v1/jobs", params={"state": "done"})).json()["items"]
        assert [each["job_id"] for each in listed] == [job["job_id"]]
        assert (await client.get("/api/v1/jobs", params={"state": "failed"})).json()["items"] == []


async def test_cancelling_and_starting_again(stage: WholeStage) -> None:
    """A cancelled job is over; started again it is another job with the same parameters."""
    async with await caller(stage, BOSS) as client:
        job = (await client.post(TRAIN, json={"symbols": ["GBPUSD"]})).json()
        path = f"/api/v1/jobs/{job['job_id']}"
        assert problem_of(await client.post(path + "/again"))["code"] == "conflict"
        assert (await client.post(path + "/cancel")).json()["state"] == "cancelled"
        assert (await client.post(path + "/cancel")).status_code == 409
        stage.job_room.gate.touch()
        fresh = await client.post(path + "/again")
        assert fresh.status_code == 202
        assert fresh.json()["parameters"] == job["parameters"]
        assert fresh.json()["job_id"] != job["job_id"]
        await stage.job_room.jobs.wait(TENANT, fresh.json()["job_id"])


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"symbols": ["XAUUSD"]}, 422, "archived symbols: EURUSD, GBPUSD"),
        ({"families": ["astrology"]}, 422, "known families"),
        ({"from_us": 2_000_000, "to_us": 1_000_000}, 422, "before the time to stop"),
        ({"horizon_minutes": 0}, 400, "horizon_minutes"),
        ({"horizon": 5}, 400, "horizon"),
    ],
)
async def test_what_cannot_be_trained_is_said(
    stage: WholeStage, body: dict[str, object], status: int, text: str
) -> None:
    """Before anything is started, with what was expected."""
    async with await caller(stage, BOSS) as client:
        response = await client.post(TRAIN, json=body)
    assert response.status_code == status
    assert text in response.text
    assert stage.job_room.table.rows == {}


async def test_models_are_trained_by_the_installations_own_people(stage: WholeStage) -> None:
    """They serve every tenant: another one's manager is refused, unless they run the whole."""
    other = Calling(via=Via.COOKIE, role=Role.PORTFOLIO_MANAGER, tenant="other")
    async with await caller(stage, other) as client:
        assert problem_of(await client.post(TRAIN, json={}))["code"] == "models_are_shared"
        assert (await client.get("/api/v1/training")).json()["refusal"]
    async with await caller(stage, ANALYST) as client:
        assert (await client.post(TRAIN, json={})).status_code == 403
    assert stage.job_room.table.rows == {}


def test_the_child_is_told_everything(tmp_path: Path) -> None:
    """Its command line names what was asked, so that the configuration cannot change it."""
    wish = TrainWish(
        symbols=("EURUSD",), families=("xgboost", "lstm"), horizon_minutes=30, bar_period_s=60,
        seed=3, start_ns=DAY_NS, end_ns=DAY_NS + 3600 * 10**9,
    )  # fmt: skip
    argv = command_of(wish, tmp_path)
    assert argv[1:] == (
        "-m", "plan2", "train", "--worker", "--data-dir", str(tmp_path), "--symbol", "EURUSD",
        "--families", "xgboost", "--families", "lstm", "--from", "2024-01-02T10:00:00",
        "--to", "2024-01-02T11:00:00", "--horizon-minutes", "30", "--bar-period-s", "60",
        "--seed", "3", "--features", "",
    )  # fmt: skip
