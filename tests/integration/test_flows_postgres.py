"""The registry of flows in a real database: what it refuses, whoever asks."""

from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
import pytest
import sqlalchemy as sa

from plan2.connectivity.identity.proposals import Payload, Proposal, canonical
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.intelligence.flows.life import SEATED, STEPS, FlowMove, FlowState, FlowVersion
from plan2.intelligence.flows.store import PostgresFlows
from plan2.interface.api.flows import FlowMoveBody, FlowOverriding, FlowParts, FlowRoutes
from unit.flow_fixtures import EMA_CROSS
from unit.flow_registry_fixtures import NOW_NS, SECOND_TEXT, Registry, flow_house

S = FlowState
REFUSED = (sa.exc.DatabaseError, psycopg.Error)
MOVE = (
    "insert into flow_move (name, version, from_state, to_state, account_id, actor, reason, "
    "evidence, is_override, at_ns) values ({}, '', {}, '{{}}', false, 1)"
)


def version(number: int = 1, name: str = "ema-cross", digest: str = "") -> FlowVersion:
    """A new one."""
    return FlowVersion(
        name=name, version=number, digest=digest or f"digest-{name}-{number}", body=EMA_CROSS,
        symbol="EURUSD", by="user:anna", created_ns=5, since_ns=5,
    )  # fmt: skip


@pytest.fixture
def store(database, tenant):
    """The tables of a tenant that no other test knows."""
    return PostgresFlows(database.uow, tenant)


async def state_of(store, name="ema-cross", number=1) -> FlowState:
    """As the database says."""
    rows = {(each.name, each.version): each.state for each in await store.versions()}
    return rows[name, number]


async def move(store, to, number=1, name="ema-cross", before=None, **changes) -> None:
    """One step in Anna's name, from where the version is."""
    begin = before or await state_of(store, name, number)
    plain = FlowMove(
        name=name, version=number, before=begin, to=to, account_id="paper", by="user:anna",
        reason="because", evidence=("run-1",), is_override=False, at_ns=NOW_NS,
    )  # fmt: skip
    await store.write(msgspec.structs.replace(plain, **changes))


WAYS = {
    S.DRAFT: [],
    S.BACKTESTED: [S.BACKTESTED],
    S.PAPER: [S.BACKTESTED, S.PAPER],
    S.LIVE: [S.BACKTESTED, S.PAPER, S.LIVE],
    S.PAUSED: [S.BACKTESTED, S.PAPER, S.PAUSED],
    S.RETIRED: [S.RETIRED],
}


@pytest.mark.parametrize("before", list(S))
async def test_the_database_takes_every_legal_step_and_refuses_all_others(store, before):
    """All pairs; a refused one leaves the state and no row."""
    for place, to in enumerate(S, 1):
        name = f"flow-{place}"
        await store.add(version(name=name))
        for state in WAYS[before]:
            await move(store, state, name=name)
        if to in STEPS[before]:
            await move(store, to, name=name)
            assert await state_of(store, name) is to
        else:
            with pytest.raises(REFUSED):
                await move(store, to, name=name)
            assert await state_of(store, name) is before


async def test_the_steps_in_the_database_are_those_of_the_program(database, tenant):
    """Neither may be changed alone."""
    async with database.uow(tenant) as uow:
        rows = await uow.execute("select from_state, to_state from flow_step")
        found = {(row[0], row[1]) for row in rows.all()}
    assert found == {(begin.value, end.value) for begin, ends in STEPS.items() for end in ends}


async def test_what_is_kept_comes_back(store):
    """Text, account, times, who, why, with which evidence and whether a gate was passed over."""
    await store.add(version())
    await move(store, S.BACKTESTED)
    await move(store, S.PAPER, is_override=True, reason="ten days are enough", by="user:ben")
    (kept,) = await store.versions()
    assert (kept.state, kept.account_id, kept.since_ns) == (S.PAPER, "paper", NOW_NS)
    assert (kept.body, kept.by, kept.created_ns) == (EMA_CROSS, "user:anna", 5)
    first, second = await store.moves()
    assert (first.before, first.to, first.evidence) == (S.DRAFT, S.BACKTESTED, ("run-1",))
    assert (second.by, second.reason, second.is_override) == (
        "user:ben", "ten days are enough", True,
    )  # fmt: skip
    assert second.move_id > first.move_id > 0


async def test_of_two_versions_one_trades_and_of_two_movers_one_wins(store):
    """A second version waits until the first one has left its seat, paused or not."""
    for number in (1, 2):
        await store.add(version(number))
        await move(store, S.BACKTESTED, number)
    await move(store, S.PAPER)
    for state in (S.PAPER, S.PAUSED):
        if state is S.PAUSED:
            await move(store, S.PAUSED)
        assert await state_of(store) in SEATED
        with pytest.raises(REFUSED):
            await move(store, S.PAPER, 2)
    with pytest.raises(REFUSED, match="is not paper"):
        await move(store, S.LIVE, before=S.PAPER)
    await move(store, S.RETIRED)
    await move(store, S.PAPER, 2)
    assert await state_of(store, number=2) is S.PAPER


