"""Who may do what: one declarative table role × route and role × channel, deny by default.

A route that is registered without an entry here answers 403 to everybody, and a test that
enumerates all routes fails. Entries name the method and the path as the application declares it.
"""

from typing import Final

import msgspec

from plan2.connectivity.identity.rights import (
    ADMINISTER,
    ADMINISTER_PROVEN,
    AUDIT,
    EVERYONE,
    OPEN,
    OPERATE,
    OVERSEE,
    READ,
    READERS,
    SELF,
    TRADE,
    TRADERS,
    Entrance,
    Proof,
    RateClass,
    Role,
    Rule,
    Scope,
)

Route = tuple[str, str]
"""HTTP method (or WEBSOCKET) and path template."""

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

RIGHTS: Final[dict[Route, Rule]] = {
    ("GET", "/"): OPEN,
    ("HEAD", "/"): OPEN,
    ("GET", "/health"): OPEN,
    ("HEAD", "/health"): OPEN,
    ("GET", "/{file_path}"): OPEN,
    ("HEAD", "/{file_path}"): OPEN,
    ("GET", "/health/live"): OPEN,
    ("GET", "/health/ready"): OPEN,
    ("GET", "/metrics"): Rule(entrance=Entrance.LOOPBACK, rate=RateClass.FREE),
    ("GET", "/signin"): OPEN,
    ("POST", "/signin"): SIGN_IN,
    ("POST", "/kill"): Rule(
        entrance=Entrance.SESSION,
        roles=TRADERS,
        proof=Proof.FORM,
        scope=Scope.TRADE,
        rate=RateClass.TRADING,
    ),
    ("GET", "/api/docs"): READ,
    ("GET", "/api/openapi.json"): READ,
    ("GET", "/api/v1/session"): READ,
    ("DELETE", "/api/v1/session"): READ,
    ("POST", "/api/v1/signin"): SIGN_IN,
    ("GET", "/api/v1/sessions"): SELF,
    ("DELETE", "/api/v1/sessions"): SELF,
    ("DELETE", "/api/v1/sessions/{session_id}"): SELF,
    ("POST", "/api/v1/session/prove"): SELF,
    ("PUT", "/api/v1/password"): SELF,
    ("POST", "/api/v1/token"): SELF,
    ("POST", "/api/v1/token/refresh"): SIGN_IN,
    ("POST", "/api/v1/token/revoke"): SIGN_IN,
    ("POST", "/api/v1/stream/ticket"): READ,
    ("GET", "/api/v1/system"): READ,
    ("GET", "/api/v1/health"): READ,
    ("GET", "/api/v1/symbols"): READ,
    ("GET", "/api/v1/bars"): READ,
    ("GET", "/api/v1/ticks"): READ,
    ("GET", "/api/v1/indicators"): READ,
    ("GET", "/api/v1/features"): READ,
    ("GET", "/api/v1/features/book"): READ,
    ("GET", "/api/v1/forecasts"): READ,
    ("GET", "/api/v1/decisions"): READ,
    ("GET", "/api/v1/decisions/{decision_id}"): READ,
    ("GET", "/api/v1/decisions/{decision_id}/replay"): READ,
    ("GET", "/api/v1/decisions/{decision_id}/similar"): READ,
    ("GET", "/api/v1/orders"): READ,
    ("POST", "/api/v1/orders"): TRADE,
    ("PATCH", "/api/v1/orders/{order_id}"): TRADE,
    ("DELETE", "/api/v1/orders/{order_id}"): TRADE,
    ("GET", "/api/v1/positions"): READ,
    ("PATCH", "/api/v1/positions/{position_id}"): TRADE,
    ("POST", "/api/v1/positions/{position_id}/close"): TRADE,
    ("POST", "/api/v1/positions/{position_id}/close-by"): TRADE,
    ("POST", "/api/v1/positions/{position_id}/claim"): TRADE,
    ("POST", "/api/v1/positions/{position_id}/release"): TRADE,
    ("GET", "/api/v1/equity"): READ,
    ("GET", "/api/v1/account"): READ,
    ("GET", "/api/v1/broker"): READ,
    ("GET", "/api/v1/learning"): READ,
    ("GET", "/api/v1/learning/outcomes"): READ,
    ("GET", "/api/v1/models"): READ,
    ("GET", "/api/v1/models/{model_id}"): READ,
    ("GET", "/api/v1/models/{model_id}/export"): READ,
    ("GET", "/api/v1/candidates"): READ,
    ("GET", "/api/v1/candidates/{candidate_id}"): READ,
    ("POST", "/api/v1/candidates/rollback"): GUIDE,
    ("POST", "/api/v1/candidates/{candidate_id}/move"): GUIDE,
    ("POST", "/api/v1/candidates/{candidate_id}/override"): GUIDE_PROVEN,
    ("GET", "/api/v1/reports"): READ,
    ("GET", "/api/v1/reports/{report_id}"): READ,
    ("GET", "/api/v1/events"): AUDIT,
    ("GET", "/api/v1/settings"): READ,
    ("PUT", "/api/v1/settings/global/{key}"): OPERATE,
    ("DELETE", "/api/v1/settings/global/{key}"): OPERATE,
    ("PUT", "/api/v1/settings/tenant/{key}"): ADMINISTER,
    ("DELETE", "/api/v1/settings/tenant/{key}"): ADMINISTER,
    ("PUT", "/api/v1/settings/user/{key}"): SELF,
    ("DELETE", "/api/v1/settings/user/{key}"): SELF,
    ("GET", "/api/v1/flags"): READ,
    ("PUT", "/api/v1/flags/global/{flag}"): OPERATE,
    ("PUT", "/api/v1/flags/tenant/{flag}"): ADMINISTER,
    ("PUT", "/api/v1/flags/user/{flag}"): ADMINISTER,
    ("GET", "/api/v1/secrets/keys"): ADMINISTER,
    ("POST", "/api/v1/secrets/rotate"): ADMINISTER_PROVEN,
    ("GET", "/api/v1/audit"): AUDIT,
    ("GET", "/api/v1/audit/checkpoints"): AUDIT,
    ("GET", "/api/v1/audit/state"): AUDIT,
    ("GET", "/api/v1/audit/{position}"): AUDIT,
    ("GET", "/api/v1/consents"): SELF,
    ("PUT", "/api/v1/consents/{purpose}"): SELF,
    ("DELETE", "/api/v1/consents/{purpose}"): SELF,
    ("GET", "/api/v1/privacy/map"): AUDIT,
    ("POST", "/api/v1/privacy/{user_id}/export"): SELF_PROVEN,
    ("POST", "/api/v1/privacy/{user_id}/erase"): ADMINISTER_PROVEN,
    ("GET", "/api/v1/records/orders"): AUDIT,
    ("GET", "/api/v1/records/trades"): AUDIT,
    ("GET", "/api/v1/records/clock"): READ,
    ("GET", "/api/v1/tenant"): ADMINISTER,
    ("GET", "/api/v1/tenants"): OVERSEE,
    ("POST", "/api/v1/tenants"): OPERATE,
    ("GET", "/api/v1/tenants/{tenant_id}"): OVERSEE,
    ("DELETE", "/api/v1/tenants/{tenant_id}"): OPERATE,
    ("POST", "/api/v1/tenants/{tenant_id}/suspend"): OPERATE,
    ("POST", "/api/v1/tenants/{tenant_id}/resume"): OPERATE,
    ("POST", "/api/v1/tenants/{tenant_id}/retry"): OPERATE,
    ("POST", "/api/v1/tenants/{tenant_id}/export"): OPERATE,
    ("POST", "/api/v1/tenants/{tenant_id}/restore"): OPERATE,
    ("POST", "/api/v1/commands/pause"): TRADE,
    ("POST", "/api/v1/commands/resume"): TRADE,
    ("POST", "/api/v1/commands/halt"): TRADE,
    ("POST", "/api/v1/commands/reduce-only"): TRADE,
    ("POST", "/api/v1/commands/kill"): TRADE,
    ("POST", "/api/v1/accounts/{account_id}/accept-broker-view"): TRADE,
    ("GET", "/api/v1/trading"): READ,
    ("GET", "/api/v1/services"): READ,
    ("GET", "/api/v1/quotas"): READ,
    ("GET", "/api/v1/quotas/{tenant_id}"): OVERSEE,
    ("GET", "/api/v1/second-factor"): SELF,
    ("POST", "/api/v1/second-factor"): SELF_PROVEN,
    ("POST", "/api/v1/second-factor/confirm"): SELF,
    ("POST", "/api/v1/second-factor/backup-codes"): SELF_PROVEN,
    ("DELETE", "/api/v1/second-factor"): SELF_PROVEN,
    ("GET", "/api/v1/keys"): SELF,
    ("POST", "/api/v1/keys"): SELF_PROVEN,
    ("DELETE", "/api/v1/keys/{key_id}"): SELF,
    ("GET", "/api/v1/people"): READ,
    ("GET", "/api/v1/users"): ADMINISTER,
    ("POST", "/api/v1/users"): ADMINISTER_PROVEN,
    ("PATCH", "/api/v1/users/{user_id}"): ADMINISTER_PROVEN,
    ("POST", "/api/v1/users/{user_id}/reset"): ADMINISTER_PROVEN,
    ("GET", "/join"): Rule(entrance=Entrance.OPEN, rate=RateClass.SIGN_IN),
    ("POST", "/join"): SIGN_IN,
    ("POST", "/api/v1/join"): SIGN_IN,
    ("GET", "/api/v1/approvals"): AUDIT,
    ("POST", "/api/v1/approvals"): PROPOSE,
    ("POST", "/api/v1/approvals/{approval_id}/approve"): DECIDE,
    ("POST", "/api/v1/approvals/{approval_id}/refuse"): DECIDE,
    ("POST", "/api/v1/approvals/{approval_id}/withdraw"): PROPOSE,
    ("GET", "/api/v1/jobs"): WATCH,
    ("GET", "/api/v1/jobs/{job_id}"): WATCH,
    ("GET", "/api/v1/jobs/{job_id}/log"): WATCH,
    ("POST", "/api/v1/jobs/{job_id}/cancel"): START,
    ("POST", "/api/v1/jobs/{job_id}/again"): START,
    ("POST", "/api/v1/jobs/train"): START,
    ("GET", "/api/v1/training"): WATCH,
    ("WEBSOCKET", "/api/v1/stream"): READ,
    ("WEBSOCKET", "/api/v1/terminal"): Rule(entrance=Entrance.KEY, rate=RateClass.FREE),
}

