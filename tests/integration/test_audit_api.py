"""The routes of audit, privacy and records against a real database."""

import io
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

from integration.test_privacy import OTHER, PLANTED, SUBJECT, Office
from plan2.connectivity.gateway.problems import answer_error
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import Role
from plan2.foundation.clock import LiveClock, SimulatedClock, stopwatch_ns
from plan2.foundation.clock_watch import ClockWatch
from plan2.foundation.events.account import EquityRecorded, TradingStateChanged
from plan2.foundation.events.order import OrderAccepted, OrderPlaced, PositionClosed, PositionOpened
from plan2.foundation.eventstore.checkpointing import Checkpointer, CheckpointFolders
from plan2.foundation.eventstore.checkpoints import CheckpointFile, Signer
from plan2.foundation.eventstore.merkle import verify_inclusion
from plan2.foundation.eventstore.proving import Prover
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.eventstore.snapshots import save_snapshot, state_at
from plan2.foundation.eventstore.store import PostgresEventStore
from plan2.foundation.ids import derived_id
from plan2.foundation.storage import Database
from plan2.foundation.time_sources import Reading
from plan2.foundation.values import NS_PER_SECOND, TenantId
from plan2.interface.api.audit import AuditParts, AuditRoutes
from plan2.interface.api.privacy import PrivacyRoutes
from plan2.interface.api.records import RecordParts, RecordRoutes
from plan2.interface.views.past import OPEN_BOOK, tenant_state

NOON_NS = 1_709_640_000 * NS_PER_SECOND
NOON_US = NOON_NS // 1_000


class Door:
    """Puts the session of whoever is asking and the request's ids into the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let everybody in as who the test says they are."""
        scope["auth"] = scope["app"].state["who"]
        scope.setdefault("state", {}).update(request_id="r-1", correlation_id="c-1")
        await self._app(scope, receive, send)


class Desk:
    """Everything of T7's routes around one tenant."""

    def __init__(self, office: Office, database: Database, folder: Path) -> None:
        self.office, self.tenant = office, office.tenant
        self.checkpointer = Checkpointer(
            database.uow, LiveClock(), Signer.in_folder(folder),
            CheckpointFolders(first=folder), office.record,
        )  # fmt: skip
        prover = Prover(database.uow, lambda tenant: CheckpointFile(folder, tenant))
        audit = AuditParts(
            open_unit=database.uow, sealer=office.keys.sealer, checkpointer=self.checkpointer,
            prover=prover, record=office.record, clock=LiveClock(),
        )  # fmt: skip

        async def silent(*_: object) -> Any:
            return ""

        async def nobody(*_: object) -> Reading | None:
            return None

        self.watch = ClockWatch(LiveClock(), stopwatch_ns, lambda _: None, silent, nobody)
        records = RecordParts(
            open_unit=database.uow, record=office.record, clock=LiveClock(), watch=self.watch
        )
        self.app = Litestar(
            [
                *AuditRoutes(audit).handlers(),
                *PrivacyRoutes(office.consents, office.privacy, office.export).handlers(),
                *RecordRoutes(records).handlers(),
            ],
            middleware=[Door],
            exception_handlers={Exception: answer_error},
        )
        self.speak_as(OTHER, Role.TENANT_ADMIN)

    def speak_as(self, user_id: str, role: Role) -> None:
        """From now on requests are this person's."""
        user = User(user_id=user_id, name=user_id, tenant_id=self.tenant, role=role)
        session = Session(session_id="s", user=user, csrf="", expires_ns=2**62)
        self.app.state["who"] = session

    async def ask(
        self, method: str, path: str, body: object = None, status: int = 200
    ) -> httpx.Response:
        """The answer of a request."""
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]  # an ASGI app
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            response = await client.request(method, f"/api/v1/{path}", json=body)
        assert response.status_code == status, response.text
        return response


