"""Before a remote terminal is started: whose account it is, and which ticks are known already."""

import asyncio

import msgspec
import numpy as np
import pytest
from virtual_time import run_virtual

from plan2.connectivity.channels.channel import ChannelClosed, CloseCode
from plan2.connectivity.channels.memory import MemoryChannel, channel_pair
from plan2.dataflow.terminals.remote.known_past import KnownPast
from plan2.dataflow.terminals.remote.peer import RemoteOptions
from plan2.dataflow.terminals.remote.protocol import AccountName, Ask, Resume, Ticks
from plan2.dataflow.terminals.remote.questions import AskHistory
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.values import NS_PER_HOUR, TickBlock
from remote_world import Ear, HandHost, LoopClock


def block(*times_ns: int) -> TickBlock:
    """Ticks of EURUSD at these times."""
    return TickBlock(
        "EURUSD",
        np.array(times_ns, np.int64),
        np.full(len(times_ns), 1.1),
        np.full(len(times_ns), 1.2),
    )


async def closed(channel: MemoryChannel) -> int:
    """The code that a channel was closed with."""
    try:
        while True:
            await channel.receive()
    except ChannelClosed as end:
        return end.code


def test_what_is_known_ends_with_the_first_newer_tick_of_a_symbol() -> None:
    """Same instant, higher number: newer. Another symbol: not known. Afterwards nothing is kept."""
    past = KnownPast()
    past.note(block(1, 5, 7, 7))
    past.note(block())
    past.note(block(3))
    assert past.holds("EURUSD", 5, 0)
    assert past.holds("EURUSD", 7, 1)
    assert not past.holds("USDJPY", 1, 0)
    assert not past.holds("EURUSD", 7, 2)
    assert not past
    assert not past.holds("EURUSD", 5, 0)


def test_ticks_of_the_history_are_not_told_again() -> None:
    """The host kept ticks since it connected; those in the history asked before are left out."""

    async def story() -> None:
        terminal, ear = RemoteTerminal("remote", LoopClock()), Ear()
        ours, theirs = channel_pair(64)
        attached = asyncio.create_task(terminal.attach(ours))
        host = HandHost(theirs)
        await host.greet()
        await terminal.wait_ready(10)
        asking = asyncio.create_task(terminal.history("EURUSD", 0, NS_PER_HOUR))
        await host.until(Ask, 3)
        asked = host.of(Ask)[-1]
        assert isinstance(asked.question, AskHistory)
        await host.answer(asked.request_id, block(10, 20, 20))
        assert len(await asking) == 3
        await terminal.start(ear)
        await host.until(Resume)
        rows = ((0, 20, 1.1, 1.2, 0), (1, 15, 1.1, 1.2, 0), (0, 20, 1.1, 1.2, 1))
        newer = ((0, 20, 1.1, 1.2, 2), (0, 30, 1.1, 1.2, 0))
        await host.say(Ticks(("EURUSD", "USDJPY"), (*rows, *newer), ()))
        await ear.until(lambda: len(ear.ticks) == 3)
        told = [(tick.symbol, tick.ts_ns, tick.seq) for tick in ear.ticks]
        assert told == [("USDJPY", 15, 0), ("EURUSD", 20, 2), ("EURUSD", 30, 0)]
        await terminal.stop()
        await attached

    run_virtual(story())


def test_another_account_is_turned_away_before_anything_is_learned_of_it() -> None:
    """Its hello did not tell it yet: the first answer does, and the link ends as forbidden."""

    async def story() -> None:
        expected = AccountName(login="7000007")
        terminal = RemoteTerminal("remote", LoopClock(), RemoteOptions(account=expected))
        ours, theirs = channel_pair(64)
        attached = asyncio.create_task(terminal.attach(ours))
        host = HandHost(theirs)
        await host.greet(account=AccountName())
        with pytest.raises(TerminalUnavailable, match="another account"):
            await terminal.wait_ready(5)
        assert "expected is" in terminal.refusal
        assert terminal.instruments() == {}
        assert "another account" in await attached
        assert await closed(theirs) == CloseCode.FORBIDDEN

    run_virtual(story())


def test_contract_data_are_told_as_they_are_now_and_stay_the_same_object_else() -> None:
    """Asked again while the link is up; a listener that compares by identity sees no change."""

    async def story() -> None:
        terminal, ear = RemoteTerminal("remote", LoopClock()), Ear()
        ours, theirs = channel_pair(64)
        attached = asyncio.create_task(terminal.attach(ours))
        host = HandHost(theirs)
        await host.greet()
        await terminal.wait_ready(10)
        await terminal.start(ear)
        known = terminal.instruments()["EURUSD"]
        await terminal.wait_ready(10)
        assert terminal.instruments()["EURUSD"] is known
        host.contract = msgspec.structs.replace(known, stops_level_points=20)
        await terminal.wait_ready(10)
        assert terminal.instruments() == {"EURUSD": host.contract}
        await terminal.stop()
        await attached

    run_virtual(story())
