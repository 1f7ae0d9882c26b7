"""The life of candidates: intake, gates, aliases, overriding and expiry."""

import pytest
from candidate_fixtures import GOOD, NOW_NS, Life, promoted
from model_fixtures import small_report

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.models.candidate_desk import GateClosed
from plan2.intelligence.models.candidate_files import candidate_id_of
from plan2.intelligence.models.gates import (
    LEAK_SUSPECT,
    PLANTED_ACCURACY,
    PLANTED_EDGE,
    Watched,
)
from plan2.intelligence.models.lifecycle import Alias, IllegalTransition, Move, State
from plan2.intelligence.models.standing import UNPROVEN
from plan2.intelligence.training.train import propose_report, register_report

WATCHED = Watched(
    weeks=2.0,
    effective_labels=300.0,
    e_value=20.0,
    e_value_against=1.0,
    skewed=0,
    latency_ms=1.4,
    ids=("outcomes:7",),
)


class Seen:
    """Evidence that says the same of every candidate."""

    def __init__(self, watched: Watched | None) -> None:
        self.watched = watched

    def of(self, candidate_id: str) -> Watched | None:
        """See `gates.Evidence`."""
        return self.watched


@pytest.fixture
def life(tmp_path):
    """A paper market without candidates."""
    return Life(tmp_path)


async def second_champion(life):
    """A first champion, and a second one that replaced it."""
    first = life.leave("xgboost-1")
    await life.intake.open()
    second = life.leave("xgboost-2")
    await life.intake.take_up()
    await promoted(life, second, State.SHADOW, State.CANARY, State.CHAMPION)
    return first, second


# --- intake ---------------------------------------------------------------------------------


async def test_good_figures_are_validated_and_the_first_one_serves(life):
    """It passed the gate, so it is proven."""
    name = life.leave("xgboost-1", symbols=("EURUSD", "GBPUSD"))
    await life.intake.open()

    assert life.state(name) is State.CHAMPION
    assert life.served() == {"EURUSD": name, "GBPUSD": name}
    assert UNPROVEN not in life.desk.candidate(name).flags
    assert [row.to for row in await life.desk.history(name)] == [
        State.TRAINED,
        State.VALIDATED,
        State.CHAMPION,
    ]


@pytest.mark.parametrize("missing", sorted(set(GOOD) - {"accuracy"}))
async def test_a_figure_that_is_missing_keeps_the_gate_closed(life, missing):
    """On paper it serves unproven; the gate says in words what is missing."""
    name = life.leave("xgboost-1", metrics={k: v for k, v in GOOD.items() if k != missing})
    await life.intake.open()
    found = life.desk.findings(life.desk.candidate(name), State.VALIDATED)

    assert life.state(name) is State.CHAMPION
    assert UNPROVEN in life.desk.candidate(name).flags
    assert [each.is_met for each in found].count(False) == 1
    assert any("no evidence yet" in each.sentence for each in found)


@pytest.mark.parametrize(
    ("figure", "bad"),
    [
        ("parity_share", 1.01),
        ("skill_vs_logistic_low", 0.0),
        ("dsr", 0.949),
        ("pbo", 0.21),
        ("net_r_low_1_5x", 0.0),
    ],
)
async def test_a_figure_beyond_its_threshold_keeps_the_gate_closed(life, figure, bad):
    """The thresholds of the specification."""
    name = life.leave("xgboost-1", metrics={**GOOD, figure: bad})
    await life.intake.open()
    (unmet,) = [
        each
        for each in life.desk.findings(life.desk.candidate(name), State.VALIDATED)
        if not each.is_met
    ]

    assert f"{bad:.4g}".lstrip("+") in unmet.sentence


async def test_better_than_the_champion_is_enough_skill(life):
    """Linear or champion: one of them."""
    metrics = {**GOOD, "skill_vs_logistic_low": -0.1, "skill_vs_champion_low": 0.002}
    name = life.leave("xgboost-1", metrics=metrics)
    await life.intake.open()

    assert UNPROVEN not in life.desk.candidate(name).flags


async def test_another_version_of_the_program_did_not_run_our_canaries(life):
    """Its candidates are trained, not validated."""
    name = life.leave("xgboost-1", code_hash="another")
    await life.intake.open()

    assert UNPROVEN in life.desk.candidate(name).flags