@pytest.mark.parametrize(
    "statement",
    [
        "update flow_version set state = 'live'",
        "update flow_version set body = 'other'",
        (
            "insert into flow_version (name, version, digest, body, symbol, actor, created_ns, "
            "since_ns, state) values ('b', 1, 'd', 'x', 'EURUSD', 'a', 1, 1, 'live')"
        ),
        (
            "insert into flow_version (name, version, digest, body, symbol, actor, created_ns, "
            "since_ns) values ('main', 1, 'd', 'x', 'EURUSD', 'a', 1, 1)"
        ),
        (
            "insert into flow_version (name, version, digest, body, symbol, actor, created_ns, "
            "since_ns) values ('ema-cross', 2, 'digest-ema-cross-1', 'x', 'EURUSD', 'a', 1, 1)"
        ),
        "delete from flow_version",
        "truncate flow_version",
        "update flow_move set reason = 'another'",
        "delete from flow_move",
        "insert into flow_step (from_state, to_state) values ('draft', 'live')",
        MOVE.format("'ema-cross', 1, 'backtested', 'paper'", "'anna', ''"),
        MOVE.format("'ema-cross', 1, 'backtested', 'paper'", "'', 'because'"),
        MOVE.format("'ema-cross', 9, 'backtested', 'paper'", "'anna', 'because'"),
    ],
)
async def test_the_program_cannot_go_round_the_rules(store, database, tenant, statement):
    """It has no right to set a state or a text, to change the past, or to leave out a reason."""
    await store.add(version())
    await move(store, S.BACKTESTED)
    with pytest.raises(REFUSED):
        async with database.uow(tenant) as uow:
            await uow.execute(statement)
    assert await state_of(store) is S.BACKTESTED
    assert len(await store.moves()) == 1


async def test_the_owner_of_the_tables_cannot_change_the_past_either(postgres, store, tenant):
    """Triggers refuse what a right would allow."""
    await store.add(version())
    await move(store, S.BACKTESTED)
    engine = sa.create_engine(postgres.access.admin)
    for statement in (
        "update t_{}.flow_move set reason = 'x'",
        "delete from t_{}.flow_version",
        "update t_{}.flow_version set state = 'live'",
    ):
        with engine.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="flow"):
            connection.execute(sa.text(statement.format(tenant)))
    engine.dispose()


async def test_tenants_know_nothing_of_each_others_flows(store, database, postgres):
    """The same name is another flow, and a move of it moves only one's own."""
    other = PostgresFlows(database.uow, postgres.new_tenant())
    await store.add(version())
    assert await other.versions() == []
    await other.add(version())
    await move(other, S.RETIRED)
    assert await state_of(store) is S.DRAFT
    assert await store.moves() == []


async def test_the_desk_takes_a_flow_to_live_and_hands_over_to_the_next_version(store):
    """The whole way on the database, read again by a desk that starts anew."""
    registry = Registry(store)
    first = await registry.at(S.LIVE)
    second = await registry.at(S.BACKTESTED, SECOND_TEXT)
    await registry.move(first, S.RETIRED)
    await registry.move(second, S.PAPER)
    assert registry.stage.seated == [("ema-cross", 2, "paper")]
    states = {each.version: each.state for each in await store.versions()}
    assert states == {1: S.RETIRED, 2: S.PAPER}
    steps = [(each.version, each.to) for each in await store.moves()]
    assert steps == [
        (1, S.BACKTESTED), (1, S.PAPER), (1, S.LIVE), (2, S.BACKTESTED), (1, S.RETIRED),
        (2, S.PAPER),
    ]  # fmt: skip


async def test_with_four_eyes_going_live_early_waits_for_somebody_else(store):
    """Nothing moves before; the second person reads what is passed over; both are written down."""
    registry = Registry(store)
    paper = await registry.at(S.PAPER)
    house, asked = flow_house(registry), []

    async def propose(_: object, payload: Payload, _reason: str) -> str:
        asked.append(payload)
        return "approval-1"

    parts = FlowParts(of=lambda _: house, four_eyes=lambda _: True, propose=propose)
    request: Any = SimpleNamespace(auth=None)  # all that the route looks at
    body = FlowMoveBody(version=1, to=S.LIVE, reason="it is good")
    receipt = await FlowRoutes(parts).override_flow_gate(request, paper.name, body)
    kind = FlowOverriding(lambda _: house).kind()
    words = kind.summarise(MAIN_TENANT, asked[0])
    assert (receipt.outcome, receipt.approval_id) == ("proposed", "approval-1")
    assert await state_of(store) is S.PAPER
    assert "although" in words
    assert "paper" in words
    proposal = Proposal(
        approval_id="approval-1", tenant_id=MAIN_TENANT, kind="flow_override",
        payload=canonical(asked[0]), summary=words, content_hash="", ask_reason="it is good",
        proposed_by="u1", proposed_ns=0, expires_ns=1, decided_by="u2", reason="agreed",
    )  # fmt: skip
    assert await kind.carry_out(proposal) == "flow ema-cross 1 is live"
    last = (await store.moves())[-1]
    assert (last.to, last.is_override, last.by) == (S.LIVE, True, "user:u1")
    assert last.reason == "it is good; approved by u2: agreed"
