"""Many seeds of the order path, or one again: `python -m tests.simulation.run --seeds 10000`.

Exit code 1 when an invariant was violated; for each failing seed the one command is printed that
plays it again and shows everything that happened.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import click

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS, TESTS / "unit", TESTS.parent / "src"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from simulation.driver import HEDGING, NETTING, PAPER, TWIN, Result, simulate  # noqa: E402 - needs the paths above

SHOWN_LINES = 400
"""The last lines of a failing run; the beginning is rarely of interest."""


def command(seed: int, rules: str = HEDGING, venue: str = PAPER) -> str:
    """What plays a seed again."""
    chosen = "" if rules == HEDGING else f" --rules {rules}"
    chosen += "" if venue == PAPER else f" --venue {venue}"
    return f"python -m tests.simulation.run --from {seed} --seeds 1{chosen} --trace"


def main() -> int:
    """Play the seeds and say what came of them; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.simulation.run")
    parser.add_argument("--seeds", type=int, default=300, help="how many (default 300)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first (default 0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    kinds = (HEDGING, NETTING)
    parser.add_argument("--rules", choices=kinds, default=HEDGING, help="of the account")
    parser.add_argument(
        "--venue", choices=(PAPER, TWIN), default=PAPER, help="the broker (default paper)"
    )
    parser.add_argument("--trace", action="store_true", help="print everything that happened")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    failed = 0
    totals: dict[str, int] = {}
    play = partial(simulate, rules=given.rules, venue=given.venue)
    with ProcessPoolExecutor(given.jobs) as pool:
        results = pool.map(play, seeds) if given.jobs > 1 else map(play, seeds)
        for result in results:
            failed += bool(result.violated)
            tell(result, command(result.seed, given.rules, given.venue), is_traced=given.trace)
            for name, count in result.counts.items():
                totals[name] = totals.get(name, 0) + count
    click.echo(f"{len(seeds)} seeds, {failed} violated; {totals}")
    return 1 if failed else 0


def tell(result: Result, again: str, *, is_traced: bool) -> None:
    """Print a run: all of it, or only what went wrong and the command that plays it again."""
    if is_traced:
        click.echo("\n".join(result.lines[-SHOWN_LINES:]))
        click.echo(
            f"seed {result.seed}: {result.digest} {result.violated or 'all invariants hold'}"
        )
    elif result.violated:
        click.echo(f"seed {result.seed}: {result.violated}\n  again: {again}")


if __name__ == "__main__":
    sys.exit(main())
