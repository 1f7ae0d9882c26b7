"""Routes of the learning loop: how forecasts did, what drifts, who challenges whom.

Forecasts are made once per symbol and shared, so these figures are of the installation and the same
for every tenant; no account is in them.
"""

import asyncio
from typing import Annotated, Protocol

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.learning import OutcomeRecorded
from plan2.foundation.eventstore.upcast import upcast
from plan2.intelligence.learning.eprocess import PROOF
from plan2.intelligence.learning.loop import LearningLoop
from plan2.interface.api.learning_items import (
    ContestItem,
    Learning,
    OutcomeItem,
    SymbolLearning,
    contest_item,
    outcome_item,
    symbol_item,
)
from plan2.interface.api.paging import Cursor, ItemLimit, position_of
from plan2.interface.api.ports import EventLog
from plan2.interface.items import Page
from plan2.interface.screen import to_us

MaybeSymbol = Annotated[
    str,
    Parameter(pattern=r"^[A-Za-z0-9._#-]{0,32}$", description="Only this symbol; all if empty."),
]


class LearningState(Protocol):
    """The running loop, as the composition root has wired it."""

    @property
    def loop(self) -> LearningLoop:
        """It."""
        ...

    @property
    def is_watching_only(self) -> bool:
        """Whether nothing follows from what is learnt."""
        ...

    @property
    def skew_mismatches(self) -> int:
        """Served vectors that the newest replay did not confirm."""
        ...

    def state_of(self, candidate_id: str) -> str:
        """How far a candidate has come; empty when it is not known."""
        ...

    def refusal_of(self, candidate_id: str) -> str:
        """Why the last automatic move of a candidate was refused; empty when it was not."""
        ...


class LearningRoutes:
    """`/api/v1/learning`."""

    def __init__(self, state: LearningState, events: EventLog) -> None:
        self._state = state
        self._events = events
        self._reader = asyncio.Semaphore(1)

    def handlers(self) -> list[HTTPRouteHandler]:
        """The two routes."""
        return [
            get("/api/v1/learning", tags=["models"])(self.whole),
            get("/api/v1/learning/outcomes", tags=["models"])(self.outcomes),
        ]

    async def whole(self) -> Learning:
        """Scores with intervals, signals and detectors per symbol, and every contest."""
        loop = self._state.loop
        slot = loop.retraining
        return Learning(
            market_us=to_us(loop.now_ns),
            is_watching_only=self._state.is_watching_only,
            unmatched_share=loop.unmatched,
            retraining=loop.retraining_cause(),
            labels_new=slot.labels_new if slot is not None else 0.0,
            skew_mismatches=self._state.skew_mismatches,
            symbols=await self._in_thread(loop),
            contests=self._contests(loop),
        )

    async def outcomes(
        self,
        symbol: MaybeSymbol = "",
        limit: ItemLimit = 100,
        cursor: Cursor = "",
    ) -> Page[OutcomeItem]:
        """Events with what became of them, newest first; acted and abstained alike."""
        stored = await self._events.read_all(
            MAIN_TENANT,
            before=position_of(cursor),
            limit=limit + 1,
            newest_first=True,
            types=("OutcomeRecorded",),
        )
        items = []
        for each in stored[:limit]:
            event = upcast(each.type, each.schema_ver, each.payload)
            if isinstance(event, OutcomeRecorded) and symbol in {"", event.symbol}:
                items.append(outcome_item(each.position, event))
        following = str(stored[limit - 1].position) if len(stored) > limit else None
        return Page(items, following)

    async def _in_thread(self, loop: LearningLoop) -> list[SymbolLearning]:
        """The intervals take up to a second: beside the loop, for one question at a time."""
        async with self._reader:
            return await asyncio.to_thread(
                lambda: [symbol_item(loop, symbol) for symbol in sorted(loop.outcomes)]
            )

    def _contests(self, loop: LearningLoop) -> list[ContestItem]:
        state = self._state
        return [
            contest_item(contest, state.state_of(name), state.refusal_of(name), PROOF)
            for name, contest in sorted(loop.ledger.contests.items())
        ]