@pytest.fixture
async def desk(database: Database, tenant: TenantId, tmp_path: Path) -> Desk:
    """Two planted people and their routes."""
    office = Office(database, tenant, tmp_path)
    await office.plant(SUBJECT, PLANTED[0], PLANTED[2])
    await office.plant(OTHER, "Olga Other", "198.51.100.7")
    made = Desk(office, database, tmp_path)
    await made.checkpointer.load(tenant)
    return made


async def test_the_log_is_listed_with_filters_and_never_opened(desk: Desk) -> None:
    """Newest first, page by page; personal fields are empty, and whose they are is told."""
    page = (await desk.ask("GET", "audit?limit=2")).json()
    assert [item["position"] for item in page["items"]] == [8, 7]
    rest = (await desk.ask("GET", f"audit?before={page['next_cursor']}")).json()
    assert [item["position"] for item in rest["items"]] == [6, 5, 4, 3, 2, 1]
    assert rest["next_cursor"] is None
    invited = (await desk.ask("GET", "audit?types=UserInvited,ActionTaken")).json()["items"]
    assert {item["type"] for item in invited} == {"UserInvited", "ActionTaken"}
    assert all(item["has_personal"] for item in invited)
    assert {item["payload"].get("name", "") for item in invited} == {""}
    for query in (f"actor=user:{SUBJECT}", f"stream=user:{SUBJECT}"):
        found = (await desk.ask("GET", f"audit?{query}")).json()["items"]
        assert found
        assert {item["stream_id"] for item in found} == {f"user:{SUBJECT}"}
    first = rest["items"][-1]
    span = f"from_us={first['at_us']}&to_us={first['at_us']}"
    assert [i["position"] for i in (await desk.ask("GET", f"audit?{span}")).json()["items"]] == [1]
    problem = (await desk.ask("GET", "audit?types=Nonsense", status=422)).json()
    assert problem["code"] == "invalid_parameter"


async def test_an_event_is_opened_for_administrators_and_that_is_written_down(desk: Desk) -> None:
    """Others see a mask; the proof verifies against the signed root."""
    opened = (await desk.ask("GET", "audit/1")).json()
    assert (opened["personal_state"], opened["personal"]) == ("opened", {"name": PLANTED[0]})
    assert opened["proof"] is None
    await desk.office.settle()
    (look,) = (await desk.ask("GET", "audit?types=ActionTaken&limit=1")).json()["items"]
    assert (look["actor"], look["correlation_id"]) == (f"user:{OTHER}", "c-1")
    payload = look["payload"]
    assert (payload["target"], payload["request_id"]) == ("position=1", "r-1")
    desk.speak_as(OTHER, Role.ANALYST)
    masked = (await desk.ask("GET", "audit/1")).json()
    assert (masked["personal_state"], masked["personal"]) == ("masked", {"name": "•••"})
    signed = await desk.checkpointer.sign(desk.tenant)
    assert signed is not None
    found = (await desk.ask("GET", "audit/3")).json()
    proof = found["proof"]
    path = [bytes.fromhex(step) for step in proof["path"]]
    leaf, root = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(signed.root_hash)
    assert proof["root_hash"] == signed.root_hash
    assert verify_inclusion(leaf, 2, proof["size"], path, root)
    lines = (await desk.ask("GET", "audit/checkpoints")).json()
    assert (lines["state"], [one["size"] for one in lines["items"]]) == ("ok", [signed.size])
    assert "Not proven" in lines["statement"]
    assert (await desk.ask("GET", "audit/999", status=404)).json()["code"] == "not_found"


async def test_consent_by_request(desk: Desk) -> None:
    """Given, withdrawn, shown with its history; an unknown purpose is 404, an old text 422."""
    desk.speak_as(SUBJECT, Role.ANALYST)
    before = (await desk.ask("GET", "consents")).json()
    assert {i["purpose"]: i["is_given"] for i in before["items"]} == {
        "assistants": True, "notifications": False,
    }  # fmt: skip
    await desk.ask("PUT", "consents/notifications", {"version": 1})
    after = (await desk.ask("DELETE", "consents/assistants")).json()
    assert {i["purpose"]: i["is_given"] for i in after["items"]} == {
        "assistants": False, "notifications": True,
    }  # fmt: skip
    assert [fact["is_given"] for fact in after["history"]] == [False, True, True]
    assert not desk.office.consents.allows(desk.tenant, SUBJECT, "assistants")
    await desk.ask("PUT", "consents/selling", {"version": 1}, status=404)
    await desk.ask("PUT", "consents/assistants", {"version": 9}, status=422)


