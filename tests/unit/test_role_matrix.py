"""Every route × every kind of caller against the real application, from the table of rights."""

import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from plan2 import cli
from plan2.connectivity.gateway.app import build_application
from plan2.connectivity.identity.api_key_desk import KeyWish
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
from plan2.foundation.errors import InputError
from plan2.foundation.events.account import TradingStateChanged
from plan2.foundation.events.people import ActionTaken
from plan2.intelligence.backtest.figures.whole import figures_of
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import Made, summary_of
from plan2.intelligence.trading.wishes import Refusal
from plan2.wiring import backtest_routes, house_routes, research_jobs
from unit import whole_stage
from unit.backtest_fixtures import MONDAY_NS, run_of
from unit.callers_fixtures import CALLINGS, EXAMPLES, GUARD_CODES, Calling, caller, example
from unit.flow_fixtures import EMA_CROSS
from unit.interface_fixtures import ORIGIN, TENANT, Stage, position_item, problem_of
from unit.whole_stage import WholeStage

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
ID_LENGTH = 8
"""Longer ids stand for themselves in a text; shorter ones only in quotes."""


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


@pytest.fixture
async def stage(tmp_path: Path) -> WholeStage:
    """Every route of the product around fakes."""
    return await WholeStage.open(tmp_path)


@pytest.mark.parametrize("calling", CALLINGS, ids=str)
async def test_every_route_treats_every_caller_as_the_table_says(
    stage: WholeStage, calling: Calling
) -> None:
    """The guard's code where the table refuses, and nothing done; none where it lets in.

    Every unsafe request of somebody known leaves exactly one record, let in or refused.
    """
    routes = routes_of(stage)
    assert len(routes) > 100
    for method, path in routes:
        rule = RIGHTS[method, path]
        expected = calling.expected(rule)
        async with await caller(stage, calling) as client:
            before = len(stage.written.of(ActionTaken))
            done = stage.done(), stage.database.asked
            response = await client.request(method, example(path))
        code = problem_of(response)["code"] if response.status_code >= 400 else ""
        if expected:
            assert code == expected, (method, path)
            assert response.status_code == (401 if expected == "signed_out" else 403)
            assert (stage.done(), stage.database.asked) == done
        elif rule.proof is not Proof.FORM:
            assert code not in GUARD_CODES, (method, path, code)
        left = len(stage.written.of(ActionTaken)) - before
        assert left == (method in UNSAFE and calling.via is not None), (method, path)


async def test_an_analyst_changes_nothing(stage: WholeStage) -> None:
    """Every unsafe route of the API that is not about themselves: 403, and nothing was called."""
    analyst = Calling(via=Via.COOKIE, role=Role.ANALYST)
    refused, before = 0, stage.done()
    for method, path in routes_of(stage):
        if method not in UNSAFE or Role.ANALYST in RIGHTS[method, path].roles:
            continue
        async with await caller(stage, analyst) as client:
            response = await client.request(method, example(path), json={"reason": "x"})
        assert (response.status_code, problem_of(response)["code"]) == (403, "forbidden")
        refused += 1
    assert refused > 30
    assert stage.done() == before


@pytest.mark.parametrize("via", [Via.COOKIE, Via.TOKEN, Via.KEY])
async def test_a_suspended_tenant_can_do_nothing(stage: WholeStage, via: Via) -> None:
    """Every route refuses every way in, at once; the kill switch too."""
    role = Role.API_USER if via is Via.KEY else Role.TENANT_ADMIN
    calling = Calling(via=via, role=role, scope=Scope.TRADE if via is Via.KEY else None)
    async with await caller(stage, calling) as client:
        assert (await client.get("/api/v1/session")).status_code in {200, 403}
        stage.directory.set(TENANT, TenantState.SUSPENDED)
        before = stage.done()
        for method, path in routes_of(stage):
            response = await client.request(method, example(path))
            code = problem_of(response)["code"]
            assert code in {"tenant_suspended", "signed_out"}, (method, path, code)
    assert stage.done() == before


async def no_account(account_id: str, actor: str, reason: str) -> tuple[str, ...]:
    """What a tenant's control says about an account that is not the tenant's."""
    raise InputError(f"There is no account {account_id!r}.")


