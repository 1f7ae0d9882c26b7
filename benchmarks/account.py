"""What the compiled account costs: a quiet quote, an order's life, and that no history slows it.

Usage: `python benchmarks/account.py [--rounds 5] [--json FILE]`. Contenders take turns inside every
round. The yardstick is a loop of the same shape that only reads the quotes; what an account costs
is the difference to it. The goal: an order's life of at most 10 µs, flat within 20 % from 1,000 to
100,000 orders.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MS
from plan2.intelligence.backtest.account.codes import DRAIN
from plan2.intelligence.backtest.account.compiled import entry
from plan2.intelligence.backtest.account.frames import Rows
from plan2.intelligence.backtest.account.quotes import quote
from plan2.intelligence.backtest.account.requests import enter, leave
from plan2.intelligence.backtest.account.terms import open_account
from plan2.intelligence.flows.flow import Execution, Flow, FlowAccount, FlowRisk, Source

QUOTES = 1_000_000
START_NS = 1_704_672_000_000_000_000
EURUSD = Instrument(
    symbol="EURUSD", base="EUR", quote="USD", digits=5, commission_per_lot=Decimal("3.50")
)


@entry
def read_quotes(ts_ns, bid, ask):
    """The yardstick: look at every quote and do nothing."""
    total = 0
    for index in range(ts_ns.shape[0]):
        if ask[index] - bid[index] > 1_000 or ts_ns[index] < 0:
            total += 1
    return total


@entry
def feed(accounts, ts_ns, bid, ask, first):
    """Let quotes arrive; returns where the rows must be drained, or the end."""
    account = accounts[0]
    for index in range(first, ts_ns.shape[0]):
        if quote(account, ts_ns[index], bid[index], ask[index]) & DRAIN:
            return index + 1
    return ts_ns.shape[0]


@entry
def trade(accounts, ts_ns, bid, ask, first, every):
    """The same, and every so many quotes an entry or an exit with stop and target."""
    account = accounts[0]
    for index in range(first, ts_ns.shape[0]):
        flags = quote(account, ts_ns[index], bid[index], ask[index])
        if index % every == 0:
            if account.held == 0:
                account.exits.stop = 5_000
                account.exits.target = 5_000
                enter(account, 1, 1)
            else:
                leave(account, 0)
        if flags & DRAIN:
            return index + 1
    return ts_ns.shape[0]


def quotes(length):
    """A random walk around 1.1 with a quote every 250 ms or so; points."""
    rng = np.random.default_rng(7)
    ts_ns = START_NS + np.cumsum(rng.exponential(250.0, length).astype(np.int64) * NS_PER_MS)
    bid = 110_000 + np.cumsum(rng.integers(-1, 2, length))
    return ts_ns, bid, bid + 5


def account(balance="1000000.00"):
    """An account with latency, slippage, commission and every limit on."""
    return open_account(
        Flow(
            name="bench",
            source=Source(symbol="EURUSD"),
            account=FlowAccount(balance=balance),
            risk=FlowRisk(daily_loss_max_fraction=0.9, drawdown_max_fraction=0.9),
            execution=Execution(latency_ms=40.0, latency_spread_ms=20.0, slippage_points=1.0),
        ),
        EURUSD,
    )


def flat(data):
    """Quotes at an account that holds nothing."""
    accounts, rows = account(), Rows()
    return lambda: drained(feed, accounts, rows, data, ())


def in_position(data):
    """Quotes at an account that holds a long with a stop and a target far away."""
    accounts, rows = account(), Rows()
    accounts["exits"]["stop"] = accounts["exits"]["target"] = 100_000
    trade(accounts, data[0][:2], data[1][:2], data[2][:2], 0, 1)
    accounts["exits"]["stop"] = 0
    return lambda: drained(feed, accounts, rows, data, ())


def drained(loop, accounts, rows, data, more):
    """Run a loop to its end, taking rows out whenever it asks."""
    place = 0
    while place < len(data[0]):
        place = loop(accounts, *data, place, *more)
        rows.take(accounts)
    return rows


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor time: the machine may be busy with other things."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


def order_cost(orders: int, data) -> float:
    """Microseconds per order when so many are sent over the quotes, the quotes' own cost left out.

    Ten quotes lie between two orders, so each is filled before the next.
    """
    part = tuple(column[: orders * 10] for column in data)
    accounts, rows = account(), Rows()
    traded = timed(lambda: drained(trade, accounts, rows, part, (10,)))
    accounts, rows = account(), Rows()
    silent = timed(lambda: drained(trade, accounts, rows, part, (len(part[0]) + 1,)))
    return (traded - silent) / orders * 1e6


def main() -> None:
    """Measure, print a table, and write JSON when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = quotes(QUOTES)
    works = {
        "read the quotes": lambda: read_quotes(*data),
        "quote, flat": flat(data),
        "quote, in position": in_position(data),
    }
    for work in works.values():
        work()
    order_cost(1_000, data)
    found: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for name, work in works.items():
            found.setdefault(f"{name} [ns]", []).append(timed(work) / QUOTES * 1e9)
        for orders in (1_000, 10_000, 100_000):
            found.setdefault(f"order, {orders:,} of them [us]", []).append(order_cost(orders, data))
    report = {
        name: {"median": statistics.median(rounds), "low": min(rounds), "high": max(rounds)}
        for name, rounds in found.items()
    }
    for name, row in report.items():
        print(f"{name:32s} {row['median']:9.2f}  ({row['low']:.2f} – {row['high']:.2f})")
    print(json.dumps(report))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
