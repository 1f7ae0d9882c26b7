"""Routes of training: what there is to train on, and starting a training as a job."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final, Protocol

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.principal import User
from plan2.connectivity.jobs.service import Jobs
from plan2.dataflow.market_archive import Holding
from plan2.foundation.values import TenantId
from plan2.intelligence.training.families.available import KNOWN
from plan2.intelligence.training.job import NAME, TrainWish
from plan2.interface.job_items import JobItem, job_item
from plan2.interface.screen import NS_PER_US, SAFE_INTEGER_MAX, to_us

BODY_MAX_BYTES: Final = 16_384
HORIZON_MAX_MINUTES: Final = 43_200
"""A month; ticks of a longer stretch than the horizon have to follow every event."""
SHARED: Final = "Models serve every tenant, so only the installation's own people train them."

TimeUs = Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]
SymbolName = Annotated[str, Meta(min_length=1, max_length=32)]
FamilyName = Annotated[str, Meta(min_length=1, max_length=32)]


class TrainBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to train; an empty list and null mean what is configured, or all there is.

    Times are microseconds UTC, used to the second.
    """

    symbols: Annotated[tuple[SymbolName, ...], Meta(max_length=200)] = ()
    families: Annotated[tuple[FamilyName, ...], Meta(max_length=20)] = ()
    horizon_minutes: Annotated[int, Meta(ge=1, le=HORIZON_MAX_MINUTES)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 1
    from_us: TimeUs | None = None
    to_us: TimeUs | None = None


class ArchivedSymbol(msgspec.Struct, frozen=True, kw_only=True):
    """What is archived of a symbol; times of the first and last tick or bar, microseconds UTC.

    `bars`: those that are trained on where there are no ticks, else 0.
    """

    symbol: str
    days: int
    ticks: int
    bars: int
    first_us: int
    last_us: int


class TrainingChoices(msgspec.Struct, frozen=True, kw_only=True):
    """What a training may be asked for, and what it takes when nothing is said.

    Attributes:
        families: all known; `usual_families` are those that are configured.
        refusal: why the caller may not start one, "" when they may as far as the tenant goes.
    """

    symbols: list[ArchivedSymbol]
    families: tuple[str, ...]
    usual_families: tuple[str, ...]
    horizon_minutes: int
    refusal: str


class ArchiveIndex(Protocol):
    """What is archived."""

    def symbols(self) -> tuple[str, ...]:
        """Every symbol that has ticks or bars."""
        ...

    def holdings(self) -> Sequence[Holding]:
        """What is stored, by symbol."""
        ...


class TrainingParts(msgspec.Struct, frozen=True, kw_only=True):
    """What trainings are started from.

    Attributes:
        archive: read in threads. home: the tenant whose people may train.
        families, horizon_minutes, bar_period_s, feature_set: what is configured.
    """

    jobs: Jobs
    archive: ArchiveIndex
    home: TenantId
    families: tuple[str, ...]
    horizon_minutes: int
    bar_period_s: int
    feature_set: str


class TrainingRoutes:
    """`/api/v1/training` and `/api/v1/jobs/train`."""

    def __init__(self, parts: TrainingParts) -> None:
        self._parts = parts
        self._reader = asyncio.Semaphore(1)

    def handlers(self) -> list[HTTPRouteHandler]:
        """The two routes."""
        starting = post(
            f"/api/v1/jobs/{NAME}",
            status_code=202,
            request_max_body_size=BODY_MAX_BYTES,
            tags=["jobs"],
        )
        return [get("/api/v1/training", tags=["jobs"])(self.choices), starting(self.start)]

    async def choices(self, request: SignedRequest) -> TrainingChoices:
        """What is archived, which families there are, and what is configured."""
        parts = self._parts
        async with self._reader:
            symbols = await asyncio.to_thread(self._archived)
        return TrainingChoices(
            symbols=symbols,
            families=KNOWN,
            usual_families=parts.families,
            horizon_minutes=parts.horizon_minutes,
            refusal="" if self._may_train(request.auth.user) else SHARED,
        )

    async def start(self, request: SignedRequest, data: TrainBody) -> JobItem:
        """Train models; the answer is the job, which waits for its turn."""
        parts, user = self._parts, request.auth.user
        if not self._may_train(user):
            raise RequestRefused(403, "models_are_shared", SHARED)
        async with self._reader:
            archived = await asyncio.to_thread(parts.archive.symbols)
        wish = TrainWish(
            symbols=tuple(dict.fromkeys(data.symbols)) or archived,
            families=tuple(dict.fromkeys(data.families)) or parts.families,
            horizon_minutes=data.horizon_minutes or parts.horizon_minutes,
            bar_period_s=parts.bar_period_s,
            feature_set=parts.feature_set,
            seed=data.seed,
            start_ns=(data.from_us or 0) * NS_PER_US,
            end_ns=(data.to_us or 0) * NS_PER_US,
        )
        wish.check(archived)
        row = await parts.jobs.start(
            TenantId(user.tenant_id), NAME, msgspec.to_builtins(wish), request.auth.actor
        )
        return job_item(row)

    def _may_train(self, user: User) -> bool:
        return user.tenant_id == self._parts.home or user.is_operator

    def _archived(self) -> list[ArchivedSymbol]:
        return [
            ArchivedSymbol(
                symbol=each.symbol,
                days=each.days,
                ticks=each.ticks,
                bars=each.bars,
                first_us=to_us(each.first_ts_ns),
                last_us=to_us(each.last_ts_ns),
            )
            for each in self._parts.archive.holdings()
        ]