SHOWN_ONCE: Final[frozenset[Route]] = frozenset(
    {
        ("POST", "/api/v1/keys"),
        ("POST", "/api/v1/privacy/{user_id}/export"),
        ("POST", "/api/v1/second-factor"),
        ("POST", "/api/v1/second-factor/backup-codes"),
        ("POST", "/api/v1/second-factor/confirm"),
        ("POST", "/api/v1/session/prove"),
        ("POST", "/api/v1/stream/ticket"),
        ("POST", "/api/v1/token"),
        ("POST", "/api/v1/users"),
        ("POST", "/api/v1/users/{user_id}/reset"),
        ("PUT", "/api/v1/password"),
    }
)
"""Routes whose answer holds a secret or personal data: it is never stored, only repeated from
memory while the process runs."""

VERBS: Final[dict[str, Rule | None]] = {
    "accept-broker-view": TRADE,
    "archive": None,
    "audit": AUDIT,
    "backtest": None,
    "bench": None,
    "config": ADMINISTER,
    "doctor": None,
    "evaluate": None,
    "events": None,
    "explain": None,
    "features": None,
    "dataset": None,
    "flags": ADMINISTER,
    "gdpr": ADMINISTER_PROVEN,
    "halt": TRADE,
    "import": None,
    "jobs": START,
    "key": ADMINISTER_PROVEN,
    "kill": TRADE,
    "learn": READ,
    "models": GUIDE_PROVEN,
    "pause": TRADE,
    "records": AUDIT,
    "reduce-only": TRADE,
    "replay": None,
    "resume": TRADE,
    "secrets": OPERATE,
    "serve": None,
    "services": READ,
    "statement": None,
    "tenant": OPERATE,
    "terminal": None,
    "terminal-keys": None,
    "train": None,
    "user": ADMINISTER_PROVEN,
}
"""Verbs of the command line: the strongest rule that a route they use has. Who runs one holds the
key file of this machine, and so is an administrator and operator. None: the verb needs no running
Plan2; it works on files with the rights of the user who runs it."""

CHANNELS: Final[dict[str, frozenset[Role]]] = {
    "quotes": EVERYONE,
    "candle": EVERYONE,
    "forecast": EVERYONE,
    "positions": EVERYONE,
    "account": EVERYONE,
    "broker": EVERYONE,
    "health": EVERYONE,
    "decisions": EVERYONE,
    "orders": EVERYONE,
    "events": READERS,
    "jobs": READERS,
}
"""Stream channels and the roles that may subscribe; a channel without an entry is refused."""


def rule_for(method: str, path_template: str) -> Rule | None:
    """What the table says about a route; None means that nobody may use it."""
    return RIGHTS.get((method, path_template))


def may_subscribe(role: Role, channel: str) -> bool:
    """Whether a role may follow a stream channel."""
    return role in CHANNELS.get(channel, frozenset())
