"""The newest tenth of the events, which nothing looks at until it is opened, once.

Every choice between models is made on the events before it. What is shown on the sealed block is
therefore not the best of many looks; but only the first time. So there is one record of who looked,
an evaluation or a comparison with the champion, and nobody sees an event that somebody saw before.
Events that did not exist at an opening make a new block.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.chained_file import ChainedFile
from plan2.foundation.errors import InputError
from plan2.foundation.values import Int64Array
from plan2.intelligence.training.dataset import Dataset

FILE_NAME: Final = "openings.jsonl"
SEALED_SHARE: Final = 0.1
AGAINST: Final = " against "
"""Stood between question and champion when comparisons had a record of their own."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody looked: at the events of which question, from when to when, UTC ns.

    `family`: what was judged, one of several or all with commas between. Lines of before there was
    one record name the champion that was compared with in the question, "… against CHAMPION", and
    have a line for each family; they count as any other.
    """

    question: str
    family: str
    first_ts_ns: int
    last_ts_ns: int
    opened_ts_ns: int
    against: str = ""

    def shares_events(self, question: str) -> bool:
        """Whether a question is about events that this look was at: a symbol and all terms."""
        mine, theirs = _subject(self.question), _subject(question)
        return mine[1] == theirs[1] and not mine[0].isdisjoint(theirs[0])

    @property
    def purpose(self) -> str:
        """What somebody looked for, in words."""
        champion = self.against or self.question.partition(AGAINST)[2]
        return f"compare {champion} with a challenger" if champion else f"evaluate {self.family}"


class Seals:
    """All openings of an installation, in a file of its models' folder that only grows."""

    def __init__(self, folder: Path) -> None:
        self._file = ChainedFile(folder / FILE_NAME)

    def open(self, opening: Opening) -> None:
        """Write an opening down, durably, before anything of its block is seen.

        Raises:
            InputError: somebody was shown some of these events before.
            InvariantBroken: the record was tampered with.
        """
        _demand_unseen(opening, self.of(opening.question))
        number = self._file.add(msgspec.json.encode(opening))
        # Another process may have come between; whoever wrote first looks, the other one does not.
        earlier = self._decoded(self._file.entries()[: number - 1])
        _demand_unseen(opening, [each for each in earlier if each.shares_events(opening.question)])

    def of(self, question: str) -> tuple[Opening, ...]:
        """Everybody who looked at events of a question, oldest first."""
        found = self._decoded(self._file.entries())
        return tuple(each for each in found if each.shares_events(question))

    def seen_until_ns(self, question: str) -> int:
        """The newest event of a question that somebody looked at, UTC ns; 0 when nobody did."""
        return max((each.last_ts_ns for each in self.of(question)), default=0)

    def _decoded(self, lines: Sequence[bytes]) -> list[Opening]:
        return [msgspec.json.decode(each, type=Opening) for each in lines]


def unseen_rows(dataset: Dataset, seen_until_ns: int) -> Int64Array:
    """The sealed rows that came after all that was looked at; int64, in order."""
    rows = sealed_rows(dataset)
    return rows[dataset.labels["t0"][rows] > seen_until_ns]


def sealed_rows(dataset: Dataset) -> Int64Array:
    """The newest tenth of the rows, at least; int64, in order."""
    first = int(np.floor(len(dataset) * (1.0 - SEALED_SHARE)))
    return np.arange(first, len(dataset), dtype=np.int64)


def visible_rows(dataset: Dataset) -> Int64Array:
    """The rows that were resolved before the sealed ones begin; int64, in order."""
    sealed = sealed_rows(dataset)
    if len(sealed) == 0:
        return dataset.all_rows()
    labels = dataset.labels
    before = labels["t1"][: sealed[0]] < labels["t0"][sealed[0]]
    return np.flatnonzero(before)


def refusal(question: str, earlier: Opening, news: str) -> InputError:
    """Why the sealed events of a question stay closed; `news`: what there is that is younger."""
    return InputError(
        f"The sealed events of {question!r} were opened before, up to {_day(earlier.last_ts_ns)} "
        f"(on {_day(earlier.opened_ts_ns)}, to {earlier.purpose}); {news}.",
        remedy="Judge by the walk-forward figures, or wait for events that nobody has seen.",
    )


def _demand_unseen(opening: Opening, earlier: Sequence[Opening]) -> None:
    for each in earlier:
        if opening.first_ts_ns <= each.last_ts_ns:
            begins = f"this block begins on {_day(opening.first_ts_ns)}"
            raise refusal(opening.question, each, begins)


def _subject(question: str) -> tuple[frozenset[str], str]:
    """The symbols of a question, and its other terms."""
    symbols, _, terms = question.partition(AGAINST)[0].partition(" ")
    return frozenset(filter(None, symbols.split("+"))), terms


def _day(ts_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[D]"))
