"""The account's risk as screens see it: what each limit allows and what is used of it.

The figures are those that the risk gate is given; nothing is measured here in another way.
"""

import math
from typing import Final

from plan2.foundation.values import Tick
from plan2.intelligence.risk.limits import AccountFigures
from plan2.intelligence.risk.rules_portfolio import shortfall_of, volatility_of
from plan2.intelligence.risk.stress import net_by_currency
from plan2.intelligence.trading.account import TradingAccount
from plan2.interface.risk_items import CurrencyExposure, LimitUse, RiskInfo, SymbolExposure
from plan2.interface.scenario_view import holdings_of
from plan2.interface.screen import number_or_none, to_us

HALT: Final = "halt"
DENY: Final = "deny"
FRACTION: Final = "fraction"
COUNT: Final = "count"
MINUTE_S: Final = 60


def risk_of(account: TradingAccount) -> RiskInfo:
    """The account's risk at its last quotes."""
    newest = max(account.quotes.values(), key=lambda tick: tick.ts_ns, default=None)
    currencies = _currencies(account)
    return RiskInfo(
        account_id=account.identity.account_id,
        market_us=to_us(newest.ts_ns if newest is not None else 0),
        trading_state=account.state.word,
        holds=account.losses.holds(),
        equity=str(account.portfolio.equity),
        limits=[
            *_loss_limits(account),
            *_exposure_limits(account, currencies),
            *(_measured_limits(account, newest) if newest is not None else ()),
        ],
        currencies=currencies,
        currency_limit=account.rules.risk.currency_exposure_max_fraction,
        symbols=_symbols(account),
    )


def _loss_limits(account: TradingAccount) -> list[LimitUse]:
    """What halts trading when it is reached, with the values at which a warning is given."""
    portfolio, risk = account.portfolio, account.rules.risk
    marks = portfolio.marks
    day_end_us, week_end_us = to_us(marks.day_end_ns) or None, to_us(marks.week_end_ns) or None
    watched = (
        ("daily_loss", max(0.0, portfolio.day_loss), risk.daily_loss_max_fraction, day_end_us),
        ("weekly_loss", max(0.0, portfolio.week_loss), risk.weekly_loss_max_fraction, week_end_us),
        ("drawdown", max(0.0, portfolio.drawdown), risk.drawdown_max_fraction, None),
    )
    return [
        LimitUse(
            rule=rule,
            unit=FRACTION,
            used=number_or_none(used) if portfolio.is_valued else None,
            soft=[share * limit for share in sorted(risk.warn_fractions)],
            limit=limit,
            effect=HALT,
            resets_us=resets_us,
            window_s=0,
            setting=f"risk.{rule}_max_fraction",
        )
        for rule, used, limit, resets_us in watched
    ]


def _exposure_limits(account: TradingAccount, currencies: list[CurrencyExposure]) -> list[LimitUse]:
    """What keeps the account from taking on more: only new risk is refused."""
    portfolio, risk, held = account.portfolio, account.rules.risk, account.positions
    value = portfolio.exposure(account.rates)
    nets = [math.nan if item.fraction is None else abs(item.fraction) for item in currencies]
    per_symbol = max((len(held.of_symbol(symbol)) for symbol in _held(account)), default=0)
    return [
        _denies(
            "exposure",
            FRACTION,
            _share(account, value),
            risk.exposure_max_fraction,
            "exposure_max_fraction",
        ),
        _denies(
            "currency",
            FRACTION,
            math.nan if any(map(math.isnan, nets)) else max(nets, default=0.0),
            risk.currency_exposure_max_fraction,
            "currency_exposure_max_fraction",
        ),
        _denies("margin", FRACTION, _share(account, portfolio.margin(account.rates)), 1.0, ""),
        _denies("positions", COUNT, len(held.open), risk.positions_max, "positions_max"),
        _denies(
            "positions_per_symbol",
            COUNT,
            per_symbol,
            risk.positions_per_symbol_max,
            "positions_per_symbol_max",
        ),
    ]


def _measured_limits(account: TradingAccount, tick: Tick) -> list[LimitUse]:
    """What the gate measures anew for every order: all positions together, and floods."""
    figures = account.figures(tick, tick.ts_ns)
    return [*_joint_limits(account, figures), *_rate_limits(account, figures)]


def _joint_limits(account: TradingAccount, figures: AccountFigures) -> list[LimitUse]:
    """What all positions may do together, with what approved orders may still add to them."""
    risk = account.rules.risk
    used = (
        ("volatility_target", volatility_of(figures)),
        ("expected_shortfall", shortfall_of(figures, risk)),
    )
    settings = ("volatility_target_fraction", "expected_shortfall_max_fraction")
    return [
        _denies(rule, FRACTION, _share(account, value), getattr(risk, setting), setting)
        for (rule, value), setting in zip(used, settings, strict=True)
    ]


def _rate_limits(account: TradingAccount, figures: AccountFigures) -> list[LimitUse]:
    """What is counted against floods, over windows that slide with market time."""
    risk = account.rules.risk
    counted = (
        ("order_rate", figures.orders_last_minute, "orders_per_minute_max", MINUTE_S),
        ("messages_per_second", figures.messages_last_second, "messages_per_second_max", 1),
        ("messages_per_minute", figures.messages_last_minute, "messages_per_minute_max", MINUTE_S),
        ("executions", figures.executions_in_window, "executions_max", risk.executions_window_s),
    )
    return [
        _denies(rule, COUNT, used, getattr(risk, setting), setting, window_s)
        for rule, used, setting, window_s in counted
    ]


def _denies(
    rule: str, unit: str, used: float, limit: float, setting: str, window_s: int = 0
) -> LimitUse:
    return LimitUse(
        rule=rule,
        unit=unit,
        used=number_or_none(used),
        soft=[],
        limit=float(limit),
        effect=DENY,
        resets_us=None,
        window_s=window_s,
        setting=f"risk.{setting}" if setting else "",
    )


def _currencies(account: TradingAccount) -> list[CurrencyExposure]:
    """Net of every currency that a position has, by its size; the unknown first."""
    net = net_by_currency(each for each in holdings_of(account) if each.base)
    items = [
        CurrencyExposure(
            currency=currency,
            net=number_or_none(value),
            fraction=number_or_none(_share(account, value)),
        )
        for currency, value in net.items()
    ]
    return sorted(items, key=lambda item: (item.net is not None, -abs(item.net or 0.0)))


def _symbols(account: TradingAccount) -> list[SymbolExposure]:
    """The open positions by symbol, the largest gross value first."""
    portfolio, rates = account.portfolio, account.rates
    items = []
    for symbol in _held(account):
        held = account.positions.of_symbol(symbol)
        value = math.fsum(portfolio.notional(symbol, one.quantity, rates) for one in held)
        profit = sum(one.profit + portfolio.floating_of(one, rates) for one in held)
        items.append(
            SymbolExposure(
                symbol=symbol,
                positions=len(held),
                lots=math.fsum(one.side.value * one.quantity for one in held),
                value=number_or_none(value),
                fraction=number_or_none(_share(account, value)),
                profit=str(profit),
            )
        )
    return sorted(items, key=lambda item: -(item.value or math.inf))


def _held(account: TradingAccount) -> list[str]:
    return sorted({position.symbol for position in account.positions.open.values()})


def _share(account: TradingAccount, value: float) -> float:
    """A value as a fraction of equity; NaN when there is none."""
    equity = float(account.portfolio.equity)
    return value / equity if equity > 0 else math.nan
