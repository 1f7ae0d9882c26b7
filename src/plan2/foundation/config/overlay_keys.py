"""Which keys may be set above the file, where, by whom, and which way makes a limit looser.

This is the one list: REST, command line and page show what is declared here. Types, ranges and
defaults are the schema's.
"""

import enum
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from plan2.foundation.config.schema import Settings

Value = Any  # a configuration value as plain data: number, text, boolean, list or table


class SettingScope(enum.StrEnum):
    """For whom a value is set, the widest first; each overrides the one before."""

    GLOBAL = "global"
    TENANT = "tenant"
    USER = "user"


class Looser(enum.Enum):
    """In which direction a limit permits more."""

    MORE = "more"
    LESS = "less"
    ADDED = "added"
    """A list that permits what it names; `*` permits all."""
    BY_SYMBOL = "by symbol"
    """A table of upper limits beside a general one."""
    OFF = "off"
    """A rule that guards while it is true."""
    ANY = "any"
    """Every change counts, because either direction may permit more."""
    NEVER = "never"
    """Not a limit."""


class Overridable(msgspec.Struct, frozen=True):
    """A key that may be set while Plan2 runs.

    Attributes:
        key: `section.name`. doc: what it means, with its unit.
        looser: loosening needs a fresh proof of identity and, with `security.four_eyes`, a second
            person; tightening applies at once.
    """

    key: str
    doc: str
    looser: Looser = Looser.NEVER

    @property
    def section(self) -> str:
        """The table it stands in."""
        return self.key.partition(".")[0]

    @property
    def scopes(self) -> tuple[SettingScope, ...]:
        """Where it may be set."""
        return SCOPES[self.section]

    @property
    def is_operators(self) -> bool:
        """Whether only operators may set it, for a tenant too."""
        return self.section in OPERATORS


GLOBAL, TENANT, USER = SettingScope
SCOPES: Final[Mapping[str, tuple[SettingScope, ...]]] = {
    "risk": (GLOBAL, TENANT),
    "decision": (GLOBAL, TENANT),
    "management": (GLOBAL, TENANT),
    "security": (GLOBAL, TENANT),
    "quota": (GLOBAL, TENANT),
    "ui": (GLOBAL, TENANT, USER),
    "notify": (GLOBAL, TENANT, USER),
}
"""By section: each of its keys may be set in these scopes."""
OPERATORS: Final = frozenset({"quota"})
"""Sections about what a tenant is granted, not about what it wants."""

