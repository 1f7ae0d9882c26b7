"""A market told bar by bar, outcomes made by hand, and a life cycle in memory."""

import itertools
from collections.abc import Sequence

import msgspec
import numpy as np
from model_fixtures import EURUSD, MONDAY_NS

from plan2.foundation.errors import InputError, ModelMismatch
from plan2.foundation.events.learning import OutcomeRecorded, SampledForecast
from plan2.foundation.values import NS_PER_HOUR, Tick, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.learning.loop import LearningLoop, LoopPlan
from plan2.intelligence.learning.notes import BarNote, Moment
from plan2.intelligence.learning.retraining import RetrainingRules
from plan2.intelligence.models.lifecycle import (
    TRANSITIONS,
    Alias,
    Candidate,
    IllegalTransition,
    Move,
    State,
)
from plan2.intelligence.training.labels import LabelRules, Tape


def notes_of(block: TickBlock, plan: FeaturePlan) -> list[BarNote]:
    """What a serving engine tells the loop, tick by tick."""
    engine = FeatureEngine(plan, EURUSD)
    rows = zip(block.ts_ns.tolist(), block.bid.tolist(), block.ask.tolist(), strict=True)
    told, since = [], 0
    for k, row in enumerate(rows):
        if not engine.step(*row):
            continue
        tape = Tape(*(c[since : k + 1] for c in (block.ts_ns, block.bid, block.ask)))
        moment = Moment(
            engine.values.copy(), engine.sequence.copy(), engine.sequence_closed.copy(),
            engine.sigma, engine.ready, engine.gap_reset, engine.closed_ns,
        )  # fmt: skip
        told.append(BarNote(block.symbol, tape, Tick(block.symbol, *row, 0), moment, None))
        since = k + 1
    return told


def forecast(name: str, role: str, p: float, *, acts: bool = True) -> SampledForecast:
    """A candidate of one model."""
    p = float(np.clip(p, 1e-4, 1 - 1e-4))
    return SampledForecast(
        candidate_id=name, role=role, p_up=p, logit=float(np.log(p / (1 - p))),
        votes={f"{name}-model": p}, side=1 if p >= 0.5 else -1,
        abstained="" if acts else "cost_above_edge", calibration_id=name,
    )  # fmt: skip


def outcome(
    k: int, side: int, forecasts: Sequence[SampledForecast], symbol: str = "EURUSD", **changes
) -> OutcomeRecorded:
    """The k-th independent event, two hours after the one before; ±1 R less five per cent."""
    t0 = MONDAY_NS + 2 * k * NS_PER_HOUR
    made = OutcomeRecorded(
        ts_ns=t0 + NS_PER_HOUR, sample_id=f"sample-{symbol}-{k}", symbol=symbol,
        sampled_ts_ns=t0, status="resolved", reason="", side=side,
        net_r_long=side - 0.05, net_r_short=-side - 0.05, cost_r=0.05,
        hold_long_s=3_600.0, hold_short_s=3_600.0, is_independent=True,
        forecasts=tuple(forecasts),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def candidate(name: str, state: State, symbols: tuple[str, ...] = ("EURUSD",), **metrics: float):
    """A candidate of one model with metrics."""
    return Candidate(
        candidate_id=name, symbols=symbols, model_ids=(f"{name}-model",), schema_id="schema",
        state=state, created_ns=0, since_ns=0, verdict="validated", flags=(), metrics=metrics,
    )  # fmt: skip


class MemoryLifecycle:
    """The life cycle as the contract has it, in memory: a champion's successor retires it."""

    def __init__(self, *candidates: Candidate) -> None:
        self._known = {each.candidate_id: each for each in candidates}
        self._aliases = {
            (symbol, Alias.CHAMPION): each.candidate_id
            for each in candidates if each.state is State.CHAMPION for symbol in each.symbols
        }  # fmt: skip
        self.moves: list[Move] = []
        self.damaged: set[str] = set()
        """Candidates whose models cannot serve."""

    def candidates(self) -> Sequence[Candidate]:
        """All of them."""
        return list(self._known.values())

    def candidate(self, candidate_id: str) -> Candidate | None:
        """One of them."""
        return self._known.get(candidate_id)

    def holder(self, symbol: str, alias: Alias) -> Candidate | None:
        """Who holds an alias."""
        return self._known.get(self._aliases.get((symbol, alias), ""))

    async def move(self, move: Move) -> Candidate:
        """Change a state and the aliases that follow from it."""
        moved = self._known.get(move.candidate_id)
        if moved is None:
            raise InputError(f"There is no candidate {move.candidate_id!r}.")
        if move.to not in TRANSITIONS[moved.state]:
            raise IllegalTransition(f"{moved.state} does not lead to {move.to}.")
        if move.to is State.CHAMPION and move.candidate_id in self.damaged:
            raise ModelMismatch(f"Candidate {move.candidate_id}: its file was changed.")
        self.moves.append(move)
        self._set(moved, move.to)
        for symbol in moved.symbols:
            self._hand_over(symbol, moved, move.to)
        return self._known[move.candidate_id]

    def _hand_over(self, symbol: str, moved: Candidate, to: State) -> None:
        before = self._aliases.get((symbol, Alias.CHAMPION))
        if to is State.CHAMPION:
            self._aliases[symbol, Alias.CHAMPION] = moved.candidate_id
            if before is not None and before != moved.candidate_id:
                self._set(self._known[before], State.RETIRED)
                self._aliases[symbol, Alias.LAST_GOOD] = before
        elif to is State.SUSPENDED and before == moved.candidate_id:
            del self._aliases[symbol, Alias.CHAMPION]

    def _set(self, which: Candidate, state: State) -> None:
        self._known[which.candidate_id] = msgspec.structs.replace(which, state=state)


def pieces(block: TickBlock, count: int) -> list[TickBlock]:
    """The block in this many parts."""
    bounds = np.linspace(0, len(block), count + 1).astype(int)
    return [block.slice(a, b) for a, b in itertools.pairwise(bounds)]


class LearningStage:
    """A running loop as the routes see it: one champion, one challenger, a few hundred outcomes."""

    is_watching_only = False
    skew_mismatches = 1

    def __init__(self, events: int = 40) -> None:
        self.record: list = []
        self.loop = LearningLoop(
            LoopPlan(
                instruments={"EURUSD": EURUSD},
                rules=LabelRules(),
                champion_of=lambda _symbol: "old",
                metrics=lambda _name: {},
                worth=lambda _tick, _forecast: "",
                record=self.record.append,
                retraining=RetrainingRules(),
            )
        )
        rng = np.random.default_rng(1)
        for k in range(events):
            p = float(rng.uniform(0.4, 0.6))
            said = (forecast("old", "champion", p), forecast("new", "challenger", 1 - p))
            made = outcome(k, int(rng.choice([-1, 1])), said)
            self.loop.now_ns = made.ts_ns
            self.loop.absorb([made])

    def state_of(self, candidate_id: str) -> str:
        """The challenger is in the shadow."""
        return {"new": "shadow"}.get(candidate_id, "")

    def refusal_of(self, candidate_id: str) -> str:
        """Nothing was refused."""
        return ""
