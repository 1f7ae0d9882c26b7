"""Level 5 put together: every route and the stream, from the parts that the rest of Plan2 gives."""

import msgspec
from litestar.types import ControllerRouterHandler

from plan2.connectivity.gateway.site_routes import ShowState
from plan2.connectivity.identity.sessions import Sessions
from plan2.foundation.clock import Clock
from plan2.foundation.ids import IdSource
from plan2.interface.api.commands import CommandRoutes, Commands
from plan2.interface.api.fallback import FallbackRoutes
from plan2.interface.api.history import History
from plan2.interface.api.market import MarketRoutes
from plan2.interface.api.operations import HealthReport, ModelRoutes, SystemRoutes
from plan2.interface.api.orders import OrderRequests, OrderRoutes
from plan2.interface.api.ports import ApiParts
from plan2.interface.api.terminal_link import TerminalLinkRoute
from plan2.interface.api.trading import DecisionRoutes, TradingRoutes
from plan2.interface.streaming.connection import StreamRoute
from plan2.interface.streaming.hub import HubInfo, StreamHub, Timing


class Interface(msgspec.Struct, frozen=True):
    """What the gateway mounts, what must be run, and what the page without the app shows."""

    routes: list[ControllerRouterHandler]
    hub: StreamHub
    show_state: ShowState


def build_interface(parts: ApiParts, sessions: Sessions, ids: IdSource, wall: Clock) -> Interface:
    """Build every route and the stream.

    Args:
        parts: what routes and stream show and command.
        sessions: who may follow the stream.
        ids: names the run of the stream, and command keys.
        wall: wall clock, for heartbeats.
    """
    report = HealthReport(parts.health, parts.latency, lambda: len(hub.clients))
    info = HubInfo(parts.info.tenant_id, parts.info.ui_hash, ids.next_id("epoch"))
    hub = StreamHub(parts.live, report.make, sessions, info, Timing(wall))
    history = History(parts.live, parts.archive)
    commands = Commands(parts.control, parts.books)
    fallback = FallbackRoutes(commands, parts.books, ids)
    routes: list[ControllerRouterHandler] = [
        *SystemRoutes(parts, report).handlers(),
        *MarketRoutes(parts.live, history, parts.indicators, parts.features).handlers(),
        *DecisionRoutes(
            parts.info, parts.views, parts.events, parts.features, parts.replayer
        ).handlers(),
        *TradingRoutes(parts.views, parts.books).handlers(),
        *ModelRoutes(parts.models, history).handlers(),
        *CommandRoutes(commands, parts.control).handlers(),
        *OrderRoutes(OrderRequests(parts.orders)).handlers(),
        *fallback.handlers(),
        *StreamRoute(hub).handlers(),
        *TerminalLinkRoute(parts.terminal_door).handlers(),
    ]
    return Interface(routes, hub, fallback.show_state)
