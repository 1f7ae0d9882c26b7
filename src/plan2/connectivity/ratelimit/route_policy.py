"""What each route counts as, beyond its class in the table of rights.

Whatever lowers risk is never held back: kill, halt, pause and reduce-only pass without being
counted against anything, closing and cancelling have a rate of their own that nobody reaches by
trading. None of them is shed under load.
"""

import enum
from typing import Final

import msgspec

from plan2.connectivity.identity.right_table import Route, rule_for
from plan2.connectivity.identity.rights import Entrance, RateClass


class Kind(enum.Enum):
    """Which limits hold for a route."""

    EXEMPT = "exempt"
    """None."""
    EXIT = "exit"
    """The tenant's rate of exits alone, whatever the load."""
    ORDER = "order"
    """The limits of its class, and the tenant's orders per minute."""
    PLAIN = "plain"
    """The limits of its class."""


KINDS: Final[dict[Route, Kind]] = {
    ("POST", "/kill"): Kind.EXEMPT,
    ("POST", "/api/v1/commands/kill"): Kind.EXEMPT,
    ("POST", "/api/v1/commands/halt"): Kind.EXEMPT,
    ("POST", "/api/v1/commands/pause"): Kind.EXEMPT,
    ("POST", "/api/v1/commands/reduce-only"): Kind.EXEMPT,
    ("DELETE", "/api/v1/orders/{order_id}"): Kind.EXIT,
    ("POST", "/api/v1/positions/{position_id}/close"): Kind.EXIT,
    ("POST", "/api/v1/positions/{position_id}/close-by"): Kind.EXIT,
    ("POST", "/api/v1/orders"): Kind.ORDER,
    ("PATCH", "/api/v1/orders/{order_id}"): Kind.ORDER,
}


class RoutePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a route is limited, ready for the hot path: looking up an enum's member is not free.

    Attributes:
        rate: name of its class of the table of rights; a plain string, whose hash is cached.
        is_signed_in: whether the guard lets only sessions in.
    """

    rate: str
    is_signed_in: bool
    is_sign_in: bool
    is_free: bool
    is_exempt: bool
    is_exit: bool
    is_order: bool


def policy_of(method: str, path_template: str) -> RoutePolicy:
    """The policy of a route; one that the table does not know is nobody's and free."""
    rule = rule_for(method, path_template)
    kind = KINDS.get((method, path_template), Kind.PLAIN)
    rate = RateClass.FREE if rule is None else rule.rate
    return RoutePolicy(
        rate=rate.value,
        is_signed_in=rule is not None and rule.entrance is Entrance.SESSION,
        is_sign_in=rate is RateClass.SIGN_IN,
        is_free=rate is RateClass.FREE,
        is_exempt=kind is Kind.EXEMPT,
        is_exit=kind is Kind.EXIT,
        is_order=kind is Kind.ORDER,
    )
