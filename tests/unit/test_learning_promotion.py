"""Champion against challenger: proof promotes, equality does not, hard limits roll back."""

import asyncio
import math

import numpy as np
import pytest
from learning_fixtures import MemoryLifecycle, candidate, forecast, outcome
from model_fixtures import EURUSD

from plan2.foundation.events.learning import DriftStateChanged, PromotionJudged, RetrainingAsked
from plan2.intelligence.learning.acting import Actor
from plan2.intelligence.learning.contests import Contest, judge
from plan2.intelligence.learning.eprocess import SCALE_EVENTS, PairedTest, log_mixture
from plan2.intelligence.learning.loop import LearningLoop, LoopPlan
from plan2.intelligence.learning.retraining import Retraining, RetrainingRules
from plan2.intelligence.learning.triggers import Signal
from plan2.intelligence.models.lifecycle import Alias, State
from plan2.intelligence.training.labels import LabelRules

HORIZON_S = 7_200
DAY_NS = 86_400_000_000_000


def test_the_mixture_against_its_integral():
    """E = ∫ exp(θS − nθ²/2) dN(0, ρ²)(θ), by quadrature."""
    total, count, rho = 17.0, 230, 0.1
    theta = np.linspace(-1.2, 1.2, 200_001)
    density = np.exp(-(theta**2) / (2 * rho**2)) / (rho * math.sqrt(2 * math.pi))
    integral = np.trapezoid(np.exp(theta * total - count * theta**2 / 2) * density, theta)

    assert math.exp(log_mixture(total, count, rho * rho)) == pytest.approx(integral, rel=1e-6)


def promotes(rng: np.random.Generator, edge: float, events: int = 2_000) -> bool:
    """Whether a look every 50 events finds proof that the challenger is better."""
    test = PairedTest()
    for k, difference in enumerate(rng.normal(edge, 0.03, events + SCALE_EVENTS).tolist(), 1):
        test.update(difference)
        if k % 50 == 0 and test.is_better:
            return True
    return False


def test_equal_challengers_are_not_promoted():
    """ML-076: at most 2 % of 1 000, looks every 50 events, scale estimated (measured 0.7 %)."""
    rng = np.random.default_rng(76)

    assert np.mean([promotes(rng, 0.0) for _ in range(1_000)]) <= 0.02


def test_a_real_edge_is_found():
    """Power of ml.md §8: about 94 % for an edge of a tenth of a standard deviation."""
    rng = np.random.default_rng(77)

    assert np.mean([promotes(rng, 0.1 * 0.03) for _ in range(150)]) >= 0.85


def loop_of(lifecycle: MemoryLifecycle, record: list) -> LearningLoop:
    """A loop over one symbol that knows the candidates' metrics."""

    def champion_of(symbol: str) -> str:
        found = lifecycle.holder(symbol, Alias.CHAMPION)
        return found.candidate_id if found is not None else ""

    return LearningLoop(
        LoopPlan(
            instruments={"EURUSD": EURUSD},
            rules=LabelRules(horizon_s=HORIZON_S),
            champion_of=champion_of,
            metrics=lambda name: lifecycle.candidate(name).metrics,
            worth=lambda _tick, _forecast: "",
            record=record.append,
            retraining=RetrainingRules(),
        )
    )


def tell(loop: LearningLoop, *outcomes) -> None:
    """Outcomes as the loop gets them from its labeller."""
    for each in outcomes:
        loop.now_ns = each.ts_ns
        loop.absorb([each])


def fast_forward(rng, played, events, challenger_skill, champion_skill=0.0):
    """A market whose odds follow a hidden state; each side sees it as sharply as its skill says."""
    lifecycle, loop, actor, _ = played
    for k in range(events):
        hidden = rng.normal()
        up = rng.random() < 1 / (1 + math.exp(-0.6 * hidden))
        serving = lifecycle.holder("EURUSD", Alias.CHAMPION)
        watched = [c for c in lifecycle.candidates() if c.state in {State.SHADOW, State.CANARY}]
        said = []
        for each, role in [(serving, "champion"), *((c, "challenger") for c in watched)]:
            skill = challenger_skill if each.candidate_id == "new" else champion_skill
            logit = 0.6 * skill * hidden + rng.normal(0.0, 0.1)
            said.append(forecast(each.candidate_id, role, 1 / (1 + math.exp(-logit))))
        tell(loop, outcome(k, 1 if up else -1, said))
        if k % 10 == 9:
            asyncio.run(actor.act())


