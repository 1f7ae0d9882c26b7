"""Backtests over the API: asking, following, looking, comparing, removing; tenants apart."""

import csv
import io
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from plan2.connectivity.identity.principal import Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.jobs.job import JobKind
from plan2.dataflow.archive import TickArchive
from plan2.foundation.config.schema import Workers
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.values import TickBlock
from plan2.intelligence.backtest.asked import NAME, AskedFlows, BacktestWish
from plan2.intelligence.backtest.figures.terms import Figure
from plan2.intelligence.backtest.figures.whole import figures_of
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import Made, summary_of
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.comparison.traded import Traded
from plan2.wiring.backtest_jobs import RIGHT, backtest_kind
from unit.backtest_fixtures import DAY_NS, FLOW, HOUR_NS, MONDAY_NS, run_of, trade, walk
from unit.callers_fixtures import Calling, caller
from unit.interface_fixtures import TENANT, problem_of
from unit.job_fixtures import until
from unit.whole_stage import OTHER, WholeStage

BOSS = Calling(via=Via.COOKIE, role=Role.PORTFOLIO_MANAGER)
ANALYST = Calling(via=Via.COOKIE, role=Role.ANALYST)
PATH = "/api/v1/backtests"
TEXT = FLOW.format(name="hourly", fast=12)
PYTHON = """
name = "coded"
[source]
symbol = "EURUSD"
[policy]
kind = "python"
plugin = "{plugin}"
"""
MONDAY_US = MONDAY_NS // 1_000


def keep(stage: WholeStage, run: BacktestRun, made_ns: int = 1, tenant: str = TENANT) -> str:
    """Keep a run of a tenant, with a page that is only a word."""
    figures = figures_of(run)
    kept = KeptRuns(stage.backtests_of(tenant))
    return kept.add(
        run,
        summary_of(run, figures, Made(ts_ns=made_ns, code_hash="c" * 64)),
        figures,
        "<p>page</p>",
    )


@pytest.fixture
async def stage(tmp_path: Path) -> WholeStage:
    """Every route; an hour of EURUSD is archived, and children wait for a file."""
    stage = await WholeStage.open(tmp_path)
    minutes = np.arange(60, dtype=np.int64)
    price = 1.1 + minutes / 10_000.0
    block = TickBlock("EURUSD", MONDAY_NS + minutes * 60 * 10**9, price, price + 0.0001)
    TickArchive(tmp_path / "archive").merge(block)
    room = stage.job_room
    room.jobs.kinds[NAME] = JobKind(  # type: ignore[index]
        name=NAME, command=room.command, right=RIGHT, timeout_s=60.0
    )
    return stage


async def test_a_backtest_from_start_to_end(stage: WholeStage) -> None:
    """Asked with other parameters, symbol and costs; the job says what runs; the flow is kept."""
    body = {
        "flow": TEXT, "parameters": {"fast": 20.0}, "seed": 7, "from_us": MONDAY_US,
        "costs": {"slippage_points": 2.0, "swap": False},
    }  # fmt: skip
    async with await caller(stage, BOSS) as client:
        response = await client.post(PATH, json=body)
        assert response.status_code == 202, response.text
        job = response.json()
        asked = job["parameters"]
        assert (asked["flow"], asked["symbol"], asked["seed"]) == ("hourly", "EURUSD", 7)
        assert (asked["parameters"], asked["start_us"]) == ({"fast": 20.0}, MONDAY_US)
        flow = AskedFlows(stage.backtests_of(TENANT)).get(asked["flow_key"])
        assert (flow.parameters, flow.execution.seed) == ({"fast": 20.0}, 7)
        assert (flow.execution.slippage_points, flow.execution.swap) == (2.0, False)
        assert flow.execution.latency_ms == 40.0
        jobs = stage.job_room.jobs
        await until(lambda: jobs.under_way(TENANT)[0].fraction > 0)
        stage.job_room.gate.touch()
        await jobs.wait(TENANT, job["job_id"])
        listed = (await client.get("/api/v1/jobs", params={"kind": NAME})).json()["items"]
        assert [each["state"] for each in listed] == ["done"]


