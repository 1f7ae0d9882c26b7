"""Every route × every kind of caller against the real application, from the table of rights."""

import importlib.util

import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from plan2 import cli
from plan2.connectivity.gateway.app import build_application
from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.principal import Via
from plan2.connectivity.identity.right_table import (
    CHANNELS,
    RIGHTS,
    SHOWN_ONCE,
    VERBS,
    may_subscribe,
)
from plan2.connectivity.identity.rights import Entrance, Proof, Role, Scope
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.people import ActionTaken
from plan2.intelligence.trading.wishes import Refusal
from unit.callers_fixtures import CALLINGS, EXAMPLES, GUARD_CODES, Calling, caller, example
from unit.interface_fixtures import ORIGIN, TENANT, Stage, position_item, problem_of

HALTED = TradingStateChanged(
    ts_ns=1,
    account_id="paper-1",
    tenant_id=TENANT,
    old_state="armed",
    new_state="halted",
    actor="test",
    reason="test",
)
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def routes_of(stage: Stage) -> list[tuple[str, str]]:
    """Method and template of every HTTP route that asks for a session, in a fixed order."""
    app = build_application(
        stage.routes, stage.identity, stage.operations, stage.front, stage.settings
    )
    assert any(isinstance(each, WebSocketRoute) for each in app.routes)
    found = {
        (method, each.path_format)
        for each in app.routes
        if isinstance(each, HTTPRoute)
        for method in each.route_handler_map
        if method != "OPTIONS"
    }
    return sorted(key for key in found if RIGHTS[key].entrance is Entrance.SESSION)


def untouched(stage: Stage) -> bool:
    """Whether nothing was commanded, ordered or claimed."""
    return not (stage.control.calls or stage.desk.wishes or stage.desk.claims)


@pytest.mark.parametrize("calling", CALLINGS, ids=str)
async def test_every_route_treats_every_caller_as_the_table_says(calling: Calling) -> None:
    """The guard's code where the table refuses, and nothing done; none where it lets in.

    Every unsafe request of somebody known leaves exactly one record, let in or refused.
    """
    stage = Stage()
    await stage.people.start()
    for method, path in routes_of(stage):
        rule = RIGHTS[method, path]
        expected = calling.expected(rule)
        async with await caller(stage, calling) as client:
            before = len(stage.written.of(ActionTaken))
            response = await client.request(method, example(path))
        code = problem_of(response)["code"] if response.status_code >= 400 else ""
        if expected:
            assert code == expected, (method, path)
            assert response.status_code == (401 if expected == "signed_out" else 403)
            assert untouched(stage)
        elif rule.proof is not Proof.FORM:
            assert code not in GUARD_CODES, (method, path, code)
        left = len(stage.written.of(ActionTaken)) - before
        assert left == (method in UNSAFE and calling.via is not None), (method, path)


async def test_an_analyst_changes_nothing() -> None:
    """Every unsafe route of the API that is not about themselves: 403, and nothing was called."""
    stage = Stage()
    await stage.people.start()
    analyst = Calling(via=Via.COOKIE, role=Role.ANALYST)
    own = {route for route in RIGHTS if RIGHTS[route].scope is not Scope.TRADE}
    refused = 0
    for method, path in set(routes_of(stage)) - own:
        async with await caller(stage, analyst) as client:
            response = await client.request(method, example(path), json={"reason": "x"})
        assert (response.status_code, problem_of(response)["code"]) == (403, "forbidden")
        refused += 1
    assert refused > 10
    assert untouched(stage)


@pytest.mark.parametrize("via", [Via.COOKIE, Via.TOKEN, Via.KEY])
async def test_a_suspended_tenant_can_do_nothing(via: Via) -> None:
    """Every route refuses every way in, at once; the kill switch too."""
    stage = Stage()
    await stage.people.start()
    role = Role.API_USER if via is Via.KEY else Role.TENANT_ADMIN
    calling = Calling(via=via, role=role, scope=Scope.TRADE if via is Via.KEY else None)
    async with await caller(stage, calling) as client:
        assert (await client.get("/api/v1/session")).status_code in {200, 403}
        stage.directory.set(TENANT, TenantState.SUSPENDED)
        for method, path in routes_of(stage):
            response = await client.request(method, example(path))
            code = problem_of(response)["code"]
            assert code in {"tenant_suspended", "signed_out"}, (method, path, code)
    assert untouched(stage)