async def filled(stage: WholeStage) -> dict[str, str]:
    """Give the main tenant one of everything that has an id, and `other` a desk; placeholder → id.

    The other tenant has a person as well, who is the stranger that asks.
    """
    people, other = stage.credentials, Stage()
    stage.books.open["paper-1:42"] = position_item("paper-1:42")
    stored = await stage.stored(HALTED)
    stage.views.decision_positions["d1"] = stored.position
    other.desk.refusal = Refusal("unknown_position", "There is no such position.")
    other.control.accept_broker_view = no_account  # type: ignore[method-assign]
    desks = {TENANT: stage.desk_shown, "other": other.desk_shown}
    stage.of = lambda session: desks[session.user.tenant_id]  # type: ignore[method-assign]
    boss = people.session(await stage.operator())
    ann = await people.add("ann", Role.ANALYST)
    wish = KeyWish(label="mine", scopes=frozenset({Scope.READ}), days=1, networks=(), user_id="")
    _, key = await people.desk.create(wish, boss)
    asked = await people.approvals.propose(boss, "limit_override", {"limit": 1}, "because")
    _, session = await stage.sessions.open(ann)
    await stage.flows[TENANT].desk.register(EMA_CROSS, boss.actor)
    job = await stage.job_room.jobs.start(TENANT, "train", {}, boss.actor)
    await stage.job_room.jobs.wait(TENANT, job.job_id)
    run = run_of([], [(MONDAY_NS, 10_000.0)])
    figures = figures_of(run)
    summary = summary_of(run, figures, Made(ts_ns=1, code_hash="c" * 64))
    KeptRuns(stage.backtests_of(TENANT)).add(run, summary, figures, "<p>page</p>")
    return EXAMPLES | {
        "{run_id}": run.run_id,
        "{job_id}": job.job_id,
        "{user_id}": ann.user_id,
        "{key_id}": key.key_id,
        "{approval_id}": asked.approval_id,
        "{session_id}": session.session_id,
        "{tenant_id}": TENANT,
    }


def body_for(method: str, path: str, ids: dict[str, str], suffix: str) -> dict[str, object] | None:
    """A body that comes as far as looking the id up."""
    bodies: dict[tuple[str, str], dict[str, object]] = {
        ("PATCH", "/api/v1/users/{user_id}"): {"blocked": True},
        ("POST", "/api/v1/users/{user_id}/reset"): {"second_factor": True},
        ("POST", "/api/v1/approvals/{approval_id}/approve"): {"content_hash": "0" * 64},
        ("POST", "/api/v1/privacy/{user_id}/erase"): {
            "reason": "x",
            "confirm": ids["{user_id}"] + suffix,
        },
        ("POST", "/api/v1/flows/{name}/move"): {"version": 1, "to": "retired", "reason": "x"},
        ("POST", "/api/v1/flows/{name}/override"): {"version": 1, "to": "retired", "reason": "x"},
        ("PUT", "/api/v1/settings/user/{key}"): {"value": 3, "reason": "x"},
    }
    return bodies.get((method, path), {"reason": "x"} if method in UNSAFE else None)


NAMES = ("{key}", "{flag}", "{purpose}", "{file_path}")
"""Placeholders whose values are everybody's."""


async def test_ids_of_another_tenant_are_ids_that_do_not_exist(stage: WholeStage) -> None:
    """Each route with an id in its path: byte for byte what an invented id is answered."""
    ids = await filled(stage)
    stranger = Calling(via=Via.COOKIE, tenant="other")
    asked = [
        (method, path)
        for method, path in routes_of(stage)
        if "{" in path and not any(name in path for name in NAMES)
    ]
    assert len(asked) > 25
    before, looked_up = stage.done(), 0
    for method, path in asked:
        shown = []
        for suffix in ("", "0"):
            target = example(path, suffix, ids)
            async with await caller(stage, stranger) as client:
                body = body_for(method, path, ids, suffix)
                headers = {"idempotency-key": "key-0001" + suffix, "x-request-id": "r"}
                response = await client.request(method, target, json=body, headers=headers)
            text = response.text
            for each in sorted((v + suffix for v in ids.values()), key=len, reverse=True):
                text = text.replace(each if len(each) > ID_LENGTH else repr(each), "ID")
            shown.append((response.status_code, text))
        assert shown[0] == shown[1], (method, path)
        looked_up += shown[0][0] == 404
    assert looked_up > 10
    assert stage.done() == before


async def test_csrf_is_asked_of_cookies_only(stage: WholeStage) -> None:
    """A cookie without the value is refused on every unsafe route; keys and tokens have none."""
    before = stage.done()
    for method, path in routes_of(stage):
        if method not in UNSAFE or RIGHTS[method, path].proof is not Proof.HEADER:
            continue
        async with await caller(stage, Calling(via=Via.COOKIE, is_operator=True)) as client:
            del client.headers["x-plan2-csrf"]
            response = await client.request(method, example(path))
            assert problem_of(response)["code"] == "csrf_missing", (method, path)
    assert stage.done() == before


