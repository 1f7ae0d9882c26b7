"""What the routes need from the rest of Plan2; the composition root plugs it in.

Protocols with a name that another module already has (`TickArchive`, `Latency`, `HealthBoard`,
`Registry`) are satisfied by that module as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from plan2.dataflow.bar_series import BarSeries
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.health import ComponentHealth, Status
from plan2.foundation.latency import StageLatency
from plan2.foundation.values import Float64Array, TenantId, TickBlock
from plan2.intelligence.decision.explain import Replayed
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.set_check import CheckReport
from plan2.intelligence.models.manifest import Manifest
from plan2.intelligence.regimes.similar import SimilarSituations
from plan2.intelligence.risk.parts import Check
from plan2.intelligence.trading.control import AccountSwitches, Selector
from plan2.intelligence.trading.requests import Outcome
from plan2.intelligence.trading.wishes import Ask, OrderWish, Refusal
from plan2.interface.api.reports import ReportShelf
from plan2.interface.api.terminal_link import TerminalDoor


class Archive(Protocol):
    """Stored ticks; both calls read files and run in a thread."""

    def bars(self, symbol: str, period_s: int, start_ns: int, end_ns: int) -> BarSeries:
        """Bars that start in start ≤ time < end; empty when nothing is stored."""
        ...

    def read(self, symbol: str, start_ns: int, end_ns: int) -> TickBlock:
        """Ticks with start ≤ time < end; empty when nothing is stored."""
        ...


class Indicators(Protocol):
    """Indicators over bars, by the same code that the models' features use."""

    def __call__(
        self,
        names: Sequence[str],
        open_: Float64Array,
        high: Float64Array,
        low: Float64Array,
        close: Float64Array,
        /,
    ) -> Mapping[str, Float64Array]:
        """One column per name, NaN while the indicator warms up; runs in a thread.

        Raises:
            InputError: there is no indicator of such a name.
        """
        ...


class FeatureVector(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol's features now; NaN where one is undefined."""

    ts_ns: int
    schema_id: str
    ready: bool
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: Float64Array


class Features(Protocol):
    """The feature engines."""

    def latest(self, symbol: str) -> FeatureVector | None:
        """The vector after the last tick; None before the first."""
        ...

    def names(self, schema_id: str) -> tuple[str, ...] | None:
        """Names of a schema's features; None when the schema is not today's."""
        ...

    def plan(self) -> FeaturePlan:
        """What all symbols compute."""
        ...

    def checked(self, schema_id: str) -> CheckReport | None:
        """The last result of `plan2 features check`; reads a file."""
        ...


class Situations(Protocol):
    """What the past knows about a situation."""

    def similar(
        self, symbol: str, named: tuple[Sequence[str], Float64Array], ts_ns: int, side: int
    ) -> SimilarSituations:
        """Situations like one with these names and values; runs in a thread.

        Raises:
            InputError: there is nothing to compare with.
        """
        ...


class Champion(Protocol):
    """The models that serve a symbol."""

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Their ids."""
        ...


class Models(Protocol):
    """The model registry."""

    def list(self) -> tuple[Manifest, ...]:
        """Every registered model, newest first."""
        ...

    def show(self, model_id: str) -> Manifest:
        """One model's manifest.

        Raises:
            InputError: it is not registered.
        """
        ...

    def champions(self) -> Mapping[str, Champion]:
        """The champion of each symbol that has one."""
        ...


class Replayer(Protocol):
    """Takes a recorded decision again."""

    async def replay(self, record: DecisionRecord) -> Replayed:
        """Whether the result is identical, and what differs.

        Raises:
            ModelMismatch: a model that took part is gone or was changed.
        """
        ...


class TradingSwitches(Protocol):
    """The trading switches and the kill switch, of one tenant or of all."""

    async def set_state(
        self, state: str, actor: str, reason: str, selector: Selector | None = None, mode: str = ""
    ) -> None:
        """Arm, pause, let only exits through or halt; durable when this returns.

        Raises:
            InputError: what was named does not exist, or the actor may not do it.
        """
        ...

    async def kill(
        self,
        actor: str,
        reason: str,
        selector: Selector | None = None,
        *,
        closes_foreign: bool = False,
    ) -> None:
        """Halt, withdraw working orders, close positions; returns once the orders are out.

        Raises:
            InputError: what was named does not exist.
        """
        ...

    def overview(self) -> Sequence[AccountSwitches]:
        """How every account stands."""
        ...


class TradingControl(TradingSwitches, Protocol):
    """One tenant's: its switches, and what is done about one account at a time."""

    async def accept_broker_view(self, account_id: str, actor: str, reason: str) -> Sequence[str]:
        """Close in our books what the broker does not have; the positions that were closed.

        Raises:
            InputError: nothing is missing, or trading is not halted; nothing was changed.
        """
        ...


class OrderDesk(Protocol):
    """The door through which people ask for orders; each call is carried out when it returns."""

    def request(self, wish: OrderWish) -> Outcome:
        """An order's id, or the rule that refused.

        Raises:
            JournalLost: it could not be written down, and was not sent.
        """
        ...

    def preview(self, wish: OrderWish) -> tuple[Check, ...] | Refusal:
        """What the risk gate would say of a wish now; nothing happens."""
        ...

    def claim(self, position_id: str, ask: Ask, horizon_s: int) -> Refusal | None:
        """Hand a foreign position to Plan2's care."""
        ...

    def release(self, position_id: str, ask: Ask) -> Refusal | None:
        """Take a position away from Plan2's care."""
        ...

    def state_of(self, order_id: str) -> str:
        """Where an order stands; empty when it is not known any more."""
        ...


class Health(Protocol):
    """The health board."""

    def snapshot(self) -> Sequence[ComponentHealth]:
        """Every part with its state."""
        ...

    def overall(self) -> Status:
        """The worst that matters."""
        ...

    def loop_lag_ms_p99(self) -> float:
        """How late the event loop runs."""
        ...


class LatencyBoard(Protocol):
    """Latency per stage."""

    def snapshot(self) -> Sequence[StageLatency]:
        """Every stage with its percentiles."""
        ...


class EventLog(Protocol):
    """Reading the event store."""

    async def read_all(
        self,
        tenant: TenantId,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
        types: Sequence[str] = (),
    ) -> Sequence[StoredEvent]:
        """Events with after < position < before, of the named types or of all."""
        ...


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while the process runs; `mode` is simulated, replay or live."""

    version: str
    mode: str
    run_id: str
    tenant_id: TenantId
    account_id: str
    currency: str
    ui_hash: str
    started_us: int
    attribution: tuple[str, ...]


class SharedParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes of all tenants are built from; nothing of it belongs to one of them.

    Attributes:
        events: reading the event store, of the tenant that is named in each call.
        speed: market seconds per second.
        terminal_door: lets terminals on other machines in; None lets nobody in.
    """

    events: EventLog
    indicators: Indicators
    features: Features
    situations: Situations
    models: Models
    reports: ReportShelf
    replayer: Replayer
    health: Health
    latency: LatencyBoard
    speed: Callable[[], float]
    terminal_door: TerminalDoor | None = None
