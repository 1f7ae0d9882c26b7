"""Lets other models serve a running market: built aside, put in place between two ticks.

Opening a session holds the interpreter for 10 to 70 ms and a thread would not change that, so
models are opened one at a time in quiet moments: when no tick has come for a while. Ticks that come
all the same wait in their queue and none is lost. What changes then is one pointer for each symbol,
after the new models have walked over the bars that the old ones saw. Models that serve, and those
that a rollback returns to, stay in memory.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from plan2.foundation.clock import Clock
from plan2.foundation.errors import ModelMismatch
from plan2.foundation.log import logger
from plan2.intelligence.models.canary import Canary
from plan2.intelligence.models.candidate_files import candidate_id_of
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.lifecycle import Alias, Candidate, State
from plan2.intelligence.models.moves import Book
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.standing import SOUND, Expiry, scaled, standing_of, stranded
from plan2.intelligence.pipeline import Lane

QUIET_S: Final = 0.05
"""A moment is quiet when no tick has come for so long."""
PATIENCE_S: Final = 2.0
"""How long to wait for one; a market that is never quiet is interrupted then."""


class LaneStage:
    """Implements `candidate_ledger.Stage` for the lanes of a market.

    Args:
        lanes: by symbol; they serve what `champion.json` named when they were built.
        registry: where models are loaded from, by hash.
        quiet: returns when nothing is disturbed by opening a model.
        expiry: when a champion is old; asked anew each time.
        clock: wall time, which models age by.
        canaries: whether canaries get their turns; asked anew each time.
    """

    def __init__(
        self,
        lanes: dict[str, Lane],
        registry: Registry,
        quiet: Callable[[], Awaitable[None]],
        expiry: Callable[[], Expiry],
        clock: Clock,
        canaries: Callable[[], bool] = lambda: True,
    ) -> None:
        self.swaps = 0
        self._canaries = canaries
        self._lanes = lanes
        self._registry = registry
        self._quiet = quiet
        self._expiry = expiry
        self._clock = clock
        self._drift: Callable[[str], float] = lambda _: 1.0
        self._look: Callable[[], None] = lambda: None
        self._ready: dict[tuple[str, str], Ensemble] = {
            (symbol, candidate_id_of(lane.ensemble.model_ids)): lane.ensemble
            for symbol, lane in lanes.items()
            if lane.ensemble is not None
        }

    async def prepare(self, candidate: Candidate) -> None:
        """See `Stage.prepare`."""
        name = candidate.candidate_id
        ours = [symbol for symbol in candidate.symbols if symbol in self._lanes]
        missing = [symbol for symbol in ours if (symbol, name) not in self._ready]
        if not missing:
            return
        models = []
        for model_id in candidate.model_ids:
            await self._quiet()
            models.append(self._registry.load(model_id, self._schema_of(missing[0])))
        for symbol in missing:
            self._ready[symbol, name] = Ensemble(symbol, [model.member() for model in models])

    async def show(self, book: Book) -> None:
        """See `Stage.show`."""
        for alias in (Alias.CHAMPION, Alias.LAST_GOOD):
            for symbol in self._lanes:
                await self._make_ready(book, symbol, alias)
        for symbol in self._lanes:
            if self._canary_of(book, symbol) is not None:
                await self._make_ready(book, symbol, Alias.CHALLENGER)
        kept = set()
        for symbol, lane in self._lanes.items():
            champion = book.holders.get((symbol, Alias.CHAMPION), "")
            canary = self._canary_of(book, symbol)
            if lane.canary is not None and lane.canary.candidate_id != _name(canary):
                lane.canary = None
            self._serve(lane, champion)
            if canary is not None:
                self._lend(lane, canary)
            self._judge(lane, book)
            last_good = book.holders.get((symbol, Alias.LAST_GOOD), "")
            kept |= {(symbol, name) for name in (champion, last_good, _name(canary))}
        self._ready = {key: each for key, each in self._ready.items() if key in kept}
        self._look()

    def _canary_of(self, book: Book, symbol: str) -> Candidate | None:
        """Who gets turns at a symbol beside its champion, if anybody does."""
        candidate = book.candidates.get(book.holders.get((symbol, Alias.CHALLENGER), ""))
        is_canary = candidate is not None and candidate.state is State.CANARY
        return candidate if is_canary and self._canaries() else None

    def _lend(self, lane: Lane, candidate: Candidate) -> None:
        """Give a canary its turns; it remembers the bars that were before it."""
        ensemble = self._ready.get((lane.symbol, candidate.candidate_id))
        if lane.canary is not None or lane.ensemble is None or ensemble is None:
            return
        ensemble.rewarm(lane.trail.rows())
        standing = standing_of(candidate, self._expiry(), self._clock.now_ns())
        lane.canary = Canary(candidate.candidate_id, ensemble, standing)

    async def _make_ready(self, book: Book, symbol: str, alias: Alias) -> None:
        """Load whoever holds an alias; one that cannot serve is told and left out."""
        candidate = book.candidates.get(book.holders.get((symbol, alias), ""))
        if candidate is None or (symbol, candidate.candidate_id) in self._ready:
            return
        try:
            await self.prepare(candidate)
        except ModelMismatch as error:
            logger("models").error(
                "candidate_not_servable",
                candidate=candidate.candidate_id,
                symbol=symbol,
                reason=str(error),
            )

    def _serve(self, lane: Lane, name: str) -> None:
        """Put a champion in place, or nobody; it remembers the bars that were before it."""
        ensemble = self._ready.get((lane.symbol, name))
        if ensemble is lane.ensemble or (name and ensemble is None):
            return
        if ensemble is not None:
            ensemble.rewarm(lane.trail.rows())
        lane.ensemble = ensemble
        self.swaps += 1

    def _judge(self, lane: Lane, book: Book) -> None:
        """How those who really forecast stand; a champion that could not be loaded lends nothing.

        Without models nobody decides, so nothing is to be held against anybody.
        """
        canary = self._canary_of(book, lane.symbol)
        if lane.canary is not None and canary is not None:
            lane.canary.standing = standing_of(canary, self._expiry(), self._clock.now_ns())
        if lane.ensemble is None:
            lane.standing = SOUND
            return
        served = candidate_id_of(lane.ensemble.model_ids)
        champion = book.candidates.get(book.holders.get((lane.symbol, Alias.CHAMPION), ""))
        if champion is None or champion.candidate_id != served:
            lane.standing = stranded(served)
            return
        standing = standing_of(champion, self._expiry(), self._clock.now_ns())
        lane.standing = scaled(standing, self._drift(lane.symbol))

    async def beside(self, candidate: Candidate) -> list[Ensemble]:
        """Models of a challenger for the symbols served here, warm, for nobody else's use.

        Raises:
            ModelMismatch: they were trained on other features, or a file was changed.
        """
        ours = [symbol for symbol in candidate.symbols if symbol in self._lanes]
        models = []
        for model_id in candidate.model_ids if ours else ():
            await self._quiet()
            models.append(self._registry.load(model_id, self._schema_of(ours[0])))
        found = [Ensemble(symbol, [model.member() for model in models]) for symbol in ours]
        for ensemble in found:
            ensemble.rewarm(self._lanes[ensemble.symbol].trail.rows())
        return found

    def heed(self, drift: Callable[[str], float]) -> None:
        """Scale the sizes of a symbol by this from now on; the learning loop tells it."""
        self._drift = drift

    def judge(self, book: Book) -> None:
        """Look anew at how every champion stands."""
        for lane in self._lanes.values():
            self._judge(lane, book)
        self._look()

    def watched_by(self, look: Callable[[], None]) -> None:
        """Call this between two ticks whenever who serves, or how it stands, may have changed."""
        self._look = look

    def _schema_of(self, symbol: str) -> str:
        return self._lanes[symbol].engine.plan.schema_id


def _name(candidate: Candidate | None) -> str:
    return candidate.candidate_id if candidate is not None else ""


async def quiet_moment(ticks: Callable[[], int]) -> None:
    """Return when no tick has come for a moment, or nobody can wait any longer.

    `ticks` says how many have come so far.
    """
    loop = asyncio.get_running_loop()
    end_s, seen = loop.time() + PATIENCE_S, -1
    while loop.time() < end_s and ticks() != seen:
        seen = ticks()
        await asyncio.sleep(QUIET_S)
