"""Every trial of a question on disk: what was tried, and what it came to.

It is what an interrupted sweep goes on from, and what the best of many tries is measured against:
a try that was forgotten would make luck look like skill. Lines are sealed (`ChainedFile`).
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.chained_file import ChainedFile
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.score import Score
from plan2.intelligence.research.subject import Subject, Window

FOLDER: Final = "trials"


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A point and what it came to.

    `is_whole` False: it was stopped early, and `score` is of the first part. `part`: the metric on
    the first part of the window, when that was looked at.
    """

    point: Point
    score: Score
    is_whole: bool = True
    part: float | None = None


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    setting: str
    trials: tuple[Tried, ...]


class TrialLedger:
    """The trials of one question.

    Args:
        folder: of all questions.
        question: `question_of`; trials of one question compete for the same praise.
    """

    def __init__(self, folder: Path, question: str) -> None:
        self._file = ChainedFile(folder / FOLDER / f"{question}.jsonl")

    def add(self, setting: str, trials: tuple[Tried, ...]) -> None:
        """Write trials down for good; durable when this returns."""
        self._file.add(msgspec.json.encode(_Batch(setting=setting, trials=trials)))

    def of(self, setting: str) -> list[Tried]:
        """The trials made under a setting, oldest first, each point once, a whole one if any.

        Raises:
            InvariantBroken: the file was tampered with.
        """
        found: dict[tuple[tuple[str, float], ...], Tried] = {}
        for batch in self._batches():
            for trial in batch.trials if batch.setting == setting else ():
                key = key_of(trial.point)
                if key not in found or trial.is_whole:
                    found[key] = trial
        return list(found.values())

    def sharpes(self) -> list[float]:
        """The Sharpe ratio, of one day, of every different trial of the question.

        One that never varied has none and counts as 0: it was a try all the same.
        """
        seen = {
            (batch.setting, key_of(trial.point)): trial.score.sharpe or 0.0
            for batch in self._batches()
            for trial in batch.trials
        }
        return list(seen.values())

    def _batches(self) -> list[_Batch]:
        return [msgspec.json.decode(entry, type=_Batch) for entry in self._file.entries()]


def key_of(point: Point) -> tuple[tuple[str, float], ...]:
    """A point as something that can be looked up."""
    return tuple(sorted(point.items()))


def question_of(flow: Flow) -> str:
    """What is asked whatever the numbers are: the flow's rules on its symbol."""
    asked = (
        flow.source, flow.features, flow.feature_set, flow.models, flow.policy, flow.exits,
        sorted(flow.parameters),
    )  # fmt: skip
    return _digest(asked)


def setting_of(subject: Subject, window: Window) -> str:
    """Everything besides the varied numbers that decides what a trial comes to."""
    flow = msgspec.structs.replace(subject.flow, description="")
    return _digest((flow, subject.data_id, window))


def _digest(value: object) -> str:
    text = msgspec.json.encode(value, order="deterministic")
    return hashlib.sha256(text).hexdigest()[:16]
