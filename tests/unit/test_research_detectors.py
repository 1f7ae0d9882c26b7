"""Detectors of look-ahead and of too short a warm-up: a leak is caught, honesty is not accused."""

import numpy as np
from research_fixtures import EmaCross, account, random_walk

from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR
from plan2.intelligence.research.detectors import Detection, detect
from plan2.intelligence.research.subject import Conditions, Window
from plan2.intelligence.research.trial_workers import TrialWorkers

POINT = {"fast": 5.0, "slow": 15.0}


def found(subject: EmaCross, warm_up_ns: int = 100 * NS_PER_HOUR) -> dict[str, list[Detection]]:
    """Detections by check."""
    with TrialWorkers(subject, 1) as workers:
        all_of = detect(workers, POINT, subject.window, warm_up_ns)
    return {
        check: [each for each in all_of if each.check == check]
        for check in ("look_ahead", "warm_up")
    }


def test_an_honest_flow_agrees_with_itself() -> None:
    """An honest flow agrees with itself."""
    checks = found(EmaCross(random_walk(90, seed=1)))
    assert [each.ok for each in checks["look_ahead"]] == [True] * 3
    assert [each.ok for each in checks["warm_up"]] == [True] * 3
    assert all(each.compared > 20 for each in checks["look_ahead"])


def test_an_hour_of_future_is_caught() -> None:
    """An hour of future is caught."""
    checks = found(EmaCross(random_walk(90, seed=1), peeks=24))
    caught = [each for each in checks["look_ahead"] if each.ok is False]
    assert caught
    # A rule that reads 24 hours ahead can be told by its last day before the cut only.
    assert all(each.at_ns - each.first_ns <= 3 * NS_PER_DAY for each in caught)
    assert "future" in caught[0].says


def test_a_rule_that_remembers_its_start_is_caught() -> None:
    """A rule that remembers its start is caught."""
    checks = found(EmaCross(random_walk(90, seed=1), forgets=False))
    assert False in [each.ok for each in checks["warm_up"]]
    assert [each.ok for each in checks["look_ahead"]] == [True] * 3


def test_too_short_a_warm_up_is_caught_and_the_right_one_is_not() -> None:
    """Too short a warm up is caught and the right one is not."""

    class Slow(EmaCross):
        """Trades at once although its slow average needs many bars."""

        def run(self, point, window: Window, conditions=Conditions()):  # noqa: B008
            """One point run."""
            quotes = self.data.within(window)
            slow = np.asarray([quotes.mid[: i + 1][-200:].mean() for i in range(len(quotes.mid))])
            side = np.where(quotes.mid >= slow, 1, -1)
            return account(quotes.ts_ns, quotes.mid, side, quotes.half_spread, 1, 2.0)

    subject = Slow(random_walk(150, seed=3))
    assert False in [each.ok for each in found(subject, NS_PER_HOUR)["warm_up"]]
    enough = found(subject, 14 * NS_PER_DAY)["warm_up"]  # 200 hours on weekdays
    assert [each.ok for each in enough] == [True] * 3


def test_a_flow_that_never_trades_is_not_judged() -> None:
    """A flow that never trades is not judged."""
    quotes = random_walk(30, seed=1)
    still = EmaCross(type(quotes)(quotes.ts_ns[:10], quotes.mid[:10]))
    checks = found(still)
    assert {each.ok for checks in checks.values() for each in checks} == {None}
