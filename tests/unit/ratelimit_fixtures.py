"""Limits on a clock that tests move, with everything that they tell written down."""

from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.ratelimit.limiter import Limiter
from plan2.connectivity.ratelimit.load import Load, Tolerance
from plan2.connectivity.ratelimit.notices import Notices
from plan2.connectivity.ratelimit.use import Usage
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Quota
from plan2.foundation.events.base import Event
from plan2.foundation.events.tenancy import LimitExceeded
from plan2.foundation.values import NS_PER_SECOND

SMALL = Quota(requests_per_second=10, orders_per_minute=8, sockets=2, jobs=2, users=3)


class Limits:
    """A limiter for tenants whose quota is `SMALL`, unless a test says otherwise."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(1_000 * NS_PER_SECOND)
        self.quotas: dict[str, Quota] = {}
        self.recorded: list[tuple[str, str, LimitExceeded]] = []
        self.lag_ms = 0.0
        self.notices = Notices(self._record, self.clock, home="main")
        self.usage = Usage(self._quota_of, self.notices, self.clock.now_ns)
        self.load = Load(lambda: self.lag_ms, lambda: 0.0, self.clock, Tolerance(loop_lag_ms=50.0))
        self.limiter = Limiter(self.usage, self.load, self.clock.now_ns)

    def _quota_of(self, tenant_id: str) -> Quota:
        return self.quotas.get(tenant_id, SMALL)

    def _record(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        assert isinstance(event, LimitExceeded)
        self.recorded.append((tenant_id, stream, event))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now_ns() + int(seconds * NS_PER_SECOND))

    def strain(self, lag_ms: float) -> None:
        """Two readings of a loop that is so late."""
        self.lag_ms = lag_ms
        self.load.read()
        self.load.read()

    def passing(self, session: Session, method: str, path: str, tries: int) -> int:
        """How many of some requests in a row may go on."""
        policy = self.limiter.policy(method, path)
        return sum(self.limiter.admit(policy, session) is None for _ in range(tries))


def caller(
    tenant: str = "alpha", person: str = "ann", via: Via = Via.COOKIE, session_id: str = "s1"
) -> Session:
    """Somebody with a session or a key."""
    user = User(user_id=person, name=person, tenant_id=tenant, role=Role.TENANT_ADMIN)
    return Session(session_id=session_id, user=user, csrf="", expires_ns=1, via=via)
