"""Settings, flags and keys over the API: who sees and changes what, proofs, second persons."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from litestar.types import ASGIApp, Receive, Scope, Send
from overlay_fixtures import ACME, ANYTHING, MAIN, RIVAL, SettingsRoom, everywhere, of_tenant
from sealing_fixtures import FaultyProvider, KeyRoom
from test_rotation import RotationRoom

from plan2.connectivity.gateway.problems import answer_error
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.proposals import Proposal
from plan2.connectivity.identity.right_table import rule_for
from plan2.connectivity.identity.rights import Role
from plan2.foundation.config.flags import Flags
from plan2.foundation.config.load import load
from plan2.foundation.config.overlay_keys import TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND
from plan2.interface.api.flags import FlagRoutes
from plan2.interface.api.secrets import SecretRoutes
from plan2.interface.api.settings import SettingsRoutes
from plan2.interface.api.settings_desk import SettingsDesk

POSITIONS = "/api/v1/settings/tenant/risk.positions_max"
NOW_S = 1_000


def caller(
    role: Role = Role.TENANT_ADMIN,
    *,
    tenant: str = ACME,
    is_operator: bool = False,
    proven_s: int = NOW_S,
) -> Session:
    """Somebody who was let in."""
    user = User(user_id="u1", name="ann", tenant_id=tenant, role=role, is_operator=is_operator)
    return Session(
        session_id="s1", user=user, csrf="c", expires_ns=1 << 62, proven_ns=proven_s * NS_PER_SECOND
    )


class ApiRoom(SettingsRoom):
    """The routes around fakes; `session` is who asks."""

    def __init__(self) -> None:
        super().__init__(load(None, {"PLAN2_DATABASE__URL": "postgresql://p2_app:canary@db/x"}))
        self.session = caller()
        self.asked: list[tuple[Mapping[str, object], str]] = []
        self.flags = Flags(self.store, self.facts, self.clock, MAIN)
        self.desk = SettingsDesk(self.overlay, self.clock, self._propose)
        self.keys = RotationRoom()
        secrets = SecretRoutes(_as_keys(self.keys), self.keys.rotations, lambda: [ACME, RIVAL])
        settings = SettingsRoutes(self.overlay, self.desk, self.base)
        self.app = Litestar(
            [*settings.handlers(), *FlagRoutes(self.flags).handlers(), *secrets.handlers()],
            middleware=[self._let_in],
            exception_handlers={Exception: answer_error},
            openapi_config=None,
        )

    def _let_in(self, app: ASGIApp) -> ASGIApp:
        async def with_session(scope: Scope, receive: Receive, send: Send) -> None:
            scope["auth"] = self.session
            scope["state"]["request_id"] = "r1"
            await app(scope, receive, send)

        return with_session

    async def _propose(self, session: Session, payload: Mapping[str, object], reason: str) -> str:
        self.asked.append((payload, reason))
        return "approval-1"


class _Keys:
    """What `SecretRoutes` needs of `Keys`."""

    def __init__(self, room: KeyRoom) -> None:
        self.provider, self.tenants, self.subjects = room.provider, room.tenants, room.subjects


def _as_keys(room: KeyRoom) -> Any:  # only three of its members are used
    return _Keys(room)


@pytest.fixture
async def room() -> ApiRoom:
    """Two tenants, nothing set."""
    found = ApiRoom()
    await found.open()
    await found.flags.load([MAIN, ACME, RIVAL])
    return found


@pytest.fixture
async def client(room: ApiRoom) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """A caller of the routes."""
    async with AsyncTestClient(room.app) as found:
        yield found


def code_of(answer: Any) -> tuple[int, str]:  # httpx is not a dependency of ours
    """Status and problem code."""
    return answer.status_code, answer.json().get("code", "")


async def item(client: AsyncTestClient[Litestar], key: str) -> dict[str, Any]:
    """A setting as it is shown."""
    items = (await client.get("/api/v1/settings")).json()["items"]
    return next(each for each in items if each["key"] == key)


def test_every_route_is_in_the_table_of_rights(room: ApiRoom) -> None:
    """Deny by default would close one that is not."""
    missing = [
        (method, route.path_format)
        for route in room.app.routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS" and rule_for(method, route.path_format) is None
    ]
    assert missing == []


async def test_a_setting_says_all_about_itself(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """Value, default, origin, range, levels, and where the caller may set it."""
    await room.overlay.set(of_tenant("risk.positions_max"), 2, ANYTHING)
    found = await item(client, "risk.positions_max")
    assert found == {
        "key": "risk.positions_max",
        "value": 2,
        "default": 4,
        "origin": "set for tenant acme",
        "origin_scope": "tenant",
        "is_locked": False,
        "locked_by": "",
        "scopes": ["global", "tenant"],
        "may_change": ["tenant"],
        "is_live": True,
        "is_limit": True,
        "type": {
            "kind": "integer",
            "minimum": 1,
            "above": None,
            "maximum": None,
            "pattern": "",
            "choices": [],
        },
        "doc": "Open positions of the account.",
        "levels": [
            {
                "scope": "tenant",
                "value": 2,
                "is_locked": False,
                "is_ignored": False,
                "changed_us": NOW_S * 1_000_000,
                "changed_by": "user:ann",
                "reason": "because",
            }
        ],
    }


async def test_setting_locking_and_taking_away(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """A round trip: tightened, shown, back to the default."""
    answer = await client.put(POSITIONS, json={"value": 2, "reason": "calmer"})
    assert (answer.status_code, answer.json()["outcome"], answer.json()["value"]) == (
        200,
        "applied",
        2,
    )
    answer = await client.put("/api/v1/settings/tenant/ui.theme", json={"locked": True})
    assert answer.status_code == 200
    theme = await item(client, "ui.theme")
    assert (theme["is_locked"], theme["locked_by"], theme["may_change"]) == (
        True,
        "tenant",
        ["tenant"],
    )
    answer = await client.put("/api/v1/settings/user/ui.theme", json={"value": "dark"})
    assert code_of(answer) == (409, "setting_locked")
    answer = await client.delete(POSITIONS, params={"reason": "as before"})
    assert (answer.status_code, answer.json()["value"]) == (200, 4)
    assert room.overlay.effective(ACME).risk.positions_max == 4


async def test_numbers_keep_their_kind(room: ApiRoom, client: AsyncTestClient[Litestar]) -> None:
    """Whole numbers where integers are wanted, in lists and maps too; half ones are refused."""
    for key, value in (
        ("risk.positions_max", 3.0),
        ("risk.daily_loss_max_fraction", 0.02),
        ("risk.drawdown_max_fraction", 1),
        ("risk.warn_fractions", [0, 0.5, 1]),
        ("risk.order_volume_max_lots_by_symbol", {"XAUUSD": 2, "EURUSD": 0.5}),
        ("security.four_eyes", False),
    ):
        answer = await client.put(f"/api/v1/settings/tenant/{key}", json={"value": value})
        assert (answer.status_code, answer.json()["value"]) == (200, value)
    assert room.store.rows[ACME][(TENANT, "", "risk.positions_max")].value == "3"
    assert code_of(await client.put(POSITIONS, json={"value": 2.5})) == (422, "setting_invalid")


async def test_loosening_wants_a_proof_of_five_minutes_and_tightening_none(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """300 seconds are fresh, 301 are not."""
    room.session = caller(proven_s=NOW_S - 301)
    assert (await client.put(POSITIONS, json={"value": 2})).status_code == 200
    assert code_of(await client.put(POSITIONS, json={"value": 3})) == (403, "step_up_needed")
    assert code_of(await client.delete(POSITIONS)) == (403, "step_up_needed")
    room.session = caller(proven_s=NOW_S - 300)
    assert (await client.put(POSITIONS, json={"value": 3})).status_code == 200


async def test_with_four_eyes_loosening_is_proposed(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """Nothing changes until the second person agrees; then exactly what was proposed."""
    await client.put("/api/v1/settings/tenant/security.four_eyes", json={"value": True})
    answer = await client.put(POSITIONS, json={"value": 9, "reason": "more"})
    assert answer.json() == {
        "key": "risk.positions_max",
        "outcome": "proposed",
        "value": 4,
        "approval_id": "approval-1",
    }
    ((payload, reason),) = room.asked
    assert (payload, reason) == ({"key": "risk.positions_max", "value": 9}, "more")
    kind = room.desk.approvable()
    assert kind.summarise(ACME, payload) == "Set risk.positions_max (now 4) to 9."
    agreed = Proposal(
        approval_id="approval-1",
        tenant_id=ACME,
        kind="limit_override",
        payload=msgspec.json.encode(payload).decode(),
        summary="",
        content_hash="",
        ask_reason=reason,
        proposed_by="u1",
        proposed_ns=0,
        expires_ns=1,
        decided_by="u2",
    )
    assert await kind.carry_out(agreed) == "risk.positions_max is 9."
    assert room.overlay.effective(ACME).risk.positions_max == 9
    # Four eyes cannot be closed by two.
    answer = await client.put("/api/v1/settings/tenant/security.four_eyes", json={"value": False})
    assert answer.json()["outcome"] == "proposed"
    answer = await client.put(POSITIONS, json={"value": 8})
    assert answer.json()["outcome"] == "applied"


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"key": "server.port", "value": 1},
        {"key": "quota.users", "value": 1_000},
        {"key": "risk.positions_max", "value": 1, "tenant_id": "rival"},
        {"key": "risk.positions_max", "value": 0},
        {"key": 7},
    ],
)
async def test_only_a_tenant_s_own_settings_can_be_proposed(
    room: ApiRoom, payload: dict[str, object]
) -> None:
    """Not the file's, not operators', not another tenant's."""
    with pytest.raises(InputError):
        room.desk.approvable().summarise(ACME, payload)