async def test_other_sites_cannot_make_a_browser_act(stage: WholeStage) -> None:
    """The cross-site set on every unsafe route, with cookie and CSRF value: all 403."""
    before = stage.done()
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
    open_forms = [route for route, rule in RIGHTS.items() if rule.proof is Proof.ORIGIN]
    assert {("POST", "/signin"), ("POST", "/join")} <= set(open_forms)
    async with await caller(stage, Calling(via=Via.COOKIE, is_operator=True)) as client:
        for method, path in [*unsafe, *open_forms]:
            for headers in cross_site:
                response = await client.request(method, example(path), headers=headers)
                assert response.status_code == 403, (method, path, headers)
                assert problem_of(response)["code"] == "origin_not_allowed"
    assert stage.done() == before


def test_every_verb_of_the_command_line_is_in_the_table() -> None:
    """A verb without an entry fails the build; an entry without a verb does too."""
    there = {verb for verb in VERBS if importlib.util.find_spec(cli._module(verb)) is not None}
    shown = set(cli.Verbs().list_commands(None))  # type: ignore[arg-type]  # it asks nothing of it
    assert shown == there == set(VERBS)


def test_verbs_ask_for_rules_that_the_table_uses() -> None:
    """So that a verb cannot ask for less than its routes."""
    rules = set(map(id, RIGHTS.values()))
    assert {verb for verb, rule in VERBS.items() if rule and id(rule) not in rules} == set()


@pytest.mark.parametrize("role", list(Role))
def test_every_channel_is_open_to_its_roles_only(role: Role) -> None:
    """WebSocket channels are part of the table; the log, jobs and alerts are not for programs."""
    open_to_role = {name for name in CHANNELS if may_subscribe(role, name)}
    assert CHANNELS.keys() - open_to_role == (
        {"alerts", "events", "jobs"} if role is Role.API_USER else set()
    )
    assert not may_subscribe(role, "no-such-channel")


def test_answers_with_secrets_are_routes_of_the_table() -> None:
    """A misspelt entry would let a secret be stored."""
    assert SHOWN_ONCE - set(RIGHTS) == set()


def bounded(schema: dict[str, Any]) -> bool:
    """Whether every text of a schema has a limit or a choice."""
    if schema.get("type") == "string":
        is_chosen = bool(schema.keys() & {"maxLength", "enum", "const", "format"})
        return is_chosen or schema.get("pattern", "").endswith("}$")
    parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    parts += [schema["items"]] if "items" in schema else []
    return all(bounded(part) for part in parts)


async def test_every_operation_says_what_it_does_and_takes(stage: WholeStage) -> None:
    """Words, rights, a group; texts have limits, bodies are closed; the page lists them all."""
    async with await stage.signed_in() as client:
        described = (await client.get("/api/openapi.json")).json()
        page = (await client.get("/api/docs")).text
    schemas = described["components"]["schemas"]
    operations = {
        (method.upper(), path): each
        for path, item in described["paths"].items()
        for method, each in item.items()
    }
    told = {route for route in RIGHTS if route[1].startswith("/api/v1/")}
    assert told - set(operations) == {(m, p) for m, p in told if m == "WEBSOCKET"}
    for route, each in operations.items():
        assert route[1] in page
        assert each.get("description"), route
        assert each.get("tags"), route
        is_open = RIGHTS[route].entrance is not Entrance.SESSION
        assert (each["security"] == []) == is_open, route
        assert ("x-plan2-rights" in each) != is_open, route
        loose = [one["name"] for one in each.get("parameters", ()) if not bounded(one["schema"])]
        assert loose == [], route
        for body in each.get("requestBody", {}).get("content", {}).values():
            schema = schemas[body["schema"]["$ref"].rpartition("/")[2]]
            assert schema.get("additionalProperties") is False, route
            assert [name for name, one in schema["properties"].items() if not bounded(one)] == []


def test_the_product_mounts_what_is_tested_here() -> None:
    """The stage and the wiring make the same kinds of routes, each once."""
    made = [
        sorted(re.findall(r"\*(\w+Routes)\(", "".join(map(inspect.getsource, modules))))
        for modules in ((house_routes, backtest_routes, research_jobs), (whole_stage,))
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) == len(made[0]) == 29
