"""Carrying research out: here for the command line, or as the child of a job."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.worker_messages import open_channel
from plan2.intelligence.research.report import Report
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.wish import Wish
from plan2.wiring.research import Ground, Outcome, run_research
from plan2.wiring.result_folders import results_folder

Tell = Callable[[float, str], None]


def carry_out_here(settings: Settings, wish: Mapping[str, Any], tell: Tell, home: Path) -> Report:
    """Do what the command line asks for, on the archive in `home`.

    Raises:
        InputError: it cannot be done.
    """
    asked = msgspec.convert(dict(wish), Wish)
    asked.check()
    shelf = Shelf(results_folder(data_dir(settings), MAIN_TENANT))
    shelf.ask(asked)
    return run_research(asked, shelf, Ground(settings, home), tell)


def work_on(settings: Settings, home: Path, tenant: str, research_id: str) -> None:
    """Carry out a wish that a tenant's shelf holds; tells the parent on standard output.

    Raises:
        Plan2Error: it cannot be done; the parent was told why.
    """
    channel = open_channel()
    try:
        shelf = Shelf(results_folder(data_dir(settings), tenant))
        wish = shelf.wish(research_id)
        report = run_research(wish, shelf, Ground(settings, home), channel.progress)
        channel.result(
            Outcome(verdict=report.verdict, research_id=research_id, findings=len(report.findings))
        )
    except Plan2Error as error:
        channel.failure(error)
        raise


def report_of(folder: Path, text: str) -> Report:
    """The report whose id begins so.

    Raises:
        InputError: there is none, more than one, or nothing was found yet.
    """
    shelf = Shelf(results_folder(folder, MAIN_TENANT))
    found = [each for each in shelf.newest(10_000) if each.startswith(text)]
    if len(found) != 1:
        which = "No research begins" if not found else f"{len(found)} pieces of research begin"
        raise InputError(f"{which} with {text!r}.", remedy="`plan2 research list` shows their ids.")
    report = shelf.report(found[0])
    if report is None:
        raise InputError(f"Research {found[0]} has found nothing yet.")
    return report


def outlines(folder: Path, limit: int) -> list[dict[str, Any]]:  # rows of a table
    """What lists show of the newest research."""
    shelf = Shelf(results_folder(folder, MAIN_TENANT))
    return [_outline(shelf, research_id) for research_id in shelf.newest(limit)]


def _outline(shelf: Shelf, research_id: str) -> dict[str, Any]:
    try:
        report = shelf.report(research_id)
    except InputError as error:
        return {"research": research_id, "state": "damaged", "written_ns": 0, "verdict": str(error)}
    if report is None:
        return {"research": research_id, "state": "asked", "written_ns": 0}
    return {
        "research": research_id,
        "kind": report.kind,
        "flow": report.flow_name,
        "symbol": report.symbol,
        "state": report.state,
        "written_ns": report.written_ns,
        "verdict": report.verdict or report.message,
    }
