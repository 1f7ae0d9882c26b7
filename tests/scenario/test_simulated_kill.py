"""The paper account survives kill -9: nothing told is lost, nothing is executed twice."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from plan2.dataflow.terminals.port import Deal
from plan2.dataflow.terminals.simulated.account_file import Saved, open_account_file
from plan2.dataflow.terminals.simulated.opening import account_path

CHILD = Path(__file__).parent / "simulated_child.py"
SOURCES = Path(__file__).parents[2] / "src"
HOURS = 12
KILLS_AFTER = (3, 1, 17, 40, 5)
"""How many deals each run may tell before it is killed."""


def started(data_dir: Path) -> subprocess.Popen[str]:
    """A trader at work."""
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(data_dir), str(HOURS)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )


def run_to_the_end(data_dir: Path) -> list[str]:
    """Let a trader finish; the lines it told."""
    with started(data_dir) as child:
        told, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    *tickets, last = told.split()
    assert last == "finished"
    return tickets


def run_and_kill(data_dir: Path, after: int) -> list[str]:
    """Kill a trader after it has told so many deals; every ticket it told until it was dead."""
    with started(data_dir) as child:
        assert child.stdout is not None
        told = [child.stdout.readline().strip() for _ in range(after)]
        child.kill()
        told += child.stdout.read().split()
    return told


def kept(data_dir: Path) -> Saved:
    """What the account file holds."""
    file = open_account_file(account_path(data_dir, "paper"))
    saved = file.load()
    file.close()
    assert saved is not None
    return saved


def comparable(deals: tuple[Deal, ...]) -> list[tuple[object, ...]]:
    """Everything of a deal that trading decides."""
    return [
        (d.ticket, d.position_ticket, d.ts_ns, d.side, d.price, d.profit, d.swap, d.reason, d.token)
        for d in deals
    ]


@pytest.mark.slow
def test_killed_again_and_again_it_ends_like_a_run_that_was_not(tmp_path: Path) -> None:
    """Five kills; after each all told deals are on disk; the end is that of an undisturbed run."""
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    expected = run_to_the_end(undisturbed)
    assert len(expected) > sum(KILLS_AFTER) + 20
    for after in KILLS_AFTER:
        told = run_and_kill(killed, after)
        saved = kept(killed)
        tickets = [deal.ticket for deal in saved.deals]
        assert told[-1] in tickets
        assert tickets == [str(number) for number in range(1, len(tickets) + 1)]
        moved = sum((d.profit + d.commission + d.swap for d in saved.deals), Decimal(0))
        assert saved.header.balance == saved.header.deposit + moved
        assert saved.ts_ns >= max(deal.ts_ns for deal in saved.deals)
    run_to_the_end(killed)
    whole, pieces = kept(undisturbed), kept(killed)
    assert comparable(pieces.deals) == comparable(whole.deals)
    assert pieces.header.balance == whole.header.balance
    assert [p.ticket for p in pieces.positions] == [p.ticket for p in whole.positions]
