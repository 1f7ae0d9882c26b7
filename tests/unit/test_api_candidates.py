"""`/candidates` through the gateway: the card, moving, passing over a gate, and who may."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest

from plan2.commands.models_show import seat_text
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.proposals import Payload, Proposal, canonical
from plan2.connectivity.identity.rights import Role
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId
from plan2.intelligence.models.lifecycle import State
from plan2.interface.api.candidates import CandidateRoutes, MoveBody, Overriding, RollbackBody
from unit.candidate_fixtures import GOOD
from unit.interface_fixtures import ORIGIN, problem_of
from unit.whole_stage import WholeStage

PATH = "/api/v1/candidates"


@pytest.fixture
async def stage(tmp_path: Path) -> WholeStage:
    """Every route, and a life cycle in memory."""
    return await WholeStage.open(tmp_path)


async def client_of(stage: WholeStage) -> httpx.AsyncClient:
    """The operator of the installation."""
    cookie, csrf = await stage.open_session()
    client = stage.client(**{"origin": ORIGIN, "x-plan2-csrf": csrf})
    client.cookies.set("p2_session", cookie)
    return client


async def test_what_was_trained_a_moment_ago_is_listed_and_explained(stage: WholeStage) -> None:
    """With each condition of each gate, and everything that has happened to it."""
    life = stage.life
    name = life.leave("xgboost-1", metrics={k: v for k, v in GOOD.items() if k != "dsr"})
    async with await client_of(stage) as client:
        (item,) = (await client.get(PATH)).json()
        card = (await client.get(f"{PATH}/{name}")).json()

    assert (item["candidate_id"], item["state"]) == (name, "champion")
    assert item["champion_of"] == ["EURUSD"]
    assert item["flags"] == ["UNPROVEN"]
    gate = card["gates"][0]
    assert (gate["state"], gate["is_open"]) == ("validated", False)
    unmet = [one["sentence"] for one in gate["conditions"] if not one["is_met"]]
    assert unmet == ["deflated Sharpe ratio: no evidence yet"]
    assert [move["to_state"] for move in card["history"]] == ["champion", "trained"]


async def test_a_closed_gate_an_unknown_step_and_an_unknown_candidate(stage: WholeStage) -> None:
    """422 with what is missing, 409 with where it leads, 404."""
    stage.life.leave("xgboost-1")
    await stage.life.intake.open()
    name = stage.life.leave("xgboost-2", metrics={})
    async with await client_of(stage) as client:
        closed = await client.post(
            f"{PATH}/{name}/move", json={"to": "validated", "reason": "I like it"}
        )
        illegal = await client.post(f"{PATH}/{name}/move", json={"to": "canary", "reason": "x"})
        unknown = await client.get(f"{PATH}/nobody")
        nameless = await client.post(f"{PATH}/{name}/move", json={"to": "rejected", "reason": ""})

    assert problem_of(closed)["code"] == "gate_closed"
    assert "deflated Sharpe ratio: no evidence yet" in problem_of(closed)["detail"]
    assert (illegal.status_code, problem_of(illegal)["code"]) == (409, "illegal_transition")
    assert unknown.status_code == 404
    assert nameless.status_code == 400
    assert stage.life.state(name) is State.TRAINED


async def test_override_and_rollback(stage: WholeStage) -> None:
    """Done at once by a proven person, and written down in their name."""
    life = stage.life
    first = life.leave("xgboost-1")
    await life.intake.open()
    second = life.leave("xgboost-2", metrics={})
    async with await client_of(stage) as client:
        for to in ("validated", "shadow", "canary", "champion"):
            body = {"to": to, "reason": "paper"}
            answer = (await client.post(f"{PATH}/{second}/override", json=body)).json()
            assert (answer["outcome"], answer["candidate"]["state"]) == ("done", to)
        history = await life.desk.history(second)
        assert {row.by for row in history} == {"system", "user:u1"}
        assert life.served() == {"EURUSD": second}
        body = {"symbol": "EURUSD", "reason": "it loses"}
        back = (await client.post(f"{PATH}/rollback", json=body)).json()

        cards = [(await client.get(f"{PATH}/{name}")).json() for name in (first, second)]

    assert back["candidate"]["candidate_id"] == first
    assert life.served() == {"EURUSD": first}
    came, went = (
        next(seat for seat in card["seats"] if seat["is_rollback"] and seat["alias"] == "champion")
        for card in cards
    )
    for seat, is_gained, other in ((came, True, second), (went, False, first)):
        assert (seat["symbol"], seat["is_gained"], seat["other"]) == ("EURUSD", is_gained, other)
        assert (seat["by"], seat["reason"]) == ("user:u1", "it loses")
    told = seat_text(went)
    assert f"EURUSD champion lost to {first} ROLL-BACK, user:u1: it loses" in told
    begun = next(
        seat for seat in cards[0]["seats"] if seat["alias"] == "champion" and not seat["other"]
    )
    assert "EURUSD champion from then on, system: the first candidate" in seat_text(begun)


async def test_with_four_eyes_passing_over_a_gate_waits_for_somebody_else(
    stage: WholeStage,
) -> None:
    """Nothing moves before; the second person reads what is passed over, and then it is done."""
    life = stage.life
    life.leave("xgboost-1")
    await life.intake.open()
    name = life.leave("xgboost-2", metrics={})
    await life.intake.take_up()
    asked: list[Payload] = []

    async def propose(caller: Session, payload: Payload, reason: str) -> str:
        asked.append(payload)
        return "approval-1"

    parts = msgspec.structs.replace(stage.candidates, four_eyes=lambda: True, propose=propose)
    request: Any = SimpleNamespace(auth=session_of(MAIN_TENANT))  # all that the route looks at
    body = MoveBody(to=State.VALIDATED, reason="paper only")
    receipt = await CandidateRoutes(parts).override(request, name, body)
    kind = Overriding(lambda: life.desk).kind()
    words = kind.summarise(MAIN_TENANT, asked[0])

    assert (receipt.outcome, receipt.approval_id) == ("proposed", "approval-1")
    assert life.state(name) is State.TRAINED
    assert "deflated Sharpe ratio: no evidence yet" in words
    outcome = await kind.carry_out(
        Proposal(
            approval_id="approval-1",
            tenant_id=MAIN_TENANT,
            kind="gate_override",
            payload=canonical(asked[0]),
            summary=words,
            content_hash="",
            ask_reason="paper only",
            proposed_by="u1",
            proposed_ns=0,
            expires_ns=1,
            decided_by="u2",
            reason="agreed",
        )
    )
    assert outcome == f"candidate {name} is validated"
    assert (await life.desk.history(name))[-1].reason == "paper only; approved by u2: agreed"


@pytest.mark.parametrize("payload", [{}, {"candidate_id": "nobody", "to": "shadow"}])
async def test_a_proposal_names_a_candidate_and_a_state(
    stage: WholeStage, payload: Payload
) -> None:
    """And it is one of the installation's own tenant."""
    kind = Overriding(lambda: stage.life.desk).kind()
    with pytest.raises(InputError, match="names no candidate"):
        kind.summarise(MAIN_TENANT, payload)
    with pytest.raises(InputError, match="own tenant"):
        kind.summarise("acme", payload)


async def test_people_of_other_tenants_do_not_move_models(stage: WholeStage) -> None:
    """Models serve everybody; the installation's own people, or its operators, decide."""
    name = stage.life.leave("xgboost-1")
    await stage.life.intake.open()
    routes = CandidateRoutes(stage.candidates)
    stranger: Any = SimpleNamespace(auth=session_of("acme"))
    body = MoveBody(to=State.SUSPENDED, reason="mine is better")

    with pytest.raises(RequestRefused, match="every tenant"):
        await routes.move(stranger, name, body)
    with pytest.raises(RequestRefused, match="every tenant"):
        await routes.override(stranger, name, body)
    with pytest.raises(RequestRefused, match="every tenant"):
        await routes.rollback(stranger, RollbackBody(symbol="EURUSD", reason="x"))
    assert stage.life.state(name) is State.CHAMPION


def session_of(tenant: str) -> Session:
    """A portfolio manager of a tenant."""
    user = User(user_id="u7", name="pm", tenant_id=TenantId(tenant), role=Role.PORTFOLIO_MANAGER)
    return Session(session_id="s", user=user, csrf="", expires_ns=1)
