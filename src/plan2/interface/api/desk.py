"""What one tenant's people see and command; routes ask for the desk of whoever is calling."""

from typing import Protocol

import msgspec

from plan2.connectivity.identity.principal import Session
from plan2.interface.api.command_desk import Commands
from plan2.interface.api.health_report import HealthReport
from plan2.interface.api.order_requests import OrderRequests
from plan2.interface.api.ports import RunInfo, TradingControl
from plan2.interface.books import Books
from plan2.interface.live import LiveView
from plan2.interface.views.queries import Views


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant: its account, read models, commands and orders, and the market as it sees it."""

    info: RunInfo
    live: LiveView
    books: Books
    views: Views
    control: TradingControl
    commands: Commands
    orders: OrderRequests
    report: HealthReport


class Desks(Protocol):
    """Every tenant's desk."""

    def of(self, session: Session) -> Desk:
        """The desk of a caller's tenant, and of no other.

        Raises:
            RequestRefused: 503 while it is being opened.
        """
        ...
