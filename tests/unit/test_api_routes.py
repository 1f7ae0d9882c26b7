"""The REST routes: shapes, ranges, paging, commands once per key."""

import asyncio
from typing import Any

import msgspec
import numpy as np
import pytest

from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.model import DecisionMade
from plan2.foundation.values import NS_PER_MINUTE, Bar, TickBlock
from plan2.intelligence.events import ForecastMade
from plan2.intelligence.features.requested import REQUESTED
from plan2.intelligence.models.forecast import Forecast, Vote
from plan2.intelligence.training.reports import ReportItem
from plan2.interface.broker_items import ForeignOrderItem
from unit.interface_fixtures import NOON_NS, Stage, position_item, problem_of, quote

NOON_US = NOON_NS // 1_000
KEY = {"idempotency-key": "12345678"}
OTHER_KEY = {"idempotency-key": "87654321"}


async def get(stage: Stage, path: str, status: int = 200) -> Any:
    """The body of an answer with this status."""
    async with await stage.signed_in() as client:
        response = await client.get(path)
    assert response.status_code == status, response.text
    return problem_of(response) if status >= 400 else response.json()


def archived(*minutes: int) -> BarSeries:
    """Minute bars of EURUSD that start so many minutes after noon; the price is the minute."""
    count = len(minutes)
    prices = np.array([[float(minute) for minute in minutes]] * 8).reshape(8, count)
    starts = np.array([NOON_NS + minute * NS_PER_MINUTE for minute in minutes], np.int64)
    ones = np.ones(count, np.int64)
    return BarSeries("EURUSD", 60, starts, prices, ones, ones)


def bar(minute: int, price: float, ticks: int = 1) -> Bar:
    """A flat EURUSD minute bar."""
    return Bar("EURUSD", 60, NOON_NS + minute * NS_PER_MINUTE, price, price, price, price, ticks)


async def test_symbols_show_contract_and_quote() -> None:
    """A symbol without a quote waits; with one it shows bid, ask and the spread in points."""
    stage = Stage()
    stage.bus.publish(quote("EURUSD", 1, 1.10000, 1.10012))
    eurusd, usdjpy = await get(stage, "/api/v1/symbols")
    assert (eurusd["bid"], eurusd["ask"], eurusd["spread_points"]) == (1.1, 1.10012, 12.0)
    assert (eurusd["ts_us"], eurusd["state"], eurusd["digits"]) == (NOON_US + 1_000_000, "fresh", 5)
    assert (usdjpy["bid"], usdjpy["ts_us"], usdjpy["state"]) == (None, None, "waiting")