async def stage_of_two() -> Stage:
    """A stage whose tenant has a decision and a position, and a second tenant that has neither."""
    stage, other = Stage(), Stage()
    await stage.people.start()
    stage.books.open["paper-1:42"] = position_item("paper-1:42")
    stored = await stage.stored(HALTED)
    stage.views.decision_positions["d1"] = stored.position
    mine = stage.desk_shown
    other.desk.refusal = Refusal("unknown_position", "There is no such position.")
    desks = {TENANT: mine, "other": other.desk_shown}
    stage.of = lambda session: desks[session.user.tenant_id]  # type: ignore[method-assign]
    return stage


async def test_ids_of_another_tenant_are_ids_that_do_not_exist() -> None:
    """Each route with an id in its path: byte for byte what an invented id is answered."""
    stage = await stage_of_two()
    stranger = Calling(via=Via.COOKIE, tenant="other")
    asked = [route for route in routes_of(stage) if "{" in route[1]]
    assert len(asked) > 5
    for method, path in asked:
        shown = []
        for suffix in ("", "0"):
            target = example(path, suffix)
            async with await caller(stage, stranger) as client:
                body = {"reason": "x"} if method in UNSAFE else None
                headers = {"idempotency-key": "key-0001" + suffix, "x-request-id": "r"}
                response = await client.request(method, target, json=body, headers=headers)
            ids = [value + suffix for value in EXAMPLES.values()]
            text = response.text
            for each in sorted(ids, key=len, reverse=True):
                text = text.replace(repr(each), "ID")
            shown.append((response.status_code, text))
        assert shown[0] == shown[1], (method, path)
    assert untouched(stage)


async def test_csrf_is_asked_of_cookies_only() -> None:
    """A cookie without the value is refused on every unsafe route; keys and tokens have none."""
    stage = Stage()
    await stage.people.start()
    for method, path in routes_of(stage):
        if method not in UNSAFE or RIGHTS[method, path].proof is not Proof.HEADER:
            continue
        async with await caller(stage, Calling(via=Via.COOKIE, is_operator=True)) as client:
            del client.headers["x-plan2-csrf"]
            response = await client.request(method, example(path))
            assert problem_of(response)["code"] == "csrf_missing", (method, path)
    assert untouched(stage)


async def test_other_sites_cannot_make_a_browser_act() -> None:
    """The cross-site set on every unsafe route, with cookie and CSRF value: all 403."""
    stage = Stage()
    await stage.people.start()
    cross_site: list[dict[str, str]] = [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ORIGIN.replace("http:", "https:")},
        {"origin": ORIGIN + "1"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
        {"origin": ""},
    ]
    unsafe = [route for route in routes_of(stage) if route[0] in UNSAFE]
    async with await caller(stage, Calling(via=Via.COOKIE, is_operator=True)) as client:
        for method, path in [*unsafe, ("POST", "/signin"), ("POST", "/api/v1/signin")]:
            for headers in cross_site:
                response = await client.request(method, example(path), headers=headers)
                assert response.status_code == 403, (method, path, headers)
                assert problem_of(response)["code"] == "origin_not_allowed"
    assert untouched(stage)


def test_every_verb_of_the_command_line_is_in_the_table() -> None:
    """A verb without an entry fails the build; an entry without a verb does too."""
    there = {verb for verb in VERBS if importlib.util.find_spec(cli._module(verb)) is not None}
    shown = set(cli.Verbs().list_commands(None))  # type: ignore[arg-type]  # it asks nothing of it
    assert shown <= set(VERBS)
    assert there - shown <= {"audit", "flags", "gdpr", "key", "records", "secrets", "services"} | {
        "tenant",
        "user",
    }


def test_verbs_ask_for_rules_that_the_table_uses() -> None:
    """So that a verb cannot ask for less than its routes."""
    rules = set(map(id, RIGHTS.values()))
    assert {verb for verb, rule in VERBS.items() if rule and id(rule) not in rules} == set()


@pytest.mark.parametrize("role", list(Role))
def test_every_channel_is_open_to_its_roles_only(role: Role) -> None:
    """WebSocket channels are part of the table."""
    open_to_role = {name for name in CHANNELS if may_subscribe(role, name)}
    assert open_to_role == {name for name, roles in CHANNELS.items() if role in roles}
    assert ("events" in open_to_role) == (role is not Role.API_USER)
    assert not may_subscribe(role, "no-such-channel")


def test_answers_with_secrets_are_routes_of_the_table() -> None:
    """A misspelt entry would let a secret be stored."""
    missing = SHOWN_ONCE - set(RIGHTS)
    assert not {route for route in missing if route in set(routes_of(Stage()))}
