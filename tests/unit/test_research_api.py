"""Research over the API: asking, partial results, stopping, rights and tenants."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from plan2.connectivity.identity.principal import Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.jobs.job import JobKind
from plan2.dataflow.archive import TickArchive
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Workers
from plan2.foundation.values import TickBlock
from plan2.intelligence.research.carry_out import Laboratory, carry_out
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.wish import KINDS
from plan2.wiring.research_jobs import RIGHT, research_kinds
from plan2.wiring.result_folders import results_folder
from unit.callers_fixtures import Calling, caller
from unit.interface_fixtures import TENANT, problem_of
from unit.research_fixtures import FLOW_TEXT, EmaCross, random_walk
from unit.whole_stage import WholeStage

PATH = "/api/v1/research"
BOSS = Calling(via=Via.COOKIE, role=Role.PORTFOLIO_MANAGER)
ANALYST = Calling(via=Via.COOKIE, role=Role.ANALYST)
SWEEP = {"kind": "sweep", "flow": FLOW_TEXT, "ranges": ["fast=4:12:4", "slow=20:40:10"]}
DAY_NS = int(dt.datetime(2024, 1, 2, 10, tzinfo=dt.UTC).timestamp()) * 10**9


@pytest.fixture
async def stage(tmp_path: Path) -> WholeStage:
    """Every route; ticks of one symbol are archived, and children wait for a file."""
    stage = await WholeStage.open(tmp_path)
    times = np.array([DAY_NS, DAY_NS + 10**9], dtype=np.int64)
    block = TickBlock("EURUSD", times, np.array([1.1, 1.2]), np.array([1.2, 1.3]))
    TickArchive(tmp_path / "archive").merge(block)
    room = stage.job_room
    for kind in KINDS:
        room.jobs.kinds[kind] = JobKind(  # type: ignore[index]
            name=kind, command=room.command, right=RIGHT, timeout_s=60.0
        )
    return stage


def shelf_of(stage: WholeStage) -> Shelf:
    """The shelf of the caller's tenant."""
    return Shelf(stage.folder / "research_of" / TENANT)


async def test_asked_shown_stopped_and_asked_again(stage: WholeStage) -> None:
    """Asked shown stopped and asked again."""
    async with await caller(stage, BOSS) as client:
        response = await client.post(PATH, json=SWEEP)
        assert response.status_code == 202
        job = response.json()
        research_id = job["parameters"]["research_id"]
        assert (job["kind"], job["parameters"]["flow"]) == ("sweep", "ema-cross")
        assert problem_of(await client.post(PATH, json=SWEEP))["code"] == "conflict"
        (item,) = (await client.get(PATH)).json()["items"]
        assert (item["research_id"], item["job_id"]) == (research_id, job["job_id"])
        assert (item["state"], item["kind"], item["symbol"]) == ("asked", "sweep", "EURUSD")
        stopped = await client.post(f"{PATH}/{research_id}/cancel")
        assert stopped.json()["state"] == "cancelled"
        assert (await client.post(f"{PATH}/{research_id}/cancel")).status_code == 409
        again = await client.post(PATH, json=SWEEP)
        assert again.json()["parameters"]["research_id"] == research_id
        await client.post(f"{PATH}/{research_id}/cancel")


async def test_what_was_found_so_far_and_in_the_end(stage: WholeStage) -> None:
    """What was found so far and in the end."""
    shelf, subject = shelf_of(stage), EmaCross(random_walk(90, seed=2))
    async with await caller(stage, BOSS) as client:
        job = (await client.post(PATH, json=SWEEP)).json()
        path = f"{PATH}/{job['parameters']['research_id']}"
        wish = shelf.wish(job["parameters"]["research_id"])
        assert (await client.get(path)).json()["sweep"] is None
        told = []
        report = carry_out(
            wish, Laboratory(subject, shelf, SimulatedClock(10**10), told.append, "c")
        )
        shelf.write(next(each for each in told if each.sweep is not None))
        partial = (await client.get(path)).json()
        assert (partial["state"], partial["run"]) == ("running", None)
        assert partial["sweep"]["planned"] == 9
        shelf.write(report)
        done = (await client.get(path)).json()
        await client.post(path + "/cancel")
    assert done["state"] == "done"
    assert done["sweep"]["best"]["net"] == report.sweep.best.net
    assert done["start_us"] == subject.window.start_ns // 1_000
    assert done["flow_text"] == FLOW_TEXT
    assert [each["ok"] for each in done["detections"]] == [each.ok for each in report.detections]
    assert len(done["findings"]) == len(report.findings)
    (item,) = [each for each in [shelf.report(wish.research_id)] if each is not None]
    assert item.verdict == done["verdict"]


REFUSED = [
    ({"ranges": []}, 422, "No parameter varies"),
    ({"ranges": ["quick=1:2"]}, 422, "no parameter 'quick'"),
    ({"symbol": "XAUUSD"}, 422, "archived symbols: EURUSD"),
    ({"flow": "name ="}, 422, "not TOML"),
    ({"flow": FLOW_TEXT.replace("ema(close, fast)", "emma(close, fast)")}, 422, "emma"),
    ({"kind": "guess"}, 400, "kind"),
    ({"trials": 0}, 400, "trials"),
    ({"from_us": 2_000_000, "to_us": 1_000_000}, 422, "before the time to stop"),
]


async def test_what_cannot_be_done_is_refused(stage: WholeStage) -> None:
    """What cannot be done is refused with the reason, and nothing is kept."""
    async with await caller(stage, BOSS) as client:
        for change, status, text in REFUSED:
            response = await client.post(PATH, json={**SWEEP, **change})
            assert response.status_code == status, change
            assert text in response.text
    assert shelf_of(stage).newest(9) == []


async def test_analysts_look_and_do_not_start(stage: WholeStage) -> None:
    """Analysts look and do not start."""
    async with await caller(stage, ANALYST) as client:
        assert (await client.get(PATH)).json() == {"items": []}
        assert (await client.post(PATH, json=SWEEP)).status_code == 403


async def test_another_tenants_research_is_not_there(stage: WholeStage) -> None:
    """Another tenants research is not there."""
    async with await caller(stage, BOSS) as client:
        job = (await client.post(PATH, json=SWEEP)).json()
        research_id = job["parameters"]["research_id"]
        shelf = shelf_of(stage)
        shelf.folder.parent.rename(stage.folder / "research_of" / "somebody-else")
        assert (await client.get(f"{PATH}/{research_id}")).status_code == 404
        assert (await client.get(PATH + "/..%2Fsecret")).status_code in (400, 404)
        await client.post(f"{PATH}/{research_id}/cancel")


def test_the_child_is_told_whose_research_it_is(tmp_path: Path) -> None:
    """The child is told whose research it is."""
    kinds = research_kinds(Workers(), tmp_path, tmp_path / "home")
    assert [kind.name for kind in kinds] == ["sweep", "walk_forward", "stress"]
    started = {"tenant_id": "acme", "research_id": "a" * 16, "flow": "x", "symbol": "EURUSD"}
    argv = kinds[0].command(started)
    assert argv[1:5] == ("-m", "plan2", "research", "work")
    assert argv[argv.index("--tenant") + 1] == "acme"
    assert argv[argv.index("--research") + 1] == "a" * 16
    assert results_folder(tmp_path, "acme") == tmp_path / "tenants" / "acme"
