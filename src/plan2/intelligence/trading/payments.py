"""Deposits and withdrawals among the measures of loss: neither a loss nor a gain.

As with the units of a fund, a payment changes what the account has and what its losses are measured
from by the same factor, so every loss stays the same share it was: the time-weighted return of the
Global Investment Performance Standards (GIPS 2020, provision 2.A.23).
"""

from decimal import Context, Decimal
from typing import Final

from plan2.foundation.events.account import BalanceAdjusted

_ROUNDING: Final = Context(prec=20)
"""Marks are kept to twenty figures: cents would lose the share."""


def is_payment(event: BalanceAdjusted) -> bool:
    """Whether it moves the measures of loss: no trade's result, nor any event of before."""
    return bool(event.equity) and not event.is_result


def growth_of(event: BalanceAdjusted) -> Decimal | None:
    """Equity after a payment, as a multiple of that before; None when there was or is none."""
    before, amount = Decimal(event.equity), Decimal(event.amount)
    if before <= 0 or before + amount <= 0:
        return None
    return (before + amount) / before


def after_payment(mark: Decimal, event: BalanceAdjusted) -> Decimal:
    """What losses are measured from after a payment; account currency.

    A share of nothing means nothing: where the account had or has no money left, the mark moves by
    the amount instead.
    """
    growth = growth_of(event)
    if growth is None:
        return mark + Decimal(event.amount)
    return _ROUNDING.multiply(mark, growth)
