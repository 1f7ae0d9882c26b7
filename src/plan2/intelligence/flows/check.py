"""What is wrong with a flow, how long it needs to warm up, and whether it looks ahead.

Two detectors run on ticks: the flow on a part of them must give the signals that it gives on all
(else it looks ahead), and a flow that starts later must come to the same signals (else its result
depends on where the data begin).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS, Int64Array
from plan2.intelligence.flows.flow import Flow
from plan2.intelligence.flows.memory import new_memory, values_of, warm_up_of
from plan2.intelligence.flows.modules import flows_fingerprint, load_module
from plan2.intelligence.flows.source import HEAD, FlowSource, trace_text, write_source
from plan2.intelligence.flows.words import CLOSED, COUNTS, WISHES

CUTS: Final = (0.25, 0.5, 0.75)
TICKS: Final = 200_000
WORD: Final = re.compile(r"\w+")

Signals = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Ticks:
    """Columns of ticks: ts_ns int64[n] UTC, bid and ask int64[n] in points."""

    ts_ns: Int64Array
    bid: Int64Array
    ask: Int64Array

    def part(self, start: int, stop: int) -> "Ticks":
        """Rows start..stop."""
        return Ticks(self.ts_ns[start:stop], self.bid[start:stop], self.ask[start:stop])


class FlowCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `problems` stop a flow from being trusted, `remarks` do not.

    Attributes:
        defined_after: bars until every indicator is defined. first_signal_after: bars before the
            first signal as the flow stands. settled_after: bars after which a later start gave
            the same signals on the ticks that were tried; None when it never did.
        reads: catalogue features and forecasts. ticks: that were tried. signals: among them.
    """

    name: str
    defined_after: int
    first_signal_after: int
    settled_after: int | None
    reads: tuple[str, ...]
    ticks: int
    signals: int
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def check_flow(
    flow: Flow, instrument: Instrument, ticks: Ticks | None = None, folder: Path | None = None
) -> FlowCheck:
    """Look at a flow; without ticks, on a made-up walk.

    Raises:
        InputError: it cannot be read at all; the sentence says where.
    """
    source = write_source(flow)
    memory = new_memory(flow, source, instrument)
    ticks = made_up(instrument) if ticks is None else ticks
    problems, remarks = _written(flow), _unused(flow, source)
    signals, settled = np.zeros(0, np.int8), None
    if source.program.outer:
        remarks.append(f"Not tried on ticks, because it reads {', '.join(source.program.outer)}.")
    else:
        trace = Trace(flow, source, instrument, folder)
        signals = trace.signals(ticks)
        problems += _ahead(trace, ticks, signals)
        settled = _settled(trace, ticks, signals)
        remarks += _warm_up(settled, int(memory.w[COUNTS.index("first")]), signals)
    return FlowCheck(
        name=flow.name,
        defined_after=warm_up_of(source.program, values_of(flow, instrument)),
        first_signal_after=int(memory.w[COUNTS.index("first")]) + 1,
        settled_after=settled,
        reads=tuple(source.program.outer),
        ticks=len(signals),
        signals=int(np.count_nonzero(signals & WISHES)),
        problems=tuple(problems),
        remarks=tuple(remarks),
    )


class Trace:
    """The signals of a flow over columns of ticks, without an account."""

    def __init__(
        self, flow: Flow, source: FlowSource, instrument: Instrument, folder: Path | None
    ) -> None:
        self._parts = (flow, source, instrument)
        head = HEAD.format(fingerprint=flows_fingerprint())
        module: Any = load_module(head + trace_text(source), folder)  # made at run time
        self._trace = module.trace

    def signals(self, ticks: Ticks) -> Signals:
        """int8[n]: the bits of each tick's signal."""
        memory, out = new_memory(*self._parts), np.zeros(len(ticks.ts_ns), np.int8)
        columns = (ticks.ts_ns, ticks.bid, ticks.ask)
        self._trace(memory.s, memory.w, memory.c, memory.r, memory.o, *columns, out)
        return out