async def test_bars_join_files_and_memory_without_a_seam() -> None:
    """Older minutes come from the archive, newer ones from memory, each once, forming one last."""
    stage = Stage()
    stage.archive.series["EURUSD", 60] = archived(0, 1, 2, 3)
    stage.live.market.seed_bars("EURUSD", [bar(2, 2.0), bar(3, 3.0)])
    stage.market.advance_to(NOON_NS + 5 * NS_PER_MINUTE)
    stage.bus.publish(quote("EURUSD", 185, 9.0, 9.1))
    stage.bus.publish(quote("EURUSD", 250, 4.0, 4.1))
    body = await get(stage, "/api/v1/bars?symbol=EURUSD")
    assert body["time_us"] == [NOON_US + minute * 60_000_000 for minute in range(5)]
    assert body["open"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert body["high"] == [0.0, 1.0, 2.0, 9.0, 4.0]
    assert body["ticks"] == [1, 1, 1, 2, 1]


async def test_the_newest_bars_of_a_stretch_come_oldest_first() -> None:
    """`limit` cuts at the old end; from_us is included, to_us is not."""
    stage = Stage()
    stage.archive.series["EURUSD", 60] = archived(*range(10))
    start, end = NOON_US + 2 * 60_000_000, NOON_US + 8 * 60_000_000
    query = f"/api/v1/bars?symbol=EURUSD&from_us={start}&to_us={end}"
    assert (await get(stage, query))["open"] == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert (await get(stage, query + "&limit=2"))["open"] == [6.0, 7.0]


async def test_a_period_in_files_and_memory_is_one_bar() -> None:
    """Five minutes of which three are archived and two in memory, then one wholly in memory."""
    stage = Stage()
    stage.market.advance_to(NOON_NS + 20 * NS_PER_MINUTE)
    prices = np.array([[10.0, 12.0, 9.0, 11.0] * 2]).T
    one = np.array([3], np.int64)
    stage.archive.series["EURUSD", 300] = BarSeries(
        "EURUSD", 300, np.array([NOON_NS], np.int64), prices, one, one
    )
    stage.live.market.seed_bars("EURUSD", [bar(minute, float(minute)) for minute in range(3, 12)])
    body = await get(stage, "/api/v1/bars?symbol=EURUSD&period_s=300")
    assert body["time_us"] == [NOON_US + 300_000_000 * number for number in range(3)]
    assert (body["open"], body["close"]) == ([10.0, 5.0, 10.0], [4.0, 9.0, 11.0])
    assert (body["high"], body["low"]) == ([12.0, 9.0, 11.0], [3.0, 5.0, 10.0])
    assert body["ticks"] == [5, 5, 2]
    newest = await get(stage, "/api/v1/bars?symbol=EURUSD&period_s=300&limit=2")
    assert newest["open"] == [5.0, 10.0]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "symbol=",
        "symbol=EURUSD&limit=0",
        "symbol=EURUSD&limit=5001",
        "symbol=EURUSD&limit=x",
        "symbol=EURUSD&period_s=61",
        "symbol=EURUSD&from_us=-1",
        f"symbol=EURUSD&to_us={2**63}",
        "symbol=" + "x" * 33,
    ],
)
async def test_parameters_out_of_range_name_themselves(query: str) -> None:
    """Each is 400 with the field's name; nothing reaches the archive."""
    problem = await get(Stage(), f"/api/v1/bars?{query}", 400)
    assert problem["code"] == "invalid_parameter"
    wrong = query.rsplit("&", maxsplit=1)[-1].split("=", maxsplit=1)[0] or "symbol"
    assert wrong in str(problem["detail"])


@pytest.mark.parametrize("path", ["bars", "ticks", "features", "forecasts"])
async def test_unwatched_symbols_are_not_found(path: str) -> None:
    """404 with the way to the list of symbols."""
    problem = await get(Stage(), f"/api/v1/{path}?symbol=XXXYYY", 404)
    assert (problem["code"], "symbols" in str(problem["remedy"])) == ("symbol_unknown", True)


async def test_ticks_are_the_newest_of_the_last_day() -> None:
    """Columns oldest first; nothing older than a day before the end."""
    stage = Stage()
    hours = [-30, -2, -1]
    stage.archive.block = TickBlock(
        "EURUSD",
        np.array([NOON_NS + hour * 60 * NS_PER_MINUTE for hour in hours], np.int64),
        np.array([1.0, 2.0, 3.0]),
        np.array([1.1, 2.1, 3.1]),
    )
    body = await get(stage, "/api/v1/ticks?symbol=EURUSD")
    assert (body["bid"], body["ask"]) == ([2.0, 3.0], [2.1, 3.1])
    assert body["time_us"] == [NOON_US - 7_200_000_000, NOON_US - 3_600_000_000]


async def test_indicators_warm_up_before_the_first_bar_shown() -> None:
    """The mean of two closes is known for the first shown bar when an older one exists."""
    stage = Stage()
    stage.archive.series["EURUSD", 60] = archived(0, 1, 2)
    stage.market.advance_to(NOON_NS + 3 * NS_PER_MINUTE)
    path = "/api/v1/indicators?symbol=EURUSD&names=mean_2"
    assert (await get(stage, path + "&limit=2"))["values"] == {"mean_2": [0.5, 1.5]}
    assert (await get(stage, path))["values"] == {"mean_2": [None, 0.5, 1.5]}
    later = f"{path}&from_us={NOON_US + 120_000_000}"
    assert (await get(stage, later))["values"] == {"mean_2": [1.5]}
    problem = await get(stage, "/api/v1/indicators?symbol=EURUSD&names=none", 422)
    assert problem["remedy"] == "Use mean_2."