def stage(**metrics):
    """An old champion, a new candidate in the shadow, their loop and what it wrote down."""
    lifecycle = MemoryLifecycle(
        candidate("old", State.CHAMPION, accuracy=0.5, **metrics),
        candidate("new", State.SHADOW, accuracy=0.55),
    )
    record: list = []
    loop = loop_of(lifecycle, record)
    return lifecycle, loop, Actor(loop, lifecycle, record.append, lambda _cause: False), record


def test_a_better_challenger_is_promoted_with_its_evidence():
    """Shadow for two weeks and 300 labels, canary, champion; every figure is in the move."""
    played = stage()
    lifecycle, _, _, record = played
    fast_forward(np.random.default_rng(1), played, 800, challenger_skill=1.0)
    moves = [(each.to, each.by) for each in lifecycle.moves]
    told = [each for each in record if isinstance(each, PromotionJudged)]

    assert moves == [(State.CANARY, "learning"), (State.CHAMPION, "learning")]
    assert lifecycle.holder("EURUSD", Alias.CHAMPION).candidate_id == "new"
    assert lifecycle.holder("EURUSD", Alias.LAST_GOOD).candidate_id == "old"
    figures = dict(each.split("=") for each in lifecycle.moves[1].evidence)
    assert float(figures["e_value"]) >= 20.0
    assert float(figures["labels_effective"]) >= 300.0
    assert [each.moved_to for each in told if each.moved_to] == ["canary", "champion"]
    assert "insufficient_evidence" in {each.verdict for each in told}


def test_an_equal_challenger_stays():
    """Two forecasters of the same skill: nobody moves up."""
    played = stage()
    lifecycle = played[0]
    fast_forward(np.random.default_rng(2), played, 800, 0.6, champion_skill=0.6)

    assert lifecycle.holder("EURUSD", Alias.CHAMPION).candidate_id == "old"
    assert [each.to for each in lifecycle.moves] == [State.CANARY]


def test_a_worse_challenger_is_rejected():
    """Proof against it ends the shadow."""
    played = stage()
    lifecycle = played[0]
    fast_forward(np.random.default_rng(3), played, 900, -0.6, champion_skill=0.8)

    assert lifecycle.candidate("new").state is State.REJECTED


def test_skewed_features_keep_a_challenger_in_the_shadow():
    """Served vectors that a replay does not confirm: the gate stays shut and says why."""
    contest = Contest("new")
    for k in range(400):
        contest.update(
            outcome(k, 1, ()), forecast("old", "champion", 0.5),
            forecast("new", "challenger", 0.5), HORIZON_S,
        )  # fmt: skip

    assert judge(contest.standing, State.SHADOW, 0).to is State.CANARY
    refused = judge(contest.standing, State.SHADOW, 2)
    assert (refused.to, refused.verdict) == (None, "insufficient_evidence")
    assert "2 served vectors" in refused.reason


def test_losses_beyond_the_limits_suspend_and_roll_back():
    """The promoted one loses without end: suspended, the last good one serves again."""
    played = stage()
    lifecycle, loop, actor, record = played
    fast_forward(np.random.default_rng(1), played, 800, challenger_skill=1.0)
    for k in range(800, 900):
        tell(loop, outcome(k, 1, [forecast("new", "champion", 0.45)]))
        asyncio.run(actor.act())
        if lifecycle.candidate("new").state is State.SUSPENDED:
            break
    alarm = next(
        e for e in record if isinstance(e, DriftStateChanged) and e.signal == Signal.HARD_LIMIT
    )

    assert alarm.size_factor == 0.0
    assert lifecycle.holder("EURUSD", Alias.CHAMPION).candidate_id == "old"
    assert lifecycle.moves[-1].reason.startswith("rollback: hard_limit")
    assert k < 830


