"""The loss limits of an account at work: warnings on the way to them, a halt when one is reached.

All are measured on equity, open positions included: the day's loss from the broker's midnight, the
week's from its start, the drawdown from the highest equity ever. The limit itself halts.
"""

from datetime import UTC, datetime

from plan2.foundation.config.schema import Risk
from plan2.foundation.events.account import RiskLimitBreached, RiskLimitNeared
from plan2.foundation.events.base import Event
from plan2.foundation.events.fact import fact
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.risk.state import TradingState
from plan2.intelligence.risk.switch import ACCOUNT, Switches
from plan2.intelligence.trading.chronicle import Chronicle
from plan2.intelligence.trading.portfolio import Portfolio
from plan2.intelligence.trading.summary import account_stream
from plan2.intelligence.trading.switching import RISK, Change, Switching

DAILY_LOSS = "daily_loss"
WEEKLY_LOSS = "weekly_loss"
DRAWDOWN = "drawdown"


class LossLimits:
    """Watches one account; `on_tick` costs three comparisons while all is well."""

    def __init__(
        self,
        name: tuple[str, str],
        limits: Risk,
        portfolio: Portfolio,
        switches: Switches,
        switching: Switching,
        chronicle: Chronicle,
    ) -> None:
        self._account_id, self._tenant_id = name
        self._portfolio = portfolio
        self._switches = switches
        self._switching = switching
        self._chronicle = chronicle
        self._told: set[tuple[str, float]] = set()
        self._told_day_ns = 0
        self.adopt(limits)

    def adopt(self, limits: Risk) -> None:
        """Watch other limits from now on; warnings of the old ones may be given again."""
        self._shares = tuple(sorted({*limits.warn_fractions, 1.0}))
        self._limits = {
            DAILY_LOSS: limits.daily_loss_max_fraction,
            WEEKLY_LOSS: limits.weekly_loss_max_fraction,
            DRAWDOWN: limits.drawdown_max_fraction,
        }
        first = self._shares[0]
        self._quiet_loss = first * limits.daily_loss_max_fraction
        self._quiet_week = first * limits.weekly_loss_max_fraction
        self._quiet_fall = first * limits.drawdown_max_fraction
        self._told.clear()

    def on_tick(self, ts_ns: int) -> None:
        """Look at the figures as the portfolio was last marked; market time."""
        portfolio = self._portfolio
        if (
            portfolio.day_loss < self._quiet_loss
            and portfolio.week_loss < self._quiet_week
            and portfolio.drawdown < self._quiet_fall
        ):
            return
        if portfolio.marks.day_end_ns != self._told_day_ns:
            self._told_day_ns = portfolio.marks.day_end_ns
            self._told.clear()
        for rule, fall in self._falls():
            if fall >= self._limits[rule]:
                self._halt(rule, fall, ts_ns)
            else:
                self._warn(rule, fall, ts_ns)

    def holds(self) -> str:
        """Why trading cannot be resumed yet, with the time when that ends; empty when it can."""
        for rule, fall in self._falls():
            if fall >= self._limits[rule]:
                return self._sentence(rule, fall)
        return ""

    def _falls(self) -> tuple[tuple[str, float], ...]:
        portfolio = self._portfolio
        return (
            (DAILY_LOSS, portfolio.day_loss),
            (WEEKLY_LOSS, portfolio.week_loss),
            (DRAWDOWN, portfolio.drawdown),
        )

    def _halt(self, rule: str, fall: float, ts_ns: int) -> None:
        if self._switches.at(ACCOUNT) is TradingState.HALTED:
            return
        breach = RiskLimitBreached(
            ts_ns=ts_ns,
            rule_id=rule,
            account_id=self._account_id,
            tenant_id=self._tenant_id,
            current_value=fall,
            threshold=self._limits[rule],
            action="halt",
        )
        reason = self._sentence(rule, fall)
        change = Change(state=TradingState.HALTED, ts_ns=ts_ns, actor=RISK, reason=reason)
        self._switching.throw(change, [breach])

    def _warn(self, rule: str, fall: float, ts_ns: int) -> None:
        """Write each share down once a broker day; the highest that is reached is enough."""
        limit = self._limits[rule]
        reached = [share for share in self._shares if fall >= share * limit]
        if not reached or (rule, reached[-1]) in self._told:
            return
        self._told.update((rule, share) for share in reached)
        self._record(
            RiskLimitNeared(
                ts_ns=ts_ns,
                rule_id=rule,
                account_id=self._account_id,
                tenant_id=self._tenant_id,
                current_value=fall,
                threshold=limit,
                share=reached[-1],
            )
        )

    def _sentence(self, rule: str, fall: float) -> str:
        until = "counts until equity is back above it or the limit is changed"
        if rule in {DAILY_LOSS, WEEKLY_LOSS}:
            marks = self._portfolio.marks
            end_ns = marks.day_end_ns if rule == DAILY_LOSS else marks.week_end_ns
            end_s = end_ns // NS_PER_SECOND
            until = f"counts until {datetime.fromtimestamp(end_s, UTC):%Y-%m-%d %H:%M} UTC"
        return f"{rule} {fall:.4f} ≥ {self._limits[rule]:g}, {until}"

    def _record(self, event: Event) -> None:
        self._chronicle.record(fact(account_stream(self._account_id), event, repr(event)))
