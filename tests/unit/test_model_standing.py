"""How a champion stands bears on what is decided: real money, size, and the record of it."""

import msgspec
import numpy as np
import pytest
from test_decide import situation
from trading_fixtures import EURUSD, RULES, Desk, figures, forecast, scene, tick

from plan2.foundation.events.model import DecisionMade
from plan2.intelligence.decision.decide import decide
from plan2.intelligence.decision.explain import replay
from plan2.intelligence.decision.record import DecisionRecord, Outcome, Reason
from plan2.intelligence.models.candidate_files import candidate_id_of
from plan2.intelligence.models.standing import Standing
from plan2.intelligence.models.trail import BARS, Trail
from plan2.intelligence.risk.mode import AccountMode
from plan2.intelligence.risk.parts import SizePart
from plan2.intelligence.risk.sizing import reduced


@pytest.mark.parametrize(
    ("mode", "proven", "reason"),
    [
        (AccountMode.REAL, 0.0, Reason.MODEL_UNPROVEN),
        (AccountMode.REAL, 1.0, Reason.EXPECTED_VALUE),
        (AccountMode.DEMO, 0.0, Reason.EXPECTED_VALUE),
        (AccountMode.SIMULATED, 0.0, Reason.EXPECTED_VALUE),
    ],
)
def test_real_money_does_not_follow_an_unproven_champion(mode, proven, reason):
    """Paper and demo money do: else nothing would ever be learnt."""
    account = figures(account_mode=float(mode), armed_mode=float(mode), model_proven=proven)
    decision = decide(situation(forecast(0.60), account), RULES)

    assert decision.reason is reason
    assert (decision.outcome is Outcome.TRADED) == (reason is Reason.EXPECTED_VALUE)


def test_an_old_champion_trades_half_the_size():
    """Rounded down to the broker's grid; the record says that the models' standing bound it."""
    whole = decide(situation(forecast(0.60)), RULES)
    half = decide(situation(forecast(0.60), figures(model_size_factor=0.5)), RULES)

    assert half.size.quantity == EURUSD.round_volume_down(whole.size.quantity / 2)
    assert (half.size.binding, half.size.caps["model"]) == ("model", whole.size.quantity / 2)
    assert "model" not in whole.size.caps


def test_the_record_holds_how_the_champion_stood_and_who_it_was():
    """So that the decision can be taken again from its record alone."""
    desk = Desk().arm()
    standing = Standing(candidate_id="c", size_factor=0.5, is_proven=False, words="old")
    belief = forecast(0.60)
    desk.account.on_tick(msgspec.structs.replace(scene(tick(), belief), standing=standing))
    (made,) = [f.event for f in desk.sink.facts if isinstance(f.event, DecisionMade)]
    record = msgspec.convert(made.record, DecisionRecord)

    assert record.candidate_id == candidate_id_of([vote.model_id for vote in belief.votes])
    assert record.risk_inputs["model_proven"] == 0.0
    assert record.size.binding == "model"
    assert replay(record, EURUSD, lambda _: belief).identical


def test_less_than_the_smallest_volume_is_not_traded():
    """Half of the smallest volume is nothing."""
    size = SizePart(quantity=EURUSD.volume_min, caps={"risk": 0.01}, binding="risk")

    assert reduced(size, 0.5, EURUSD).quantity == 0.0
    assert reduced(size, 1.0, EURUSD) is size


def test_a_trail_keeps_the_newest_rows_in_order():
    """Beyond its length the oldest go; its bytes bring it back."""
    trail = Trail(2)
    for number in range(BARS + 5):
        trail.add(np.array([number, -number], float))
    rows = trail.rows()

    assert rows[:, 0].tolist() == list(range(5, BARS + 5))
    again = Trail(2)
    again.set_state(trail.state_bytes())
    again.add(np.array([1.0, 2.0]))
    assert again.rows()[:-1].tolist() == rows[1:].tolist()
    again.clear()
    assert again.rows().shape == (0, 2)
    again.set_state(b"")
    assert again.rows().shape == (0, 2)