async def test_a_copy_of_ones_data_and_of_others_only_for_administrators(desk: Desk) -> None:
    """Another person's id is answered like one that does not exist."""
    desk.speak_as(SUBJECT, Role.ANALYST)
    answer = await desk.ask("POST", f"privacy/{SUBJECT}/export")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert PLANTED[0] in archive.read("app_user.csv").decode()
    foreign = (await desk.ask("POST", f"privacy/{OTHER}/export", status=404)).json()
    missing = (await desk.ask("POST", "privacy/0000000000000000/export", status=404)).json()
    assert foreign["code"] == missing["code"]
    assert foreign["detail"].replace(OTHER, "X") == missing["detail"].replace("0" * 16, "X")
    places = {item["place"] for item in (await desk.ask("GET", "privacy/map")).json()["items"]}
    assert {"app_user.name", "event UserInvited.name"} <= places


async def test_an_erasure_by_request(desk: Desk) -> None:
    """It must be confirmed; afterwards the event says erased, and a second one works too."""
    path = f"privacy/{SUBJECT}/erase"
    await desk.ask("POST", path, {"reason": "asked", "confirm": "x"}, status=422)
    body = {"reason": "asked", "confirm": SUBJECT}
    report = (await desk.ask("POST", path, body)).json()
    assert (report["subject_id"], report["key_destroyed"]) == (SUBJECT, True)
    assert any("RTS 24" in each["basis"] for each in report["kept"])
    assert (await desk.ask("GET", "audit/1")).json()["personal_state"] == "erased"
    assert (await desk.ask("POST", path, body)).json()["key_destroyed"] is False
    nobody = {"reason": "asked", "confirm": "nobody"}
    await desk.ask("POST", "privacy/nobody/erase", nobody, status=404)


PLACED: dict[str, Any] = {
    "order_id": "o1", "decision_id": "d1", "tenant_id": "t", "account_id": "live",
    "symbol": "EURUSD", "side": "buy", "quantity": 0.1, "price": 1.1, "stop_loss": 0.0,
    "take_profit": 0.0, "reduce_only": False, "token": "x", "position_id": "",
    "expires_ts_ns": 0, "kind": "pending", "trigger": "limit", "decided_by": "user:7",
    "executed_by": "user:7", "algorithm_version": "1",
}  # fmt: skip
POSITION: dict[str, Any] = {
    "position_id": "live:1", "account_id": "live", "tenant_id": "t", "symbol": "EURUSD",
    "direction": "buy", "quantity": 0.1, "open_price": 1.1, "commission": "-0.35",
    "decision_id": "d0",
}  # fmt: skip