M, L = Looser.MORE, Looser.LESS
DECLARED: Final = (
    Overridable("risk.positions_max", "Open positions of the account.", M),
    Overridable("risk.positions_per_symbol_max", "Open positions of one symbol.", M),
    Overridable("risk.exposure_max_fraction", "All open positions, in equities.", M),
    Overridable("risk.order_value_max_fraction", "Value of one order, in equities.", M),
    Overridable("risk.daily_loss_max_fraction", "Loss of a day that halts, of equity.", M),
    Overridable("risk.weekly_loss_max_fraction", "Loss of a week that halts, of equity.", M),
    Overridable("risk.drawdown_max_fraction", "Loss from the highest equity that halts.", M),
    Overridable("risk.spread_max_fraction_of_stop", "Spread, of the stop's distance.", M),
    Overridable("risk.tick_age_max_ms", "Age of a tick to trade on, milliseconds.", M),
    Overridable("risk.stop_distance_min_spreads", "Least distance of a stop, spreads.", L),
    Overridable("risk.orders_per_minute_max", "Orders in any 60 seconds.", M),
    Overridable("risk.duplicate_window_s", "Seconds in which a like order is a repetition.", L),
    Overridable("risk.risk_per_trade_fraction", "Loss of a trade at its stop, of equity.", M),
    Overridable("risk.volatility_target_fraction", "Day's deviation that sizes aim at.", M),
    Overridable("risk.expected_shortfall_max_fraction", "Worst days' mean loss, of equity.", M),
    Overridable("risk.stress_move_fraction", "Loss of all positions under stress.", L),
    Overridable("risk.currency_exposure_max_fraction", "Net of one currency, in equities.", M),
    Overridable(
        "risk.symbols_permitted", 'Symbols that may be traded; "*" is every one.', Looser.ADDED
    ),
    Overridable("risk.order_volume_max_lots", "Lots of one order.", M),
    Overridable(
        "risk.order_volume_max_lots_by_symbol",
        "Lots of one order, for single symbols.",
        Looser.BY_SYMBOL,
    ),
    Overridable("risk.collar_max_fraction", "Price from the last mid, of the mid.", M),
    Overridable("risk.collar_max_points", "Price from the last mid, points.", M),
    Overridable("risk.collar_pending_max_fraction", "The same for waiting orders, of the mid.", M),
    Overridable("risk.collar_window_s", "Seconds of the collar's mean mid.", Looser.ANY),
    Overridable("risk.collar_window_max_fraction", "Price from that mean, of the mean.", M),
    Overridable("risk.collar_reference_max_age_ms", "Age of the reference, milliseconds.", M),
    Overridable("risk.messages_per_second_max", "Messages to the broker in any second.", M),
    Overridable("risk.messages_per_minute_max", "Messages to the broker in any 60 seconds.", M),
    Overridable("risk.executions_max", "Automatic entries of a flow in its window.", M),
    Overridable("risk.executions_window_s", "Length of that window, seconds.", L),
    Overridable("risk.warn_fractions", "Shares of the loss limits that warn."),
    Overridable("decision.margin_fraction_of_cost", "Expected value beyond the cost, of it."),
    Overridable("decision.uncertainty_weight", "Standard errors taken off a probability."),
    Overridable("decision.record_reason_change_after_s", "Seconds until a new reason is kept."),
    Overridable("decision.cooldown_s", "Seconds without an entry after a close."),
    Overridable("decision.novelty_veto_percentile", "Unusual situations left out, share.", M),
    Overridable("decision.event_minutes_before", "Minutes at rest before an event.", L),
    Overridable("decision.event_minutes_after", "Minutes at rest after an event.", L),
    Overridable("decision.event_least_impact", "Least impact of such an event.", Looser.ANY),
    Overridable("decision.explore_after_s", "Paper only: seconds until a trial; 0 = never."),
    Overridable("management.trailing_distance_r", "Trailing stop, initial risks; 0 = off."),
    Overridable("management.trailing_step_r", "Least improvement of a stop, initial risks."),
    Overridable("management.break_even_after_r", "Profit until break-even, risks; 0 = off."),
    Overridable("management.stop_changes_every_s", "Seconds between two changes of a stop."),
    Overridable("management.unprotected_max_s", "Seconds without a stop at the broker.", M),
    Overridable("management.emergency_stop_fraction", "Distance of that stop, of the price.", M),
    Overridable("management.close_again_after_s", "Seconds until a close is tried again."),
    Overridable("management.close_again_max_s", "Longest pause between such tries, seconds."),
    Overridable("management.stop_answer_max_s", "Seconds until an unconfirmed stop closes.", M),
    Overridable("security.four_eyes", "Raising a limit needs a second person.", Looser.OFF),
    Overridable("quota.requests_per_second", "Requests in any second."),
    Overridable("quota.orders_per_minute", "Orders by people and programs in any minute."),
    Overridable("quota.sockets", "Open WebSockets at once."),
    Overridable("quota.connections", "Connections to the database at once."),
    Overridable("quota.storage_mb", "Megabytes of database and files."),
    Overridable("quota.flows", "Trading flows."),
    Overridable("quota.jobs", "Trainings, backtests and exports at once."),
    Overridable("quota.users", "People who are not blocked."),
    Overridable("quota.keys", "Live API keys."),
    Overridable("ui.theme", "How the page looks."),
    Overridable("ui.language", "The page's language."),
    Overridable("ui.quiet_from", 'Start of the quiet hours, such as "22:00"; empty = none.'),
    Overridable("ui.quiet_until", "Their end."),
    Overridable("ui.time_zone", 'Time zone, such as "Asia/Jakarta"; empty = the browser\'s.'),
    Overridable("notify.loudness", 'By kind of message: "on", "silent" or "off".'),
    Overridable("notify.digest", "What is only informing, in one: off, hourly or daily."),
    Overridable("notify.digest_at", "When the daily one comes, in the quiet hours' time zone."),
    Overridable("notify.per_minute_max", "Messages a minute; what goes beyond comes in one."),
)
OVERRIDABLE: Final[Mapping[str, Overridable]] = {each.key: each for each in DECLARED}


def is_loosening(key: str, old: Settings, new: Settings) -> bool:
    """Whether a key permits more in `new` than in `old`; false for what is not a limit."""
    looser = OVERRIDABLE[key].looser
    before, after = value_of(old, key), value_of(new, key)
    if looser is Looser.NEVER or before == after:
        return False
    if looser is Looser.ADDED:
        return "*" not in before and not set(after) <= set(before)
    if looser is Looser.BY_SYMBOL:
        return any(
            after.get(symbol, new.risk.order_volume_max_lots)
            > before.get(symbol, old.risk.order_volume_max_lots)
            for symbol in before.keys() | after.keys()
        )
    if looser is Looser.LESS:
        return bool(after < before)
    if looser is Looser.OFF:
        return bool(before)
    return looser is Looser.ANY or bool(after > before)


def value_of(settings: Settings, key: str) -> Value:
    """A key's value."""
    section, name = key.split(".")
    return getattr(getattr(settings, section), name)
