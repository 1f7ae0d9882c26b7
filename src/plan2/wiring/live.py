"""Opens a broker's account: MetaTrader 5 on this machine, or on another one that connects to us.

What the broker told of an account the first time (currency, balance, since when) is kept in
`<data_dir>/live/<account>.json` together with the last known contract data, so that a start without
a connection can show the books; trading waits for the connection in any case.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from plan2.dataflow.terminals.port import AccountState
from plan2.dataflow.terminals.remote.local_host import LocalHost
from plan2.dataflow.terminals.remote.peer import RemoteOptions
from plan2.dataflow.terminals.remote.protocol import AccountName
from plan2.dataflow.terminals.remote.terminal import RemoteTerminal
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.instrument import Instrument
from plan2.wiring.live_account import (
    FOLDER,
    LiveAccount,
    read_account,
    renewed,
    write_account,
)
from plan2.wiring.markets import Market
from plan2.wiring.mt5_host import errand_of

LIVE = "live"

T = TypeVar("T")

Say = Callable[[str], None]
LetIn = Callable[[RemoteTerminal], AbstractAsyncContextManager[None]]
"""Keeps the door open for hosts on other machines."""


class LiveMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A broker's account; `hosting` keeps MetaTrader's process on this machine, if it is here.

    It ends by itself only with an error that a person must settle.
    """

    market: Market
    terminal: RemoteTerminal
    hosting: asyncio.Task[None] | None


@asynccontextmanager
async def open_live(
    settings: Settings, folder: Path, let_in: LetIn, say: Say
) -> AsyncIterator[LiveMarket]:
    """Connect, learn the account, and hand out a market whose terminal is not started yet.

    A terminal on another machine may be away for days: once its account is known, nobody waits for
    it here, and the market is started when it connects.

    MetaTrader on this machine runs in a child process for as long as the context is open, or until
    only a person can settle what is wrong.

    Raises:
        ConfigError: another account than configured or known; or nothing can ever connect.
        TerminalUnavailable: nothing connected in time and nothing is known from before.
    """
    name, kept_at = settings.terminal.account, folder / FOLDER / f"{settings.terminal.account}.json"
    known = read_account(kept_at)
    terminal = RemoteTerminal(name, LiveClock(), RemoteOptions(account=_expected(settings, known)))
    async with AsyncExitStack() as stack:
        hosting: asyncio.Task[None] | None = None
        if settings.terminal.kind == "mt5":
            host = _local_host(terminal, settings, folder)
            hosting = await stack.enter_async_context(_running(host.run()))
        else:
            await stack.enter_async_context(let_in(terminal))
        if known is not None and hosting is None:
            say(f"Starting without the terminal of {name}; nothing is traded until it connects.")
            market = _market(settings, folder, terminal, known)
            market = msgspec.structs.replace(
                market, wait_start=_later(terminal, settings, known, kept_at)
            )
        else:
            meeting = _running(_meet(terminal, settings, known, say))
            known = await _unless_ended(await stack.enter_async_context(meeting), hosting)
            write_account(kept_at, known)
            market = _market(settings, folder, terminal, known)
        yield LiveMarket(market=market, terminal=terminal, hosting=hosting)


@asynccontextmanager
async def _running(work: Coroutine[None, None, T]) -> AsyncIterator[asyncio.Task[T]]:
    """A task that ends with the context at the latest."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _market(
    settings: Settings, folder: Path, terminal: RemoteTerminal, known: LiveAccount
) -> Market:
    async def wait_end() -> bool:
        await asyncio.Event().wait()
        return False

    return Market(
        mode=LIVE,
        label=f"LIVE account {known.login} at {known.server}: {known.mode.upper()}",
        account_id=settings.terminal.account,
        currency=known.currency,
        start_balance=Decimal(known.start_balance),
        symbols=tuple(known.instruments),
        home=folder,
        terminal=terminal,
        instruments=known.instruments,
        earlier=list(known.earlier),
        clock=LiveClock(),
        wait_end=wait_end,
        since_ns=known.since_ns,
        identity=f"live {known.server}",
    )


async def _unless_ended(
    meeting: asyncio.Task[LiveAccount], hosting: asyncio.Task[None] | None
) -> LiveAccount:
    """The account as soon as it is known; a host that gives up ends the wait with its reason."""
    if hosting is not None:
        await asyncio.wait({meeting, hosting}, return_when=asyncio.FIRST_COMPLETED)
        if hosting.done():
            await hosting
    return await meeting


async def _meet(
    terminal: RemoteTerminal, settings: Settings, known: LiveAccount | None, say: Say
) -> LiveAccount:
    """Wait for the terminal; with an account known from before, a start goes on without it."""
    deadline_s = float(settings.terminal.start_deadline_s)
    where = "on this machine" if settings.terminal.kind == "mt5" else "to connect to us"
    say(f"Waiting for the terminal {where} (up to {deadline_s:.0f} s) …")
    try:
        account = await terminal.wait_ready(deadline_s)
    except TerminalUnavailable as error:
        if known is None:
            raise
        say(f"{error.message}. Starting without it; nothing is traded until it connects.")
        return known
    return _learned(settings, known, account, terminal.instruments())


def _later(
    terminal: RemoteTerminal, settings: Settings, known: LiveAccount, kept_at: Path
) -> Callable[[], Awaitable[None]]:
    """Waits for the terminal of a known account; raises ConfigError when a symbol is gone."""

    async def wait() -> None:
        account = await terminal.wait_ready(None)
        write_account(kept_at, _learned(settings, known, account, terminal.instruments()))

    return wait


def _learned(
    settings: Settings,
    known: LiveAccount | None,
    account: AccountState,
    instruments: dict[str, Instrument],
) -> LiveAccount:
    missing = [symbol for symbol in settings.market.symbols if symbol not in instruments]
    if missing:
        raise ConfigError(
            f"The terminal does not offer {', '.join(missing)}.",
            remedy="Take them out of market.symbols, or name them in mt5.symbol_names.",
        )
    if known is None:
        return LiveAccount(
            login=account.login,
            server=account.server,
            mode=account.mode,
            currency=account.currency,
            start_balance=str(account.balance),
            since_ns=LiveClock().now_ns(),
            instruments=instruments,
        )
    known = renewed(known, instruments, LiveClock().now_ns())
    return msgspec.structs.replace(known, mode=account.mode)


def _expected(settings: Settings, known: LiveAccount | None) -> AccountName:
    """The configured account, and where that is silent the one that was traded before."""
    mt5 = settings.mt5
    login = str(mt5.login) if mt5.login else ""
    if known is not None and (
        (login and login != known.login) or (mt5.server and mt5.server != known.server)
    ):
        raise ConfigError(
            f"Account {settings.terminal.account} is {known.login} at {known.server}; configured "
            f"are mt5.login = {mt5.login} and mt5.server = {mt5.server!r}.",
            remedy="Give the other account a name of its own: terminal.account.",
        )
    return AccountName(
        login=login or (known.login if known else ""),
        server=mt5.server or (known.server if known else ""),
        mode=mt5.mode,
    )


def _local_host(terminal: RemoteTerminal, settings: Settings, folder: Path) -> LocalHost:
    errand = errand_of(settings, folder / FOLDER / settings.terminal.account)
    argv = (sys.executable, "-m", "plan2", "terminal", "--local")
    return LocalHost(terminal, argv, msgspec.json.encode(errand), np.random.default_rng())
