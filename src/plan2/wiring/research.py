"""Wires one piece of research: the ticks it runs on, the engine, and where it is kept."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.terminals.simulated.instruments import SYMBOLS, instruments
from plan2.foundation.clock import LiveClock
from plan2.foundation.errors import InputError
from plan2.intelligence.flows.modules import FOLDER as MACHINE_CODE
from plan2.intelligence.research.carry_out import Laboratory, carry_out
from plan2.intelligence.research.flow_subject import FlowSubject
from plan2.intelligence.research.report import Report
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.tick_columns import write_columns
from plan2.intelligence.research.wish import Wish
from plan2.intelligence.training.provenance import code_hash

Tell = Callable[[float, str], None]
"""(how far it is from 0 to 1, what it does)."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the job; what was found is on the tenant's shelf."""

    verdict: str
    research_id: str
    findings: int


def run_research(wish: Wish, shelf: Shelf, home: Path, tell: Tell) -> Report:
    """Carry a wish out on the archive of `home`; its report is on the shelf when this returns.

    Raises:
        InputError: the symbol is unknown, has no ticks, or the wish cannot be carried out.
    """
    flow = wish.flow_of()
    symbol = flow.source.symbol
    if symbol not in SYMBOLS:
        raise InputError(
            f"The contract of {symbol} is not known; known symbols: {', '.join(sorted(SYMBOLS))}."
        )
    tell(0.0, f"reading the ticks of {symbol}")
    blocks = TickArchive(home / "archive").iter_days(
        symbol, wish.window.start_ns, wish.window.end_ns
    )
    shelf.folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".ticks-", dir=shelf.folder))
    try:
        columns = write_columns(scratch, symbol, blocks)
        instrument = instruments((symbol,))[symbol]
        subject = FlowSubject(flow, instrument, columns, home / MACHINE_CODE)
        laboratory = Laboratory(
            subject=subject,
            shelf=shelf,
            clock=LiveClock(),
            tell=lambda report: tell(report.fraction, report.message),
            code=code_hash(),
        )
        return carry_out(wish, laboratory)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
