"""Whether a request may go on: addresses before the guard, tenants, people and keys after it.

Everything here is synchronous and in memory; a check takes a few microseconds. All meters that a
request counts against are charged together or not at all.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plan2.connectivity.identity.lockout import network_of
from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.ratelimit.gcra import Meter, Meters, Refused, charge, rate_of
from plan2.connectivity.ratelimit.load import RETRY_AFTER_S, Load
from plan2.connectivity.ratelimit.quota import RATES, TenantRates, rates_of
from plan2.connectivity.ratelimit.route_policy import RoutePolicy, policy_of
from plan2.connectivity.ratelimit.use import QuotaFull, Usage
from plan2.foundation.config.schema import Quota
from plan2.foundation.values import NS_PER_SECOND

SIGN_IN: Final = rate_of("sign_in_address", 30, 60.0, 20)
"""One address; sign-in itself slows down guesses per account and address on top of this."""
SIGN_IN_ALL: Final = rate_of("sign_in_all", 10, 1.0, 40)
"""Everybody together: each try costs a tenth of a second of a core."""
OPEN: Final = rate_of("open_address", 100, 1.0, 600)
"""The page's files and the probes; a first visit asks for some forty."""
FAILED: Final = rate_of("failed_address", 2, 1.0, 50)
"""Credentials that nobody knows; beyond this they are not even looked at."""
RATES_MAX: Final = 1_000
"""Different quotas whose rates are kept ready."""
NOBODY: Final = ""
"""The tenant of requests that show no tenant."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is not served now; `wait_s` 0.0 when waiting does not help."""

    status: int
    code: str
    detail: str
    remedy: str = ""
    burst: int = 0
    remaining: int = 0
    wait_s: float = 0.0


