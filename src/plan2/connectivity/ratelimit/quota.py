"""A tenant's quota, and the rates that follow from it.

No minute and no second ever sees more than the quota says plus the burst that belongs to it; for
orders not even that: in any sixty seconds there are at most `orders_per_minute`.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plan2.connectivity.identity.rights import RateClass
from plan2.connectivity.ratelimit.gcra import Rate, rate_of
from plan2.foundation.config.schema import Quota

BURST_S: Final = 2.0
"""Requests of so many seconds may come at once."""
BURST_MIN: Final = 5

CLASS_SHARES: Final[dict[RateClass, float]] = {
    RateClass.TRADING: 1.0,
    RateClass.READING: 1.0,
    RateClass.ANALYTICS: 0.2,
    RateClass.ADMINISTRATION: 0.2,
    RateClass.SIGN_IN: 0.2,
    RateClass.FREE: 1.0,
}
"""What part of `requests_per_second` each class may use; every class has a meter of its own."""
PERSON_SHARE: Final = 0.5
"""What one person may use of the tenant's share, by whatever browsers and keys."""
KEY_SHARE: Final = 0.25
"""What one API key may use of the tenant's share."""
MESSAGES_PER_REQUEST: Final = 10.0
"""Messages on WebSockets are acknowledgements for the most part, and cost little."""


QuotaOf = Callable[[str], Quota]
"""The quota of a tenant now; a look-up in memory. The same object as long as nothing changed."""

RATES: Final = ("requests_per_second", "orders_per_minute")
COUNTS: Final = ("sockets", "connections", "storage_mb", "flows", "jobs", "users", "keys")
UNITS: Final[dict[str, str]] = {
    "requests_per_second": "1/s",
    "orders_per_minute": "1/min",
    "storage_mb": "MB",
}


class TenantRates(msgspec.Struct, frozen=True, kw_only=True):
    """The rates of one tenant, by name of the class.

    `exits` is what closing and cancelling is held to.
    """

    tenant: dict[str, Rate]
    person: dict[str, Rate]
    key: dict[str, Rate]
    orders: Rate
    exits: Rate
    messages: Rate


def rates_of(quota: Quota) -> TenantRates:
    """The rates that follow from a quota."""
    per_second = float(quota.requests_per_second)
    return TenantRates(
        tenant=_by_class("tenant", per_second),
        person=_by_class("person", per_second * PERSON_SHARE),
        key=_by_class("key", per_second * KEY_SHARE),
        orders=orders_rate(quota.orders_per_minute),
        exits=exits_rate(quota.orders_per_minute),
        messages=_per_second("messages", per_second * MESSAGES_PER_REQUEST),
    )


def _by_class(whose: str, per_second: float) -> dict[str, Rate]:
    return {
        kind.value: _per_second(f"{whose}_{kind}", per_second * share)
        for kind, share in CLASS_SHARES.items()
    }


def orders_rate(per_minute: int) -> Rate:
    """A quarter at once and the rest spread evenly, so that no sixty seconds see more."""
    burst = max(per_minute // 4, 1)
    return rate_of("orders_per_minute", max(per_minute - burst, 1), 60.0, burst)


def exits_rate(per_minute: int) -> Rate:
    """Ten times what may be opened, all of it at once if need be."""
    return rate_of("exits", per_minute * 10, 60.0, max(per_minute * 10, 1_000))


def _per_second(name: str, count: float) -> Rate:
    return rate_of(name, count, 1.0, max(int(count * BURST_S), BURST_MIN))