async def test_real_money_has_no_first_champion_by_itself(tmp_path):
    """A person decides."""
    life = Life(tmp_path, is_paper=False)
    name = life.leave("xgboost-1")
    await life.intake.open()

    assert life.state(name) is State.VALIDATED
    assert life.served() == {}


async def test_a_suspected_leak_does_not_even_begin_on_paper(life):
    """And nobody may pass over it."""
    name = life.leave("xgboost-1", flags=(LEAK_SUSPECT,))
    await life.intake.open()

    assert life.state(name) is State.TRAINED
    with pytest.raises(GateClosed, match="nobody may pass over"):
        await promoted(life, name, State.CHAMPION)
    await promoted(life, name, State.REJECTED)
    assert life.state(name) is State.REJECTED


async def test_a_planted_market_is_forecast_without_a_leak(tmp_path):
    """The simulated market's structure is there to be found."""
    life = Life(tmp_path, is_planted=True)
    name = life.leave("xgboost-1", flags=(LEAK_SUSPECT,))
    await life.intake.open()

    assert life.state(name) is State.CHAMPION


async def test_what_knows_more_than_is_planted_does_not_begin_there_either(tmp_path):
    """A leak is one on the simulated market too; a planted edge begins there and nowhere else."""
    life = Life(tmp_path / "planted", is_planted=True)
    measured = {**GOOD, PLANTED_ACCURACY: 0.58}
    leak = life.leave("xgboost-1", flags=(LEAK_SUSPECT,), metrics=measured)
    await life.intake.open()
    assert life.served() == {}
    with pytest.raises(GateClosed, match="nobody may pass over"):
        await promoted(life, leak, State.CHAMPION)
    edge = life.leave("xgboost-2", flags=(PLANTED_EDGE,), metrics=measured)
    await life.intake.take_up()
    assert life.served() == {"EURUSD": edge}

    real = Life(tmp_path / "real")
    name = real.leave("xgboost-1", flags=(PLANTED_EDGE,), metrics=measured)
    await real.intake.open()
    assert (real.state(name), real.served()) == (State.TRAINED, {})


async def test_champions_of_before_there_were_candidates_go_on(tmp_path):
    """Whatever the market: they serve as they did, unproven."""
    life = Life(tmp_path, is_paper=False)
    model_ids = register_report(life.registry, small_report(("xgboost",)))
    schema_id = life.registry.show(model_ids[0]).schema_id
    life.desk.terms = type(life.desk.terms)(
        is_paper=False,
        is_planted=False,
        code_hash="c",
        schema_id=schema_id,
        expiry=life.desk.terms.expiry,
    )
    await life.intake.open()
    name = candidate_id_of(model_ids)

    assert life.served() == {"EURUSD": name, "GBPUSD": name}
    assert UNPROVEN in life.desk.candidate(name).flags


async def test_a_training_run_leaves_a_candidate_that_serves_nobody(life):
    """With the ensemble's figures and the parity of its worst model."""
    report = small_report(("xgboost",))
    draft = propose_report(life.registry, report)

    assert life.registry.champions() == {}
    assert life.registry.drafts.list() == (draft,)
    assert draft.metrics["accuracy"] == report.ensemble.accuracy.value
    parity = report.models[0].manifest.parity
    assert draft.metrics["parity_share"] == parity.max_difference / parity.limit


async def test_a_damaged_candidate_keeps_no_other_from_being_taken_up(life, tmp_path):
    """It is told in the log and left out."""
    (tmp_path / "models" / "candidates").mkdir(parents=True)
    (tmp_path / "models" / "candidates" / "aaa.json").write_text("{")
    name = life.leave("xgboost-1")
    await life.intake.open()
    await life.intake.take_up()

    assert [each.candidate_id for each in life.desk.candidates()] == [name]