async def test_features_show_holes_as_null() -> None:
    """Names, units and values side by side; a symbol without a quote is 404."""
    body = await get(Stage(), "/api/v1/features?symbol=EURUSD")
    assert (body["names"], body["values"]) == (["spread", "rsi_14"], [1.0, None])
    assert (await get(Stage(), "/api/v1/features?symbol=USDJPY", 404))["code"] == "no_features"


async def test_forecasts_are_newest_first() -> None:
    """The last ones of a symbol with every vote."""
    stage = Stage()
    vote = Vote(model_id="m1", family="xgboost", raw=0.7, calibrated=0.6, weight=1.0)
    for second, p_up in enumerate((0.4, 0.5, 0.6)):
        forecast = Forecast(
            symbol="EURUSD",
            ts_ns=NOON_NS + second * 10**9,
            p_up=p_up,
            barrier=0.002,
            horizon_s=7200,
            disagreement=0.01,
            standard_error=0.02,
            calibration_id="c1",
            votes=(vote,),
        )
        stage.bus.publish(ForecastMade(ts_ns=forecast.ts_ns, forecast=forecast))
    body = await get(stage, "/api/v1/forecasts?symbol=EURUSD&limit=2")
    assert [item["p_up"] for item in body] == [0.6, 0.5]
    assert body[0]["votes"][0]["family"] == "xgboost"


async def test_a_decision_is_shown_whole() -> None:
    """The record with microseconds, feature names, orders, fills and position."""
    stage = Stage()
    record = {
        "decision_id": "d1",
        "ts_ns": NOON_NS,
        "tick": {"symbol": "EURUSD", "ts_ns": NOON_NS, "bid": 1.1},
        "features": {"schema_id": "schema-1", "values": [1.0, None]},
    }
    made = DecisionMade(
        ts_ns=NOON_NS,
        decision_id="d1",
        tenant_id="main",
        account_id="a",
        symbol="EURUSD",
        outcome="traded",
        reason="expected_value",
        record=record,
    )
    stage.views.decision_positions["d1"] = (await stage.stored(made)).position
    stage.views.closed_positions.append(position_item("p1"))
    body = await get(stage, "/api/v1/decisions/d1")
    assert (body["ts_us"], body["tick"]["ts_us"]) == (NOON_US, NOON_US)
    assert "ts_ns" not in str(body)
    assert body["feature_names"] == ["spread", "rsi_14"]
    assert (body["orders"], body["fills"], body["position"]["position_id"]) == ([], [], "p1")
    assert (await get(stage, "/api/v1/decisions/none", 404))["code"] == "not_found"


async def test_situations_like_a_decision_and_the_book_of_features() -> None:
    """Neighbours in microseconds, or why there are none; the book holds catalogue and set."""
    stage = Stage()
    made = DecisionMade(
        ts_ns=NOON_NS,
        decision_id="d1",
        tenant_id="main",
        account_id="a",
        symbol="EURUSD",
        outcome="traded",
        reason="expected_value",
        record={
            "symbol": "EURUSD",
            "ts_ns": NOON_NS,
            "edge": {"side": 1},
            "features": {"schema_id": "schema-1", "values": [1.0, None]},
        },
    )
    no_side = msgspec.structs.replace(made, decision_id="d2", record=made.record | {"edge": None})
    other = msgspec.structs.replace(made, decision_id="d3", record=made.record | {"symbol": "X"})
    for event in (made, no_side, other):
        position = (await stage.stored(event)).position
        stage.views.decision_positions[event.decision_id] = position
    body = await get(stage, "/api/v1/decisions/d1/similar")
    assert (body["side"], body["n"], body["net_r_mean"]) == (1, 1, None)
    assert body["nearest"][0]["ts_us"] == NOON_US - 1_000_000
    aimless = await get(stage, "/api/v1/decisions/d2/similar")
    assert (aimless["side"], aimless["n"]) == (0, 0)
    assert "wanted no side" in aimless["why_none"]
    strange = await get(stage, "/api/v1/decisions/d3/similar")
    assert (strange["n"], strange["nearest"], strange["distance_percentile"]) == (0, [], None)
    assert strange["why_none"].startswith("There is no data set of X")
    assert (await get(stage, "/api/v1/decisions/none/similar", 404))["code"] == "not_found"
    book = await get(stage, "/api/v1/features/book")
    assert (book["set_name"], book["checked"]) == ("default", None)
    entry = next(item for item in book["catalogue"] if item["name"] == "rsi_mid_14")
    assert (entry["group"], entry["low"], entry["high"]) == ("oscillators", 0.0, 100.0)
    assert len(book["catalogue"]) == len(book["in_use"]) + len(REQUESTED) + 16


