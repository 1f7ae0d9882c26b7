"""Facts about flows: which there are, how far they have come, and what live and replay differ in.

`ts_ns` is UTC.
"""

import msgspec

from plan2.foundation.events.base import Event


class FlowRegistered(Event, frozen=True, kw_only=True, gc=False):
    """A version of a flow is kept from now on; `digest` names everything that it does."""

    name: str
    version: int
    digest: str
    symbol: str
    by: str


class FlowMoved(Event, frozen=True, kw_only=True, gc=False):
    """A version of a flow changed its state.

    `account_id`: which it trades from now on, "" = none; `evidence`: the conditions of the gate
    with their figures; `is_override`: a person passed over one that was not met.
    """

    name: str
    version: int
    from_state: str
    to_state: str
    account_id: str
    by: str
    reason: str
    evidence: tuple[str, ...]
    is_override: bool


class DifferencePart(msgspec.Struct, frozen=True, kw_only=True):
    """A trade of the live day beside that of its replay; None where there is none.

    `cause`: why they differ; `detail` in words; money in account currency.
    """

    cause: str
    detail: str
    opened_us: int
    live_net: str | None
    replay_net: str | None


class LiveComparisonMade(Event, frozen=True, kw_only=True, gc=False):
    """A day of live trading was held against its replay from recorded ticks.

    `flow`: "main" = the account's own decision. `day`: UTC, YYYY-MM-DD. `paired` trades are in
    both; `causes` counts the differences; `differences` holds the first hundred of them.
    """

    account_id: str
    flow: str
    version: int
    day: str
    live_trades: int
    replay_trades: int
    paired: int
    live_net: str
    replay_net: str
    causes: dict[str, int]
    differences: tuple[DifferencePart, ...]