REFUSED = [
    ({"flow": "name ="}, 422, "not TOML"),
    ({"flow": TEXT, "symbol": "XAUUSD"}, 422, "archived symbols: EURUSD"),
    ({"flow": TEXT, "parameters": {"slow": 1.0}}, 422, "no parameter 'slow'"),
    ({"flow": TEXT.replace("ema(", "emma(")}, 422, "emma"),
    ({"flow": TEXT, "from_us": 2, "to_us": 1}, 422, "before the time to stop"),
    ({"flow": TEXT, "costs": {"latency_ms": -1.0}}, 400, "latency_ms"),
    ({"flow": TEXT, "colour": "red"}, 400, "colour"),
    ({"flow": PYTHON.format(plugin="os:system")}, 422, "no installed policy"),
    ({"flow": PYTHON.format(plugin="evil.py:Rule")}, 422, "no installed policy"),
    ({}, 400, "flow"),
]


async def test_what_cannot_be_run_is_refused(stage: WholeStage) -> None:
    """With the sentence that says what is wrong; no job is made."""
    async with await caller(stage, BOSS) as client:
        for body, status, text in REFUSED:
            response = await client.post(PATH, json=body)
            assert response.status_code == status, (body, response.text)
            assert text in str(problem_of(response)), body
        assert (await client.get("/api/v1/jobs")).json()["items"] == []


async def test_a_flow_is_looked_at_before_it_is_run(stage: WholeStage) -> None:
    """Name, parameters and conditions for a form; or the problem."""
    async with await caller(stage, ANALYST) as client:
        good = (await client.post(PATH + "/check", json={"flow": TEXT})).json()
        assert (good["problem"], good["name"], good["symbol"]) == ("", "hourly", "EURUSD")
        assert good["parameters"] == {"fast": 12.0}
        assert good["execution"]["latency_ms"] == 40.0
        bad = (await client.post(PATH + "/check", json={"flow": TEXT + "[exit]\n"})).json()
        assert "exit" in bad["problem"]
        wrong = TEXT.replace("quick > close", "quick > clos")
        half = (await client.post(PATH + "/check", json={"flow": wrong})).json()
        assert "clos" in half["problem"]
        assert half["name"] == "hourly"


async def test_an_analyst_looks_and_starts_nothing(stage: WholeStage) -> None:
    """403 for starting and removing, 200 for the list."""
    run_id = keep(stage, walk())
    async with await caller(stage, ANALYST) as client:
        assert (await client.post(PATH, json={"flow": TEXT})).status_code == 403
        assert (await client.delete(f"{PATH}/{run_id}")).status_code == 403
        assert (await client.get(PATH)).status_code == 200


async def test_the_list_and_the_detail(stage: WholeStage, tmp_path: Path) -> None:
    """Newest first; damaged ones named; figures with definitions, times in microseconds."""
    run = walk()
    old, new = keep(stage, run, 1_000), keep(stage, walk(seed=4), 2_000)
    broken = keep(stage, walk(seed=5))
    (stage.backtests_of(TENANT) / "backtests" / broken / "run.json").write_text("{")
    async with await caller(stage, ANALYST) as client:
        found = (await client.get(PATH)).json()
        assert [each["run_id"] for each in found["items"]] == [new, old]
        assert [each["run_id"] for each in found["damaged"]] == [broken]
        detail = (await client.get(f"{PATH}/{old}")).json()
        assert detail["run"]["first_us"] == run.first_ns // 1_000
        metrics = {each["definition"]["name"]: each for each in detail["metrics"]}
        assert metrics["net_profit"]["figure"]["value"] == pytest.approx(
            round(float(run.trades["net"].sum()), 2)
        )
        assert metrics["sharpe"]["section"] == "Returns"
        assert len(detail["pictures"]["equity"]["time_us"]) <= 1_200
        assert problem_of(await client.get(f"{PATH}/{broken}"))["code"] == "run_damaged"


