"""From a flow's signal to requests: what is asked of the account, compiled."""

import functools
import hashlib
import math
from pathlib import Path

from plan2.foundation.values import Float64Array
from plan2.intelligence.backtest.account.codes import EVENT, NOVEL, SENT
from plan2.intelligence.backtest.account.compiled import account_fingerprint, entry
from plan2.intelligence.backtest.account.entries import Accounts
from plan2.intelligence.backtest.account.records import Account
from plan2.intelligence.backtest.account.requests import enter, leave
from plan2.intelligence.backtest.account.sizing import steps_of_entry
from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.flows.modules import flows_fingerprint
from plan2.intelligence.flows.words import EXIT_LONG, EXIT_SHORT, LONG, SHORT

SOURCES = ("acting.py", "addresses.py", "loop_source.py", "turn_source.py")


@functools.cache
def engine_fingerprint() -> str:
    """What all generated loops are made of and call: flows, account, and this package's part.

    Machine code of other sources must not be used again.
    """
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return f"{flows_fingerprint()} {account_fingerprint()} {digest.hexdigest()[:16]}"


@kernel
def in_points(distance: float, scale: float) -> int:
    """A distance in whole points; −1 for what is no distance."""
    return int(distance * scale + 0.5) if 0.0 <= distance < math.inf else -1


@kernel
def set_exits(account: Account, o: Float64Array, scale: float) -> bool:
    """Write the exits of the next entry; false when a distance is negative or not defined."""
    exits = account.exits
    exits.stop = in_points(o[0], scale)
    exits.target = in_points(o[1], scale)
    exits.trailing = in_points(o[2], scale)
    exits.trailing_step = in_points(o[3], scale)
    exits.break_even_offset = in_points(o[4], scale)
    lowest = min(exits.stop, exits.target, exits.trailing, exits.trailing_step)
    return min(lowest, exits.break_even_offset) >= 0


@kernel
def side_of(signal: int) -> int:
    """The side that a signal wants to enter: +1, −1, or 0 for neither, both, or one it leaves."""
    wants_long = signal & LONG != 0 and signal & EXIT_LONG == 0
    wants_short = signal & SHORT != 0 and signal & EXIT_SHORT == 0
    if wants_long == wants_short:
        return 0
    return 1 if wants_long else -1


@kernel
def act(  # noqa: PLR0913, PLR0917 - the flow's numbers, kept in registers by the loop
    account: Account,
    o: Float64Array,
    scale: float,
    lots: float,
    risk: float,
    reverse: int,
    positions: int,
    signal: int,
) -> bool:
    """Ask for what a signal wants, nothing while a request is under way; whether it entered.

    Lots are fixed, or those whose loss at the stop is the share `risk` of equity (see `sizing.py`).
    """
    if account.waiting > 0:
        return False
    if signal & EXIT_LONG and account.aim_longs != 0:
        leave(account, 1)
    if signal & EXIT_SHORT and account.aim_shorts != 0:
        leave(account, -1)
    side = side_of(signal)
    held = account.aim * side
    is_full = held > 0 and (positions == 1 or account.held >= positions)
    if side == 0 or is_full or (held < 0 and reverse == 0):
        return False
    if not set_exits(account, o, scale):
        return False
    if held < 0:
        leave(account, -side)
    if account.model_share <= 0.0:
        account.denials[EVENT if account.model_share < 0.0 else NOVEL] += 1
        return False
    return enter(account, side, steps_of_entry(account, side, lots, risk)) == SENT


@entry
def ask_for(  # noqa: PLR0913, PLR0917
    accounts: Accounts,
    o: Float64Array,
    scale: float,
    lots: float,
    risk: float,
    reverse: int,
    positions: int,
    signal: int,
) -> bool:
    """`act` from Python."""
    return act(accounts[0], o, scale, lots, risk, reverse, positions, signal)
