"""The terminal port over a link to a host in another process, on this machine or another.

`attach` gives it a link; links may come and go. Ticks and updates reach the listener on the loop's
thread, in the order in which the host sent them.
"""

import asyncio
from typing import Any, Final

from plan2.connectivity.channels.channel import Channel
from plan2.dataflow.terminals.port import (
    AccountState,
    ApprovedOrder,
    Deal,
    TerminalListener,
    TerminalOrder,
    TerminalPosition,
    Trace,
)
from plan2.dataflow.terminals.remote.host_link import HostLink
from plan2.dataflow.terminals.remote.peer import RemoteOptions, RemoteStatus
from plan2.dataflow.terminals.remote.questions import (
    AskAccount,
    AskDeals,
    AskHistory,
    AskInstruments,
    AskOrders,
    AskPositions,
    AskTrace,
    Question,
)
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.clock import Clock
from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_HOUR, TickBlock

HISTORY_AT_ONCE: Final = 4
"""Slices of history that are asked for together; an order waits for the one that runs."""
READY_EVERY_S: Final = 0.25


class RemoteTerminal:
    """A terminal whose host runs elsewhere.

    Args:
        name: of the terminal.
        clock: wall clock of this machine.
        options: what is expected of the host.
    """

    def __init__(self, name: str, clock: Clock, options: RemoteOptions | None = None) -> None:
        self.name = name
        self._options = options or RemoteOptions()
        self._link = HostLink(name, clock, self._options)

    async def attach(self, channel: Channel) -> str:
        """Serve a link until it ends; a newer one takes the place of an older.

        Returns:
            Why it ended.
        """
        return await self._link.attach(channel)

    async def start(self, listener: TerminalListener) -> None:
        """Deliver to `listener` from now on; its first word is how the link is, UP or not."""
        self._link.start(listener)

    async def stop(self) -> None:
        """Let go of the host; orders without an answer get UNKNOWN first. Repeating is harmless."""
        await self._link.stop()

    def submit(self, order: ApprovedOrder) -> None:
        """Hand the order to the link; an answer comes in any case, at the latest as UNKNOWN.

        Raises:
            TerminalUnavailable: not connected, or too many orders wait; it was not sent.
        """
        self._link.submit(order)

    def instruments(self) -> dict[str, Instrument]:
        """Contract data of every symbol, as last told; empty before the first link."""
        return dict(self._link.instruments)

    def explain(self, reason: str) -> None:
        """Why there is no host at the moment, from whoever has to bring one."""
        self._link.explain(reason)

    @property
    def refusal(self) -> str:
        """Why the last host was turned away as not the expected one; empty when none was."""
        return self._link.refusal

    def status(self) -> RemoteStatus:
        """How the link is, for people."""
        return self._link.status()

    async def wait_ready(self, timeout_s: float | None) -> AccountState:
        """The account, once a host has connected, verified it and told its symbols as they are now.

        Raises:
            TerminalUnavailable: not within `timeout_s` (None: however long it takes); the message
                says what is missing.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while (account := await self._verified()) is None:  # noqa: ASYNC110 - asks anew
                    await asyncio.sleep(READY_EVERY_S)
                return account
        except TimeoutError as error:
            reason = self._link.judge()[1]
            raise TerminalUnavailable(
                f"terminal {self.name} is not ready after {timeout_s:.0f} s: {reason}"
            ) from error

    async def account(self) -> AccountState | None:
        """The account's figures, or None when the host could not be asked."""
        answer: AccountState | None = await self._ask(AskAccount())
        return answer

    async def positions(self) -> tuple[TerminalPosition, ...] | None:
        """All open positions, or None when the host could not be asked."""
        answer: tuple[TerminalPosition, ...] | None = await self._ask(AskPositions())
        return answer

    async def orders(self) -> tuple[TerminalOrder, ...] | None:
        """All working pending orders, or None when the host could not be asked."""
        answer: tuple[TerminalOrder, ...] | None = await self._ask(AskOrders())
        return answer

    async def deals(self, since_ts_ns: int) -> tuple[Deal, ...] | None:
        """All deals at or after a time, or None when the host could not be asked."""
        answer: tuple[Deal, ...] | None = await self._ask(AskDeals(since_ts_ns))
        return answer

    async def trace(self, token: str) -> Trace | None:
        """What became of the order that carried `token`; None while that cannot be told."""
        answer: Trace | None = await self._ask(AskTrace(token))
        return answer

    async def history(self, symbol: str, start_ts_ns: int, end_ts_ns: int) -> TickBlock:
        """Ticks with start ≤ time < end, asked for in slices, `history_max_days` back at most.

        What is asked for before `start` is not delivered a second time after it.

        Raises:
            TerminalUnavailable: the host could not be asked for a part of it.
        """
        hours = self._options.history_slice_hours
        oldest_ns = end_ts_ns - self._options.history_max_days * 24 * NS_PER_HOUR
        start_ts_ns = max(start_ts_ns, oldest_ns)
        slices = [
            AskHistory(symbol, begin_ns, min(begin_ns + hours * NS_PER_HOUR, end_ts_ns))
            for begin_ns in range(start_ts_ns, end_ts_ns, hours * NS_PER_HOUR)
        ]
        parts: list[TickBlock] = []
        for first in range(0, len(slices), HISTORY_AT_ONCE):
            asked = slices[first : first + HISTORY_AT_ONCE]
            patience_s = self._options.history_answer_s * len(asked)
            answers = await asyncio.gather(*(self._link.ask(each, patience_s) for each in asked))
            if any(answer is None for answer in answers):
                raise TerminalUnavailable(
                    f"terminal {self.name} could not be asked for the history of {symbol}"
                )
            parts += [answer for answer in answers if len(answer)]
        found = join_ticks(symbol, parts)
        self._link.note_past(found)
        return found

    async def _ask(self, question: Question) -> Any:  # the question decides what comes back
        """Ask until stopped; None afterwards."""
        if self._link.is_stopped:
            return None
        return await self._link.ask(question, self._options.answer_s)

    async def _verified(self) -> AccountState | None:
        """The account when it is the expected one and the symbols are known, else None."""
        patience_s = self._options.answer_s
        account: AccountState | None = await self._link.ask(AskAccount(), patience_s)
        if account is None or not await self._link.is_expected(account):
            return None
        told: dict[str, Instrument] | None = await self._link.ask(AskInstruments(), patience_s)
        if told and told != self._link.instruments:
            self._link.instruments = told
        return account if self._link.instruments else None
