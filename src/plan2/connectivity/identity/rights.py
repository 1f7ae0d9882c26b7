"""The words of the table of rights: roles, scopes, classes, and what one rule asks for.

The table itself is in `right_table.py`.
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


class Scope(enum.StrEnum):
    """What a program's key may be limited to; each includes nothing of the others."""

    READ = "read"
    """Look at everything that the role may see."""
    TRADE = "trade"
    """Place, change and cancel orders; pause, halt and kill."""
    ADMIN = "admin"
    """People, keys, settings and everything else that changes something."""


class RateClass(enum.StrEnum):
    """What a request counts as; under load analytics are shed first and trading last."""

    TRADING = "trading"
    READING = "reading"
    ANALYTICS = "analytics"
    ADMINISTRATION = "administration"
    SIGN_IN = "sign_in"
    FREE = "free"
    """Probes and the page's files: limited by address only."""


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


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What one route asks for.

    Attributes:
        entrance: what must be shown. roles: which roles may pass; empty for open entrances.
        scope: what a key must be allowed; ignored for people.
        rate: what the request counts as.
        proof: how an unsafe request of a browser shows that it is ours.
        operator: only people who also run the installation.
        step_up: only with a proof of identity that is at most five minutes old.
    """

    entrance: Entrance
    roles: frozenset[Role] = frozenset()
    scope: Scope = Scope.READ
    rate: RateClass = RateClass.READING
    proof: Proof = Proof.HEADER
    operator: bool = False
    step_up: bool = False


ADMIN: Final = frozenset({Role.TENANT_ADMIN})
TRADERS: Final = ADMIN | {Role.PORTFOLIO_MANAGER}
READERS: Final = TRADERS | {Role.ANALYST}
EVERYONE: Final = READERS | {Role.API_USER}

OPEN: Final = Rule(entrance=Entrance.OPEN, rate=RateClass.FREE)
READ: Final = Rule(entrance=Entrance.SESSION, roles=EVERYONE)
LOOK: Final = Rule(entrance=Entrance.SESSION, roles=READERS)
AUDIT: Final = Rule(entrance=Entrance.SESSION, roles=READERS, rate=RateClass.ANALYTICS)
TRADE: Final = Rule(
    entrance=Entrance.SESSION, roles=TRADERS | {Role.API_USER}, scope=Scope.TRADE,
    rate=RateClass.TRADING,
)  # fmt: skip
SELF: Final = Rule(
    entrance=Entrance.SESSION, roles=READERS, scope=Scope.ADMIN, rate=RateClass.ADMINISTRATION
)
"""What people do about themselves: their password, sessions, second factor, consent."""
ADMINISTER: Final = Rule(
    entrance=Entrance.SESSION, roles=ADMIN, scope=Scope.ADMIN, rate=RateClass.ADMINISTRATION
)
ADMINISTER_PROVEN: Final = Rule(
    entrance=Entrance.SESSION, roles=ADMIN, scope=Scope.ADMIN, rate=RateClass.ADMINISTRATION,
    step_up=True,
)  # fmt: skip
OVERSEE: Final = Rule(
    entrance=Entrance.SESSION, roles=ADMIN, scope=Scope.ADMIN, rate=RateClass.ADMINISTRATION,
    operator=True,
)  # fmt: skip
"""Looking at what stands above tenants; changing it needs a fresh proof."""
OPERATE: Final = Rule(
    entrance=Entrance.SESSION, roles=ADMIN, scope=Scope.ADMIN, rate=RateClass.ADMINISTRATION,
    operator=True, step_up=True,
)  # fmt: skip

SIGN_IN: Final = Rule(entrance=Entrance.OPEN, proof=Proof.ORIGIN, rate=RateClass.SIGN_IN)
"""Whoever has nothing to show yet."""
SELF_PROVEN: Final = msgspec.structs.replace(SELF, step_up=True)
"""What changes how a person, or a program in their name, comes in."""
PROPOSE: Final = msgspec.structs.replace(TRADE, rate=RateClass.ADMINISTRATION)
WATCH: Final = Rule(entrance=Entrance.SESSION, roles=READERS)
"""Looking at long work."""
START: Final = msgspec.structs.replace(PROPOSE, roles=TRADERS, scope=Scope.ADMIN)
"""Long work takes what everybody shares: processor, memory and disk."""
DECIDE: Final = msgspec.structs.replace(PROPOSE, roles=TRADERS, step_up=True)
"""Four eyes: the second person is no program."""
GUIDE: Final = msgspec.structs.replace(
    TRADE, roles=TRADERS, scope=Scope.ADMIN, rate=RateClass.ADMINISTRATION
)
"""Moving candidates through their life; the route asks for the installation's own tenant too."""
GUIDE_PROVEN: Final = msgspec.structs.replace(GUIDE, step_up=True)