async def test_trades_come_by_page_sorted_and_filtered(stage: WholeStage) -> None:
    """The worst two of the shorts; those that were open on Tuesday; orders of one reason."""
    run = walk()
    one = f"{PATH}/{keep(stage, run)}"
    async with await caller(stage, ANALYST) as client:
        query = {"side": "short", "sort": "net", "limit": 2}
        page = (await client.get(one + "/trades", params=query)).json()
        shorts = sorted(n for n, s in run.trades.select("net", "side").iter_rows() if s < 0)
        assert page["total"] == len(shorts)
        assert [each["net"] for each in page["items"]] == shorts[:2]
        assert page["net"] == pytest.approx(round(sum(shorts), 2))
        tuesday = (MONDAY_US + DAY_NS // 1_000, MONDAY_US + 2 * DAY_NS // 1_000)
        query = {"from_us": tuesday[0], "to_us": tuesday[1], "offset": 1, "limit": 3}
        page = (await client.get(one + "/trades", params=query)).json()
        assert all(each["open_us"] < tuesday[1] <= 2 * tuesday[1] for each in page["items"])
        assert all(each["close_us"] >= tuesday[0] for each in page["items"])
        assert page["items"][0]["trade"] > 1
        orders = (await client.get(one + "/orders", params={"reason": "stop_loss"})).json()
        stops = run.trades.filter(run.trades["exit_reason"] == "stop_loss").height
        assert orders["total"] == stops
        assert {each["kind"] for each in orders["items"]} == {"close"}


async def test_equity_of_a_stretch(stage: WholeStage) -> None:
    """At most so many points; the first is not before the time asked for."""
    one = f"{PATH}/{keep(stage, walk())}"
    start = MONDAY_US + 10 * DAY_NS // 1_000
    async with await caller(stage, ANALYST) as client:
        query = {"from_us": start, "points": 100}
        line = (await client.get(one + "/equity", params=query)).json()
        assert 50 <= len(line["time_us"]) <= 100
        assert line["time_us"][0] >= start
        assert len(line["equity"]) == len(line["balance"]) == len(line["lots"])


async def test_bars_around_a_trade(stage: WholeStage) -> None:
    """Ten minutes of the archive; an empty answer where there is nothing; too long is refused."""
    one = f"{PATH}/{keep(stage, walk())}/bars"
    async with await caller(stage, ANALYST) as client:
        query = {"from_us": MONDAY_US, "to_us": MONDAY_US + 600_000_000}
        bars = (await client.get(one, params=query)).json()
        assert len(bars["time_us"]) == 10
        assert bars["open"][1] == pytest.approx(1.1001)
        later = {name: value + 86_400_000_000 for name, value in query.items()}
        assert (await client.get(one, params=later)).json()["time_us"] == []
        query["to_us"] = MONDAY_US + 15 * DAY_NS // 1_000
        assert (await client.get(one, params=query)).status_code == 422


async def test_report_and_exports(stage: WholeStage) -> None:
    """The page as HTML under the gateway's policy; CSV as an attachment with all trades."""
    run = walk()
    run_id = keep(stage, run)
    async with await caller(stage, ANALYST) as client:
        page = await client.get(f"{PATH}/{run_id}/report")
        assert page.text == "<p>page</p>"
        assert page.headers["content-type"].startswith("text/html")
        query = {"format": "csv", "what": "trades"}
        answer = await client.get(f"{PATH}/{run_id}/export", params=query)
        assert answer.headers["content-disposition"] == (
            f'attachment; filename="{run_id[:12]}-trades.csv"'
        )
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == run.trades.height
        whole = (await client.get(f"{PATH}/{run_id}/export")).json()
        assert whole["summary"]["run_id"] == run_id


async def test_runs_side_by_side(stage: WholeStage) -> None:
    """Figures with the better one marked; one run is too few."""
    good = keep(stage, run_of([trade(0, 5.0)], [(MONDAY_NS + HOUR_NS, 10_005.0)]))
    bad = keep(stage, run_of([trade(0, -5.0)], [(MONDAY_NS + HOUR_NS, 9_995.0)]))
    async with await caller(stage, ANALYST) as client:
        found = (await client.get(PATH + "/compare", params={"runs": f"{bad},{good}"})).json()
        best = {each["definition"]["name"]: each["best"] for each in found["figures"]}
        assert best["net_profit"] == [1]
        assert [len(each["time_us"]) for each in found["equity"]] == [1, 1]
        response = await client.get(PATH + "/compare", params={"runs": good})
        assert response.status_code == 422


async def test_what_the_flow_earned_stands_beside_its_backtest(stage: WholeStage) -> None:
    """By the run's name and digest; nothing where it never traded."""
    run = walk()
    run_id = keep(stage, run)
    async with await caller(stage, ANALYST) as client:
        assert (await client.get(f"{PATH}/{run_id}/live")).json() == []
        figures = {"net_profit": Figure(value=8.3), "sqn": Figure(value=None, reason="Too few.")}
        stage.traded[TENANT, run.flow.name, run.flow_digest] = [
            Traded(version=3, state="live", first_ns=2_000, last_ns=5_000, open=1, figures=figures)
        ]
        (column,) = (await client.get(f"{PATH}/{run_id}/live")).json()
    assert (column["version"], column["state"], column["open"]) == (3, "live", 1)
    assert (column["first_us"], column["last_us"]) == (2, 5)
    assert column["figures"]["net_profit"]["value"] == 8.3
    assert column["figures"]["sqn"] == {
        "value": None,
        "reason": "Too few.",
        "low": None,
        "high": None,
    }


RESTS = (
    "",
    "/live",
    "/trades",
    "/orders",
    "/equity",
    "/report",
    "/export",
    "/bars?from_us=1&to_us=2",
)


async def test_another_tenants_run_does_not_exist(stage: WholeStage) -> None:
    """404 for its id, as for one that nobody has; it is neither listed, compared nor removed."""
    foreign, own = keep(stage, walk(seed=9), tenant=OTHER), keep(stage, walk())
    async with await caller(stage, BOSS) as client:
        for rest in RESTS:
            assert (await client.get(f"{PATH}/{own}{rest}")).status_code == 200, rest
            assert (await client.get(f"{PATH}/{foreign}{rest}")).status_code == 404, rest
            assert (await client.get(f"{PATH}/nobody-has-it{rest}")).status_code == 404, rest
        assert [each["run_id"] for each in (await client.get(PATH)).json()["items"]] == [own]
        both = await client.get(PATH + "/compare", params={"runs": f"{own},{foreign}"})
        assert both.status_code == 404
        assert (await client.delete(f"{PATH}/{foreign}")).status_code == 404
    assert KeptRuns(stage.backtests_of(OTHER)).record(foreign).summary.run_id == foreign


async def test_removing(stage: WholeStage) -> None:
    """Gone from the list; a second time is 404."""
    run_id = keep(stage, walk())
    async with await caller(stage, BOSS) as client:
        assert (await client.delete(f"{PATH}/{run_id}")).status_code == 204
        assert (await client.get(PATH)).json()["items"] == []
        assert (await client.delete(f"{PATH}/{run_id}")).status_code == 404


def test_the_childs_command_line(tmp_path: Path) -> None:
    """Parameters as they are kept become the hidden verb; anything else is refused."""
    wish = {
        "tenant_id": MAIN_TENANT, "flow": "hourly", "flow_key": "k", "symbol": "EURUSD",
        "parameters": {"fast": 12.0}, "seed": 1, "start_ns": 0, "end_ns": 0,
    }  # fmt: skip
    kind = backtest_kind(Workers(), tmp_path, tmp_path / "simulated")
    argv = kind.command(wish)
    assert argv[:5] == (sys.executable, "-m", "plan2", "backtests", "work")
    assert argv[argv.index("--data-dir") + 1] == str(tmp_path / "simulated")
    assert argv[argv.index("--folder") + 1] == str(tmp_path)
    assert msgspec.json.decode(argv[-1], type=BacktestWish).flow == "hourly"
    with pytest.raises(msgspec.ValidationError):
        kind.command(wish | {"more": 1})
