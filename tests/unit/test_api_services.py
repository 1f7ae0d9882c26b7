"""`/services` and `/quotas` through the gateway: shape, whose they are, and who may ask."""

import httpx
import msgspec
import pytest

from plan2.connectivity.gateway.app import Limiting, build_gateway
from plan2.connectivity.identity.principal import User
from plan2.connectivity.ratelimit.middleware import Doorway, Turnstile
from plan2.connectivity.registry import Service, ServiceKind, ServiceRegistry
from plan2.foundation.ids import SeededIds
from plan2.interface.api.quotas import QuotaRoutes
from plan2.interface.api.services import ServiceRoutes
from unit.interface_fixtures import ORIGIN, TENANT, Stage, problem_of
from unit.ratelimit_fixtures import Limits

SERVICES = [
    Service(name="gateway", kind=ServiceKind.COMPONENT, state="ok", level=5, address=ORIGIN),
    Service(name="live", kind=ServiceKind.TERMINAL, state="up", tenant_id="other"),
]


class Office(Stage):
    """The stage with limits in front, and the two kinds of routes."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits()
        turnstile = Turnstile(self.limits.limiter, self._no_sleep)
        limiting = Limiting(Doorway(self.limits.limiter).around, turnstile.around, turnstile.admit)
        routes = [
            *self.routes,
            *ServiceRoutes(ServiceRegistry([lambda: SERVICES]), "9.9").handlers(),
            *QuotaRoutes(self.limits.usage, self.limits.load, self.directory).handlers(),
        ]
        operations = msgspec.structs.replace(self.operations, limiting=limiting)
        self.app = build_gateway(
            routes, self.identity, operations, self.front, self.settings, SeededIds("office")
        )

    async def _no_sleep(self, seconds: float) -> None:
        assert seconds > 0

    async def enter(self, *, is_operator: bool) -> httpx.AsyncClient:
        """Somebody of the main tenant who has just proven who it is."""
        user = User(
            user_id="u1", name="ann", tenant_id=TENANT, role=self.role, is_operator=is_operator
        )
        cookie, session = await self.sessions.open(user)
        client = self.client(**{"origin": ORIGIN, "x-plan2-csrf": session.csrf})
        client.cookies.set("p2_session", cookie)
        return client


@pytest.fixture
async def office() -> Office:
    """A fresh one."""
    return Office()


async def test_services_are_shown_as_far_as_they_concern_the_caller(office: Office) -> None:
    """A tenant sees that the gateway is there; an operator where, and everybody's terminals."""
    async with await office.enter(is_operator=False) as tenant:
        shown = (await tenant.get("/api/v1/services")).json()
    async with await office.enter(is_operator=True) as operator:
        everything = (await operator.get("/api/v1/services")).json()

    assert shown["version"] == "9.9"
    assert [(each["name"], each["address"]) for each in shown["services"]] == [("gateway", "")]
    assert [(each["name"], each["address"]) for each in everything["services"]] == [
        ("gateway", ORIGIN),
        ("live", ""),
    ]
    assert set(everything["services"][0]) == set(Service.__struct_fields__)


async def test_quotas_show_use_limits_and_load(office: Office) -> None:
    """The caller's own tenant; the question itself counts."""
    async with await office.enter(is_operator=False) as client:
        body = (await client.get("/api/v1/quotas")).json()

    assert body["tenant_id"] == TENANT
    assert body["load"]["level"] == "calm"
    assert body["load"]["factors"]["analytics"] == 1.0
    lines = {line["quota"]: line for line in body["quotas"]}
    assert lines["requests_per_second"] == {
        "quota": "requests_per_second", "unit": "1/s", "used": 1.0, "limit": 10.0,
        "refused": 0, "refused_last_us": 0,
    }  # fmt: skip
    assert lines["storage_mb"]["used"] is None


async def test_only_an_operator_sees_other_tenants_quotas(office: Office) -> None:
    """403 for a tenant's administrator, whatever the id; 404 for an operator when there is none."""
    async with await office.enter(is_operator=False) as client:
        refused = [await client.get(f"/api/v1/quotas/{who}") for who in (TENANT, "nobody")]
    async with await office.enter(is_operator=True) as operator:
        missing = await operator.get("/api/v1/quotas/nobody")
        found = await operator.get(f"/api/v1/quotas/{TENANT}")
    assert [answer.status_code for answer in refused] == [403, 403]
    assert problem_of(missing)["code"] == "not_found"
    assert (found.status_code, found.json()["tenant_id"]) == (200, TENANT)


async def test_the_whole_gateway_answers_429_with_its_headers(office: Office) -> None:
    """Beyond a person's limit: problem, Retry-After, and the perimeter's headers as always."""
    async with await office.enter(is_operator=False) as client:
        answers = [await client.get("/api/v1/session") for _ in range(12)]
        killed = await client.post(
            "/api/v1/commands/kill",
            json={"reason": "test"},
            headers={"idempotency-key": "kill-0001"},
        )
    refused = answers[-1]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert problem_of(refused)["code"] == "rate_limited"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-request-id"] == problem_of(refused)["request_id"]
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert killed.status_code == 202
    assert office.limits.recorded[0][:2] == (TENANT, f"tenant:{TENANT}")
