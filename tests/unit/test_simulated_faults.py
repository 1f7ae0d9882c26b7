"""Misfortunes between terminal and broker: replies, history, quotes and the link itself."""

import asyncio

import pytest

from plan2.dataflow.terminals.port import (
    LinkChange,
    LinkState,
    OrderUpdate,
    Trace,
    Trigger,
    UpdateKind,
)
from plan2.dataflow.terminals.simulated.faults import FaultDraw, Faults, spoiled
from plan2.dataflow.terminals.simulated.opening import PaperAccount, open_recorded
from plan2.dataflow.terminals.simulated.refusals import Refusal
from plan2.foundation.config.schema import Simulated
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND, Side, Tick
from simulated_world import TUESDAY_NS, cancelling, desk, order, pending
from terminal_venue import SimulatedVenue, recorded_source

ACCEPTED, FILLED, UNKNOWN = UpdateKind.ACCEPTED, UpdateKind.FILLED, UpdateKind.UNKNOWN


def test_reordered_replies() -> None:
    """The deal is heard of before the acceptance."""
    made = desk(faults=Faults(reorder=1.0))
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.kinds() == [FILLED, ACCEPTED]


def test_late_replies_overtake_each_other() -> None:
    """The answers come two seconds after the execution; the position is there at once."""
    made = desk(faults=Faults(late_reply=1.0))
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.updates == []
    assert len(made.broker.positions()) == 1
    made.quote("USDJPY", 150.0, 150.01, after_ns=2 * NS_PER_SECOND - 1)
    assert made.updates == []
    made.quote("USDJPY", 150.0, 150.01, after_ns=1)
    assert made.kinds() == [ACCEPTED, FILLED]


def test_late_history_hides_the_deal_not_the_position() -> None:
    """Accepted, a position, but no deal and nothing to tell of the token for three seconds."""
    made = desk(faults=Faults(late_history=1.0))
    made.submit(order())
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.kinds() == [ACCEPTED]
    assert len(made.broker.positions()) == 1
    assert made.broker.deals(0) == ()
    assert made.broker.trace("token-order-1") is None
    made.quote("EURUSD", 1.10000, 1.10010, after_ns=3 * NS_PER_SECOND)
    assert made.kinds() == [ACCEPTED, FILLED]
    assert made.broker.trace("token-order-1") == Trace(deals=made.broker.deals(0), is_over=True)


def test_rejections_are_drawn_from_the_list() -> None:
    """Every order is refused for one of the reasons asked for, and leaves no trace."""
    reasons = (Refusal.REQUOTE, Refusal.LOCKED)
    made = desk(faults=Faults(rejected=1.0, rejections=reasons))
    for number in range(20):
        made.submit(order(order_id=f"o{number}"))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert set(made.reasons()) == {"requote", "locked"}
    assert made.broker.trace("token-o0") == Trace()


def test_a_lost_cancel_reply_still_ends_the_order() -> None:
    """UNKNOWN for the cancel; that the order is gone is heard all the same."""
    draws = FaultDraw(Faults(seed=4, lost_reply=0.5))
    fates = [draws.next_fate().is_reply_lost for _ in range(2)]
    assert fates == [False, True]  # the seed was chosen for this
    made = desk(faults=Faults(seed=4, lost_reply=0.5))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(pending("EURUSD", Side.BUY, Trigger.LIMIT, 1.09))
    made.quote("EURUSD", 1.10000, 1.10010)
    made.submit(cancelling("1"))
    made.quote("EURUSD", 1.10000, 1.10010)
    assert made.told()[1:] == [
        ("cancel-1", UNKNOWN, "no_reply"),
        ("pending-1", UpdateKind.CANCELLED, "withdrawn"),
    ]


