"""What a training run or an evaluation is asked for on the command line, and what it leaves."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

Progress = Callable[[str, float], None]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line; empty tuples and None mean the defaults.

    `registers`: whether models are made and registered, or families only evaluated. `opens_seal`:
    whether an evaluation looks at the sealed events, which works once. `searches`: variants of each
    family to try first, for at most `search_minutes`, `processes` at a time. `features`: a
    set's name, empty = the whole catalogue; `dataset`: a data set's name, empty = the archive.
    """

    folder: Path
    symbols: tuple[str, ...]
    families: tuple[str, ...]
    start_ns: int
    end_ns: int
    seed: int
    horizon_minutes: int
    bar_period_s: int
    device: Literal["auto", "cpu", "cuda"] = "auto"
    searches: int = 0
    search_minutes: float | None = None
    processes: int = 1
    registers: bool = True
    opens_seal: bool = False
    features: str = ""
    dataset: str = ""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What a run left and how good it is.

    `report` is the text for people, `page` the file with the pictures; an evaluation leaves no
    candidate.
    """

    candidate_id: str
    model_ids: tuple[str, ...]
    symbols: tuple[str, ...]
    verdict: str
    flags: tuple[str, ...]
    events: int
    n_eff: float
    counts: dict[str, dict[str, int]]
    metrics: dict[str, dict[str, float]]
    missing: tuple[str, ...]
    report: tuple[str, ...]
    page: str
