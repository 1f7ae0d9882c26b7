"""The life of candidates in a real database: what it refuses, whoever asks."""

import itertools

import msgspec
import psycopg
import pytest
import sqlalchemy as sa

from plan2.foundation.values import TenantId
from plan2.intelligence.models.candidate_store import PostgresCandidates, Signature
from plan2.intelligence.models.lifecycle import TRANSITIONS, Alias, Candidate, Move, State
from plan2.intelligence.models.moves import Change, Plan, plan_move
from plan2.intelligence.models.standing import UNPROVEN
from unit.candidate_fixtures import CODE, GOOD, NOW_NS, SCHEMA, Life

SIGNED = Signature(by="user:anna", reason="because", at_ns=NOW_NS, evidence=("dsr 0.97",))
MOVE = (
    "insert into candidate_move (home, candidate_id, from_state, to_state, actor, reason, evidence,"
    " is_override, at_ns) values ('simulated', {}, '{{}}', false, 1)"
)
REFUSED = (sa.exc.DatabaseError, psycopg.Error)


def candidate(name="c1", symbols=("EURUSD",)) -> Candidate:
    """A new one."""
    return Candidate(
        candidate_id=name,
        symbols=symbols,
        model_ids=(f"xgboost-{name}",),
        schema_id=SCHEMA,
        state=State.DRAFT,
        created_ns=5,
        since_ns=5,
        verdict="skill",
        flags=("UNCALIBRATED",),
        metrics=GOOD,
    )


@pytest.fixture
def store(database, tenant):
    """The tables of the simulated market of a tenant that no other test knows."""
    return PostgresCandidates(database.uow, tenant, "simulated")


async def walk(store, name, *states):
    """Take a candidate along these states, one move each."""
    for to in states:
        book = await store.read()
        before = book.candidates[name].state
        await store.write(book, Plan((Change(name, before, to),), {}), SIGNED)


def path_to(state: State) -> list[State]:
    """The shortest way from a draft to a state."""
    ways: dict[State, list[State]] = {State.DRAFT: []}
    while state not in ways:
        for known, way in list(ways.items()):
            for to in sorted(TRANSITIONS[known]):
                ways.setdefault(to, [*way, to])
    return ways[state]


@pytest.mark.parametrize("before", list(State))
async def test_the_database_takes_every_legal_move_and_refuses_all_others(store, before):
    """All pairs, from every state that can be reached."""
    for number, to in enumerate(State):
        name = f"{before}-{number}"
        await store.add(candidate(name))
        await walk(store, name, *path_to(before))
        plan = Plan((Change(name, before, to),), {})
        if to in TRANSITIONS[before]:
            await store.write(await store.read(), plan, SIGNED)
            assert (await store.read()).candidates[name].state is to
        else:
            with pytest.raises(REFUSED):
                await store.write(await store.read(), plan, SIGNED)
            assert (await store.read()).candidates[name].state is before


async def test_the_steps_in_the_database_are_those_of_the_program(database, tenant):
    """Neither may be changed alone."""
    async with database.uow(tenant) as uow:
        rows = await uow.execute("select from_state, to_state from candidate_step")
        found = {(row[0], row[1]) for row in rows.all()}

    assert found == {(a.value, b.value) for a, ends in TRANSITIONS.items() for b in ends}


async def test_a_move_from_a_state_that_the_candidate_has_not_is_refused(store):
    """Of two who move at once the second one fails, and nothing of its plan is kept."""
    await store.add(candidate())
    book = await store.read()
    first = plan_move(book, book.candidates["c1"], State.TRAINED)
    await store.write(book, first, SIGNED)
    late = Plan(first.changes, {("EURUSD", Alias.CHAMPION): "c1"})

    with pytest.raises(REFUSED, match="is not draft"):
        await store.write(book, late, SIGNED)
    assert len(await store.moves()) == 1
    assert await store.seats() == []


