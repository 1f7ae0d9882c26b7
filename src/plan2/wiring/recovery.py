"""Start-up is recovery: bring the books and the models to where the market goes on.

In this order: the journal of an earlier run is drained into the event store, the books are folded
from the account's events, features and recurrent models catch up with the market, and the broker is
asked about everything. Only then does the first tick arrive, and only if the books agree may
trading be armed.
"""

import asyncio
from collections.abc import Callable

from plan2.foundation.errors import TerminalUnavailable
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.values import NS_PER_DAY, TenantId
from plan2.intelligence.pipeline import Lane
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.trading.account import TradingAccount
from plan2.intelligence.trading.journal import FileJournal
from plan2.intelligence.trading.reconcile import rebuild
from plan2.intelligence.trading.saga import SagaBook
from plan2.intelligence.trading.stored import book_events, drain
from plan2.intelligence.warm_state import WarmState, feed_block
from plan2.wiring.assembly import Floor
from plan2.wiring.markets import Market

Say = Callable[[str], None]

WARM_UP_NS = 4 * NS_PER_DAY
"""How much history a lane without kept state is warmed up with; spans a weekend."""
PIECE_NS = NS_PER_DAY
"""A broker's history is asked for in such pieces, so that progress can be told."""
SAY_EVERY_S = 5.0
HISTORY_WITHIN_S = 120.0
"""How long a broker's terminal may take for the history of one symbol; its cache may be cold."""


async def recover_books(
    account: TradingAccount,
    journal: FileJournal,
    store: EventStore,
    tenant: TenantId,
    sagas: SagaBook | None = None,
) -> int:
    """Drain the journal and fold the account's events and sagas; returns how many events."""
    await drain(journal.open(), store, tenant)
    journal.release_all()
    account_id = account.identity.account_id
    return await rebuild(account, book_events(store, tenant, account_id), sagas)


async def warm_up(floor: Floor, market: Market, kept: WarmState, say: Say) -> None:
    """Bring every lane to the tick before the first one that will be played.

    A broker's history that cannot be had, or not in time, does not keep a start from going on: the
    features then warm up from live ticks.
    """
    now_ns = market.clock.now_ns()
    await _fill_board(floor, market, now_ns)
    for symbol, lane in floor.lanes.items():
        state = kept.load(lane, now_ns)
        start_ns = state.ts_ns if state is not None else now_ns - WARM_UP_NS
        seen = (state.ts_ns, state.seq) if state is not None else (0, -1)
        spans = _pieces(market, max(0, start_ns), now_ns)
        try:
            async with asyncio.timeout(None if market.is_paper else HISTORY_WITHIN_S):
                ticks = await _feed_history(lane, market, spans, seen, say)
        except (TerminalUnavailable, TimeoutError) as error:
            if market.is_paper:
                raise
            reason = str(error) or f"not there within {HISTORY_WITHIN_S:.0f} s"
            say(f"  {symbol}: no more history: {reason}. Features go on with live ticks.")
            continue
        ready = "ready" if lane.engine.ready else "still warming up"
        say(f"  {symbol}: {ticks:,} ticks of history, features {ready}")


async def _fill_board(floor: Floor, market: Market, now_ns: int) -> None:
    """Let every lane know the others' closes before it warms up, if its features look at them."""
    for symbol, lane in floor.lanes.items():
        board = lane.engine.requested.board if lane.engine.requested is not None else None
        if board is None:
            continue
        try:
            async with asyncio.timeout(None if market.is_paper else HISTORY_WITHIN_S):
                for span in _pieces(market, max(0, now_ns - WARM_UP_NS), now_ns):
                    board.take(await market.terminal.history(symbol, *span))
        except (TerminalUnavailable, TimeoutError):
            if market.is_paper:
                raise


async def _feed_history(
    lane: Lane, market: Market, spans: list[tuple[int, int]], seen: tuple[int, int], say: Say
) -> int:
    """Feed a lane what comes after `seen`; how many ticks there were. Slow progress is told."""
    ticks, loop = 0, asyncio.get_running_loop()
    said_s = loop.time()
    for span in spans:
        block = await market.terminal.history(lane.symbol, *span)
        feed_block(lane, block, seen)
        ticks += len(block)
        if loop.time() - said_s > SAY_EVERY_S and span is not spans[-1]:
            said_s = loop.time()
            say(f"  {lane.symbol}: {ticks:,} ticks of history so far …")
        await asyncio.sleep(0)
    return ticks


def _pieces(market: Market, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """The spans in which history is asked for; a market of our own tells all of it at once."""
    if market.is_paper:
        return [(start_ns, end_ns)]
    starts = range(start_ns, end_ns, PIECE_NS)
    return [(begin_ns, min(begin_ns + PIECE_NS, end_ns)) for begin_ns in starts]


def arm_first_time(account: TradingAccount, market: Market, folded: int) -> None:
    """A paper account arms itself once in its life; any other is armed by a person, always."""
    if market.is_paper and folded == 0:
        account.set_state(TradingState.ARMED, market.clock.now_ns(), "system", "new paper account")


def save_warm_state(floor: Floor, kept: WarmState) -> None:
    """Keep every lane's state as of its last tick; call between ticks."""
    for symbol, lane in floor.lanes.items():
        last = floor.pipeline.last_ticks.get(symbol)
        if last is not None:
            kept.save(lane, last)
