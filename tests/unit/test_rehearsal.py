"""The rehearsal of the learning loop: what it plays on, and the person in it."""

import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest

from plan2.commands import learn_rehearse
from plan2.commands.learn_rehearse import CONFIG
from plan2.commands.rehearsal import (
    CALM_DAYS,
    CONFIGURATION,
    DRIFT_FROM_NS,
    REASON,
    SYMBOL,
    Rehearsal,
    write_history,
)
from plan2.commands.running import NotRunning, Refused
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError, Recoverable
from plan2.foundation.values import NS_PER_DAY


def test_the_history_is_that_of_the_market_that_is_played(tmp_path: Path) -> None:
    """By the configuration that is written: the challenger's ticks end where the market begins."""
    settings = msgspec.convert(tomllib.loads(CONFIGURATION), Settings)
    write_history(tmp_path, lambda _: None)
    archive = TickArchive(tmp_path / "archive")

    simulated = settings.simulated
    start_ns = FIRST_INSTANT_NS - simulated.history_days * NS_PER_DAY
    market = SyntheticMarket(simulated.seed, settings.market.symbols, start_ns, simulated.strength)
    played = market.generate(FIRST_INSTANT_NS)[SYMBOL]
    kept = archive.read(SYMBOL, DRIFT_FROM_NS)
    assert np.array_equal(kept.ts_ns, played.ts_ns)
    assert np.array_equal(kept.bid, played.bid)

    calm = archive.read(SYMBOL, 0, DRIFT_FROM_NS)
    assert int(calm.ts_ns[0]) >= DRIFT_FROM_NS - CALM_DAYS * NS_PER_DAY
    assert momentum(played.bid, played.ts_ns) > 0.1 > abs(momentum(calm.bid, calm.ts_ns))


def momentum(price: np.ndarray, ts_ns: np.ndarray) -> float:
    """Correlation of one hour's move with the next one's: what was planted, measured from afar."""
    hours = np.arange(ts_ns[0], ts_ns[-1], 3_600_000_000_000)
    moves = np.diff(np.log(price[np.searchsorted(ts_ns, hours)]))
    moves = moves[moves != 0.0]
    return float(np.corrcoef(moves[:-1], moves[1:])[0, 1])


class Plan2:
    """A running Plan2 whose answers are written down; keeps what it was asked to do."""

    def __init__(self, states: list[str], job: str = "done") -> None:
        self.states = states
        self.job = job
        self.deeds: list[tuple[str, object]] = []
        self.unknown_looks = 2
        self.is_busy = False

    def __call__(self, method: str, path: str, body: object = None) -> object:
        """Answer like the API."""
        if method == "POST":
            self.deeds.append((path, body))
        if path == "candidates/rollback" and self.is_busy:
            raise NotRunning("timed out")
        if path.startswith("jobs/"):
            return self._job(method)
        if path == "learning":
            return {"market_us": FIRST_INSTANT_NS // 1_000, "contests": [CONTEST]}
        if path == "candidates":
            return [{"candidate_id": "b2", "champion_of": [SYMBOL]}]
        if path == "candidates/a1":
            return self._candidate()
        return {}

    def _job(self, method: str) -> dict[str, object]:
        state = "running" if method == "POST" else self.job
        result = {"candidate_id": "a1"} if state == "done" else None
        failure = {"message": "too few events"} if state == "failed" else None
        return {
            "job_id": "j1", "state": state, "message": "xgboost, fold 1 of 3", "fraction": 0.3,
            "result": result, "failure": failure,
        }  # fmt: skip

    def _candidate(self) -> dict[str, object]:
        if self.unknown_looks:
            self.unknown_looks -= 1
            raise Refused("There is no candidate a1.", status=404, reason="not_found")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        moves = [{"reason": "e-value 23"}, {"reason": "training left it"}]
        return {"candidate": {"state": state}, "history": moves}


CONTEST = {
    "candidate_id": "a1", "state": "shadow", "days": 3.25, "labels_effective": 61.4, "pairs": 44,
    "e_value": 1.87, "mean_difference": 0.01, "proof_at": 20.0, "refused": "",
}  # fmt: skip


def test_the_way_up_is_asked_for_and_told(tmp_path: Path) -> None:
    """One wish for a training and one override; every further step is the loop's own."""
    told: list[str] = []
    plan2 = Plan2(["trained", "trained", "validated", "shadow", "canary", "champion"])
    person = Rehearsal(plan2, told.append, lambda _: None)

    name = person.train_challenger()
    person.let_it_be_watched(name)
    assert person.watch(name) == "champion"
    assert person.last_reason(name) == "e-value 23"
    assert person.champion() == "b2"
    assert person.roll_back("b2") >= 0.0

    (train, wish), (override, first), (rollback, back) = plan2.deeds
    assert (train, override) == ("jobs/train", "candidates/a1/override")
    assert wish == {"symbols": [SYMBOL], "from_us": DRIFT_FROM_NS // 1_000}
    assert first == {"to": "validated", "reason": REASON}
    assert rollback == "candidates/rollback"
    assert back["symbol"] == SYMBOL
    standing = "shadow: 3.2 days, 61 effective labels, 44 pairs, e-value 1.87 for it (proof at 20)"
    assert f"  2024-03-05  {standing}" in told
    assert "  2024-03-05  a1: canary → champion" in told


def test_a_challenger_that_is_rejected_is_no_success() -> None:
    """Watching ends with its last state, whatever that is."""
    plan2 = Plan2(["shadow", "rejected"])
    plan2.unknown_looks = 0
    assert Rehearsal(plan2, lambda _: None, lambda _: None).watch("a1") == "rejected"


def test_a_busy_machine_may_answer_late() -> None:
    """The roll-back is asked for once; what counts is who serves then."""
    plan2 = Plan2(["champion"])
    plan2.is_busy = True
    person = Rehearsal(plan2, lambda _: None, lambda _: None)
    assert person.roll_back("b2") >= 0.0
    with pytest.raises(Recoverable, match="b3 does not serve"):
        person.roll_back("b3")
    assert [path for path, _ in plan2.deeds] == ["candidates/rollback"] * 2


def test_a_training_that_fails_says_why() -> None:
    """With the job's own sentence."""
    plan2 = Plan2(["trained"], job="failed")
    with pytest.raises(Recoverable, match="failed: too few events"):
        Rehearsal(plan2, lambda _: None, lambda _: None).train_challenger()


def test_nothing_but_a_rehearsal_is_ever_deleted(tmp_path: Path) -> None:
    """Another folder is refused even when deleting was asked for."""
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(InputError, match="not the folder of a rehearsal"):
        learn_rehearse._clear(tmp_path, is_fresh=True)
    (tmp_path / CONFIG).write_text(CONFIGURATION)
    with pytest.raises(InputError, match="holds the rehearsal of before"):
        learn_rehearse._clear(tmp_path, is_fresh=False)
    assert (tmp_path / "precious").exists()
    learn_rehearse._clear(tmp_path, is_fresh=True)
    assert not tmp_path.exists()