@pytest.mark.parametrize(
    "statement",
    [
        "update candidate set state = 'champion'",
        (
            "insert into candidate (home, candidate_id, symbols, model_ids, schema_id, state, "
            "created_ns, since_ns, verdict, flags, metrics, parent) values ('simulated', 'c2', "
            "'{EURUSD}', '{m}', 's', 'champion', 1, 1, '', '{}', '{}', '')"
        ),
        "delete from candidate",
        "update candidate_move set reason = 'another'",
        "delete from candidate_move",
        "truncate candidate_move",
        "update candidate_seat set candidate_id = null",
        "delete from candidate_seat",
        "insert into candidate_step (from_state, to_state) values ('draft', 'champion')",
        "delete from candidate_step",
        MOVE.format("'c1', 'trained', 'rejected', 'anna', ''"),
        MOVE.format("'c1', 'trained', 'rejected', '', 'because'"),
        MOVE.format("'c9', 'trained', 'rejected', 'anna', 'because'"),
    ],
)
async def test_the_program_cannot_go_round_the_rules(store, database, tenant, statement):
    """It has no right to set a state, to change the past, or to leave out a reason."""
    await store.add(candidate())
    await walk(store, "c1", State.TRAINED)
    with pytest.raises(REFUSED):
        async with database.uow(tenant) as uow:
            await uow.execute(statement)

    assert (await store.read()).candidates["c1"].state is State.TRAINED


async def test_the_owner_of_the_tables_cannot_change_the_past_either(postgres, store, tenant):
    """A trigger refuses what a right would allow."""
    await store.add(candidate())
    await walk(store, "c1", State.TRAINED)
    engine = sa.create_engine(postgres.access.admin)
    with engine.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="never changed"):
        connection.execute(sa.text(f"update t_{tenant}.candidate_move set reason = 'x'"))
    engine.dispose()


async def test_what_is_kept_comes_back(store):
    """Candidates, moves with their evidence, seats, and who is unproven."""
    await store.add(candidate(symbols=("EURUSD", "GBPUSD")))
    await store.add(msgspec.structs.replace(candidate(), verdict="another"))
    await walk(store, "c1", State.TRAINED)
    book = await store.read()
    await store.write(book, plan_move(book, book.candidates["c1"], State.CHAMPION), SIGNED)
    book = await store.read()
    found = book.candidates["c1"]

    assert (found.verdict, found.metrics, found.symbols) == ("skill", GOOD, ("EURUSD", "GBPUSD"))
    assert found.flags == ("UNCALIBRATED", UNPROVEN)
    assert book.seats_of("c1", Alias.CHAMPION) == ("EURUSD", "GBPUSD")
    assert book.since["EURUSD", Alias.CHAMPION] == NOW_NS
    assert [row.to for row in await store.moves("c1")] == [State.TRAINED, State.CHAMPION]
    assert (await store.moves("c1"))[-1].evidence == ("dsr 0.97",)

    await store.write(book, plan_move(book, found, State.SUSPENDED), SIGNED)
    book = await store.read()
    assert book.holders == {}
    assert ("EURUSD", Alias.CHAMPION) in book.closed
    assert [row.before for row in await store.seats()] == ["", "", "c1", "c1"]


async def test_homes_and_tenants_know_nothing_of_each_other(store, database, postgres, tenant):
    """The simulated market's champion serves no real one."""
    await store.add(candidate())

    assert (await PostgresCandidates(database.uow, tenant, "recorded").read()).candidates == {}
    other = PostgresCandidates(database.uow, TenantId(postgres.new_tenant()), "simulated")
    assert (await other.read()).candidates == {}


async def test_the_whole_life_cycle_runs_on_the_database(store, tmp_path):
    """Two candidates: the first serves, the second is promoted past the gates and rolled back."""
    life = Life(tmp_path, store)
    first = life.leave("xgboost-1", metrics={})
    await life.intake.open()
    second = life.leave("xgboost-2", code_hash=CODE)
    await life.intake.take_up()

    assert (life.state(first), life.state(second)) == (State.CHAMPION, State.VALIDATED)
    for to in (State.SHADOW, State.CANARY, State.CHAMPION):
        await life.desk.override(Move(candidate_id=second, to=to, by="user:anna", reason="try it"))
    assert life.served() == {"EURUSD": second}
    await life.desk.rollback("EURUSD", "user:anna", "it loses")
    assert life.served() == {"EURUSD": first}
    moved = [(row.before, row.to) for row in await store.moves()]
    assert all(to in TRANSITIONS[before] for before, to in moved)
    assert list(itertools.islice(reversed(moved), 2)) == [
        (State.RETIRED, State.CHAMPION),
        (State.CHAMPION, State.RETIRED),
    ]
