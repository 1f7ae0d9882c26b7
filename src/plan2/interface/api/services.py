"""What runs: every part of the installation with version, address, process and state."""

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.registry import Service, ServiceRegistry


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The registry as the caller may see it; `version` is this server's."""

    version: str
    services: list[Service]


class ServiceRoutes:
    """`/api/v1/services`."""

    def __init__(self, registry: ServiceRegistry, version: str) -> None:
        self._registry = registry
        self._version = version

    def handlers(self) -> list[HTTPRouteHandler]:
        """The one route."""
        return [get("/api/v1/services", tags=["operations"])(self.services)]

    async def services(self, request: SignedRequest) -> Services:
        """Components, children, terminals, workers and nodes; where they are only for operators."""
        user = request.auth.user
        seen = self._registry.seen_by(user.tenant_id, is_operator=user.is_operator)
        return Services(version=self._version, services=seen)
