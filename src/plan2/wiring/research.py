"""Wires one piece of research: the ticks it runs on, the engine, and where it is kept."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from plan2.dataflow.archive import TickArchive
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.intelligence.flows.modules import FOLDER as MACHINE_CODE
from plan2.intelligence.research.carry_out import Laboratory, carry_out
from plan2.intelligence.research.flow_subject import FlowSubject
from plan2.intelligence.research.report import Report
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.tick_columns import write_columns
from plan2.intelligence.research.wish import Wish
from plan2.intelligence.training.provenance import code_hash
from plan2.wiring.backtest_asking import check_researched
from plan2.wiring.contracts import check_rates, contract_of

Tell = Callable[[float, str], None]
"""(how far it is from 0 to 1, what it does)."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the job; what was found is on the tenant's shelf."""

    verdict: str
    research_id: str
    findings: int


class Ground(msgspec.Struct, frozen=True):
    """What research stands on: the settings whose market it is, and the folder of its archive."""

    settings: Settings
    home: Path


def run_research(wish: Wish, shelf: Shelf, ground: Ground, tell: Tell) -> Report:
    """Carry a wish out on an archive; its report is on the shelf when this returns.

    Raises:
        InputError: the symbol is unknown, has no ticks, or the wish cannot be carried out.
    """
    flow, home = wish.flow_of(), ground.home
    check_researched(flow)
    symbol = flow.source.symbol
    instrument = contract_of(ground.settings, symbol)
    check_rates(flow, instrument)
    tell(0.0, f"reading the ticks of {symbol}")
    blocks = TickArchive(home / "archive").iter_days(
        symbol, wish.window.start_ns, wish.window.end_ns
    )
    shelf.folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".ticks-", dir=shelf.folder))
    try:
        columns = write_columns(scratch, symbol, blocks)
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
