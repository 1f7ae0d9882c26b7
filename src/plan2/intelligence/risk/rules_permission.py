"""Rules on whether anything may be traded now: switches, link, books, mode, permission."""

from plan2.foundation.config.schema import Risk
from plan2.intelligence.risk.limits import RiskInputs
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.verdicts import at_least, at_most, equal


def trading_state(inputs: RiskInputs, _: Risk) -> Check:
    """Every switch that bears on the order is armed: 0 (1 paused, 2 halted, 3 reduce-only)."""
    return at_most("trading_state", inputs.account.trading_state, float(TradingState.ARMED))


def link_up(inputs: RiskInputs, _: Risk) -> Check:
    """The terminal answers and may trade (1 = yes)."""
    return at_least("link_up", inputs.account.link_up, 1.0)


def books_agree(inputs: RiskInputs, _: Risk) -> Check:
    """Our books and the broker's agreed when they were last compared (1 = yes)."""
    return at_least("books_agree", inputs.account.books_agree, 1.0)


def account_mode(inputs: RiskInputs, _: Risk) -> Check:
    """The account is of the mode it was armed for (`AccountMode`; unknown counts as real, 4)."""
    return equal("account_mode", inputs.account.account_mode, inputs.account.armed_mode)


def symbol_permitted(inputs: RiskInputs, _: Risk) -> Check:
    """The symbol is on the account's list (1 = yes)."""
    return at_least("symbol_permitted", inputs.account.symbol_permitted, 1.0)


def symbol_blocked(inputs: RiskInputs, _: Risk) -> Check:
    """No order of this symbol has an unknown outcome."""
    return at_most("symbol_blocked", inputs.account.symbol_blocked, 0.0)


def symbol_disputed(inputs: RiskInputs, _: Risk) -> Check:
    """The broker's account of this symbol does not contradict ours (0 = it does not)."""
    return at_most("symbol_disputed", inputs.account.symbol_disputed, 0.0)
