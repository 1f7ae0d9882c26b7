"""The whole order path under seeded misfortunes: R-116, and the limits of R-107 and R-108."""

import pytest

from simulation.driver import HEDGING, NETTING, TWIN, simulate
from simulation.run import command

CHUNK = 30
SHARES = {HEDGING: 7, NETTING: 3}
"""Chunks of each kind: 300 seeds on each run; `python -m tests.simulation.run --seeds 10000
--rules netting` plays more, `--venue twin` behind the engine of a MetaTrader host."""
PLAYED = [(kind, first * CHUNK) for kind, chunks in SHARES.items() for first in range(chunks)]


@pytest.mark.parametrize(("rules", "first"), PLAYED)
def test_all_invariants_hold_for_every_seed(rules: str, first: int) -> None:
    """Once for each intent, never unwritten, books equal to the cent, everything ends in 60 s."""
    violated = [
        f"seed {seed}: {result.violated}\n  again: {command(seed, rules)}"
        for seed in range(first, first + CHUNK)
        if (result := simulate(seed, rules=rules)).violated
    ]
    assert not violated, "\n".join(violated)


@pytest.mark.slow
@pytest.mark.parametrize(("rules", "first", "count"), [(HEDGING, 8, 8), (NETTING, 87, 6)])
def test_the_same_holds_behind_a_metatrader_host(rules: str, first: int, count: int) -> None:
    """The module-shaped twin with its own misfortunes, and every line of the host's engine.

    On a netting account also: positions turned round by one order, whatever else befalls it.
    """
    results = [simulate(seed, rules=rules, venue=TWIN) for seed in range(first, first + count)]
    violated = [
        f"seed {one.seed}: {one.violated}\n  again: {command(one.seed, rules, TWIN)}"
        for one in results
        if one.violated
    ]
    assert not violated, "\n".join(violated)
    for misfortune in ("crashes", "outages", "sent"):
        assert sum(one.counts[misfortune] for one in results) > count // 2
    if rules == NETTING:
        assert sum(one.counts["reversals"] for one in results) >= count
        said = "\n".join(line for one in results for line in one.lines)
        for word in ("requote", "heard unknown", "heard cancelled", "link down"):
            assert word in said
    assert simulate(first, rules=rules, venue=TWIN).digest == results[0].digest


def test_the_same_seed_gives_the_same_trace() -> None:
    """Everything sent, heard, executed and stored, hash for hash."""
    for seed in range(20):
        once, again = simulate(seed), simulate(seed)
        assert once.digest == again.digest, command(seed)
    assert len({simulate(seed).digest for seed in range(5)}) == 5


def test_the_seeds_meet_every_kind_of_misfortune() -> None:
    """A simulation without crashes, cuts and outages would prove nothing."""
    totals: dict[str, int] = {}
    words: set[str] = set()
    for seed in range(60):
        result = simulate(seed)
        for name, count in result.counts.items():
            totals[name] = totals.get(name, 0) + count
        for line in result.lines:
            words.update(line.split()[1:3])
    assert min(totals["crashes"], totals["cuts"], totals["outages"], totals["sent"]) > 50
    kinds = {"open", "pending", "close", "close_by", "protect", "change", "cancel"}
    answers = {"accepted", "rejected", "unknown", "filled", "done", "cancelled", "expired"}
    places = {"journal_before", "journal_torn", "journal_after", "submit_before", "submit_after"}
    assert kinds | answers | places <= words
