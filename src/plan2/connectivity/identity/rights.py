"""Who may do what: one declarative table role × route and role × channel, deny by default.

A route that is registered without an entry here answers 403 to everybody, and a test that
enumerates all routes fails. Entries name the method and the path as the application declares it.
"""

import enum
from typing import Final

import msgspec


class Role(enum.StrEnum):
    """The roles of a tenant's people and programs."""

    TENANT_ADMIN = "Tenant_Admin"
    PORTFOLIO_MANAGER = "Portfolio_Manager"
    ANALYST = "Analyst"
    API_USER = "API_User"


class Entrance(enum.Enum):
    """What a caller must show before the roles are looked at."""

    OPEN = "open"
    """Nothing: the page's shell, the probes, signing in."""
    LOOPBACK = "loopback"
    """Nothing, but only from this machine."""
    SESSION = "session"
    """A live session of a role that is listed."""
    KEY = "key"
    """A key for programs; the route itself checks it, before the handshake."""


class Proof(enum.Enum):
    """How an unsafe request proves that it comes from our own page."""

    HEADER = "header"
    """The session's CSRF value in `X-Plan2-CSRF`."""
    FORM = "form"
    """The same value in the form field `csrf`, checked by the route: pages without scripts."""
    ORIGIN = "origin"
    """The Origin check of the perimeter alone: signing in, when there is no session yet."""


class Rule(msgspec.Struct, frozen=True):
    """What one route asks for."""

    entrance: Entrance
    roles: frozenset[Role] = frozenset()
    proof: Proof = Proof.HEADER


ADMIN: Final = frozenset({Role.TENANT_ADMIN})
TRADERS: Final = ADMIN | {Role.PORTFOLIO_MANAGER}
READERS: Final = TRADERS | {Role.ANALYST}
EVERYONE: Final = READERS | {Role.API_USER}

_OPEN: Final = Rule(Entrance.OPEN)
_READ: Final = Rule(Entrance.SESSION, EVERYONE)
_AUDIT: Final = Rule(Entrance.SESSION, READERS)
_TRADE: Final = Rule(Entrance.SESSION, TRADERS)

Route = tuple[str, str]
"""HTTP method (or WEBSOCKET) and path template."""

RIGHTS: Final[dict[Route, Rule]] = {
    ("GET", "/"): _OPEN,
    ("HEAD", "/"): _OPEN,
    ("GET", "/health"): _OPEN,
    ("HEAD", "/health"): _OPEN,
    ("GET", "/{file_path}"): _OPEN,
    ("HEAD", "/{file_path}"): _OPEN,
    ("GET", "/health/live"): _OPEN,
    ("GET", "/health/ready"): _OPEN,
    ("GET", "/metrics"): Rule(Entrance.LOOPBACK),
    ("GET", "/signin"): _OPEN,
    ("POST", "/signin"): Rule(Entrance.OPEN, proof=Proof.ORIGIN),
    ("POST", "/kill"): Rule(Entrance.SESSION, TRADERS, Proof.FORM),
    ("GET", "/api/docs"): _READ,
    ("GET", "/api/openapi.json"): _READ,
    ("GET", "/api/v1/session"): _READ,
    ("DELETE", "/api/v1/session"): _READ,
    ("GET", "/api/v1/system"): _READ,
    ("GET", "/api/v1/health"): _READ,
    ("GET", "/api/v1/symbols"): _READ,
    ("GET", "/api/v1/bars"): _READ,
    ("GET", "/api/v1/ticks"): _READ,
    ("GET", "/api/v1/indicators"): _READ,
    ("GET", "/api/v1/features"): _READ,
    ("GET", "/api/v1/forecasts"): _READ,
    ("GET", "/api/v1/decisions"): _READ,
    ("GET", "/api/v1/decisions/{decision_id}"): _READ,
    ("GET", "/api/v1/decisions/{decision_id}/replay"): _READ,
    ("GET", "/api/v1/orders"): _READ,
    ("POST", "/api/v1/orders"): _TRADE,
    ("PATCH", "/api/v1/orders/{order_id}"): _TRADE,
    ("DELETE", "/api/v1/orders/{order_id}"): _TRADE,
    ("GET", "/api/v1/positions"): _READ,
    ("PATCH", "/api/v1/positions/{position_id}"): _TRADE,
    ("POST", "/api/v1/positions/{position_id}/close"): _TRADE,
    ("POST", "/api/v1/positions/{position_id}/close-by"): _TRADE,
    ("POST", "/api/v1/positions/{position_id}/claim"): _TRADE,
    ("POST", "/api/v1/positions/{position_id}/release"): _TRADE,
    ("GET", "/api/v1/equity"): _READ,
    ("GET", "/api/v1/account"): _READ,
    ("GET", "/api/v1/models"): _READ,
    ("GET", "/api/v1/models/{model_id}"): _READ,
    ("GET", "/api/v1/events"): _AUDIT,
    ("POST", "/api/v1/commands/pause"): _TRADE,
    ("POST", "/api/v1/commands/resume"): _TRADE,
    ("POST", "/api/v1/commands/halt"): _TRADE,
    ("POST", "/api/v1/commands/reduce-only"): _TRADE,
    ("POST", "/api/v1/commands/kill"): _TRADE,
    ("GET", "/api/v1/trading"): _READ,
    ("WEBSOCKET", "/api/v1/stream"): _READ,
    ("WEBSOCKET", "/api/v1/terminal"): Rule(Entrance.KEY),
}

CHANNELS: Final[dict[str, frozenset[Role]]] = {
    "quotes": EVERYONE,
    "candle": EVERYONE,
    "forecast": EVERYONE,
    "positions": EVERYONE,
    "account": EVERYONE,
    "health": EVERYONE,
    "decisions": EVERYONE,
    "orders": EVERYONE,
    "events": READERS,
}
"""Stream channels and the roles that may subscribe; a channel without an entry is refused."""


def rule_for(method: str, path_template: str) -> Rule | None:
    """What the table says about a route; None means that nobody may use it."""
    return RIGHTS.get((method, path_template))


def may_subscribe(role: Role, channel: str) -> bool:
    """Whether a role may follow a stream channel."""
    return role in CHANNELS.get(channel, frozenset())
