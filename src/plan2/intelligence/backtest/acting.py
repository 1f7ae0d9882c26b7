"""From a flow's signal to requests: what is asked of the account, compiled."""

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.backtest.account.records import Account
from plan2.intelligence.backtest.account.requests import enter, leave
from plan2.intelligence.backtest.account.sizing import lots_for_risk, lots_in_steps
from plan2.intelligence.features.kernels import kernel
from plan2.intelligence.flows.moment import EXIT_LONG, EXIT_SHORT, LONG, SHORT
from plan2.intelligence.flows.words import BARS, ENTERED, GAP, LOTS, POSITIONS, REVERSE, RISK, SCALE

SENT = 0


@kernel
def in_points(distance: float, scale: float) -> int:
    """A distance in whole points; −1 for what is no distance."""
    return int(distance * scale + 0.5) if distance >= 0.0 else -1


@kernel
def set_exits(account: Account, o: Float64Array, scale: float) -> bool:
    """Write the exits of the next entry; false when a distance is negative or not defined."""
    exits = account.exits
    exits.stop = in_points(o[0], scale)
    exits.target = in_points(o[1], scale)
    exits.trailing = in_points(o[2], scale)
    exits.trailing_step = in_points(o[3], scale)
    exits.break_even_offset = in_points(o[4], scale)
    lowest = min(min(exits.stop, exits.target), min(exits.trailing, exits.trailing_step))
    return min(lowest, exits.break_even_offset) >= 0


@kernel
def lots_of(account: Account, s: Float64Array) -> int:
    """Lots of the entry in steps: fixed, or what risks the share of equity at the stop."""
    if s[RISK] > 0.0:
        return lots_for_risk(account, s[RISK], account.exits.stop)
    return lots_in_steps(account, s[LOTS])


@kernel
def side_of(signal: int) -> int:
    """The side that a signal wants to enter: +1, −1, or 0 for neither, both, or one it leaves."""
    wants_long = signal & LONG != 0 and signal & EXIT_LONG == 0
    wants_short = signal & SHORT != 0 and signal & EXIT_SHORT == 0
    if wants_long == wants_short:
        return 0
    return 1 if wants_long else -1


@kernel
def act(account: Account, s: Float64Array, w: Int64Array, o: Float64Array, signal: int) -> None:
    """Ask for what a signal wants; nothing while a request is under way."""
    if account.waiting > 0:
        return
    if signal & EXIT_LONG and account.aim_longs != 0:
        leave(account, 1)
    if signal & EXIT_SHORT and account.aim_shorts != 0:
        leave(account, -1)
    side = side_of(signal)
    if side == 0 or w[BARS] - w[ENTERED] < w[GAP]:
        return
    held = account.aim * side
    if held > 0 and (w[POSITIONS] == 1 or account.held >= w[POSITIONS]):
        return
    if held < 0 and w[REVERSE] == 0:
        return
    if not set_exits(account, o, s[SCALE]):
        return
    if held < 0:
        leave(account, -side)
    if enter(account, side, lots_of(account, s)) == SENT:
        w[ENTERED] = w[BARS]
