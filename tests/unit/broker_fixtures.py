"""A broker desk of an installation whose market is simulated: nobody can be bound."""

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.broker_bindings import BrokerWish
from plan2.connectivity.identity.principal import Session
from plan2.foundation.errors import InputError
from plan2.interface.api.tenant_brokers import BrokerKeyMade, BrokerView

WHY_NOT = "this installation's own market is not a broker's"


class NoBrokers:
    """Implements `BrokerDesk` as the product answers on a simulated market."""

    def __init__(self, *tenants: str) -> None:
        self._tenants = tenants

    async def view(self, tenant_id: str) -> BrokerView:
        """On paper."""
        if tenant_id not in self._tenants:
            raise RequestRefused(404, "not_found", f"There is no tenant {tenant_id!r}.")
        return BrokerView(
            tenant_id=tenant_id,
            state="none",
            why_not=WHY_NOT,
            needs_second_person=False,
            link="",
            detail="",
            account=None,
            positions=0,
            orders=0,
            symbols=[],
        )

    async def bind(self, caller: Session, wish: BrokerWish, reason: str) -> str:
        """Refused."""
        return await self._refuse(caller.user.tenant_id)

    async def bind_for(self, caller: Session, tenant_id: str, wish: BrokerWish, why: str) -> None:
        """Refused."""
        await self._refuse(tenant_id)

    async def unbind(self, tenant_id: str, by: str, reason: str) -> None:
        """Refused."""
        await self._refuse(tenant_id)

    async def make_key(self, tenant_id: str, by: str, label: str) -> BrokerKeyMade:
        """Refused."""
        raise InputError(await self._refuse(tenant_id))

    async def revoke_key(self, tenant_id: str, by: str, key_id: str) -> None:
        """There is none."""
        raise RequestRefused(404, "not_found", f"There is no key {key_id!r}.")

    async def _refuse(self, tenant_id: str) -> str:
        await self.view(tenant_id)
        raise InputError(f"No broker account can be bound: {WHY_NOT}.")
