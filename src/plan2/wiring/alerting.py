"""Wires alerts: one service for each tenant, over the parts that its run has."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from plan2.connectivity.identity.consents import Consents
from plan2.foundation.clock import Clock, LiveClock
from plan2.foundation.config.schema_alerts import Alerts
from plan2.foundation.errors import ConfigError
from plan2.foundation.events.base import Event
from plan2.foundation.events.recording import Record
from plan2.foundation.health import HealthBoard
from plan2.foundation.ids import RandomIds
from plan2.foundation.latency import Latency
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.sealing import Sealer
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId
from plan2.intelligence.alerts.alert import Telling
from plan2.intelligence.alerts.desk import AlertDesk, DeskParts
from plan2.intelligence.alerts.store import PostgresAlerts
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.pipeline import Pipeline
from plan2.intelligence.trading.account import TradingAccount
from plan2.interface.alerts.channel_book import ChannelBook, PostgresChannels
from plan2.interface.alerts.delivery import Delivery, People, Ways
from plan2.interface.alerts.live_readings import LiveReadings, Sources
from plan2.interface.alerts.mail import Post
from plan2.interface.alerts.outbound import Outbound
from plan2.interface.alerts.service import AlertService, ServiceParts
from plan2.interface.live import MarketView

STREAM: Final = "alerts"
PASSWORD_VARIABLE: Final = "PLAN2_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
CONSENT: Final = "notifications"


class Alerting:
    """Makes the alerts of each tenant.

    Args:
        config: mail server and networks. database: the open one. sealer: seals addresses.
        record: takes facts. consents: who agrees to be written to.

    Attributes:
        people: tells people over Telegram; None while nothing does.

    Raises:
        ConfigError: a configured network is none.
    """

    def __init__(
        self, config: Alerts, database: Database, sealer: Sealer, record: Record, consents: Consents
    ) -> None:
        self.config = config
        self.table = PostgresAlerts(database.uow)
        self.people: People | None = None
        self._channels = PostgresChannels(database.uow)
        self._sealer = sealer
        self._record = record
        self._consents = consents
        self._outbound = Outbound(config.private_networks)

    def service(
        self,
        tenant_id: TenantId,
        sources: Sources,
        changed: Callable[[str], None],
    ) -> AlertService:
        """The alerts of a tenant, not loaded yet; `changed` is told of each alert's change."""
        readings = LiveReadings(sources)
        book = ChannelBook(tenant_id, self._channels, self._sealer)
        delivery = Delivery(tenant_id, book, self._ways(tenant_id))

        def note(event: Event, by: str) -> None:
            self._record(tenant_id, STREAM, event, actor=by)

        def tell(telling: Telling) -> None:
            service.tell(telling)

        service = AlertService(
            ServiceParts(
                tenant_id=tenant_id,
                desk=AlertDesk(
                    DeskParts(
                        tenant_id=tenant_id,
                        readings=readings,
                        table=self.table,
                        clock=sources.wall,
                        ids=RandomIds(),
                        note=note,
                        tell=tell,
                    )
                ),
                readings=readings,
                book=book,
                delivery=delivery,
                ticks=lambda: sources.pipeline.last_ticks,
                clock=sources.wall,
                note=note,
                changed=changed,
            )
        )
        return service

    def _ways(self, tenant_id: TenantId) -> Ways:
        return Ways(
            post=Post(config=self.config, password=self._password),
            outbound=self._outbound,
            allows=lambda user_id: self._consents.allows(tenant_id, user_id, CONSENT),
            people=lambda: self.people,
            clock=LiveClock(),
            record=self._record,
            rng=np.random.default_rng(),
        )

    def _password(self) -> Secret:
        """The mail server's password, as it is now.

        Raises:
            ConfigError: its file cannot be read.
        """
        file = self.config.smtp_password_file
        if not file:
            return Secret(os.environ.get(PASSWORD_VARIABLE, ""))
        try:
            return Secret(Path(file).read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                "alerts.smtp_password_file cannot be read.",
                remedy=f"Name a readable file, or set {PASSWORD_VARIABLE}.",
            ) from error


class LookingAt:
    """What the alerts of every tenant look at: the market, which all share.

    Args:
        pipeline: ticks and features. view: recent minutes and forecasts. latency: of the path.
        clock: market time.
    """

    def __init__(
        self, pipeline: Pipeline, view: MarketView, latency: Latency, clock: Clock
    ) -> None:
        self._pipeline = pipeline
        self._view = view
        self._latency = latency
        self._clock = clock

    def sources(self, account: TradingAccount, board: HealthBoard) -> Sources:
        """What one tenant's alerts look at."""
        return Sources(
            pipeline=self._pipeline,
            account=account,
            forecast=self._forecast,
            bid_before=self._bid_before,
            board=board,
            latency=self._latency,
            market=self._clock,
            wall=LiveClock(),
        )

    def _forecast(self, symbol: str) -> Forecast | None:
        view = self._view.view(symbol)
        return view.forecasts[-1] if view is not None and view.forecasts else None

    def _bid_before(self, symbol: str, ts_ns: int) -> float | None:
        view = self._view.view(symbol)
        return view.candles.close_before(ts_ns) if view is not None else None
