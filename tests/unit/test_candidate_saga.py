"""A promotion is a saga: a crash at any of its steps is made good by the next start."""

import pytest
from candidate_fixtures import SCHEMA, Life, NotingStage, promoted

from plan2.foundation.errors import ModelMismatch
from plan2.intelligence.models.candidate_store import MoveRow, SeatRow
from plan2.intelligence.models.lifecycle import Alias, State


@pytest.fixture
def life(tmp_path):
    """A paper market without candidates."""
    return Life(tmp_path)


class Crash(Exception):
    """The process dies here."""


def broken(place: str, life: Life, monkeypatch):
    """Let the process die at a step of the saga."""

    def die(*_: object) -> None:
        raise Crash

    async def die_later(*_: object) -> None:
        raise Crash

    stage = getattr(life, "stage", NotingStage())
    targets = {
        "prepare": (stage, "prepare", die_later),
        "write": (life.store, "write", die_later),
        "project": (life.registry, "project", die),
        "show": (stage, "show", die_later),
        "tell": (life.ledger, "_tell", die),
    }
    monkeypatch.setattr(*targets[place])


@pytest.mark.parametrize("place", ["prepare", "write", "project", "show", "tell"])
async def test_a_promotion_survives_a_crash_at_every_step(life, tmp_path, monkeypatch, place):
    """Before the database decided nothing has happened; after it a start brings it to its end."""
    first = life.leave("xgboost-1")
    await life.intake.open()
    second = life.leave("xgboost-2")
    await life.intake.take_up()
    await promoted(life, second, State.SHADOW, State.CANARY)
    life.stage = NotingStage()
    life.ledger.attach(life.stage)
    with monkeypatch.context() as patch:
        broken(place, life, patch)
        with pytest.raises(Crash):
            await promoted(life, second, State.CHAMPION)

    after = Life(tmp_path, life.store)
    await after.intake.open()
    stage = NotingStage()
    after.ledger.attach(stage)
    await after.intake.take_up()
    is_done = place not in {"prepare", "write"}
    expected = second if is_done else first
    assert after.served() == {"EURUSD": expected}
    assert after.desk.holder("EURUSD", Alias.CHAMPION).candidate_id == expected
    assert stage.shown[-1].holders["EURUSD", Alias.CHAMPION] == expected
    told_moves = [row for row in after.told if isinstance(row, MoveRow)]
    told_seats = [row for row in after.told if isinstance(row, SeatRow)]
    assert told_moves == life.store.move_rows
    assert told_seats == life.store.seat_rows
    again = len(after.told)
    await after.intake.take_up()
    assert len(after.told) == again


async def test_models_that_cannot_serve_change_nothing(life):
    """The saga's first step refuses."""
    first = life.leave("xgboost-1")
    await life.intake.open()
    second = life.leave("xgboost-2")
    await life.intake.take_up()
    stage = NotingStage()
    stage.broken.add(second)
    life.ledger.attach(stage)
    await promoted(life, second, State.SHADOW, State.CANARY)

    with pytest.raises(ModelMismatch):
        await promoted(life, second, State.CHAMPION)
    assert life.state(second) is State.CANARY
    assert life.served() == {"EURUSD": first}


async def test_a_crash_while_taking_up_is_made_good(life, tmp_path, monkeypatch):
    """A candidate that was left a draft is taken up again."""
    name = life.leave("xgboost-1", schema_id=SCHEMA)
    await life.ledger.read()
    with monkeypatch.context() as patch:
        broken("write", life, patch)
        with pytest.raises(Crash):
            await life.intake.take_up()
    assert life.store.known[name].state is State.DRAFT
    after = Life(tmp_path, life.store)
    await after.intake.open()

    assert after.state(name) is State.CHAMPION
