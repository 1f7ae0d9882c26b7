"""The account from Python: one compiled call each, for tests and for policies written in Python."""

import numpy as np
import numpy.typing as npt

from plan2.intelligence.backtest.account import quotes, requests, sizing, valuation
from plan2.intelligence.backtest.account.compiled import entry

Accounts = npt.NDArray[np.void]
"""ACCOUNT[1], as `open_account` makes it."""


@entry
def quote_entry(accounts: Accounts, ts_ns: int, bid: int, ask: int) -> int:
    """A quote in points; see `quotes.quote`."""
    return quotes.quote(accounts[0], ts_ns, bid, ask)


@entry
def enter_entry(accounts: Accounts, side: int, lots: int) -> int:
    """See `requests.enter`."""
    return requests.enter(accounts[0], side, lots)


@entry
def leave_entry(accounts: Accounts, side: int) -> int:
    """See `requests.leave`."""
    return requests.leave(accounts[0], side)


@entry
def close_entry(accounts: Accounts, ticket: int, lots: int, reason: int) -> int:
    """See `requests.close`."""
    return requests.close(accounts[0], ticket, lots, reason)


@entry
def close_by_entry(accounts: Accounts, ticket: int, opposite: int) -> int:
    """See `requests.close_by`."""
    return requests.close_by(accounts[0], ticket, opposite)


@entry
def finish_entry(accounts: Accounts) -> int:
    """See `quotes.finish`."""
    return quotes.finish(accounts[0])


@entry
def lots_entry(accounts: Accounts, lots: float) -> int:
    """See `sizing.lots_in_steps`."""
    return sizing.lots_in_steps(accounts[0], lots)


@entry
def risk_entry(accounts: Accounts, fraction: float, stop: int) -> int:
    """See `sizing.lots_for_risk`."""
    return sizing.lots_for_risk(accounts[0], fraction, stop)


@entry
def equity_entry(accounts: Accounts) -> int:
    """See `valuation.equity_now`."""
    return valuation.equity_now(accounts[0])


@entry
def margin_entry(accounts: Accounts) -> int:
    """See `valuation.margin_now`."""
    return valuation.margin_now(accounts[0])
