"""Every operation of the description against the application: schemathesis with all its checks.

`PLAN2_FUZZ_EXAMPLES` sets how many examples each operation gets beside the systematic ones, and
with more than a few of them sequences of operations are tried as well.
"""

import asyncio
import os
from typing import Any

import schemathesis
from litestar.types import Receive, Scope, Send
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema

from unit.interface_fixtures import HOST, ORIGIN, Stage

EXAMPLES = int(os.environ.get("PLAN2_FUZZ_EXAMPLES", "2"))
STATEFUL_FROM = 20
REFUSED = ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "5xx"]
"""What a well-formed request may be answered with: 422 is a rule's refusal, not a form's."""


class Served:
    """A stage as an ASGI application; a session that an example has ended is followed by another.

    The library talks to a host of its own and from nowhere; here both are put right.
    """

    def __init__(self, *, is_signed_in: bool) -> None:
        self.stage = Stage()
        self.headers: dict[str, str] = {}
        asyncio.run(self.start(is_signed_in=is_signed_in))

    async def start(self, *, is_signed_in: bool) -> None:
        """Open the first session."""
        await self.stage.people.start()
        self.first = self.live = await self.stage.open_session()
        if is_signed_in:
            cookie, csrf = self.first
            self.headers = {
                "cookie": f"p2_session={cookie}",
                "x-plan2-csrf": csrf,
                "origin": ORIGIN,
            }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on from this machine, with a session that lives."""
        if "headers" in scope:
            scope["client"] = ("127.0.0.1", 50_000)
            if self.stage.sessions.find(self.live[0]) is None:
                self.live = await self.stage.open_session()
            scope["headers"] = [self._renewed(*each) for each in scope["headers"]]
        await self.stage.app(scope, receive, send)

    def _renewed(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name == b"host":
            return name, HOST.encode()
        for old, new in zip(self.first, self.live, strict=True):
            value = value.replace(old.encode(), new.encode())
        return name, value


def findings(served: Served) -> tuple[list[str], set[str]]:
    """What the library finds wrong (check, operation, message), and which operations it tried."""
    config = SchemathesisConfig.from_dict(
        {
            "headers": served.headers,
            "seed": 1,
            "generation": {"max-examples": EXAMPLES, "deterministic": True},
            "checks": {"positive_data_acceptance": {"expected-statuses": REFUSED}},
            "phases": {"stateful": {"enabled": EXAMPLES >= STATEFUL_FROM}},
        }
    )
    schema = schemathesis.openapi.from_dict(asyncio.run(_description()), config=config)
    schema.app = served
    wrong: list[str] = []
    tried: set[str] = set()
    for event in from_schema(schema).execute():
        recorder = getattr(event, "recorder", None)
        assert "Error" not in type(event).__name__, vars(event)
        for case_id, checks in recorder.checks.items() if recorder is not None else ():
            case = recorder.cases[case_id].value
            tried.add(f"{case.operation.method.upper()} {case.operation.path}")
            wrong += [
                f"{check.name}: {case.method} {case.path}: {check.failure_info.failure.message}"
                for check in checks
                if check.failure_info is not None and not _is_impossible(case)
            ]
    return wrong, tried


def operations() -> set[str]:
    """Every operation that is described."""
    paths = asyncio.run(_description())["paths"]
    return {f"{method.upper()} {path}" for path, item in paths.items() for method in item}


async def _description() -> dict[str, Any]:
    """The description as a caller gets it; open by nature."""
    async with await Stage().signed_in() as client:
        found: dict[str, Any] = (await client.get("/api/openapi.json")).json()
    return found


def _is_impossible(case: schemathesis.Case) -> bool:
    """A path with an empty value is another path; links between operations may make one."""
    return any(value == "" for value in case.path_parameters.values())


def test_no_check_fails_for_somebody_signed_in() -> None:
    """An administrator's requests, well-formed and not: every answer is as described."""
    wrong, tried = findings(Served(is_signed_in=True))
    assert wrong == []
    assert tried == operations()


def test_no_check_fails_for_nobody() -> None:
    """The same without credentials: refused as described, and nothing is done."""
    served = Served(is_signed_in=False)
    wrong, tried = findings(served)
    assert wrong == []
    assert tried == operations()
    done = (served.stage.control.calls, served.stage.desk.wishes, served.stage.desk.claims)
    assert done == ([], [], [])
