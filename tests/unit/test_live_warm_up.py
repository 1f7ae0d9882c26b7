"""Warming up from a broker's history: in pieces, with patience, and never a reason not to start."""

import asyncio
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from virtual_time import run_virtual

from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TickBlock
from plan2.intelligence.warm_state import WarmState
from plan2.wiring.assembly import Floor, build_lanes
from plan2.wiring.live import LIVE
from plan2.wiring.markets import Market
from plan2.wiring.recovery import HISTORY_WITHIN_S, warm_up

TUESDAY_NS = 1_709_625_600_000_000_000
SYMBOLS = ("EURUSD", "USDJPY")
SAY_AFTER_S = 6.0


class Broker:
    """A terminal that has one tick an hour, and is slow, or silent, about a symbol."""

    def __init__(self, slow_s: float = 0.0, silent: str = "", broken: str = "") -> None:
        self.asked: list[tuple[str, int, int]] = []
        self._slow_s, self._silent, self._broken = slow_s, silent, broken

    async def history(self, symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        """As the port's."""
        self.asked.append((symbol, start_ns, end_ns))
        await asyncio.sleep(10_000 if symbol == self._silent else self._slow_s)
        if symbol == self._broken and len(self.asked) > 1:
            raise TerminalUnavailable("the terminal does not answer")
        ts_ns = np.arange(-(-start_ns // NS_PER_HOUR) * NS_PER_HOUR, end_ns, NS_PER_HOUR)
        price = 1.1 + 0.001 * np.sin(np.arange(len(ts_ns)))
        return TickBlock(symbol, ts_ns, price, price + 0.0001)


def warmed(folder: Path, broker: Any) -> tuple[list[str], dict[str, int], float]:
    """What was said, ticks taken by symbol, and how long it took in virtual seconds."""
    contracts = instruments(SYMBOLS)
    lanes = build_lanes(Settings(), contracts, {})
    floor = Floor(pipeline=None, account=None, keeper=None, lanes=lanes)  # type: ignore[arg-type]  # not used
    market = Market(
        mode=LIVE,
        label="",
        account_id="demo-1",
        currency="USD",
        start_balance=Decimal(1),
        symbols=SYMBOLS,
        home=folder,
        terminal=broker,
        instruments=contracts,
        clock=SimulatedClock(TUESDAY_NS),
        wait_end=lambda: asyncio.sleep(0, True),
    )
    said: list[str] = []

    async def story() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await warm_up(floor, market, WarmState(folder), said.append)
        return loop.time() - began_s

    took_s = run_virtual(story())
    return said, {symbol: lane.quality.accepted for symbol, lane in lanes.items()}, took_s


def test_history_is_asked_for_day_by_day_and_slow_progress_is_told(tmp_path: Path) -> None:
    """Four days without a gap and without an overlap; a word after each slow piece but the last."""
    broker = Broker(slow_s=SAY_AFTER_S)
    said, ticks, _ = warmed(tmp_path, broker)
    spans = [(start, end) for symbol, start, end in broker.asked if symbol == "EURUSD"]
    days = [TUESDAY_NS - back * NS_PER_DAY for back in (4, 3, 2, 1, 0)]
    assert spans == list(itertools.pairwise(days))
    assert ticks["EURUSD"] > 0
    assert len([line for line in said if "so far" in line and "EURUSD" in line]) == 3
    assert said[-1].startswith("  USDJPY: 96 ticks of history")


def test_a_history_that_never_comes_is_waited_for_two_minutes(tmp_path: Path) -> None:
    """Then the next symbol has its turn."""
    said, ticks, took_s = warmed(tmp_path, Broker(silent="EURUSD"))
    assert HISTORY_WITHIN_S <= took_s < HISTORY_WITHIN_S + 1
    assert "EURUSD: no more history: not there within 120 s" in said[0]
    assert ticks["EURUSD"] == 0
    assert ticks["USDJPY"] > 0


def test_a_history_that_breaks_off_keeps_what_there_was(tmp_path: Path) -> None:
    """The features go on with live ticks after the part that came."""
    said, ticks, _ = warmed(tmp_path, Broker(broken="EURUSD"))
    assert "EURUSD: no more history: the terminal does not answer" in said[0]
    assert ticks["EURUSD"] > 0
    assert said[1].startswith("  USDJPY: 96 ticks of history")
