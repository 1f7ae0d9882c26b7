"""What an account's stream adds up to, for daily snapshots and questions about the past."""

import msgspec

from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.snapshots import Fold

SETTLED = "settled"
"""What was done about a difference that is over."""


class AccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An account at one instant; money as decimal strings in account currency.

    `breaches` counts loss limits reached, `differences` reconciliation differences found.
    """

    trading_state: str = "halted"
    balance: str = ""
    equity: str = ""
    peak_equity: str = ""
    margin: str = ""
    ts_ns: int = 0
    breaches: int = 0
    differences: int = 0


def apply(state: AccountSummary, event: StoredEvent) -> AccountSummary:
    """The summary after one more event of the account's stream."""
    data = event.data
    changed = msgspec.structs.replace(state, ts_ns=event.source_ts_ns)
    if event.type == "EquityRecorded":
        names = ("balance", "equity", "peak_equity", "margin")
        return msgspec.structs.replace(changed, **{name: data[name] for name in names})
    if event.type == "TradingStateChanged":
        return msgspec.structs.replace(changed, trading_state=data["new_state"])
    if event.type == "RiskLimitBreached":
        return msgspec.structs.replace(changed, breaches=state.breaches + 1)
    if event.type == "ReconciliationDifference" and data["action"] != SETTLED:
        return msgspec.structs.replace(changed, differences=state.differences + 1)
    return changed


SUMMARY = Fold(AccountSummary, 1, AccountSummary(), apply)
"""How an account's events become its summary; raise the version when the meaning changes."""


def account_stream(account_id: str) -> str:
    """The stream of an account's own facts."""
    return f"account:{account_id}"
