"""Wires the life cycle of candidates to the market that is served: tables, files, lanes, log."""

import asyncio
from collections.abc import Sequence

from plan2.foundation.clock import LiveClock
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.base import Event
from plan2.foundation.events.model import (
    CandidateMoved,
    ModelPromoted,
    ModelRolledBack,
    ModelWithdrawn,
)
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.health import Health, Status
from plan2.foundation.hub import Component
from plan2.foundation.ids import derived_id
from plan2.foundation.scheduler import Job
from plan2.intelligence.models.candidate_desk import CandidateDesk, Terms
from plan2.intelligence.models.candidate_intake import Intake
from plan2.intelligence.models.candidate_ledger import Ledger
from plan2.intelligence.models.candidate_store import MoveRow, PostgresCandidates, SeatRow
from plan2.intelligence.models.gates import Evidence
from plan2.intelligence.models.lifecycle import Alias
from plan2.intelligence.models.moves import Book
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.standing import Expiry
from plan2.intelligence.swap import LaneStage, quiet_moment
from plan2.intelligence.training.provenance import code_hash
from plan2.wiring.assembly import Floor
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.installation import Installation
from plan2.wiring.markets import REPLAY, SIMULATED, Market


class Candidates:
    """The candidates of the served market's home.

    Args:
        installation: its database and settings. market: what is served.
        appender: the main tenant's way into the log.
        evidence: where the learning loop says what it has seen.
    """

    def __init__(
        self,
        installation: Installation,
        market: Market,
        appender: Appender,
        evidence: Evidence,
    ) -> None:
        self._installation = installation
        self._market = market
        self._appender = appender
        self._evidence = evidence
        self._lanes = 0

    async def open(self) -> None:
        """Read the tables, take up what training left, and write down who serves.

        Raises:
            StoreBusy: the database does not answer.
        """
        market, is_simulated = self._market, self._market.mode == SIMULATED
        database, settings = self._installation.database, self._installation.loaded.settings
        home = SIMULATED if is_simulated else "recorded"
        self.registry = Registry(market.home / "models")
        ledger = Ledger(
            PostgresCandidates(database.uow, MAIN_TENANT, home), self.registry, self._tell
        )
        terms = Terms(
            is_paper=market.is_paper,
            is_planted=is_simulated,
            code_hash=await asyncio.to_thread(code_hash),
            schema_id=plan_of(settings).schema_id,
            expiry=self.expiry,
        )
        self.desk = CandidateDesk(ledger, terms, self._evidence, LiveClock())
        self._intake = Intake(self.desk)
        await self._intake.open()
        self._installation.lifecycle, self._installation.intake = self.desk, self._intake

    async def attach(self, floor: Floor) -> None:
        """Let champions serve on this floor, which has loaded those of now already."""
        self._floor = floor
        pipeline = floor.pipeline
        self.stage = LaneStage(
            floor.lanes,
            self.registry,
            lambda: quiet_moment(lambda: pipeline.ticks),
            self.expiry,
            LiveClock(),
            self.lends_turns,
        )
        self.desk.ledger.attach(self.stage)
        await self._intake.take_up()

    def expiry(self) -> Expiry:
        """When a champion is old, by the settings of now."""
        models = self._installation.effective(MAIN_TENANT)[0].models
        return Expiry(days=models.expiry_days, suspend_days=models.suspend_days)

    def lends_turns(self) -> bool:
        """Whether canaries trade; in a replay nobody does who did not then."""
        learning = self._installation.effective(MAIN_TENANT)[0].learning
        return learning.canaries_trade and self._market.mode != REPLAY

    async def take_up(self) -> None:
        """Take up what training has left meanwhile, and settle what a crash left open."""
        await self._intake.take_up()

    def components(self) -> tuple[Component, ...]:
        """How the champions stand, on the health page."""
        return (Component(name="models", level=4, check=self.check),)

    def jobs(self) -> list[Job]:
        """What is done again and again."""
        return [
            Job("take_up_candidates", self.take_up, "every 10 s"),
            Job("end_expired_champions", self.desk.end_expired, "every 60 s"),
        ]

    def check(self) -> Health:
        """Which symbols nobody serves, and which champions are held back and why."""
        words = []
        is_held_back = False
        for symbol, lane in self._floor.lanes.items():
            standing = lane.standing
            if lane.ensemble is None:
                words.append(f"{symbol}: no champion")
            elif standing.words:
                words.append(f"{symbol}: {standing.candidate_id} is {standing.words}")
                is_free = standing.is_proven or self._market.is_paper
                is_held_back |= standing.size_factor < 1.0 or not is_free
        metrics = {"swaps": float(self.stage.swaps)}
        return Health(Status.DEGRADED if is_held_back else Status.OK, "; ".join(words), metrics)

    def _tell(self, book: Book, moves: Sequence[MoveRow], seats: Sequence[SeatRow]) -> None:
        """Write changes into the log under ids of their own: once, however often it is told."""
        for move in moves:
            self._put(f"move:{move.move_id}", _moved(book, move), move.candidate_id, move.by)
        for seat in seats:
            if seat.alias is Alias.CHAMPION:
                name = seat.candidate_id or seat.before
                self._put(f"seat:{seat.seat_id}", _seated(book, seat), name, seat.by)

    def _put(self, fact: str, event: Event, candidate_id: str, actor: str) -> None:
        event_id = derived_id(type(event).__name__, self._market.home.name, fact)
        stream = f"candidate:{candidate_id}"
        self._appender.put(NewEvent(stream_id=stream, event=event, event_id=event_id, actor=actor))


def _moved(book: Book, move: MoveRow) -> CandidateMoved:
    return CandidateMoved(
        ts_ns=move.at_ns,
        candidate_id=move.candidate_id,
        symbols=book.candidates[move.candidate_id].symbols,
        from_state=move.before.value,
        to_state=move.to.value,
        by=move.by,
        reason=move.reason,
        evidence=move.evidence,
        is_override=move.is_override,
    )


def _seated(book: Book, seat: SeatRow) -> ModelPromoted | ModelRolledBack | ModelWithdrawn:
    if not seat.candidate_id:
        return ModelWithdrawn(
            ts_ns=seat.at_ns,
            symbol=seat.symbol,
            candidate_id=seat.before,
            by=seat.by,
            reason=seat.reason,
        )
    if seat.is_rollback:
        return ModelRolledBack(
            ts_ns=seat.at_ns,
            symbol=seat.symbol,
            candidate_id=seat.candidate_id,
            replaced=seat.before,
            by=seat.by,
            reason=seat.reason,
        )
    return ModelPromoted(
        ts_ns=seat.at_ns,
        symbol=seat.symbol,
        candidate_id=seat.candidate_id,
        model_ids=book.candidates[seat.candidate_id].model_ids,
        replaced=seat.before,
        by=seat.by,
        reason=seat.reason,
    )
