"""Wires long work: which kinds of jobs there are, who may start them, and what their child runs."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from plan2.connectivity.identity.room import Room
from plan2.connectivity.jobs.job import JobKind, JobRow, Parameters
from plan2.connectivity.jobs.service import JobParts, Jobs
from plan2.connectivity.jobs.table import PostgresJobs
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Workers
from plan2.foundation.events.jobs import RetrainModel
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import RandomIds
from plan2.foundation.storage import Database
from plan2.foundation.worker_pool import WorkerPool
from plan2.intelligence.training.job import NAME as TRAIN
from plan2.intelligence.training.job import TrainWish, command_of
from plan2.wiring.backtest_jobs import backtest_kind
from plan2.wiring.research_jobs import research_kinds


def job_kinds(workers: Workers, folder: Path, home: Path) -> dict[str, JobKind]:
    """Every kind of job by name; `home` is the part of the data folder with archive and models."""

    def train(parameters: Parameters) -> tuple[str, ...]:
        return command_of(_wish(parameters), home)

    kinds = (
        JobKind(
            name=TRAIN,
            command=train,
            right=("POST", "/api/v1/jobs/train"),
            timeout_s=float(workers.timeout_s),
            memory_mb=workers.memory_mb,
            asked=_retrain,
        ),
        *research_kinds(workers, folder, home),
        backtest_kind(workers, folder, home),
    )
    return {kind.name: kind for kind in kinds}


def open_jobs(
    kinds: Mapping[str, JobKind], slots: int, database: Database, room: Room, record: Record
) -> Jobs:
    """The jobs of all tenants, so many at a time."""
    wall = LiveClock()
    parts = JobParts(
        table=PostgresJobs(database.uow),
        pool=WorkerPool(slots, wall),
        kinds=kinds,
        room=room,
        record=record,
    )
    return Jobs(parts, wall, RandomIds())


def _wish(parameters: Parameters) -> TrainWish:
    return msgspec.convert(dict(parameters), TrainWish)


def _retrain(row: JobRow) -> RetrainModel:
    wish = _wish(row.parameters)
    return RetrainModel(
        ts_ns=row.asked_ns,
        job_id=row.job_id,
        symbols=wish.symbols,
        families=wish.families,
        horizon_minutes=wish.horizon_minutes,
        seed=wish.seed,
        start_ns=wish.start_ns,
        end_ns=wish.end_ns,
        by=row.asked_by,
    )
