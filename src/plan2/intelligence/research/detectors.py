"""Whether a flow reads the future, and whether it forgets where it began.

A run on quotes that end earlier must decide the same until then: if not, something of the later
quotes was known before its time. A run that begins later must decide the same once it is warm: if
not, the warm-up is too short, and live trading, which begins somewhere, would differ from any test.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
import numpy as np

from plan2.foundation.values import Int64Array
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.research.subject import AS_WRITTEN, Window
from plan2.intelligence.research.trial_workers import TrialWorkers

CUTS: Final = (0.35, 0.6, 0.85)
"""Where quotes are cut off, as shares of the window."""
STARTS: Final = (0.1, 0.2, 0.3)
"""Where later runs begin."""

Check = Literal["look_ahead", "warm_up"]
Decisions = list[tuple[int, str, int]]
"""(time decided, kind, side) of each request of the flow itself."""


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison.

    Attributes:
        check: which. ok: None when nothing could be compared. at_ns: the cut, or the later start.
        compared: decisions that were. first_ns: of the first that differs, 0 = none.
        says: a sentence.
    """

    check: Check
    ok: bool | None
    at_ns: int
    compared: int
    first_ns: int
    says: str


def detect(
    workers: TrialWorkers, point: Mapping[str, float], window: Window, warm_up_ns: int
) -> list[Detection]:
    """Run a flow whole, cut short and begun later, and compare what it decided.

    Args:
        workers: run it.
        point: its parameters.
        window: the quotes.
        warm_up_ns: how long it says that it needs before it may be compared.
    """
    length = window.end_ns - window.start_ns
    cuts = [Window(window.start_ns, window.start_ns + int(length * share)) for share in CUTS]
    starts = [Window(window.start_ns + int(length * share), window.end_ns) for share in STARTS]
    windows = [window, *cuts, *starts]
    whole, *others = workers.runs([(point, each, AS_WRITTEN) for each in windows])
    found = [_compare_cut(whole, run) for run in others[: len(cuts)]]
    later = zip(starts, others[len(cuts) :], strict=True)
    found += [_compare_start(whole, run, start.start_ns + warm_up_ns) for start, run in later]
    return found


def _compare_cut(whole: BacktestRun, cut: BacktestRun) -> Detection:
    """What was decided before the last quote of the shorter run, where it closes what is open."""
    end = cut.last_ns
    expected = [each for each in decisions(whole) if each[0] < end]
    actual = [each for each in decisions(cut) if each[0] < end]
    first = _first_difference(expected, actual)
    if first:
        says = "Reads the future: without the later quotes it decides otherwise."
    elif expected:
        says = f"{len(expected)} decisions are the same without the later quotes."
    else:
        says = "Nothing was decided before the cut, so nothing can be said."
    return Detection(
        check="look_ahead",
        ok=not first if expected or first else None,
        at_ns=end,
        compared=len(expected),
        first_ns=first,
        says=says,
    )


def _compare_start(whole: BacktestRun, late: BacktestRun, warm_ns: int) -> Detection:
    """Entries from the first moment after the warm-up at which both runs stand alike."""
    begin = _alike_from(whole, late, warm_ns)
    expected = entries(whole, begin) if begin else []
    actual = entries(late, begin) if begin else []
    against = _contradiction(whole, late, warm_ns, begin)
    first = against or _first_difference(expected, actual)
    if not begin and not first:
        says = "Once warm, the two runs never stood alike, so nothing can be compared."
        is_same = None if not entries(whole, warm_ns) else False
    elif first:
        says, is_same = "Remembers where it began: the warm-up is too short.", False
    elif not expected:
        says, is_same = "Nothing was entered after the warm-up, so nothing can be said.", None
    else:
        says, is_same = f"{len(expected)} entries are the same from another start.", True
    return Detection(
        check="warm_up",
        ok=is_same,
        at_ns=late.first_ns,
        compared=len(expected),
        first_ns=first,
        says=says,
    )


def decisions(run: BacktestRun) -> Decisions:
    """What the flow asked for, in order; stops and targets are the broker's doing."""
    own = run.orders.filter(run.orders["kind"].is_in(["open", "close"]))
    return list(zip(own["ts_ns"], own["kind"], own["side"], strict=True))


def entries(run: BacktestRun, from_ns: int) -> Decisions:
    """What the flow asked to open from a time on."""
    return [each for each in decisions(run) if each[1] == "open" and each[0] >= from_ns]


def _alike_from(whole: BacktestRun, late: BacktestRun, warm_ns: int) -> int:
    """The first time after `warm_ns` at which both are flat or enter alike; 0 = never."""
    same = set(entries(whole, warm_ns)) & set(entries(late, warm_ns))
    times = [each[0] for each in same]
    moments = np.concatenate([[warm_ns], _closings(whole), _closings(late)])
    flat = [
        int(moment)
        for moment in np.unique(moments[moments >= warm_ns])
        if _is_flat(whole, moment) and _is_flat(late, moment)
    ]
    return min([*times, *flat[:1]], default=0)


def _contradiction(whole: BacktestRun, late: BacktestRun, warm_ns: int, until_ns: int) -> int:
    """When the later run, once warm, first enters against what the whole run holds; 0 = never.

    Before both stand alike the later run may join what the whole one holds already, but a rule
    that turns positions round has no reason to hold the other side.
    """
    if not whole.flow.policy.reverse:
        return 0
    trades = whole.trades
    for ts_ns, _, side in entries(late, warm_ns):
        if until_ns and ts_ns >= until_ns:
            return 0
        held = trades.filter((trades["decided_ns"] <= ts_ns) & (trades["close_ns"] > ts_ns))
        if len(held) and int(held["side"][0]) == -side:
            return ts_ns
    return 0


def _closings(run: BacktestRun) -> Int64Array:
    """When positions ended by themselves; the close at the end of a run is none."""
    closed = run.trades["close_ns"].to_numpy()
    return np.asarray(closed[closed < run.last_ns] + 1)


def _is_flat(run: BacktestRun, ts_ns: int) -> bool:
    opened, closed = run.trades["decided_ns"].to_numpy(), run.trades["close_ns"].to_numpy()
    return not bool(((opened < ts_ns) & (closed >= ts_ns)).any())


def _first_difference(expected: Decisions, actual: Decisions) -> int:
    """When the first decision differs, 0 when none does."""
    for left, right in zip(expected, actual, strict=False):
        if left != right:
            return min(left[0], right[0])
    longer = expected if len(expected) > len(actual) else actual
    shorter = min(len(expected), len(actual))
    return longer[shorter][0] if len(longer) > shorter else 0
