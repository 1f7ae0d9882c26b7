"""The gateway: one Litestar application inside the perimeter, every route behind the guard."""

from collections.abc import Callable, Sequence

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, ControllerRouterHandler

from plan2.connectivity.gateway.accounting import accounting
from plan2.connectivity.gateway.answers import JsonAnswer
from plan2.connectivity.gateway.callers import (
    Bearers,
    Callers,
    CallerSources,
    KeyBearers,
    NeedsFactor,
)
from plan2.connectivity.gateway.docs import DocsRoutes
from plan2.connectivity.gateway.guard import Queries, guarding
from plan2.connectivity.gateway.kept_answers import KeptAnswers, RecentAnswers
from plan2.connectivity.gateway.middleware import GatewaySettings, Perimeter
from plan2.connectivity.gateway.probes import Probes, Readiness
from plan2.connectivity.gateway.problems import answer_error
from plan2.connectivity.gateway.reading import Admit, layered
from plan2.connectivity.gateway.repetition import Answers
from plan2.connectivity.gateway.signin import SignInRoutes
from plan2.connectivity.gateway.site_routes import ShowState, SiteRoutes
from plan2.connectivity.gateway.static import Site
from plan2.connectivity.gateway.strangers import Strangers
from plan2.connectivity.gateway.strict_json import StrictRequest
from plan2.connectivity.gateway.tickets import TicketRoutes, Tickets
from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.directory import TenantDirectory
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.sessions import Sessions
from plan2.connectivity.identity.sign_in import PasswordSignIn
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource

Wrap = Callable[[ASGIApp], ASGIApp]


class Identity(msgspec.Struct, frozen=True):
    """Who can come in, and how, and what is written down about it.

    Attributes:
        sessions: by cookie. links, sign_in: how one comes to a session, by a printed address or
            by password.
        local: lets programs of this machine in.
        tokens: by bearer token. keys: by a program's key.
        directory: which tenants are served; None serves all.
        record: takes an `ActionTaken` for every unsafe request; None for none.
        strangers: takes those of nobody; None for none.
        answers: keeps answers by idempotency key over restarts.
        needs_factor: whether a caller must set up a second factor first.
    """

    sessions: Sessions
    links: SignIn
    sign_in: PasswordSignIn
    local: LocalAccess | None = None
    tokens: Bearers | None = None
    keys: KeyBearers | None = None
    directory: TenantDirectory | None = None
    record: Record | None = None
    answers: KeptAnswers | None = None
    needs_factor: NeedsFactor | None = None
    strangers: Strangers | None = None

    def callers(self, tickets: Tickets | None = None) -> Callers:
        """The chain of look-ups; it keeps no state, so each caller may have its own."""
        return Callers(
            CallerSources(
                sessions=self.sessions,
                local=self.local,
                tokens=self.tokens,
                keys=self.keys,
                directory=self.directory,
                tickets=tickets,
            )
        )


class Limiting(msgspec.Struct, frozen=True):
    """Where rate limits stand: one wrapper before the guard, one behind it.

    `admit` is what the latter asks, for requests that take the short way.
    """

    before: Wrap
    after: Wrap
    admit: Admit


class Operations(msgspec.Struct, frozen=True):
    """What the probes ask, and what limits requests."""

    readiness: Readiness
    metrics: Callable[[], bytes]
    limiting: Limiting | None = None


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
    application = build_application(routes, identity, operations, front, settings)
    if identity.strangers is None:
        return Perimeter(application, settings, ids)
    return Perimeter(application, settings, ids, identity.strangers.note)


def build_application(
    routes: Sequence[ControllerRouterHandler],
    identity: Identity,
    operations: Operations,
    front: Front,
    settings: GatewaySettings,
) -> Litestar:
    """The application without its perimeter; tests enumerate its routes."""
    tickets = Tickets(identity.sessions.now_ns)
    described: list[ControllerRouterHandler] = [
        *routes,
        *Probes(operations.readiness, operations.metrics).handlers(),
        *SignInRoutes(identity.links, identity.sign_in, identity.sessions).handlers(),
        *TicketRoutes(tickets).handlers(),
    ]
    docs = DocsRoutes(described)
    return Litestar(
        [*described, *docs.handlers(), *SiteRoutes(front.site, front.show_state).handlers()],
        middleware=[_layers(identity, tickets, operations.limiting, settings, docs.queries)],
        exception_handlers={Exception: answer_error},
        request_class=StrictRequest,
        response_class=JsonAnswer,
        request_max_body_size=settings.body_max_bytes,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _layers(
    identity: Identity,
    tickets: Tickets,
    limiting: Limiting | None,
    settings: GatewaySettings,
    queries: Queries,
) -> Wrap:
    """What stands between routing and a route."""
    now_ns = identity.sessions.now_ns
    guard = guarding(identity.callers(tickets), now_ns, queries, identity.needs_factor)
    answers = Answers(RecentAnswers(now_ns), identity.answers)
    layers: list[Wrap] = []
    if identity.record is not None:
        layers.append(accounting(identity.record, now_ns, identity.strangers))
    layers += [limiting.before, guard, limiting.after] if limiting is not None else [guard]
    layers.append(answers.repeating(settings.body_max_bytes))
    return layered(layers, guard, None if limiting is None else limiting.admit)
