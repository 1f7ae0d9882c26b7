"""What tenants have open at brokers of their own, for those who have to wait for it."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from plan2.foundation.health import ComponentHealth
from plan2.foundation.values import TenantId
from plan2.wiring.tenant_brokers import TenantBrokers
from plan2.wiring.tenant_opening import Opened


class Standings:
    """Looks at the tenants of a process; what cannot be told counts as open.

    Args:
        opened, leaving, failed: as the runs keep them, changing all the time.
        brokers: which tenants ever dealt at a broker.
        is_due: whether a tenant that is not open has to be opened: served, or not wound down yet.
    """

    def __init__(
        self,
        opened: Mapping[TenantId, Opened],
        leaving: AbstractSet[TenantId],
        failed: Mapping[TenantId, str],
        brokers: TenantBrokers,
        is_due: Callable[[TenantId], bool],
    ) -> None:
        self._opened = opened
        self._leaving = leaving
        self._failed = failed
        self._brokers = brokers
        self._is_due = is_due

    def at_broker(self, tenant_id: str) -> Opened | None:
        """A tenant that is open at a broker of its own."""
        opened = self._opened.get(TenantId(tenant_id))
        return opened if opened is not None and opened.is_at_broker else None

    def place_parts(self) -> dict[str, list[ComponentHealth]]:
        """How the parts are that only tenants at brokers of their own have, by tenant."""
        return {tenant: opened.place_parts() for tenant, opened in self._opened.items()}

    def closing(self, tenant_id: str) -> str:
        """What a tenant that is served no more still has open at its broker; empty when nothing."""
        opened = self.at_broker(tenant_id)
        if opened is None or tenant_id not in self._leaving:
            return ""
        return f"waits until nothing is open any more: {opened.standing}"

    def failure(self, tenant_id: str) -> str:
        """Why a tenant could not be opened; empty when it could."""
        return self._failed.get(TenantId(tenant_id), "")

    def still_open(self, tenant_id: str) -> str:
        """What a tenant has at its broker, or why that cannot be told; empty when nothing."""
        opened = self.at_broker(tenant_id)
        if opened is not None:
            is_sure = opened.is_flat and opened.run.account.books_agree
            return "" if is_sure else opened.standing
        if not self._brokers.has_dealt(TenantId(tenant_id)):
            return ""
        is_due = self._is_due(TenantId(tenant_id))
        return self.failure(tenant_id) or ("its account is not open yet" if is_due else "")
