"""Whatever is paid in or out and whenever: the loss measures are those of the same results alone.

The expected values are those of an account without any payment that had the same results as shares
of its equity: a time-weighted return does not know payments.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_fixtures import EURUSD, tick

from plan2.foundation.events.account import BalanceAdjusted
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.positions import PositionBook
from plan2.intelligence.trading.rates import Rates

HOUR_S = 3_600
START = Decimal(10_000)

shares = st.decimals("-0.2", "0.2", places=4)
payments = st.decimals("-0.9", "9", places=4).filter(bool)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("result"), shares),
        st.tuples(st.just("payment"), payments),
    ),
    max_size=30,
)


class Account:
    """An account without open positions that hears of results and payments."""

    def __init__(self) -> None:
        self._book = PositionBook()
        self._rates = Rates("USD", {"EURUSD": EURUSD})
        self.portfolio = Portfolio(START, self._book, {"EURUSD": EURUSD})
        self.look(0)

    def result(self, share: Decimal) -> None:
        """Win or lose a share of the equity."""
        self._adjust(self.portfolio.equity * share, is_result=True)

    def pay(self, share: Decimal) -> None:
        """Pay in, or take out, a share of the equity."""
        self._adjust(self.portfolio.equity * share, is_result=False)

    def look(self, after_s: float) -> None:
        """Take in a quote."""
        self.portfolio.mark(tick(after_s=after_s), self._rates)

    @property
    def losses(self) -> tuple[float, float, float]:
        """Of day, week and from the peak."""
        return self.portfolio.day_loss, self.portfolio.week_loss, self.portfolio.drawdown

    def _adjust(self, amount: Decimal, *, is_result: bool) -> None:
        event = BalanceAdjusted(
            ts_ns=0,
            account_id="a",
            tenant_id="t",
            amount=str(amount),
            balance="",
            reason="",
            equity=str(self.portfolio.equity),
            is_result=is_result,
        )
        self._book.apply(event)
        self.portfolio.pay(event)


@given(steps)
def test_payments_change_no_measure_of_loss(told: list[tuple[str, Decimal]]) -> None:
    """Day, week, drawdown and the days' returns over any mixture of results and payments."""
    paid, quiet = Account(), Account()
    for turn, (kind, share) in enumerate(told, 1):
        if kind == "payment":
            before = paid.losses
            paid.pay(share)
            assert paid.losses == pytest.approx(before, abs=1e-9)
        else:
            paid.result(share)
            quiet.result(share)
        for account in (paid, quiet):
            account.look(turn * 5 * HOUR_S)
        assert paid.losses == pytest.approx(quiet.losses, abs=1e-7)
    returns = [list(account.portfolio.daily_returns) for account in (paid, quiet)]
    assert returns[0] == pytest.approx(returns[1], abs=1e-7)


@given(st.lists(st.decimals("-5000", "100000", places=2), max_size=20))
def test_the_days_profit_is_never_money_that_was_paid(amounts: list[Decimal]) -> None:
    """Equity is what was won plus all that was paid, to the cent, whatever the order."""
    account = Account()
    account.result(Decimal("0.0123"))
    for amount in amounts:
        equity = account.portfolio.equity
        if equity + amount > 0 and amount:
            account.pay(amount / equity)
    account.look(1)
    assert account.portfolio.day_profit == pytest.approx(Decimal(123), abs=Decimal("1e-9"))