def test_ticks_come_twice_and_freeze() -> None:
    """Doubled ticks follow each other; a freeze of a second swallows exactly that second."""
    heard: list[Tick] = []
    ticks = [Tick("EURUSD", TUESDAY_NS + ms * NS_PER_MS, 1.1, 1.2) for ms in range(0, 5000, 250)]
    deliver = spoiled(heard.append, Faults(duplicate_tick=1.0))
    deliver(ticks[0])
    assert heard == [ticks[0], ticks[0]]
    heard.clear()
    deliver = spoiled(heard.append, Faults(seed=1, frozen_quotes=0.3, frozen_ms=1000))
    for tick in ticks:
        deliver(tick)
    missing = [tick.ts_ns for tick in ticks if tick not in heard]
    assert 0 < len(missing) < len(ticks)
    assert len(missing) % 4 == 0 or missing[-1] == ticks[-1].ts_ns
    assert spoiled(heard.append, Faults()) == heard.append


async def begun(faults: Faults | None = None) -> SimulatedVenue:
    """A venue on recorded ticks, connected, with a quote of both symbols."""
    paper = PaperAccount(is_paced=False, faults=faults or Faults())
    venue = SimulatedVenue(open_recorded(Simulated(), recorded_source(), paper))
    await venue.begin()
    return venue


async def test_what_was_under_way_when_the_link_broke_is_unknown() -> None:
    """UNKNOWN once, then the break; it was executed, is told by trace alone, and never again."""
    venue = await begun()
    venue.send(order())
    venue.cut(LinkState.DOWN)
    assert [type(said) for said in venue.said[-2:]] == [OrderUpdate, LinkChange]
    assert venue.answers("order-1") == [UNKNOWN]
    await _market_goes_on(venue)
    venue.mend()
    trace = await venue.traced("token-order-1")
    assert (len(trace.deals), trace.is_over) == (1, True)
    await venue.pass_ticks(100)
    assert venue.answers("order-1") == [UNKNOWN]
    await venue.close()


async def test_what_the_broker_did_meanwhile_is_told_before_the_link_is_up() -> None:
    """A stop that was reached while the link was down is heard of, then UP; no tick in between."""
    venue = await begun()
    stop = round(venue.last("EURUSD").bid - 0.0003, 5)
    await venue.answered(order(stop_loss=stop))
    venue.cut(LinkState.DOWN)
    heard = len(venue.ticks)
    await _market_goes_on(venue, ticks=30_000)
    assert len(venue.ticks) == heard
    venue.mend()
    update, change = venue.said[-2:]
    assert isinstance(update, OrderUpdate)
    assert update.deal is not None
    assert update.deal.reason == "stop_loss"
    assert isinstance(change, LinkChange)
    assert await venue.positions() == ()
    await venue.close()


async def test_a_degraded_terminal_answers_from_memory() -> None:
    """The stopped position is still shown until the link is back; nothing is told of tokens."""
    venue = await begun()
    stop = round(venue.last("EURUSD").bid - 0.0003, 5)
    await venue.answered(order(stop_loss=stop))
    venue.cut(LinkState.DEGRADED)
    await _market_goes_on(venue, ticks=30_000)
    assert len(await venue.positions()) == 1
    assert len(await venue.terminal.deals(0) or ()) == 1
    assert await venue.orders() == ()
    assert (await venue.balance()) > 0
    assert await venue.terminal.trace("token-order-1") is None
    venue.mend()
    assert await venue.positions() == ()
    await venue.close()


async def test_nothing_is_sent_over_a_broken_link() -> None:
    """It raises, and the order is nowhere."""
    venue = await begun()
    for state in (LinkState.DOWN, LinkState.DEGRADED):
        venue.cut(state)
        with pytest.raises(TerminalUnavailable, match="was not sent"):
            venue.send(order())
    venue.mend()
    assert (await venue.traced("token-order-1")).is_empty
    await venue.close()


async def _market_goes_on(venue: SimulatedVenue, ticks: int = 1_000) -> None:
    """Let so many ticks pass that nobody hears."""
    player, seen = venue.simulated.player, venue.simulated.player.progress.ticks
    player.resume()
    while player.progress.ticks < seen + ticks:  # noqa: ASYNC110 - nobody hears these ticks
        await asyncio.sleep(0)
    player.pause()