def test_a_canary_that_loses_beyond_its_limits_is_suspended():
    """It says what the champion says, so the paired test is silent; its losses are not."""
    contest = Contest("new", {"accuracy": 0.55, "cost_share": 0.05})
    for k in range(60):
        contest.update(
            outcome(k, 1, ()), forecast("old", "champion", 0.45),
            forecast("new", "challenger", 0.45), HORIZON_S,
        )  # fmt: skip
        if contest.standing.loss_limit:
            break
    standing = contest.standing

    assert not standing.is_worse
    # Nine losses in a row have odds of 0.45⁹ = 0.08 % at one place; 500 places make some 15 likely.
    assert 9 < standing.pairs < 25
    assert judge(standing, State.CANARY, 0).to is State.SUSPENDED
    assert judge(standing, State.SHADOW, 0).to is None


def test_a_winner_whose_models_cannot_serve_changes_nothing():
    """The champion serves on, and why the winner does not is kept for the page."""
    played = stage()
    lifecycle, _, actor, _ = played
    lifecycle.damaged.add("new")
    fast_forward(np.random.default_rng(1), played, 800, challenger_skill=1.0)

    assert lifecycle.holder("EURUSD", Alias.CHAMPION).candidate_id == "old"
    assert lifecycle.candidate("new").state is State.CANARY
    assert "its file was changed" in actor.refused["new"]


def test_a_contest_begins_anew_with_another_champion():
    """Evidence against one champion says nothing about the next."""
    contest = Contest("new")
    for k in range(300):
        contest.update(
            outcome(k, 1, ()), forecast("old", "champion", 0.5),
            forecast("new", "challenger", 0.6), HORIZON_S,
        )  # fmt: skip
    before = contest.standing
    contest.update(
        outcome(300, 1, ()), forecast("other", "champion", 0.5),
        forecast("new", "challenger", 0.6), HORIZON_S,
    )  # fmt: skip

    assert (before.pairs, contest.standing.pairs) == (300, 1)
    assert contest.standing.champion_ids == ("other",)


def test_retraining_is_asked_for_once_and_never_while_one_runs():
    """By schedule, by labels, by drift; with a pause between two."""
    slot = Retraining("EURUSD", RetrainingRules(every_days=7, labels_new=100, pause_hours=24), 0)

    assert slot.cause(6 * DAY_NS) == ""
    assert slot.cause(7 * DAY_NS) == "schedule"
    slot.is_running = True
    assert slot.cause(8 * DAY_NS) == ""
    slot.is_running = False
    slot.asked(8 * DAY_NS)
    slot.on_signal(Signal.FEATURE_DRIFT)
    slot.count(99.0)
    assert slot.cause(10 * DAY_NS) == ""
    slot.count(1.0)
    assert slot.cause(10 * DAY_NS) == "new_labels"
    slot.asked(10 * DAY_NS)
    slot.on_signal(Signal.PERFORMANCE_DRIFT)
    assert slot.cause(10 * DAY_NS + DAY_NS // 2) == ""
    assert slot.cause(11 * DAY_NS) == "performance_drift"


def test_drift_asks_for_a_candidate_and_the_refusal_is_kept():
    """The request is written down only when a training was really started."""
    lifecycle, loop, _, record = stage()
    answers = iter([False, True])
    actor = Actor(loop, lifecycle, record.append, lambda _cause: next(answers))
    rng = np.random.default_rng(4)
    for k in range(1_500):
        side = int(rng.choice([-1, 1]))
        wrong = 0.4 if (side > 0) == (rng.random() < 0.7) else 0.6
        tell(loop, outcome(k, side, [forecast("old", "champion", wrong, acts=False)]))
        if loop.ledger.size_factor("EURUSD") == 0.25:
            break
    asyncio.run(actor.act())
    asked_first = any(isinstance(each, RetrainingAsked) for each in record)
    asyncio.run(actor.act())

    assert loop.ledger.size_factor("EURUSD") == 0.25
    assert not asked_first
    assert [e.slot for e in record if isinstance(e, RetrainingAsked)] == ["EURUSD"]
