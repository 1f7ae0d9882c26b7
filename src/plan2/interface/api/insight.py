"""Routes that explain: what features mean and whether they were checked, what resembles what."""

import asyncio
from typing import Any

import msgspec
import numpy as np
from litestar import get
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.foundation.errors import InputError
from plan2.intelligence.features.catalog import SEQUENCE, Feature
from plan2.intelligence.features.feature_set import ALL_GROUPS
from plan2.intelligence.features.set_check import CheckReport
from plan2.intelligence.regimes.similar import SimilarSituations
from plan2.interface.api.desk import Desks
from plan2.interface.api.paging import ItemId
from plan2.interface.api.ports import EventLog, Features, Situations
from plan2.interface.screen import to_us

SEQUENCE_GROUP = "bar"
NOT_COMPARABLE = "The decision wanted no side, or was made with features that are not in use."


class FeatureEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A feature: what it means, is measured in, needs and may be; `low`, `high` None = no bound.

    `formula` is empty for features of the catalogue.
    """

    name: str
    group: str
    unit: str
    warmup_bars: int
    low: float | None
    high: float | None
    waits: bool
    meaning: str
    formula: str


class FeatureBook(msgspec.Struct, frozen=True, kw_only=True):
    """The features in use, the whole catalogue, and the last check of those in use.

    `set_name` is "default" for the whole catalogue; `bar_period_s` and `ready_after_bars` say what
    warm-up is counted in.
    """

    schema_id: str
    set_name: str
    set_version: int
    bar_period_s: int
    ready_after_bars: int
    in_use: list[FeatureEntry]
    catalogue: list[FeatureEntry]
    checked: CheckReport | None


class NeighbourItem(msgspec.Struct, frozen=True, kw_only=True):
    """A situation of the past: when, how far, and what each side would have got, in R."""

    ts_us: int
    distance: float
    net_r_long: float
    net_r_short: float


class SimilarItem(msgspec.Struct, frozen=True, kw_only=True):
    """Past situations like a decision's; figures are None with too few of them.

    `n` neighbours worth `n_eff` independent ones; results in R for the decision's side, with a
    95 % interval; `distance_percentile`, 0 to 1: how unusual the situation was. `why_none` says
    why nothing can be compared; "" where something was.
    """

    side: int
    n: int = 0
    n_eff: float = 0.0
    net_r_mean: float | None = None
    net_r_low: float | None = None
    net_r_high: float | None = None
    hit_rate: float | None = None
    distance_percentile: float | None = None
    is_novel: bool = False
    nearest: list[NeighbourItem] = []
    why_none: str = ""


class InsightRoutes:
    """The book of features, and situations like that of a decision."""

    def __init__(
        self, desks: Desks, events: EventLog, features: Features, situations: Situations
    ) -> None:
        self._desks = desks
        self._events = events
        self._features = features
        self._situations = situations

    def handlers(self) -> list[HTTPRouteHandler]:
        """The two routes."""
        return [
            get("/api/v1/features/book", tags=["market"])(self.book),
            get("/api/v1/decisions/{decision_id:str}/similar", tags=["decisions"])(self.similar),
        ]

    async def book(self) -> FeatureBook:
        """What the features mean, which are in use, and what their last check found."""
        plan = self._features.plan()
        own = plan.feature_set
        formulas = {name: formula.text for name, formula in own.columns} if own else {}
        groups = {**ALL_GROUPS, SEQUENCE_GROUP: SEQUENCE}
        group_of = {f.field: group for group, members in groups.items() for f in members}
        return FeatureBook(
            schema_id=plan.schema_id,
            set_name=own.name if own else "default",
            set_version=own.version if own else 1,
            bar_period_s=plan.bar_period_s,
            ready_after_bars=plan.warmup_bars,
            in_use=[
                _entry(feature, group_of.get(feature.field, "set"), formulas.get(feature.field, ""))
                for feature in plan.features
            ],
            catalogue=[
                _entry(feature, group, "") for group, found in groups.items() for feature in found
            ],
            checked=await asyncio.to_thread(self._features.checked, plan.schema_id),
        )

    async def similar(self, request: SignedRequest, decision_id: ItemId) -> SimilarItem:
        """Past situations like the decision's, how they ended for its side, and how unusual it is.

        Only what was known at the decision counts.
        """
        record = await self._record(request, decision_id)
        names = self._features.names(str(record["features"]["schema_id"]))
        side = int((record.get("edge") or {}).get("side", 0))
        if names is None or side == 0:
            return SimilarItem(side=side, why_none=NOT_COMPARABLE)
        values = np.array(
            [np.nan if value is None else value for value in record["features"]["values"]]
        )
        try:
            found = await asyncio.to_thread(
                self._situations.similar,
                str(record["symbol"]),
                (names, values),
                int(record["ts_ns"]),
                side,
            )
        except InputError as error:
            return SimilarItem(side=side, why_none=f"{error.message} {error.remedy}".strip())
        return _item(found, side)

    async def _record(self, request: SignedRequest, decision_id: str) -> dict[str, Any]:
        # A decision record as JSON: its schema belongs to level 4.
        desk = self._desks.of(request.auth)
        position = await desk.views.decision_position(decision_id)
        found = (
            await self._events.read_all(desk.info.tenant_id, after=position - 1, limit=1)
            if position is not None
            else ()
        )
        if not found:
            raise RequestRefused(404, "not_found", f"There is no decision {decision_id!r}.")
        record: dict[str, Any] = found[0].data["record"]  # as above
        return record


def _entry(feature: Feature, group: str, formula: str) -> FeatureEntry:
    return FeatureEntry(
        name=feature.field,
        group=group,
        unit=feature.unit,
        warmup_bars=feature.warmup,
        low=_bound(feature.low),
        high=_bound(feature.high),
        waits=feature.waits,
        meaning=feature.meaning,
        formula="" if formula == feature.field else formula,
    )


def _item(found: SimilarSituations, side: int) -> SimilarItem:
    return SimilarItem(
        side=side,
        n=found.n,
        n_eff=found.n_eff,
        net_r_mean=found.net_r_mean,
        net_r_low=found.net_r_low,
        net_r_high=found.net_r_high,
        hit_rate=found.hit_rate,
        distance_percentile=found.distance_percentile,
        is_novel=found.is_novel,
        nearest=[
            NeighbourItem(
                ts_us=to_us(near.ts_ns),
                distance=near.distance,
                net_r_long=near.net_r_long,
                net_r_short=near.net_r_short,
            )
            for near in found.nearest
        ],
    )


def _bound(edge: float) -> float | None:
    return None if np.isinf(edge) else edge
