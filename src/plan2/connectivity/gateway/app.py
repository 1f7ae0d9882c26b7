"""The gateway: one Litestar application inside the perimeter, every route behind the guard."""

from collections.abc import Callable, Sequence

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, ControllerRouterHandler

from plan2.connectivity.gateway.docs import DocsRoutes
from plan2.connectivity.gateway.guard import guarding
from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.connectivity.gateway.probes import Probes, Readiness
from plan2.connectivity.gateway.problems import answer_error
from plan2.connectivity.gateway.signin import SignInRoutes
from plan2.connectivity.gateway.site_routes import ShowState, SiteRoutes
from plan2.connectivity.gateway.static import Site
from plan2.connectivity.gateway.strict_json import StrictRequest
from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.sessions import Sessions
from plan2.foundation.ids import IdSource


class Identity(msgspec.Struct, frozen=True):
    """Who can come in, and how; `local` lets programs of this machine in."""

    sessions: Sessions
    sign_in: SignIn
    local: LocalAccess | None = None


class Operations(msgspec.Struct, frozen=True):
    """What the probes ask."""

    readiness: Readiness
    metrics: Callable[[], bytes]


class Front(msgspec.Struct, frozen=True):
    """The web app, and what the page shows that stands in for it."""

    site: Site
    show_state: ShowState


def build_gateway(
    routes: Sequence[ControllerRouterHandler],
    identity: Identity,
    operations: Operations,
    front: Front,
    settings: GatewaySettings,
    ids: IdSource,
) -> ASGIApp:
    """The whole HTTP application as one ASGI callable.

    Args:
        routes: handlers of level 5, under `/api/v1`.
        identity: sessions and sign-in.
        operations: readiness and metrics.
        front: the built web app and the state for the page without it.
        settings: hosts, body size, TLS.
        ids: where request ids come from.
    """
    return Perimeter(
        build_application(routes, identity, operations, front, settings), settings, ids
    )


def build_application(
    routes: Sequence[ControllerRouterHandler],
    identity: Identity,
    operations: Operations,
    front: Front,
    settings: GatewaySettings,
) -> Litestar:
    """The application without its perimeter; tests enumerate its routes."""
    described: list[ControllerRouterHandler] = [
        *routes,
        *Probes(operations.readiness, operations.metrics).handlers(),
        *SignInRoutes(identity.sign_in, identity.sessions, is_tls=settings.is_tls).handlers(),
    ]
    return Litestar(
        [
            *described,
            *DocsRoutes(described).handlers(),
            *SiteRoutes(front.site, front.show_state).handlers(),
        ],
        middleware=[guarding(identity.sessions, identity.local, is_tls=settings.is_tls)],
        exception_handlers={Exception: answer_error},
        request_class=StrictRequest,
        request_max_body_size=settings.body_max_bytes,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