async def test_operators_set_quotas_and_name_tenants_and_others_do_not(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """Identical refusals whether or not the tenant exists."""
    path = "/api/v1/settings/tenant/quota.users"
    assert code_of(await client.put(path, json={"value": 9})) == (403, "forbidden")
    for tenant in ("rival", "nobody"):
        answers = [
            await client.put(POSITIONS, params={"tenant": tenant}, json={"value": 2}),
            await client.delete(POSITIONS, params={"tenant": tenant}),
            await client.get("/api/v1/settings", params={"tenant": tenant}),
        ]
        assert [code_of(answer) for answer in answers] == [(403, "forbidden")] * 3
    room.session = caller(tenant=MAIN, is_operator=True)
    answer = await client.put(path, params={"tenant": "rival"}, json={"value": 9})
    assert answer.status_code == 200
    assert room.overlay.effective(RIVAL).quota.users == 9
    assert room.overlay.effective(ACME).quota.users == 50
    answer = await client.put(path, params={"tenant": "nobody"}, json={"value": 9})
    assert code_of(answer) == (404, "setting_unknown")
    answer = await client.get("/api/v1/settings", params={"tenant": "nobody"})
    assert code_of(answer) == (404, "tenant_unknown")
    room.session = caller(tenant=MAIN, is_operator=True, proven_s=0)
    answer = await client.put(path, params={"tenant": "rival"}, json={"value": 10})
    assert code_of(answer) == (403, "step_up_needed")


async def test_operators_see_the_file_too_without_its_passwords(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """Others see no key that they could not set somewhere (R-106)."""
    assert "canary" not in (answer := await client.get("/api/v1/settings")).text
    assert "database.url" not in answer.text
    room.session = caller(tenant=MAIN, is_operator=True)
    answer = await client.get("/api/v1/settings")
    assert "canary" not in answer.text
    url = next(each for each in answer.json()["items"] if each["key"] == "database.url")
    assert (url["value"], url["may_change"]) == ("postgresql://p2_app:***@db/x", [])


async def test_analysts_change_their_own_page_and_nothing_else(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """What the table of rights leaves to the routes: naming another person."""
    room.session = caller(Role.ANALYST)
    answer = await client.put("/api/v1/settings/user/ui.theme", json={"value": "dark"})
    assert answer.status_code == 200
    assert room.overlay.effective(ACME, "u1").ui.theme == "dark"
    answer = await client.put(
        "/api/v1/settings/user/ui.theme", params={"user": "u2"}, json={"value": "dark"}
    )
    assert code_of(answer) == (403, "forbidden")
    answer = await client.get("/api/v1/settings", params={"user": "u2"})
    assert code_of(answer) == (403, "forbidden")
    assert (await item(client, "risk.positions_max"))["may_change"] == []
    assert (await item(client, "ui.theme"))["may_change"] == ["user"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"value": 0}, 422, "setting_invalid"),
        ({"value": "x" * 300}, 400, "invalid_parameter"),
        ({"value": [1, 2]}, 422, "setting_invalid"),
        ({"value": {"EURUSD": 1}}, 422, "setting_invalid"),
        ({}, 422, "setting_invalid"),
        ({"value": 2, "more": 1}, 400, "invalid_parameter"),
        ({"value": 2, "reason": "a\nb"}, 400, "invalid_parameter"),
        ({"value": 1e300}, 422, "setting_invalid"),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused(
    client: AsyncTestClient[Litestar], body: dict[str, object], status: int, code: str
) -> None:
    """Never a 500, and nothing is set."""
    answer = await client.put(POSITIONS, json=body)
    assert code_of(answer) == (status, code)
    assert (await item(client, "risk.positions_max"))["levels"] == []


async def test_flags_are_switched_per_scope(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """Tenant off, one person on, back again; unknown flags are 404; facts are written."""
    heard: list[tuple[str, str]] = []
    room.flags.on_change(lambda tenant, flag: heard.append((tenant, flag)))
    off = await client.put("/api/v1/flags/tenant/manual_trading", json={"is_on": False})
    assert (off.json()["is_on"], off.json()["origin"]) == (False, "tenant")
    path = "/api/v1/flags/user/manual_trading"
    on = await client.put(path, params={"user": "u2"}, json={"is_on": True, "reason": "trusted"})
    assert (on.json()["is_on"], on.json()["origin"]) == (True, "user")
    seen = [room.flags.is_on("manual_trading", ACME, each) for each in ("u1", "u2")]
    assert seen == [False, True]
    assert room.flags.is_on("manual_trading", RIVAL)
    back = await client.put(path, params={"user": "u2"}, json={"is_on": None})
    assert back.json()["origin"] == "tenant"
    listed = (await client.get("/api/v1/flags")).json()["items"]
    assert {each["flag"]: each["is_on"] for each in listed}["manual_trading"] is False
    answer = await client.put("/api/v1/flags/tenant/nothing", json={"is_on": True})
    assert code_of(answer) == (404, "flag_unknown")
    answer = await client.put("/api/v1/flags/user/programs", json={"is_on": True})
    assert code_of(answer) == (404, "flag_unknown")
    assert len(room.facts.events) == 3
    assert heard == [(ACME, "manual_trading")] * 3


async def test_keys_are_shown_without_a_key(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """Versions and rotations; the provider for operators only; never a byte of a key (R-106)."""
    key = await room.keys.tenants.current(ACME)
    rotated = await client.post("/api/v1/secrets/rotate", json={"level": "tenant"})
    assert (rotated.status_code, rotated.json()["old_key"]) == (202, key.key_id)
    answer = await client.get("/api/v1/secrets/keys")
    shown = answer.json()
    assert shown["provider"] is None
    assert [each["is_current"] for each in shown["tenant_keys"]] == [False, True]
    assert shown["rotations"][0]["finished_us"] is None
    assert code_of(await client.post("/api/v1/secrets/rotate", json={"level": "root"})) == (
        403,
        "forbidden",
    )
    room.session = caller(is_operator=True)
    operators = await client.get("/api/v1/secrets/keys")
    assert operators.json()["provider"]["kind"] == "memory"
    root = await client.post("/api/v1/secrets/rotate", json={"level": "root"})
    assert root.status_code == 202
    behind = (await client.get("/api/v1/secrets/keys")).json()["tenant_keys"]
    assert [each["is_behind"] for each in behind] == [True, True]
    for secret in (key.reveal(), (await room.keys.tenants.current(ACME)).reveal()):
        for text in (answer.text, operators.text, root.text):
            assert secret.hex() not in text


async def test_without_the_provider_a_rotation_is_unavailable(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """503 with a code of its own."""
    assert isinstance(room.keys.provider, FaultyProvider)
    room.keys.provider.is_away = True
    answer = await client.post("/api/v1/secrets/rotate", json={"level": "tenant"})
    assert code_of(answer) == (503, "keys_unavailable")


async def test_a_lock_of_the_installation_leaves_nothing_to_change(
    room: ApiRoom, client: AsyncTestClient[Litestar]
) -> None:
    """`may_change` is empty for the tenant, and its own value is shown as ignored."""
    await room.overlay.set(of_tenant("risk.positions_max"), 2, ANYTHING)
    await room.overlay.lock(everywhere("risk.positions_max"), ANYTHING, is_locked=True)
    found = await item(client, "risk.positions_max")
    assert (found["value"], found["may_change"], found["locked_by"]) == (4, [], "global")
    assert [(each["scope"], each["is_ignored"]) for each in found["levels"]] == [
        ("global", False),
        ("tenant", True),
    ]
