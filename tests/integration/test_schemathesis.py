"""Every operation of the description against the application: schemathesis with all its checks.

`PLAN2_FUZZ_EXAMPLES` sets how many examples each operation gets beside the systematic ones, and
with more than a few of them sequences of operations are tried as well.
"""

import asyncio
import itertools
import json
import os
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import schemathesis
from litestar.types import Receive, Scope, Send
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema

from integration.postgres_fixture import Postgres
from integration.test_privacy import OTHER, Office
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import Role
from plan2.foundation.clock import LiveClock
from plan2.foundation.storage import Database
from unit.interface_fixtures import HOST, ORIGIN, TENANT
from unit.whole_stage import Law, WholeStage

Done = TypeVar("Done")
EXAMPLES = int(os.environ.get("PLAN2_FUZZ_EXAMPLES", "2"))
STATEFUL_FROM = 20
THERE = {
    "key": "risk.positions_max",
    "flag": "exploration",
    "purpose": "assistants",
    "position": 1,
    "tenant_id": "other",
    "user_id": OTHER,
}
BROKEN_TEXT = re.compile(r"\\u0000|\\ud[89a-f]", re.IGNORECASE)
"""NUL and surrogates as `json.dumps` writes them; a whole pair is text, and rare enough."""
REFUSED = ["2xx", "3xx", "401", "403", "404", "409", "410", "422", "429", "5xx"]
"""What a well-formed request may be answered with: 422 is a rule's refusal, not a form's."""


