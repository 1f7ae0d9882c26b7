"""Runs side by side: every figure, and which of them it speaks for."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.figures.definitions import DEFINITIONS
from plan2.intelligence.backtest.figures.terms import Curve, Definition
from plan2.intelligence.backtest.kept.files import KeptRuns
from plan2.intelligence.backtest.kept.terms import RunSummary

RUNS_MAX: Final = 6


class ComparedFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of all runs. `best`: numbers of the runs it speaks for; empty when it says nothing.

    Whether a difference is more than luck is not said by it.
    """

    definition: Definition
    values: tuple[float | None, ...]
    best: tuple[int, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Runs in the order that was asked for. `notes`: what makes them hard to compare."""

    runs: tuple[RunSummary, ...]
    figures: tuple[ComparedFigure, ...]
    equity: tuple[Curve, ...]
    parameters: dict[str, tuple[float | None, ...]]
    notes: tuple[str, ...]


def compare(kept: KeptRuns, run_ids: Sequence[str]) -> Comparison:
    """Two to six runs side by side.

    Raises:
        InputError: too few or too many, one twice, one that does not exist, or a damaged one.
    """
    if not 2 <= len(run_ids) <= RUNS_MAX or len(set(run_ids)) != len(run_ids):
        raise InputError(f"Name two to {RUNS_MAX} different runs; found {len(run_ids)}.")
    runs = tuple(kept.record(run_id).summary for run_id in run_ids)
    figures = [kept.figures(run_id) for run_id in run_ids]
    names = dict.fromkeys(name for run in runs for name in run.parameters)
    compared = [
        _compared(definition, tuple(each.metrics[name].value for each in figures))
        for name, definition in DEFINITIONS.items()
        if all(name in each.metrics for each in figures)
    ]
    return Comparison(
        runs=runs,
        figures=tuple(compared),
        equity=tuple(each.pictures.equity for each in figures),
        parameters={name: tuple(run.parameters.get(name) for run in runs) for name in names},
        notes=_notes(runs),
    )


def _compared(definition: Definition, values: tuple[float | None, ...]) -> ComparedFigure:
    known = [value for value in values if value is not None]
    best: tuple[int, ...] = ()
    if definition.better and len(set(known)) > 1:
        target = max(known) if definition.better == "more" else min(known)
        best = tuple(number for number, value in enumerate(values) if value == target)
    return ComparedFigure(definition=definition, values=values, best=best)


def _notes(runs: Sequence[RunSummary]) -> tuple[str, ...]:
    """What differs that should not when runs are compared."""
    differing: dict[str, set[Any]] = {  # of what a summary holds
        "They are of different symbols.": {run.symbol for run in runs},
        "They are over different times.": {(run.first_ns, run.last_ns) for run in runs},
        "They read different ticks.": {run.data_id for run in runs},
        "They start with different balances or currencies.": {
            (run.currency, run.start_balance) for run in runs
        },
        "They were made by different versions of the code.": {run.code_hash for run in runs},
        "Some read ticks and some bars.": {run.is_bars for run in runs},
    }
    return tuple(sentence for sentence, values in differing.items() if len(values) > 1)