async def tell_a_day(database: Database, tenant: TenantId) -> None:
    """Noon: armed, 10,000; +1 s a position and an order; +2 s closed, 10,005, paused."""
    clock = SimulatedClock(NOON_NS)
    store = PostgresEventStore(database.uow, clock)
    money = {"account_id": "live", "tenant_id": "t", "margin": "0.00", "day_end_ns": 0}
    state = {"account_id": "live", "tenant_id": "t", "actor": "user:7", "reason": "r"}
    steps = [
        [
            ("account:live", TradingStateChanged(
                ts_ns=NOON_NS, old_state="halted", new_state="armed", **state)),
            ("account:live", EquityRecorded(
                ts_ns=NOON_NS, balance="10000.00", equity="10000.00",
                day_start_equity="10000.00", peak_equity="10000.00", **money)),
        ],
        [
            ("order:live", PositionOpened(
                ts_ns=NOON_NS + 1, stop_loss=1.0, take_profit=1.2, expires_ts_ns=0, **POSITION)),
            ("order:live", OrderPlaced(ts_ns=NOON_NS + 1, **PLACED)),
            ("order:live", OrderAccepted(
                ts_ns=NOON_NS + 1, order_id="o1", account_id="live", symbol="EURUSD",
                ticket="77")),
        ],
        [
            ("order:live", PositionClosed(
                ts_ns=NOON_NS + 2, close_price=1.2, profit="5.35", swap="0.00",
                reason="client", **POSITION)),
            ("account:live", EquityRecorded(
                ts_ns=NOON_NS + 2, balance="10005.00", equity="10005.00",
                day_start_equity="10000.00", peak_equity="10005.00", **money)),
            ("account:live", TradingStateChanged(
                ts_ns=NOON_NS + 2, old_state="armed", new_state="paused", **state)),
        ],
    ]  # fmt: skip
    for number, step in enumerate(steps):
        clock.advance_to(NOON_NS + number * NS_PER_SECOND)
        batch = [
            NewEvent(stream_id=stream, event=event, event_id=derived_id("day", number, place))
            for place, (stream, event) in enumerate(step)
        ]
        await store.append(tenant, batch)


async def test_time_travel_shows_the_account_as_it_was(
    database: Database, tenant: TenantId
) -> None:
    """Before, between, after: figures, positions, orders by hand; snapshots change nothing."""
    await tell_a_day(database, tenant)
    for with_snapshots in (False, True):
        async with database.uow(tenant) as uow:
            if with_snapshots:
                made = await state_at(uow, "order:live", OPEN_BOOK, NOON_US + 1_500_000)
                await save_snapshot(uow, "order:live", OPEN_BOOK, made)
            told = [
                await tenant_state(uow, NOON_US + offset_us)
                for offset_us in (-1, 500_000, 1_500_000, 2_500_000)
            ]
        assert told[0].accounts == []
        assert [state.position for state in told] == [0, 2, 5, 8]
        shown = [
            (a.trading_state, a.balance, [p.position_id for p in a.positions],
             [o.order_id for o in a.orders])
            for state in told[1:]
            for a in state.accounts
        ]  # fmt: skip
        assert shown == [
            ("armed", "10000.00", [], []),
            ("armed", "10000.00", ["live:1"], ["o1"]),
            ("paused", "10005.00", [], ["o1"]),
        ]


async def test_records_and_the_clock_by_request(desk: Desk, database: Database) -> None:
    """Rows of the stretch as JSON and CSV; a fact of each export; too much is refused."""
    await tell_a_day(database, desk.tenant)
    span = f"from_us={NOON_US}&to_us={NOON_US + 10_000_000}"
    (order,) = (await desk.ask("GET", f"records/orders?{span}")).json()
    assert (order["event_type"], order["order_id"]) == ("NEWO", "o1")
    answer = await desk.ask("GET", f"records/trades?{span}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    head, row = answer.text.splitlines()
    assert head.startswith('"uti","reporting_time"')
    assert '"5.35"' in row
    await desk.office.settle()
    told = (await desk.ask("GET", "audit?types=RecordsExported")).json()["items"]
    assert [item["payload"]["rows"] for item in told] == [1, 1]
    await desk.ask("GET", f"records/orders?from_us=0&to_us={NOON_US}", status=422)
    await desk.ask("GET", "records/orders?from_us=5&to_us=5", status=422)
    assert (await desk.ask("GET", "records/clock")).json()["state"] == "unknown"
    await desk.watch.measure()
    assert (await desk.ask("GET", "records/clock")).json()["is_compliant"] is False
    paths = {
        (method, route.path_format)
        for route in desk.app.routes
        for method in getattr(route, "methods", ())
        if "/api/" in route.path_format
    }
    assert {(m, p) for m, p in paths if m != "OPTIONS"} <= set(RIGHTS)
