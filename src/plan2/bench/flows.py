"""What flows cost: tick to decision with none, one and ten of them that hold a position each.

All are always in the market, so that every tick has a wish to look at and a position to value; a
simulated broker fills them. The runs take turns, so that a busy moment hits all of them.
"""

from pathlib import Path

import msgspec

from plan2.bench.path import SYMBOL, Course, Runner, eager, runner_of
from plan2.bench.table import Row, percentiles
from plan2.dataflow.terminals.port import ApprovedOrder
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.config.schema import Settings
from plan2.foundation.values import Tick
from plan2.intelligence.flows.flow import Flow, flow_digest, parse_flow
from plan2.intelligence.trading.flow_seats import FlowSeat
from plan2.intelligence.trading.journal import MemoryJournal
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.flow_policies import make_policy

COUNTS = (0, 1, 10)
WARM_TICKS = 2_000
TURNS, TURN_TICKS = 24, 250
LIMIT_US = 1_000.0
FLOW = """
name = "bench-{number}"
[source]
symbol = "{symbol}"
bars = "1m"
[parameters]
fast = {fast}
slow = {slow}
[features]
quick = "ema(close, fast)"
calm = "ema(close, slow)"
[policy]
long = "quick >= calm"
short = "quick < calm"
warm_up = 10
[size]
lots = 0.01
[account]
balance = "10000.00"
"""


class Table:
    """A runner with seats taken and a broker that fills their orders."""

    def __init__(self, course: Course, settings: Settings, seats: int, folder: Path) -> None:
        self._plan = plan_of(settings)
        self.runner: Runner = runner_of(course, roomy(settings), MemoryJournal(), self._submit)
        start_ns = course.live[0].ts_ns
        options = BrokerOptions(
            account="bench", start_ns=start_ns, rules=AccountRules(is_hedging=True)
        )
        instruments = {SYMBOL: course.instrument}
        self._broker = PaperBroker(instruments, options, None, lambda _: True)
        self._broker.connect(self.runner.floor.pipeline.on_order_update)
        for number in range(seats):
            self._seat(flow_of(number), course, folder)

    def _submit(self, order: ApprovedOrder) -> None:
        self._broker.submit(order)

    def _seat(self, flow: Flow, course: Course, folder: Path) -> None:
        account = self.runner.floor.account
        policy = make_policy(
            flow, course.instrument, account.rules, lambda: 1.0, self._plan, folder
        )
        values = self.runner.floor.lanes[SYMBOL].engine.values
        for tick in course.live[:WARM_TICKS]:
            policy.step(tick, None, values)
        account.flows.seat(FlowSeat(flow, 1, flow_digest(flow), policy))

    def run(self, ticks: list[Tick]) -> list[int]:
        """Take the ticks; how long each took, ns, orders included and the broker's quotes not."""
        taken: list[int] = []
        for tick in ticks:
            self._broker.on_tick(tick)
            started = stopwatch_ns()
            self.runner.on_tick(tick)
            taken.append(stopwatch_ns() - started)
        return taken


def flow_of(number: int) -> Flow:
    """One of the flows; they differ in their averages."""
    text = FLOW.format(number=number, symbol=SYMBOL, fast=3 + number, slow=9 + 2 * number)
    return parse_flow(text)


def roomy(settings: Settings) -> Settings:
    """The same settings with room for a position of each flow."""
    most = max(COUNTS) + 1
    risk = msgspec.structs.replace(
        eager(settings).risk, positions_max=most, positions_per_symbol_max=most
    )
    return msgspec.structs.replace(settings, risk=risk)


def tick_to_decision_with_flows(course: Course, settings: Settings, folder: Path) -> list[Row]:
    """A row for each number of flows, beside the account's own decision without any."""
    tables = {count: Table(course, settings, count, folder) for count in COUNTS}
    taken: dict[int, list[int]] = {count: [] for count in COUNTS}
    for table in tables.values():
        table.run(course.live[:WARM_TICKS])
    for turn in range(TURNS):
        first = WARM_TICKS + turn * TURN_TICKS
        for count, table in tables.items():
            taken[count] += table.run(course.live[first : first + TURN_TICKS])
    alone, _, _ = percentiles(taken[0])
    return [_row(count, durations, alone) for count, durations in taken.items()]


def _row(count: int, durations: list[int], alone_us: float) -> Row:
    p50, p99, worst = percentiles(durations)
    return Row(
        what=f"tick → decision, {count} flow{'' if count == 1 else 's'}",
        p50_us=p50,
        p99_us=p99,
        worst_us=worst,
        per_second=round(1e9 * len(durations) / sum(durations)),
        ratio=round(p50 / alone_us, 2),
        limit=f"p99 < {LIMIT_US:,.0f} µs",
        holds=p99 < LIMIT_US,
    )
