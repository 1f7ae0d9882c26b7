"""Facts about accounts and risk."""

from plan2.foundation.events.base import Event


class EquityRecorded(Event, frozen=True, kw_only=True, gc=False):
    """Balance and equity of an account, decimal strings in account currency.

    The day's start, its end and the peak are what the loss limits are measured from; they are kept
    here so that a restart does not forget them.
    """

    account_id: str
    tenant_id: str
    balance: str
    equity: str
    margin: str
    day_start_equity: str
    day_end_ns: int
    peak_equity: str


class RiskLimitBreached(Event, frozen=True, kw_only=True, gc=False):
    """A limit that stops trading was reached."""

    rule_id: str
    account_id: str
    tenant_id: str
    current_value: float
    threshold: float
    action: str


class TradingStateChanged(Event, frozen=True, kw_only=True, gc=False):
    """Trading was armed, paused, halted or resumed; says by whom and why."""

    account_id: str
    tenant_id: str
    old_state: str
    new_state: str
    actor: str
    reason: str
