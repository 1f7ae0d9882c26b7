"""Level 5 put together: every route and the stream, from the parts that the rest of Plan2 gives."""

import msgspec
from litestar.types import ControllerRouterHandler

from plan2.connectivity.gateway.site_routes import ShowState
from plan2.foundation.ids import IdSource
from plan2.interface.api.commands import CommandRoutes
from plan2.interface.api.desk import Desks
from plan2.interface.api.fallback import FallbackRoutes
from plan2.interface.api.history import History
from plan2.interface.api.insight import InsightRoutes
from plan2.interface.api.market import MarketRoutes
from plan2.interface.api.operations import ModelRoutes, SystemRoutes
from plan2.interface.api.order_preview import PreviewRoutes
from plan2.interface.api.orders import OrderRoutes
from plan2.interface.api.ports import SharedParts
from plan2.interface.api.reports import ReportRoutes
from plan2.interface.api.scenarios import ScenarioRoutes
from plan2.interface.api.terminal_link import TerminalLinkRoute
from plan2.interface.api.trading import DecisionRoutes, TradingRoutes
from plan2.interface.live import MarketView
from plan2.interface.streaming.connection import Hubs, StreamRoute


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown and to whom: the market, every tenant's desk and stream."""

    market: MarketView
    history: History
    desks: Desks
    hubs: Hubs


class Interface(msgspec.Struct, frozen=True):
    """What the gateway mounts, and what the page without the app shows."""

    routes: list[ControllerRouterHandler]
    show_state: ShowState


def build_interface(shared: SharedParts, shown: Shown, ids: IdSource) -> Interface:
    """Build every route; `ids` names the commands of the page without the app."""
    desks = shown.desks
    fallback = FallbackRoutes(desks, ids)
    routes: list[ControllerRouterHandler] = [
        *SystemRoutes(desks, shared).handlers(),
        *MarketRoutes(
            desks, shown.market, shown.history, shared.indicators, shared.features
        ).handlers(),
        *DecisionRoutes(desks, shared.events, shared.features, shared.replayer).handlers(),
        *InsightRoutes(desks, shared.events, shared.features, shared.situations).handlers(),
        *TradingRoutes(desks).handlers(),
        *ScenarioRoutes(desks, shown.history).handlers(),
        *ModelRoutes(shared.models).handlers(),
        *ReportRoutes(shared.reports).handlers(),
        *CommandRoutes(desks).handlers(),
        *OrderRoutes(desks).handlers(),
        *PreviewRoutes(desks).handlers(),
        *fallback.handlers(),
        *StreamRoute(shown.hubs).handlers(),
        *TerminalLinkRoute(shared.terminal_door).handlers(),
    ]
    return Interface(routes, fallback.show_state)