async def test_events_are_paged_newest_first() -> None:
    """Pages follow each other without overlap; type and from_position narrow them down."""
    stage = Stage()
    for number in range(5):
        changed = TradingStateChanged(
            ts_ns=NOON_NS,
            account_id="a",
            tenant_id="main",
            old_state="armed",
            new_state="paused",
            actor="user:x",
            reason=str(number),
        )
        await stage.stored(changed)
    first = await get(stage, "/api/v1/events?limit=2")
    second = await get(stage, f"/api/v1/events?limit=2&cursor={first['next_cursor']}")
    third = await get(stage, f"/api/v1/events?limit=2&cursor={second['next_cursor']}")
    pages = [[item["position"] for item in page["items"]] for page in (first, second, third)]
    assert (pages, third["next_cursor"]) == ([[5, 4], [3, 2], [1]], None)
    assert first["items"][0]["payload"]["ts_us"] == NOON_US
    narrowed = await get(stage, "/api/v1/events?type=TradingStateChanged&from_position=4")
    assert [item["position"] for item in narrowed["items"]] == [5, 4]
    assert (await get(stage, "/api/v1/events?type=OrderPlaced"))["items"] == []
    assert (await get(stage, "/api/v1/events?cursor=x", 400))["code"] == "invalid_parameter"


async def test_positions_account_and_equity() -> None:
    """Open positions come from the books, newest first; closed ones from the read model."""
    stage = Stage()
    stage.books.open = {key: position_item(key) for key in ("p1", "p2")}
    opened = await get(stage, "/api/v1/positions?status=open")
    assert [item["position_id"] for item in opened["items"]] == ["p2", "p1"]
    assert (await get(stage, "/api/v1/positions?status=closed"))["items"] == []
    assert (await get(stage, "/api/v1/account"))["open_positions"] == 2
    assert (await get(stage, "/api/v1/equity"))["balance"] == ["10000.00"]


async def test_entity_tags_spare_the_registry() -> None:
    """The same list is not sent twice to somebody who has it."""
    stage = Stage()
    async with await stage.signed_in() as client:
        tag = (await client.get("/api/v1/models")).headers["etag"]
        again = await client.get("/api/v1/models", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_reports_are_listed_with_their_evidence_and_served_as_pages() -> None:
    """The list says how much evidence there is and is needed (ML-042); the page is HTML."""
    stage = Stage()
    item = ReportItem(
        report_id="20240101T000101-12345678",
        made_by="train",
        made_ts_ns=NOON_NS,
        symbols=("EURUSD",),
        families=("xgboost",),
        horizon_s=7_200,
        first_ts_ns=NOON_NS,
        last_ts_ns=NOON_NS,
        events=400,
        n_eff=120.0,
        n_required=617.0,
        verdict="insufficient evidence",
        flags=(),
        metrics={"accuracy": 0.55, "sharpe": float("inf")},
        model_ids=(),
        note="",
    )
    stage.reports.kept.append((item, b"<!doctype html><p>page"))

    (found,) = await get(stage, "/api/v1/reports")
    assert (found["verdict"], found["n_eff"], found["n_required"]) == (item.verdict, 120.0, 617.0)
    assert (found["made_us"], found["metrics"]["sharpe"]) == (NOON_US, None)
    async with await stage.signed_in() as client:
        page = await client.get(found["href"])
    assert (page.status_code, page.content) == (200, b"<!doctype html><p>page")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    missing = await get(stage, "/api/v1/reports/20240101T000101-00000000", 404)
    assert missing["code"] == "not_found"


async def test_the_description_lists_every_operation() -> None:
    """OpenAPI and the page without scripts name all routes of the API."""
    stage = Stage()
    async with await stage.signed_in() as client:
        described = (await client.get("/api/openapi.json")).json()
        page = (await client.get("/api/docs")).text
    assert described["openapi"].startswith("3.1")
    for path in ("/api/v1/bars", "/api/v1/decisions/{decision_id}", "/api/v1/commands/kill"):
        assert path in described["paths"]
        assert path in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("pause", ("paused", "user:u1", "why")),
        ("resume", ("armed", "user:u1", "why")),
        ("halt", ("halted", "user:u1", "why")),
        ("kill", ("kill", "user:u1", "why")),
    ],
)
async def test_commands_are_carried_out_once_per_key(name: str, call: tuple[str, ...]) -> None:
    """Two requests at once and one later give the same receipt and one effect."""
    stage = Stage()
    async with await stage.signed_in() as client:
        path = f"/api/v1/commands/{name}"
        sent = [client.post(path, json={"reason": "why"}, headers=KEY) for _ in range(2)]
        answers = [*await asyncio.gather(*sent)]
        answers.append(await client.post(path, json={"reason": "why"}, headers=KEY))
        other = await client.post(
            path, json={"reason": "why"}, headers={"idempotency-key": "87654321"}
        )
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.text for answer in answers}) == 1
    assert other.json()["command_id"] != answers[0].json()["command_id"]
    assert stage.control.calls == [call, call]