class Limiter:
    """Holds every request against its limits.

    Args:
        usage: quotas, and what is counted. load: what is left of the limits of each class.
        now_ns: monotonic nanoseconds.
    """

    def __init__(self, usage: Usage, load: Load, now_ns: Callable[[], int]) -> None:
        self.usage = usage
        self.load = load
        self._now_ns = now_ns
        self._addresses = Meters(now_ns)
        self._failures = Meters(now_ns)
        self._callers = Meters(now_ns)
        self._everybody = Meter(SIGN_IN_ALL, now_ns())
        self._policies: dict[tuple[str, str], RoutePolicy] = {}
        self._rates: dict[Quota, TenantRates] = {}
        self._latest: dict[str, tuple[Quota, TenantRates]] = {}

    def policy(self, method: str, path_template: str) -> RoutePolicy:
        """How a route is limited."""
        found = self._policies.get((method, path_template))
        if found is None:
            found = self._policies[(method, path_template)] = policy_of(method, path_template)
        return found

    # --- before anybody is known ----------------------------------------------------------

    def at_door(
        self, policy: RoutePolicy, address: str, *, shows_token: bool = False
    ) -> Refusal | None:
        """Whether a request of an address may go on to the guard; `shows_token`: not by cookie."""
        if policy.is_exempt:
            return None
        if policy.is_signed_in:
            return self._too_many_failures(address) if shows_token else None
        where = network_of(address)
        if policy.is_sign_in:
            meters = [self._addresses.meter(("sign_in", where), SIGN_IN), self._everybody]
        else:
            meters = [self._addresses.meter(where, OPEN)]
        permille = self.load.permille[policy.rate]
        if not permille:
            return _shed(policy.rate)
        refused = charge(meters, self._now_ns(), permille)
        if refused is None:
            return None
        self.usage.notices.refuse(NOBODY, refused.limit, value=refused.burst, limit=refused.burst)
        return _rate_limited(refused)

    def note_failure(self, address: str) -> None:
        """An address showed a credential that nobody knows."""
        charge([self._failures.meter(network_of(address), FAILED)], self._now_ns())

    def _too_many_failures(self, address: str) -> Refusal | None:
        meter = self._failures.find(network_of(address))
        if meter is None:
            return None
        now_ns = self._now_ns()
        wait_ns = meter.wait_ns(now_ns)
        if not wait_ns:
            return None
        self.usage.notices.refuse(NOBODY, FAILED.name, value=FAILED.burst, limit=FAILED.burst)
        return _rate_limited(Refused(FAILED.name, FAILED.burst, 0, wait_ns))

    # --- somebody ---------------------------------------------------------------------------

    def admit(self, policy: RoutePolicy, session: Session) -> Refusal | None:
        """Whether a known caller's request may go on; counts it when it may."""
        if policy.is_exempt or policy.is_free:
            return None
        tenant_id = session.user.tenant_id
        rates = self._rates_of(tenant_id)
        if policy.is_exit:
            meters = [self._callers.meter((tenant_id, "exits"), rates.exits)]
            permille = 1_000
        else:
            meters = self._meters(policy, session, rates)
            permille = self.load.permille[policy.rate]
            if not permille:
                return _shed(policy.rate)
        now_ns = self._now_ns()
        refused = charge(meters, now_ns, permille)
        if refused is not None:
            return self._over(tenant_id, session, refused)
        self.usage.count(tenant_id, "requests_per_second", now_ns)
        if policy.is_order:
            self.usage.count(tenant_id, "orders_per_minute", now_ns)
        return None

    def message_wait_s(self, session: Session) -> float:
        """Charges one message of a WebSocket; above 0.0 it was not charged and has to wait."""
        tenant_id = session.user.tenant_id
        rate = self._rates_of(tenant_id).messages
        refused = charge([self._callers.meter((tenant_id, "messages"), rate)], self._now_ns())
        if refused is None:
            return 0.0
        self._over(tenant_id, session, refused)
        return refused.wait_ns / NS_PER_SECOND

    def join(self, session: Session) -> Refusal | None:
        """A caller opens a WebSocket; when it may, `leave` has to follow."""
        return full(self.usage.hold(session.user.tenant_id, "sockets"))

    def leave(self, session: Session) -> None:
        """A WebSocket is closed."""
        self.usage.release(session.user.tenant_id, "sockets")

    def _meters(self, policy: RoutePolicy, session: Session, rates: TenantRates) -> list[Meter]:
        """What a request counts against: its tenant, the person, the key, and orders."""
        user = session.user
        kind = policy.rate
        take = self._callers.meter
        meters = [
            take((user.tenant_id, kind), rates.tenant[kind]),
            take((user.tenant_id, kind, user.user_id), rates.person[kind]),
        ]
        if session.via is Via.KEY:
            key = (user.tenant_id, kind, user.user_id, session.session_id)
            meters.append(take(key, rates.key[kind]))
        if policy.is_order:
            meters.append(take((user.tenant_id, "orders"), rates.orders))
        return meters

    def _rates_of(self, tenant_id: str) -> TenantRates:
        """The rates of a tenant's quota; made once for each quota that there is."""
        quota = self.usage.quota_of(tenant_id)
        latest = self._latest.get(tenant_id)
        if latest is not None and latest[0] is quota:
            return latest[1]  # a look-up by quota hashes every member of it
        found = self._rates.get(quota)
        if found is None:
            if len(self._rates) >= RATES_MAX:
                self._rates.clear()
            found = self._rates[quota] = rates_of(quota)
        if len(self._latest) >= RATES_MAX:
            self._latest.clear()
        self._latest[tenant_id] = (quota, found)
        return found

    def _over(self, tenant_id: str, session: Session, refused: Refused) -> Refusal:
        quota = quota_named(refused.limit)
        used = self.usage.used(tenant_id, quota) if quota in RATES else None
        limit = getattr(self.usage.quota_of(tenant_id), quota, refused.burst)
        self.usage.notices.refuse(
            tenant_id,
            quota,
            value=float(refused.burst if used is None else used),
            limit=float(limit),
            subject=session.user.user_id,
        )
        return _rate_limited(refused)


def quota_named(limit: str) -> str:
    """The quota that a meter belongs to."""
    is_request = limit.startswith(("tenant_", "person_", "key_"))
    return "requests_per_second" if is_request else limit


def full(found: QuotaFull | None) -> Refusal | None:
    """The refusal of a count that is used up."""
    if found is None:
        return None
    return Refusal(
        status=409,
        code="quota_exceeded",
        detail=found.message,
        remedy="Give something back, or ask for a higher quota.",
    )


def _rate_limited(refused: Refused) -> Refusal:
    wait_s = refused.wait_ns / NS_PER_SECOND
    return Refusal(
        status=429,
        code="rate_limited",
        detail=f"The limit {refused.limit} is used up; it has room again in {wait_s:.2f} s.",
        remedy="Ask less often, and wait as long as Retry-After says.",
        burst=refused.burst,
        remaining=refused.remaining,
        wait_s=wait_s,
    )


def _shed(kind: str) -> Refusal:
    return Refusal(
        status=503,
        code="shedding",
        detail=f"The server is under load and answers no {kind} requests for a while.",
        remedy="Try again in a little while (Retry-After says when); trading goes on.",
        wait_s=float(RETRY_AFTER_S),
    )