class Served:
    """A whole stage as an ASGI application, on a loop of its own, over a real database.

    The library talks to a host of its own and from nowhere, and gives each request a loop; here
    all that is put right. A session that an example has ended is followed by another.
    """

    def __init__(self, postgres: Postgres, folder: Path, *, is_signed_in: bool) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._numbers = itertools.count()
        self.headers: dict[str, str] = {}
        self.run(self._start(postgres, folder, is_signed_in=is_signed_in))

    def run(self, work: Coroutine[Any, Any, Done]) -> Done:
        """Wait for work on the stage's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def close(self) -> None:
        """Let go of everything."""
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self, postgres: Postgres, folder: Path, *, is_signed_in: bool) -> None:
        self._database = postgres.open()
        postgres.migrator.ensure_tenant(TENANT, LiveClock().now_ns())
        office = Office(self._database, TENANT, folder)
        for user_id, name in (("u1", "administrator"), (OTHER, "Olga Other")):
            if not await _is_there(self._database, user_id):
                await office.plant(user_id, name, "198.51.100.7")
        law = Law(
            open_unit=self._database.uow,
            sealer=office.keys.sealer,
            consents=office.consents,
            privacy=office.privacy,
            export=office.export,
        )
        self.stage = await WholeStage.open(folder, law=law)
        olga = User(user_id=OTHER, name="Olga Other", tenant_id=TENANT, role=Role.PORTFOLIO_MANAGER)
        await self.stage.credentials.book.create(olga, by="test")
        self._storing = asyncio.create_task(office.appender.run())
        self.first = self.live = await self.stage.open_session()
        if is_signed_in:
            cookie, csrf = self.first
            self.headers = {
                "cookie": f"p2_session={cookie}",
                "x-plan2-csrf": csrf,
                "origin": ORIGIN,
            }

    async def _stop(self) -> None:
        self._storing.cancel()
        await self.stage.tenants.close()
        await self._database.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on from this machine, with a session that lives."""
        if scope["type"] != "http":
            return
        scope["client"] = ("127.0.0.1", 50_000)
        body = [await receive()]
        while body[-1].get("more_body", False):
            body.append(await receive())
        answer = asyncio.run_coroutine_threadsafe(self._answer(scope, body), self._loop)
        for message in await asyncio.wrap_future(answer):
            await send(message)

    async def _answer(self, scope: Scope, body: list[Any]) -> list[Any]:
        """What the application says to a request, on its own loop."""
        if self.stage.sessions.find(self.live[0]) is None:
            self.live = await self.stage.open_session()
        scope["headers"] = [self._renewed(*each) for each in scope["headers"]]
        said: list[Any] = []

        async def receive() -> Any:
            return body.pop(0) if body else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.append(message)

        await self.stage.app(scope, receive, send)
        return said

    def _renewed(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name == b"host":
            return name, HOST.encode()
        if name == b"idempotency-key" and re.fullmatch(rb"[\x21-\x7e]{8,128}", value):
            # The library shows one key with many bodies, of which only the first would be tried.
            return name, f"key-{next(self._numbers):08}".encode()
        for old, new in zip(self.first, self.live, strict=True):
            value = value.replace(old.encode(), new.encode())
        return name, value


def findings(served: Served) -> tuple[list[str], set[str]]:
    """What the library finds wrong (check, operation, message), and which operations it tried."""
    config = SchemathesisConfig.from_dict(
        {
            "headers": served.headers,
            "seed": 1,
            "request-timeout": 300.0,  # ten seconds by default
            "suppress-health-check": ["too_slow"],  # how busy the machine is is no finding
            "generation": {
                "max-examples": EXAMPLES,
                "deterministic": True,
                # Made-up cookies and tokens would take the place of the one that is good.
                "with-security-parameters": False,
            },
            "checks": {"positive_data_acceptance": {"expected-statuses": REFUSED}},
            "phases": {"stateful": {"enabled": EXAMPLES >= STATEFUL_FROM}},
        }
    )
    description = with_examples(served.run(described(served.stage)))
    schema = schemathesis.openapi.from_dict(description, config=config)
    schema.app = served
    wrong: list[str] = []
    tried: set[str] = set()
    for event in from_schema(schema).execute():
        recorder = getattr(event, "recorder", None)
        fault = getattr(event, "value", None) or getattr(event, "exception", None)
        assert "Error" not in type(event).__name__, (getattr(event, "label", ""), fault)
        for case_id, checks in recorder.checks.items() if recorder is not None else ():
            case = recorder.cases[case_id].value
            tried.add(f"{case.operation.method.upper()} {case.operation.path}")
            wrong += [
                f"{check.name}: {case.method} {case.path}: {check.failure_info.failure.message}"
                f" ({case.body!r:.300})"
                for check in checks
                if check.failure_info is not None and not _is_impossible(case)
            ]
    return wrong, tried


def operations(served: Served) -> set[str]:
    """Every operation that is described, which is every route of the API."""
    paths = served.run(described(served.stage))["paths"]
    found = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    routes = {f"{method} {path}" for method, path in RIGHTS if path.startswith("/api/v1/")}
    assert routes - found == {"WEBSOCKET /api/v1/stream", "WEBSOCKET /api/v1/terminal"}
    return found


def with_examples(description: dict[str, Any]) -> dict[str, Any]:
    """The description with ids that are there, so that some requests come to their end."""
    for item in description["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in THERE:
                    parameter["example"] = THERE[parameter["name"]]
    return description


async def described(stage: WholeStage) -> dict[str, Any]:
    """The description as a caller gets it; open by nature."""
    async with await stage.signed_in() as client:
        found: dict[str, Any] = (await client.get("/api/openapi.json")).json()
    return found


async def _is_there(database: Database, user_id: str) -> bool:
    async with database.uow(TENANT) as uow:
        found = await uow.execute("select 1 from app_user where user_id = :id", {"id": user_id})
    return bool(found.all())


def _is_impossible(case: schemathesis.Case) -> bool:
    """What no description can say about a request.

    A path with an empty value is another path (links between operations may make one), and within
    JSON of a free form there may be text that is none.
    """
    is_other = any(value == "" for value in case.path_parameters.values())
    return is_other or BROKEN_TEXT.search(json.dumps(case.body, default=repr)) is not None


@pytest.fixture
def serve(postgres: Postgres, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Make the application, and close it in the end."""
    made: list[Served] = []

    def make(*, is_signed_in: bool) -> Served:
        made.append(Served(postgres, tmp_path, is_signed_in=is_signed_in))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_no_check_fails_for_somebody_signed_in(serve: Callable[..., Served]) -> None:
    """An operator's requests, well-formed and not: every answer is as described."""
    served = serve(is_signed_in=True)
    wrong, tried = findings(served)
    assert wrong == []
    assert tried == operations(served)


def test_no_check_fails_for_nobody(serve: Callable[..., Served]) -> None:
    """The same without credentials: refused as described, and nothing is done."""
    served = serve(is_signed_in=False)
    before = served.stage.done()
    wrong, tried = findings(served)
    assert wrong == []
    assert tried == operations(served)
    assert served.stage.done() == before
