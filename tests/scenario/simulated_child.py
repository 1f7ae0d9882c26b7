"""A trader in a process of its own: decides by the tick alone, tells deals, may be killed.

Run as `python simulated_child.py DATA_DIR MARKET_HOURS`; prints one line per deal told, and
`finished` when the market has run so many hours.
"""

import asyncio
import sys
from pathlib import Path

from plan2.dataflow.terminals.port import ApprovedOrder, LinkChange, OrderKind, OrderUpdate
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_synthetic
from plan2.foundation.config.schema import Simulated
from plan2.foundation.values import NS_PER_HOUR, NS_PER_MS, Side, Tick


class Trader:
    """Opens a position with stops whenever a tick's millisecond says so."""

    def __init__(self, data_dir: Path, hours: int) -> None:
        paper = PaperAccount(data_dir=data_dir, is_paced=False)
        self.terminal = open_synthetic(Simulated(history_days=1), ("EURUSD",), paper)
        self.end_ns = FIRST_INSTANT_NS + hours * NS_PER_HOUR

    def on_tick(self, tick: Tick) -> None:
        """One tick: the same tick always leads to the same order."""
        if tick.ts_ns >= self.end_ns:
            self.terminal.player.stop()
        elif tick.ts_ns // NS_PER_MS % 257 == 0:
            self.terminal.submit(self.order(tick))

    def on_order_update(self, update: OrderUpdate) -> None:
        """Pass on what the broker did."""
        if update.deal is not None:
            sys.stdout.write(f"{update.deal.ticket}\n")
            sys.stdout.flush()

    def on_link(self, change: LinkChange) -> None:
        """The link is of no interest here."""

    def order(self, tick: Tick) -> ApprovedOrder:
        """Buy or sell 0.01 lots, stops eight pips away."""
        side = Side.BUY if tick.ts_ns // NS_PER_MS % 2 else Side.SELL
        return ApprovedOrder(
            order_id=f"order-{tick.ts_ns}",
            decision_id="decision",
            account_id="paper",
            symbol=tick.symbol,
            kind=OrderKind.OPEN,
            side=side,
            quantity=0.01,
            price=tick.bid,
            stop_loss=round(tick.bid - side * 0.0008, 5),
            take_profit=round(tick.bid + side * 0.0008, 5),
            token=f"t{tick.ts_ns}",
            magic=7,
            ts_ns=tick.ts_ns,
        )


async def main() -> None:
    """Play until the end or the kill."""
    trader = Trader(Path(sys.argv[1]), int(sys.argv[2]))
    await trader.terminal.start(trader)
    await trader.terminal.wait()
    await trader.terminal.stop()
    sys.stdout.write("finished\n")


if __name__ == "__main__":
    asyncio.run(main())