def made_up(instrument: Instrument, seed: int = 1) -> Ticks:
    """A random walk of quotes on the price grid, about one every two seconds."""
    rng = np.random.default_rng(seed)
    waits = rng.integers(1, 4_000, TICKS) * NS_PER_MS
    steps = rng.normal(0.0, 3.0, TICKS)
    level = round(1.1 / instrument.point) if instrument.digits >= 4 else 150_000
    bid = np.rint(level + np.cumsum(steps)).astype(np.int64)
    bid += max(0, 1_000 - int(bid.min()))
    ts_ns = 1_704_672_000_000_000_000 + np.cumsum(waits)
    return Ticks(ts_ns, bid, bid + rng.integers(1, 20, TICKS))


def _written(flow: Flow) -> list[str]:
    """What cannot work as it is written."""
    problems = []
    policy, size = flow.policy, flow.size
    if policy.kind == "rules" and not (policy.long or policy.short):
        problems.append("[policy] has neither long nor short: it will never trade.")
    if policy.kind == "python" and not policy.plugin:
        problems.append('[policy] kind = "python" needs plugin, the name of the policy.')
    if size.lots == 0 and size.risk_fraction == 0:
        problems.append("[size] is nothing: say lots or risk_fraction.")
    if size.lots and size.risk_fraction:
        problems.append("[size] says lots and risk_fraction; only one can hold.")
    if size.risk_fraction and not flow.exits.stop_loss:
        problems.append("[size] risk_fraction needs [exits] stop_loss: it sizes by that distance.")
    if flow.exits.partial and not flow.exits.stop_loss:
        problems.append("[[exits.partial]] counts in multiples of the stop; say [exits] stop_loss.")
    if flow.exits.break_even_after_r and not flow.exits.stop_loss:
        problems.append(
            "[exits] break_even_after_r counts in multiples of the stop; say stop_loss."
        )
    return problems


def _unused(flow: Flow, source: FlowSource) -> list[str]:
    """Names that nothing reads, and what makes a result too good."""
    texts = [*flow.features.values(), flow.policy.long, flow.policy.short]
    texts += [flow.policy.exit_long, flow.policy.exit_short]
    texts += [getattr(flow.exits, name) for name in source.measured]
    words = {word for text in texts for word in WORD.findall(text)}
    unused = sorted({*flow.parameters, *flow.features} - words)
    remarks = [f"{name} is not used." for name in unused if flow.policy.kind == "rules"]
    if flow.execution.fill == "signal_quote":
        remarks.append('fill = "signal_quote" is optimistic: no broker fills at the quote you saw.')
    return remarks


def _ahead(trace: Trace, ticks: Ticks, signals: Signals) -> list[str]:
    for cut in CUTS:
        stop = int(len(signals) * cut)
        if not np.array_equal(trace.signals(ticks.part(0, stop)), signals[:stop]):
            return [f"It looks ahead: the first {cut:.0%} of the ticks alone give other signals."]
    return []


def _settled(trace: Trace, ticks: Ticks, signals: Signals) -> int | None:
    """Bars after a later start from which all signals are those of the whole run."""
    longest = 0
    for cut in CUTS:
        start = int(len(signals) * cut)
        late = trace.signals(ticks.part(start, len(signals)))
        differs = np.flatnonzero((late & WISHES) != (signals[start:] & WISHES))
        if len(differs):
            if differs[-1] > 0.9 * len(late):
                return None
            longest = max(longest, int(np.count_nonzero(late[: differs[-1] + 1] & CLOSED)) + 1)
    return longest


def _warm_up(settled: int | None, first: int, signals: Signals) -> list[str]:
    remarks = []
    if not np.any(signals & WISHES):
        remarks.append("It gave no signal on the ticks that were tried.")
    if settled is None:
        remarks.append("Its signals depend on where the data begin, however long it runs.")
    elif settled > first + 1:
        remarks.append(
            f"A later start gives the same signals only after {settled:,} bars; "
            f"[policy] warm_up = {settled} would make results independent of the start."
        )
    return remarks
