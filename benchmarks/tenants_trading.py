"""A hundred tenants trade one symbol in one process: what a tick costs when all of them decide.

Each tenant has an account, a paper broker and a journal on disk of its own; features and forecast
are computed once. Prints a table and JSON; the limit beside it is the tick → decision budget of
15 ms (specification) for the last account in the row.

    python benchmarks/tenants_trading.py [--tenants 1,10,100] [--ticks 20000]
"""

import argparse
import asyncio
import json
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "scenario"), str(ROOT / "src")]

from test_same_ticks import SETTINGS, SYMBOL, TUESDAY_NS, Sink, floor_on, terminal_on  # noqa: E402

from plan2.dataflow.terminals.simulated.market import SyntheticMarket  # noqa: E402
from plan2.dataflow.terminals.simulated.opening import (  # noqa: E402
    JoinedMarket,
    PaperAccount,
    join_market,
)
from plan2.foundation.bus import Bus  # noqa: E402
from plan2.foundation.clock import stopwatch_ns  # noqa: E402
from plan2.foundation.latency import Latency  # noqa: E402
from plan2.foundation.values import NS_PER_DAY, TenantId, Tick  # noqa: E402
from plan2.intelligence.pipeline import Seat  # noqa: E402
from plan2.intelligence.risk.state import TradingState  # noqa: E402
from plan2.intelligence.trading.account import AccountIdentity  # noqa: E402
from plan2.intelligence.trading.journal import FileJournal, MemoryJournal  # noqa: E402
from plan2.wiring.assembly import AccountPlan, build_account  # noqa: E402
from plan2.wiring.tenant_opening import JOURNAL_BYTES  # noqa: E402
from plan2.wiring.venue import Venue  # noqa: E402

LIMIT_MS = 15.0
MIB = 1024 * 1024


class Timed(Venue):
    """A venue that times each tick from the terminal to the last account's decision."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.took_ns: list[int] = []

    def on_tick(self, tick: Tick) -> None:
        """Time it."""
        began_ns = stopwatch_ns()
        super().on_tick(tick)
        self.took_ns.append(stopwatch_ns() - began_ns)


async def trade(tenants: int, ticks: int, folder: Path) -> dict[str, float]:
    """Play `ticks` ticks with so many tenants; milliseconds and MiB."""
    day = SyntheticMarket(11, (SYMBOL,), TUESDAY_NS).generate(TUESDAY_NS + NS_PER_DAY)[SYMBOL]
    terminal = terminal_on(day.slice(0, min(ticks, len(day))))
    floor = floor_on(terminal, MemoryJournal(), Sink())
    venue = Timed(floor.pipeline)
    process = psutil.Process()
    before = process.memory_info().rss
    sinks = [await join(venue, floor, terminal, folder / f"t{n}", n) for n in range(tenants)]
    grown_mib = (process.memory_info().rss - before) / MIB
    await terminal.start(venue)
    await terminal.wait()
    orders = sum(
        type(fact.event).__name__ == "OrderPlaced" for sink in sinks for fact in sink.facts
    )
    took_ms = np.array(venue.took_ns[ticks // 10 :]) / 1e6  # what warms up is left out
    return {
        "tenants": tenants,
        "ticks": len(took_ms),
        "orders": orders,
        "p50_ms": float(np.percentile(took_ms, 50)),
        "p99_ms": float(np.percentile(took_ms, 99)),
        "worst_ms": float(took_ms.max()),
        "mean_us_per_account": float(took_ms.mean() * 1000 / max(1, tenants)),
        "mib_per_tenant": grown_mib / max(1, tenants),
    }


async def join(venue: Venue, floor: Any, terminal: Any, folder: Path, number: int) -> Sink:
    """Seat one tenant; its journal is on disk."""
    joined = JoinedMarket(
        identity=terminal.market,
        mode="replay",
        clock=terminal.clock,
        contracts=terminal.instruments(),
        history=terminal.history,
    )
    name = f"paper-{number}"
    paper = join_market(SETTINGS.simulated, joined, PaperAccount(account=name))
    journal, sink = FileJournal(folder, JOURNAL_BYTES), Sink()
    journal.open()
    account = build_account(
        AccountPlan(
            settings=SETTINGS,
            config_hash="bench",
            identity=AccountIdentity(
                tenant_id=TenantId(f"t{number}"),
                account_id=name,
                currency="USD",
                start_balance=Decimal("10000.00"),
            ),
            instruments=terminal.instruments(),
            bus=Bus(),
            latency=Latency(),
            journal=journal,
            sink=sink,
            submit=paper.submit,
        )
    )
    account.guard.know_mode("replay")
    account.set_state(TradingState.ARMED, TUESDAY_NS, "bench", "bench")
    seat = Seat(account, _raise)
    await paper.start(seat)
    venue.join(paper)
    floor.pipeline.join(seat)
    return sink


def _raise(fault: Exception) -> None:
    raise fault


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", default="1,10,100")
    parser.add_argument("--ticks", type=int, default=20_000)
    asked = parser.parse_args()
    rows = []
    print(f"{'tenants':>8}{'orders':>8}{'p50 ms':>9}{'p99 ms':>9}{'worst ms':>10}", end="")
    print(f"{'µs/account':>12}{'MiB/tenant':>12}")
    for tenants in map(int, asked.tenants.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            row = asyncio.run(trade(tenants, asked.ticks, Path(folder)))
        rows.append(row)
        print(
            f"{row['tenants']:>8.0f}{row['orders']:>8.0f}{row['p50_ms']:>9.3f}{row['p99_ms']:>9.3f}"
            f"{row['worst_ms']:>10.2f}{row['mean_us_per_account']:>12.1f}{row['mib_per_tenant']:>12.2f}"
        )
    holds = all(row["p99_ms"] < LIMIT_MS for row in rows)
    print(f"limit: p99 < {LIMIT_MS:.0f} ms for all: {'holds' if holds else 'MISSED'}")
    print(json.dumps({"limit_ms": LIMIT_MS, "holds": holds, "rows": rows}))


if __name__ == "__main__":
    main()
