"""The record of every trial: what was tried on a question, and what it would have earned.

The best of many tries looks good by chance. How good is known only when all of them are counted,
so each try, made by a search or by a person, is written down with its out-of-sample results before
anybody sees them. The record can be added to and read; nothing takes a trial away.
"""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.chained_file import ChainedFile
from plan2.foundation.values import Float64Array
from plan2.intelligence.training.metrics import log_losses
from plan2.intelligence.training.outcomes import Outcomes, trades_on
from plan2.intelligence.training.request import TrainRequest

FILE_NAME: Final = "trials.jsonl"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One try: a way to forecast, and its results on events that it had no part in.

    `question`: what is forecast (`TrainRequest.question`); trials of one question compete.
    `family`: the model family, or "ensemble". `origin`: what made it, such as "train", "search" or
    "evaluate". `ts_ns`: when, UTC. `schema_id`: the features. `net_r`: net result in R of each
    weekday from `first_weekday` (`outcomes.weekdays`) on, days without a trade included.
    `log_loss_skill`: against the best constant.
    """

    question: str
    family: str
    origin: str
    ts_ns: int
    parameters: dict[str, float | int | str]
    schema_id: str
    first_weekday: int
    net_r: tuple[float, ...]
    log_loss_skill: float

    @property
    def results(self) -> Float64Array:
        """Net results in R of all its weekdays, float64[T]."""
        return np.asarray(self.net_r, np.float64)

    def on(self, first_weekday: int, count: int) -> Float64Array | None:
        """Results on these weekdays, float64[count]; None when not all of them were tested."""
        skipped = first_weekday - self.first_weekday
        if skipped < 0 or skipped + count > len(self.net_r):
            return None
        return self.results[skipped : skipped + count]


class Trials:
    """All trials of an installation, in a file of its models' folder."""

    def __init__(self, folder: Path) -> None:
        self._file = ChainedFile(folder / FILE_NAME)

    def record(self, trial: Trial) -> int:
        """Write a trial down for good and return its number, from 1; durable when this returns.

        Several processes may record at the same time.
        """
        return self._file.add(msgspec.json.encode(trial))

    def of(self, question: str, family: str | None = None) -> tuple[Trial, ...]:
        """The trials of a question, oldest first; each once, however often it was repeated.

        A trial is the same as another when it gave the same results with the same parameters.

        Raises:
            InvariantBroken: the record was tampered with.
        """
        found: dict[bytes, Trial] = {}
        for entry in self._file.entries():
            trial = msgspec.json.decode(entry, type=Trial)
            if trial.question == question and family in (None, trial.family):
                same = msgspec.structs.replace(trial, ts_ns=0, origin="")
                found.setdefault(msgspec.json.encode(same, order="sorted"), trial)
        return tuple(found.values())


def trial_of(
    p: Float64Array,
    outcomes: Outcomes,
    request: TrainRequest,
    family: str,
    parameters: dict[str, float | int | str],
    origin: str = "train",
) -> Trial:
    """The trial that these probabilities of up, float64[n], are.

    None of the events may have had a part in its own forecast.
    """
    up = outcomes.up
    constant = np.full(len(p), up.mean())
    loss, best = (float(log_losses(each, up).mean()) for each in (p, constant))
    first, net_r = trades_on(p, outcomes).daily()
    return Trial(
        question=request.question(),
        family=family,
        origin=origin,
        ts_ns=request.ts_ns,
        parameters=parameters,
        schema_id=request.plan().schema_id,
        first_weekday=first,
        net_r=tuple(net_r.tolist()),
        log_loss_skill=1.0 - loss / best if best > 0.0 else 0.0,
    )
