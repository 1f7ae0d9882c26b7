"""Where ticks and paper accounts meet: each tick goes to the joined accounts, then on its way."""

from typing import Protocol

from plan2.dataflow.terminals.port import LinkChange, OrderUpdate
from plan2.foundation.values import Tick
from plan2.intelligence.pipeline import Pipeline


class TickTaker(Protocol):
    """A paper account that lives on another terminal's ticks."""

    def on_tick(self, tick: Tick) -> None:
        """Do all that the quote brings about."""
        ...


class Venue:
    """Listens to the market's terminal in front of the pipeline; implements its listener."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._takers: tuple[TickTaker, ...] = ()

    def join(self, taker: TickTaker) -> None:
        """Let a paper account live on these ticks from now on."""
        self._takers = (*self._takers, taker)

    def leave(self, taker: TickTaker) -> None:
        """Let an account hear no more."""
        self._takers = tuple(each for each in self._takers if each is not taker)

    def on_tick(self, tick: Tick) -> None:
        """The broker's side first, so that an account hears of a deal before its tick."""
        for taker in self._takers:
            taker.on_tick(tick)
        self._pipeline.on_tick(tick)

    def on_order_update(self, update: OrderUpdate) -> None:
        """The market's own broker said something about an order."""
        self._pipeline.on_order_update(update)

    def on_link(self, change: LinkChange) -> None:
        """The way to the market's broker changed."""
        self._pipeline.on_link(change)
