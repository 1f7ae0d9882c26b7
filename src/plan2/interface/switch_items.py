"""What REST says of the trading switches; mirrored by the web app's types.

Times are integer microseconds UTC (market time).
"""

import msgspec

from plan2.intelligence.trading.control import AccountSwitches
from plan2.interface.screen import to_us


class SwitchItem(msgspec.Struct, frozen=True, kw_only=True):
    """A switch as it was last thrown; `target` names the symbol or flow of those scopes."""

    scope: str
    target: str
    state: str
    actor: str
    reason: str
    at_us: int


class KillItem(msgspec.Struct, frozen=True, kw_only=True):
    """A kill that is not finished: the terminal has not shown everything flat yet."""

    scope: str
    target: str
    actor: str
    reason: str
    begun_us: int
    closes_foreign: bool


class AccountSwitchesItem(msgspec.Struct, frozen=True, kw_only=True):
    """How one account stands; `holds` says why it cannot be resumed yet, empty when it can.

    `needs_mode` is true when resuming it has to name its mode: it holds somebody's money.
    """

    account_id: str
    trading_state: str
    mode: str
    armed_mode: str
    needs_mode: bool
    holds: str
    switches: list[SwitchItem]
    kills: list[KillItem]


class TradingItem(msgspec.Struct, frozen=True, kw_only=True):
    """Every account of this process."""

    accounts: list[AccountSwitchesItem]


def item_of(account: AccountSwitches) -> AccountSwitchesItem:
    """An account's switches as REST says them."""
    return AccountSwitchesItem(
        account_id=account.account_id,
        trading_state=account.state.word,
        mode=account.mode,
        armed_mode=account.armed_mode,
        needs_mode=account.needs_mode,
        holds=account.holds,
        switches=[
            SwitchItem(
                scope=switch.where.scope.value,
                target=switch.where.target,
                state=switch.state.word,
                actor=switch.actor,
                reason=switch.reason,
                at_us=to_us(switch.ts_ns),
            )
            for switch in account.switches
        ],
        kills=[
            KillItem(
                scope=kill.scope,
                target=kill.target,
                actor=kill.actor,
                reason=kill.reason,
                begun_us=to_us(kill.ts_ns),
                closes_foreign=kill.closes_foreign,
            )
            for kill in account.kills
        ],
    )