async def test_champions_of_other_features_are_suspended_at_a_start(life, tmp_path):
    """They cannot serve any more; what was trained since may."""
    old = life.leave("xgboost-1")
    await life.intake.open()
    later = Life(tmp_path, life.store)
    later.desk.terms = type(life.desk.terms)(
        is_paper=True, is_planted=False, code_hash="c", schema_id="n" * 64, expiry=lambda: None
    )
    new = later.leave("xgboost-2", schema_id="n" * 64)
    await later.intake.open()

    assert (later.state(old), later.state(new)) == (State.SUSPENDED, State.CHAMPION)
    assert later.served() == {"EURUSD": new}


# --- moves and aliases ----------------------------------------------------------------------


async def test_the_usual_way_up_goes_by_evidence(life):
    """Two weeks and 300 labels into the canary, an e-value of 20 to be champion."""
    first = life.leave("xgboost-1")
    await life.intake.open()
    second = life.leave("xgboost-2")
    await life.intake.take_up()
    await life.desk.move(Move(candidate_id=second, to=State.SHADOW, by="loop", reason="weekly"))
    to_canary = Move(candidate_id=second, to=State.CANARY, by="loop", reason="two weeks")

    with pytest.raises(GateClosed, match="weeks in the shadow: no evidence yet"):
        await life.desk.move(to_canary)
    life.evidence = Seen(WATCHED)
    assert (await life.desk.move(to_canary)).state is State.CANARY
    assert life.desk.holder("EURUSD", Alias.CHALLENGER).candidate_id == second
    to_champion = Move(
        candidate_id=second, to=State.CHAMPION, by="loop", reason="E=20", evidence=("e-process:9",)
    )
    await life.desk.move(to_champion)

    assert life.served() == {"EURUSD": second}
    assert life.desk.holder("EURUSD", Alias.CHALLENGER) is None
    assert life.desk.holder("EURUSD", Alias.LAST_GOOD).candidate_id == first
    assert life.state(first) is State.RETIRED
    evidence = (await life.desk.history(second))[-1].evidence
    assert evidence[0] == "e-process:9"
    assert "e-value in favour against the champion 20, at least 20 is needed" in evidence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weeks": 1.9}, "weeks in the shadow 1.9"),
        ({"effective_labels": 299.0}, "effective labels 299"),
        ({"skewed": 1}, "skewed features 1"),
        ({"latency_ms": 3.1}, "p99 in ms 3.1"),
        ({"e_value_against": 20.5}, "e-value against it 20.5"),
    ],
)
async def test_each_condition_of_the_canary_counts(life, changes, words):
    """One that is not met is enough."""
    fields = {name: getattr(WATCHED, name) for name in WATCHED.__struct_fields__}
    life.evidence = Seen(Watched(**{**fields, **changes}))
    life.leave("xgboost-1")
    await life.intake.open()
    name = life.leave("xgboost-2")
    await life.intake.take_up()
    await life.desk.move(Move(candidate_id=name, to=State.SHADOW, by="loop", reason="weekly"))

    with pytest.raises(GateClosed, match=words):
        await life.desk.move(Move(candidate_id=name, to=State.CANARY, by="loop", reason="try"))


async def test_not_inferior_and_better_after_cost_is_enough(life):
    """After the fixed horizon."""
    fields = {name: getattr(WATCHED, name) for name in WATCHED.__struct_fields__}
    fields |= {"e_value": 3.0, "is_better_after_cost": True}
    life.evidence = Seen(Watched(**fields))
    life.leave("xgboost-1")
    await life.intake.open()
    name = life.leave("xgboost-2")
    await life.intake.take_up()
    for to in (State.SHADOW, State.CANARY, State.CHAMPION):
        await life.desk.move(Move(candidate_id=name, to=to, by="loop", reason="by the figures"))

    assert life.served() == {"EURUSD": name}


async def test_passing_over_a_gate_is_written_down(life):
    """With the conditions that were not met; a gate that was open was not passed over."""
    _, second = await second_champion(life)
    history = await life.desk.history(second)

    assert {row.to: row.is_override for row in history} == {
        State.TRAINED: False,
        State.VALIDATED: False,
        State.SHADOW: False,
        State.CANARY: True,
        State.CHAMPION: True,
    }
    assert "e-value in favour against the champion: no evidence yet" in history[-1].evidence
    assert (history[-1].by, history[-1].reason) == ("user:anna", "because")


