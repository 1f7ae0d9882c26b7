"""The newest tenth of the events, which nothing looks at until it is opened, once.

Every choice between models is made on the events before it. What a family shows on the sealed block
is therefore not the best of many looks; but only the first time, so openings are written down and
a second one is refused. Events that did not exist at an opening make a new block.
"""

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


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody looked: which family on which question, at events from when to when, UTC ns."""

    question: str
    family: str
    first_ts_ns: int
    last_ts_ns: int
    opened_ts_ns: int


class Seals:
    """All openings of an installation, in a file of its models' folder that only grows."""

    def __init__(self, folder: Path) -> None:
        self._file = ChainedFile(folder / FILE_NAME)

    def open(self, *openings: Opening) -> None:
        """Write openings down, durably, before anything of their blocks is seen; all or none.

        Raises:
            InputError: a family was shown some of these events on this question before.
            InvariantBroken: the record was tampered with.
        """
        for opening in openings:
            for earlier in self.of(opening.question, opening.family):
                if opening.first_ts_ns <= earlier.last_ts_ns:
                    raise _refusal(opening, earlier)
        for opening in openings:
            self._file.add(msgspec.json.encode(opening))

    def of(self, question: str, family: str) -> tuple[Opening, ...]:
        """Openings of a family's blocks on a question, oldest first."""
        found = (msgspec.json.decode(each, type=Opening) for each in self._file.entries())
        return tuple(each for each in found if (each.question, each.family) == (question, family))


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


def _refusal(opening: Opening, earlier: Opening) -> InputError:
    return InputError(
        f"The sealed events of {opening.family} on {opening.question!r} were opened before, up to "
        f"{_day(earlier.last_ts_ns)}; this block begins on {_day(opening.first_ts_ns)}.",
        remedy="Judge by the walk-forward figures, or wait until the newest tenth of the events "
        "is younger than that.",
    )


def _day(ts_ns: int) -> str:
    return str(np.datetime64(ts_ns, "ns").astype("datetime64[D]"))
