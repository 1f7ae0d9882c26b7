"""Facts about accounts and risk."""

import msgspec

from plan2.foundation.events.base import Event


class FlowMark(msgspec.Struct, frozen=True, gc=False):
    """What a flow's losses are measured from: results, decimal strings in account currency."""

    day_start: str
    best: str
    day_end_ns: int


class EquityRecorded(Event, frozen=True, kw_only=True, gc=False):
    """Balance and equity of an account, decimal strings in account currency.

    The starts and ends of day and week and the peak are what the loss limits are measured from;
    they are kept here so that a restart does not forget them. The week's are empty and 0 in events
    of before it had a limit. `day_capital` is what the day's profit counts from: the day's first
    equity and what was paid in or out since; empty in events of before payments were told apart.
    `flows` are the same for each flow.
    """

    account_id: str
    tenant_id: str
    balance: str
    equity: str
    margin: str
    day_start_equity: str
    day_end_ns: int
    peak_equity: str
    week_start_equity: str = ""
    week_end_ns: int = 0
    day_capital: str = ""
    flows: dict[str, FlowMark] = msgspec.field(default_factory=dict)


class BalanceAdjusted(Event, frozen=True, kw_only=True, gc=False):
    """Money came or went by no deal of ours: deposit, withdrawal, credit, or a correction.

    `amount` is signed, `balance` the broker's figure after it, `equity` ours right before it, by
    which the measures of loss move with a payment; decimal strings, account currency. `is_result`:
    it is what a position won or lost that was closed without a deal. Events of before payments were
    told apart have no `equity`.
    """

    account_id: str
    tenant_id: str
    amount: str
    balance: str
    reason: str
    equity: str = ""
    is_result: bool = False


class RiskLimitBreached(Event, frozen=True, kw_only=True, gc=False):
    """A limit that stops trading was reached."""

    rule_id: str
    account_id: str
    tenant_id: str
    current_value: float
    threshold: float
    action: str


class TradingStateChanged(Event, frozen=True, kw_only=True, gc=False):
    """Trading was armed, paused, halted or resumed; says by whom and why.

    `scope` is account, or global, tenant, symbol or flow; `target` names the symbol or the flow.
    `mode` is the mode of account that a person armed it for; empty when none was named.
    """

    account_id: str
    tenant_id: str
    old_state: str
    new_state: str
    actor: str
    reason: str
    scope: str = "account"
    target: str = ""
    mode: str = ""


class RiskLimitNeared(Event, frozen=True, kw_only=True, gc=False):
    """A loss reached `share` of its limit (0.5 = half of it); trading goes on."""

    rule_id: str
    account_id: str
    tenant_id: str
    current_value: float
    threshold: float
    share: float


class TerminalLinkChanged(Event, frozen=True, kw_only=True, gc=False):
    """The way to an account's broker changed: up, degraded or down."""

    account_id: str
    tenant_id: str
    state: str
    reason: str


class ContractChanged(Event, frozen=True, kw_only=True, gc=False):
    """The broker changed contract data of a symbol; `before` and `after` hold those that differ.

    `is_adopted`: the account goes by them from now on. Without, the symbol has become another thing
    (its lot, its prices, its currencies), which only a start takes over.
    """

    account_id: str
    tenant_id: str
    symbol: str
    before: dict[str, str]
    after: dict[str, str]
    is_adopted: bool


class KillBegun(Event, frozen=True, kw_only=True, gc=False):
    """Somebody or something used the kill switch; it holds until the terminal shows it flat.

    Foreign orders and positions are only touched when `closes_foreign` says so.
    """

    account_id: str
    tenant_id: str
    scope: str
    target: str
    actor: str
    reason: str
    closes_foreign: bool


class KillFinished(Event, frozen=True, kw_only=True, gc=False):
    """What a kill did: orders withdrawn, positions closed, and what would not go.

    Told when all is flat, and once before when something takes long; then the kill goes on. `left`
    names foreign orders and positions that it was not asked to touch.
    """

    account_id: str
    tenant_id: str
    scope: str
    target: str
    actor: str
    reason: str
    orders_cancelled: int
    positions_closed: int
    failed: tuple[str, ...]
    unknown: tuple[str, ...]
    is_flat: bool
    left: tuple[str, ...] = ()