async def test_a_key_means_one_command() -> None:
    """The same key for another command, or another reason, is a conflict."""
    stage = Stage()
    async with await stage.signed_in() as client:
        await client.post("/api/v1/commands/pause", json={"reason": "a"}, headers=KEY)
        for path, reason in (("halt", "a"), ("pause", "b")):
            answer = await client.post(
                f"/api/v1/commands/{path}", json={"reason": reason}, headers=KEY
            )
            assert problem_of(answer)["code"] == "idempotency_conflict"
    assert len(stage.control.calls) == 1


async def test_a_command_that_failed_may_be_sent_again() -> None:
    """503 with Retry-After while the store is away, then 202 with the same key."""
    stage = Stage()
    stage.control.failure = StoreBusy("The database does not answer.")
    async with await stage.signed_in() as client:
        failed = await client.post("/api/v1/commands/halt", json={"reason": "x"}, headers=KEY)
        assert (problem_of(failed)["code"], failed.headers["retry-after"]) == ("store_busy", "2")
        stage.control.failure = None
        again = await client.post("/api/v1/commands/halt", json={"reason": "x"}, headers=KEY)
    assert (again.status_code, again.json()["trading_state"]) == (202, "halted")


async def test_resuming_needs_a_reason_and_every_command_a_key() -> None:
    """422 without a reason, 400 without a key or with a short one; nothing is carried out."""
    stage = Stage()
    async with await stage.signed_in() as client:
        blank = await client.post("/api/v1/commands/resume", json={"reason": " "}, headers=KEY)
        assert problem_of(blank)["code"] == "reason_missing"
        for headers in ({}, {"idempotency-key": "short"}):
            answer = await client.post("/api/v1/commands/halt", json={}, headers=headers)
            assert answer.status_code == 400
    assert stage.control.calls == []


async def test_the_brokers_side_of_the_account_is_told() -> None:
    """Foreign pending orders, and which of our positions the broker lacks."""
    stage = Stage()
    by_hand = ForeignOrderItem(
        ticket="901", symbol="EURUSD", side="buy", trigger="limit", quantity=0.5, price=1.05,
        limit_price=None, stop_loss=None, take_profit=None, expires_us=0, placed_us=NOON_US,
    )  # fmt: skip
    stage.books.foreign_orders, stage.books.missing = (by_hand,), ("paper-1:42",)
    body = await get(stage, "/api/v1/broker")
    assert body["missing"] == ["paper-1:42"]
    assert [(one["ticket"], one["price"], one["stop_loss"]) for one in body["foreign_orders"]] == [
        ("901", 1.05, None)
    ]


async def test_the_brokers_view_is_accepted_in_a_persons_name() -> None:
    """The account is named, or `-` for the only one; the answer names what was closed."""
    stage = Stage()
    async with await stage.signed_in() as client:
        for name in ("paper-1", "-"):
            answer = await client.post(
                f"/api/v1/accounts/{name}/accept-broker-view", json={"reason": "closed there"}
            )
            assert (answer.status_code, answer.json()) == (200, {"closed": ["paper-1:42"]})
    assert stage.control.calls == [("accept", "user:u1", "closed there")] * 2