async def test_one_challenger_at_a_time(life):
    """The second one is refused with the name of the first."""
    life.leave("xgboost-1")
    await life.intake.open()
    second, third = life.leave("xgboost-2"), life.leave("xgboost-3")
    await life.intake.take_up()
    await promoted(life, second, State.SHADOW)

    with pytest.raises(InputError, match=f"{second} is being watched at EURUSD"):
        await promoted(life, third, State.SHADOW)


async def test_a_rollback_returns_to_the_last_good_one(life):
    """And the one that was rolled back is no last good one."""
    first, second = await second_champion(life)
    back = await life.desk.rollback("EURUSD", "user:anna", "it loses")

    assert back.candidate_id == first
    assert life.served() == {"EURUSD": first}
    assert life.state(second) is State.RETIRED
    assert life.desk.holder("EURUSD", Alias.LAST_GOOD) is None
    with pytest.raises(InputError, match="no last good champion"):
        await life.desk.rollback("EURUSD", "user:anna", "again")


async def test_suspended_by_hard_limits_then_back_to_the_last_good_one(life):
    """As the learning loop does it: two moves, no gate in the way back."""
    first, second = await second_champion(life)
    await life.desk.move(
        Move(candidate_id=second, to=State.SUSPENDED, by="learning", reason="drawdown")
    )
    assert life.served() == {}
    await life.desk.move(
        Move(candidate_id=first, to=State.CHAMPION, by="learning", reason="last good")
    )

    assert life.served() == {"EURUSD": first}


async def test_a_champion_of_several_symbols_may_lose_one(life):
    """It stays champion of the other, and comes back where it lost."""
    wide = life.leave("xgboost-1", symbols=("EURUSD", "GBPUSD"))
    await life.intake.open()
    narrow = life.leave("xgboost-2", symbols=("EURUSD",))
    await life.intake.take_up()
    await promoted(life, narrow, State.SHADOW, State.CANARY, State.CHAMPION)

    assert life.served() == {"EURUSD": narrow, "GBPUSD": wide}
    assert life.state(wide) is State.CHAMPION
    await life.desk.rollback("EURUSD", "user:anna", "it loses")
    assert life.served() == {"EURUSD": wide, "GBPUSD": wide}
    assert life.state(narrow) is State.RETIRED


async def test_what_a_person_emptied_is_not_filled_by_the_program(life):
    """What expiry emptied is."""
    first = life.leave("xgboost-1")
    await life.intake.open()
    await promoted(life, first, State.SUSPENDED)
    life.leave("xgboost-2")
    await life.intake.take_up()

    assert life.served() == {}


@pytest.mark.parametrize(
    ("name", "reason", "error"),
    [("nobody", "because", InputError), ("", "because", InputError), (None, " ", InputError)],
)
async def test_a_move_needs_a_candidate_and_a_reason(life, name, reason, error):
    """Both are told."""
    known = life.leave("xgboost-1")
    await life.intake.open()
    wish = Move(
        candidate_id=known if name is None else name, to=State.SUSPENDED, by="a", reason=reason
    )

    with pytest.raises(error):
        await life.desk.move(wish)


async def test_a_step_that_does_not_exist_is_refused_even_to_a_person(life):
    """Rejected is the end."""
    name = life.leave("xgboost-1", flags=(LEAK_SUSPECT,))
    await life.intake.open()
    await promoted(life, name, State.REJECTED)

    with pytest.raises(IllegalTransition, match="nowhere"):
        await promoted(life, name, State.TRAINED)


# --- expiry ---------------------------------------------------------------------------------


async def test_a_champion_is_suspended_when_it_is_too_old(life):
    """At 45 days; training again brings the next one by itself on paper."""
    name = life.leave("xgboost-1", created_ns=NOW_NS)
    await life.intake.open()
    life.clock.advance_to(NOW_NS + 45 * NS_PER_DAY - 1)
    await life.desk.end_expired()
    assert life.state(name) is State.CHAMPION
    life.clock.advance_to(NOW_NS + 45 * NS_PER_DAY)
    await life.desk.end_expired()

    assert life.state(name) is State.SUSPENDED
    assert life.served() == {}
    fresh = life.leave("xgboost-2", created_ns=life.clock.now_ns())
    await life.intake.take_up()
    assert life.served() == {"EURUSD": fresh}
