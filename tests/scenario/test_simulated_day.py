"""A trading day on the synthetic market, as a story that can be told again word for word."""

import asyncio
import hashlib
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from plan2.dataflow.terminals.port import AccountState, LinkChange, OrderUpdate, UpdateKind
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_synthetic
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.foundation.config.schema import Simulated
from plan2.foundation.values import NS_PER_HOUR, Side, Tick
from simulated_world import TUESDAY_NS, closing, order

SYMBOLS = ("EURUSD", "USDJPY", "XAUUSD")
HOURS = 16
"""From Tuesday 08:00 UTC over the rollover at 22:00 to midnight."""


class Day:
    """A restless trader: seeded by the ticks, opens with and without stops, closes in parts."""

    def __init__(self, interruptions: int, faults: Faults | None = None) -> None:
        paper = PaperAccount(is_paced=False, faults=faults or Faults())
        self.terminal = open_synthetic(Simulated(history_days=1), SYMBOLS, paper)
        self.trace = hashlib.sha256()
        self.updates: list[OrderUpdate] = []
        self.held: dict[str, tuple[str, Side, float]] = {}
        self.count = 0
        self.breaks = set(
            np.random.default_rng(interruptions).integers(0, 60_000, interruptions).tolist()
        )

    def on_tick(self, tick: Tick) -> None:
        """Trade on every 900th tick; be interrupted at random."""
        self.trace.update(msgspec.json.encode(tick))
        self.count += 1
        if tick.ts_ns >= TUESDAY_NS + HOURS * NS_PER_HOUR:
            self.terminal.player.stop()
        if self.count % 900 == 0:
            self.trade(tick)
        if self.count in self.breaks:
            self.terminal.player.pause()
            asyncio.get_running_loop().call_soon(self.terminal.player.resume)

    def trade(self, tick: Tick) -> None:
        """Every third trade closes half of something, the others open."""
        turn = self.count // 900
        if turn % 3 == 0 and self.held:
            ticket, (symbol, side, lots) = next(iter(self.held.items()))
            sent = closing(symbol, side.opposite, ticket, quantity=lots, order_id=f"c{turn}")
        else:
            side = Side.BUY if turn % 2 else Side.SELL
            distance = (tick.ask - tick.bid) * 10 if turn % 4 else 0.0
            contract = self.terminal.instruments()[tick.symbol]
            stop = contract.round_price(tick.bid - side * distance) if distance else 0.0
            sent = order(tick.symbol, side, order_id=f"o{turn}", stop_loss=stop)
        self.terminal.submit(msgspec.structs.replace(sent, ts_ns=tick.ts_ns))

    def on_order_update(self, update: OrderUpdate) -> None:
        """Remember what is open."""
        self.trace.update(msgspec.json.encode(update))
        self.updates.append(update)
        deal = update.deal
        if deal is None:
            return
        if deal.is_exit:
            self.held.pop(deal.position_ticket, None)
        else:
            self.held[deal.position_ticket] = (deal.symbol, deal.side, deal.quantity)

    def on_link(self, change: LinkChange) -> None:
        """The link is part of the story."""
        self.trace.update(msgspec.json.encode(change))

    async def play(self) -> AccountState:
        """The whole day; the account's figures at its end."""
        await self.terminal.start(self)
        await self.terminal.wait()
        account = await self.terminal.account()
        assert account is not None
        return account


@pytest.fixture(scope="module")
async def calm() -> tuple[Day, AccountState]:
    """The day without interruptions."""
    day = Day(interruptions=0)
    return day, await day.play()


async def test_the_day_adds_up(calm: tuple[Day, AccountState]) -> None:
    """Dozens of deals of every kind, and a balance that is their sum."""
    day, account = calm
    deals = [update.deal for update in day.updates if update.deal is not None]
    assert {deal.reason for deal in deals} >= {"client", "stop_loss"}
    assert {deal.symbol for deal in deals} == set(SYMBOLS)
    moved = sum((d.profit + d.commission + d.swap for d in deals), Decimal("0.00"))
    assert account.balance == Decimal("10000.00") + moved
    assert any(deal.swap for deal in deals) or any(
        one.swap for one in await day.terminal.positions() or ()
    )
    rejected = {u.reason for u in day.updates if u.kind is UpdateKind.REJECTED}
    assert rejected <= {str(reason) for reason in Refusal}


async def test_interruptions_change_nothing(calm: tuple[Day, AccountState]) -> None:
    """Two hundred pauses at random ticks give the same trace, byte for byte."""
    day, account = calm
    again = Day(interruptions=200)
    assert await again.play() == account
    assert again.trace.hexdigest() == day.trace.hexdigest()


async def test_misfortunes_are_repeatable() -> None:
    """With faults the day is another one, but the same one for the same seed."""
    faults = Faults(
        seed=3, lost_order=0.1, lost_reply=0.1, duplicate_reply=0.1, delay=0.2, partial_fill=0.2
    )
    days = [Day(interruptions=0, faults=faults) for _ in range(2)]
    for day in days:
        await day.play()
    assert days[0].trace.hexdigest() == days[1].trace.hexdigest()
    told = {update.kind for update in days[0].updates}
    assert told == set(UpdateKind) - {UpdateKind.DONE, UpdateKind.EXPIRED}
