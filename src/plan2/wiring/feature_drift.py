"""Holds the newest days' features against the period that a champion was trained on, in a child.

Features at the close of each bar are computed again from archived ticks, for both periods by one
engine in one go, so that only the market can make a difference. The whole catalogue is looked at,
and the columns of the set that the model was trained on, features on request among them. What
follows a calendar by definition is left out: five days never look like a month to it.
"""

import datetime as dt
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from plan2.dataflow.archive import TickArchive
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import InputError
from plan2.foundation.events.learning import FeatureDriftMeasured
from plan2.foundation.log import logger
from plan2.foundation.values import NS_PER_DAY, Float64Array, Int64Array
from plan2.foundation.workers import run_worker
from plan2.intelligence.features.catalog import CALENDAR, TABULAR
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.feature_set import CROSS_TERMS, EVENT_TERMS
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.features.requested import peer_of
from plan2.intelligence.features.surroundings import Surroundings
from plan2.intelligence.learning.feature_drift import FeatureShift, feature_shifts
from plan2.intelligence.learning.skew import EngineState, EngineStates
from plan2.intelligence.models.lifecycle import Candidate
from plan2.intelligence.models.manifest import Manifest
from plan2.intelligence.models.registry import Registry
from plan2.wiring.feature_plan import shelf_of
from plan2.wiring.markets import Market
from plan2.wiring.skew import EPOCH, day_text, home_of, states_folder
from plan2.wiring.surroundings import Span, absent_peers, surroundings_there

WINDOW_DAYS = 5
SEED = 1
TIMEOUT_S = 1_800.0
CHECKED = tuple(k for k, feature in enumerate(TABULAR) if feature not in CALENDAR)


class SymbolDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol's newest days against a model's training period; features by surprise.

    `left_out`: columns that could not be measured, because they look at symbols, `absent`, that are
    not archived of both periods.
    """

    symbol: str
    model_id: str
    day: str
    bars: int
    training_bars: int
    features: tuple[FeatureShift, ...]
    left_out: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def event(self, candidate_id: str) -> FeatureDriftMeasured:
        """The measurement as a fact about a champion."""
        worst = max(self.features, key=lambda each: each.psi / max(each.psi_limit, 1e-12))
        last = dt.date.fromisoformat(self.day)
        return FeatureDriftMeasured(
            ts_ns=((last - EPOCH).days + 1) * NS_PER_DAY,
            symbol=self.symbol,
            candidate_id=candidate_id,
            day=self.day,
            bars=self.bars,
            training_bars=self.training_bars,
            drifted=tuple(each.name for each in self.features if each.has_drifted),
            worst=worst.name,
            psi=worst.psi,
            psi_limit=worst.psi_limit,
            left_out=self.left_out,
        )


class OwnColumns(NamedTuple):
    """A set that a model was trained on, and what its features look at, but for `absent` peers."""

    plan: FeaturePlan
    around: Surroundings
    absent: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """Columns that are neither the catalogue's nor follow a calendar, and can be measured."""
        return tuple(column for column in self._own() if not self._looks_at_absent(column))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the columns that look at an absent peer; those of all peers together, too."""
        names = self.plan.names
        return tuple(names[column] for column in self._own() if self._looks_at_absent(column))

    def _own(self) -> tuple[int, ...]:
        own = self.plan.feature_set
        known = {feature.field for feature in TABULAR}
        dated = {feature.field for feature in CALENDAR} | EVENT_TERMS
        return tuple(
            column
            for column, (name, formula) in enumerate(own.columns if own is not None else ())
            if name not in known and dated.isdisjoint(formula.terms)
        )

    def _looks_at_absent(self, column: int) -> bool:
        own = self.plan.feature_set
        if own is None or not self.absent:
            return False
        terms = own.formulas[column].terms
        return any(term in CROSS_TERMS or peer_of(term) in self.absent for term in terms)


class DriftJob:
    """The nightly job of the running program; the comparison itself runs in a child."""

    def __init__(
        self, loaded: Loaded, market: Market, told: Callable[[FeatureDriftMeasured], None]
    ) -> None:
        self._loaded = loaded
        self._market = market
        self._told = told

    async def measure(self, champions: Mapping[str, Candidate]) -> None:
        """Measure the days up to the last whole one of the market, symbol by symbol."""
        day = day_text(self._market.clock.now_ns() // NS_PER_DAY - 1)
        for symbol, champion in champions.items():
            argv = [sys.executable, "-m", "plan2", "learn", "features", "--worker", "--day", day]
            argv += ["--data-dir", str(data_dir(self._loaded.settings))]
            argv += ["--account", self._market.account_id, "--symbol", symbol]
            argv += ["--model", champion.model_ids[0]]
            result = await run_worker(argv, lambda _: None, TIMEOUT_S)
            if result.failure is not None:
                reason = result.failure.message
                logger("learning").info("drift_not_measured", symbol=symbol, reason=reason)
                continue
            found = msgspec.convert(result.value, SymbolDrift)
            if found.left_out:
                left, absent = list(found.left_out), list(found.absent)
                logger("learning").info(
                    "drift_columns_left_out", symbol=symbol, columns=left, not_archived=absent
                )
            self._told(found.event(champion.candidate_id))


def newest_day(folder: Path, account_id: str, symbol: str) -> dt.date:
    """The last UTC day that ticks of a symbol are archived of.

    Raises:
        InputError: none are.
    """
    archive = TickArchive(home_of(folder, account_id) / "archive")
    coverage = archive.coverage(symbol)
    if not coverage:
        raise InputError(f"No ticks of {symbol} are archived.")
    return coverage[-1].day


def drift_of(folder: Path, account_id: str, subject: tuple[str, str], day: dt.date) -> SymbolDrift:
    """Measure a symbol's days up to `day` against a model's training; `subject`: symbol, model.

    Raises:
        InputError: the model, the engine's states or enough archived ticks are missing.
    """
    symbol, model_id = subject
    home = home_of(folder, account_id)
    end_ns = ((day - EPOCH).days + 1) * NS_PER_DAY
    states = EngineStates(states_folder(home, account_id)).load(symbol, end_ns)
    if not states:
        raise InputError(f"No engine state of {symbol} is kept from before {day}.")
    card = Registry(home / "models").show(model_id)
    period = (card.provenance.first_ts_ns, card.provenance.last_ts_ns)
    own = own_columns(home, card, symbol, end_ns)
    shifts, counts = shifts_of(TickArchive(home / "archive"), states[-1], period, end_ns, own)
    return SymbolDrift(
        symbol=symbol,
        model_id=model_id,
        day=day.isoformat(),
        bars=counts[0],
        training_bars=counts[1],
        features=tuple(sorted(shifts, key=lambda each: each.p)),
        left_out=own.left_out if own is not None else (),
        absent=own.absent if own is not None else (),
    )


def own_columns(home: Path, card: Manifest, symbol: str, end_ns: int) -> OwnColumns | None:
    """What a model's set adds to the catalogue; None when it adds nothing that can drift.

    A peer counts as absent when nothing of it is archived of the training or of the newest days:
    columns that look at it would be undefined in one of both, which is no drift of the market.
    """
    shelf = shelf_of(home)
    versions = (
        f"{each.name}@{number}" for each in shelf.list() for number in shelf.versions(each.name)
    )
    for asked in versions:
        plan = default_plan(card.bar_period_s, shelf.load(asked))
        if plan.schema_id == card.schema_id:
            first_ns, last_ns = card.provenance.first_ts_ns, card.provenance.last_ts_ns
            around = surroundings_there(home, plan, [symbol], Span(first_ns, end_ns))
            newest = Span(_window_start(last_ns, end_ns), end_ns)
            absent = {
                *absent_peers(home, plan, Span(first_ns, last_ns + 1)),
                *absent_peers(home, plan, newest),
            }
            found = OwnColumns(plan, around, tuple(sorted(absent)))
            return found if found.columns or found.left_out else None
    return None


def shifts_of(
    archive: TickArchive,
    state: EngineState,
    trained: tuple[int, int],
    end_ns: int,
    own: OwnColumns | None = None,
) -> tuple[tuple[FeatureShift, ...], tuple[int, int]]:
    """Every feature of the days before `end_ns`, and the bars of both periods.

    `trained`: first and last instant of training, UTC ns. `own`: columns beside the catalogue's.

    Raises:
        InputError: too little is archived.
    """
    first_ns, last_ns = trained
    times, rows = _catalogue(archive, state, first_ns, end_ns)
    names = tuple(TABULAR[k].field for k in CHECKED)
    if own is not None and own.columns:
        more_times, more = _own(archive, state, (first_ns, end_ns), own)
        times, here, there = np.intersect1d(times, more_times, return_indices=True)
        rows = np.column_stack([rows[here], more[there]])
        names += tuple(own.plan.names[k] for k in own.columns)
    training = rows[times <= last_ns]
    window = rows[times >= _window_start(last_ns, end_ns)]
    if not 0 < 2 * len(window) <= len(training):
        raise InputError(
            f"{state.instrument.symbol}: {len(window)} bars since the training and {len(training)} "
            "of it are archived; expected at least one new bar and twice as many old ones."
        )
    shifts = feature_shifts(names, training, window, np.random.default_rng(SEED))
    return shifts, (len(window), len(training))


def _window_start(last_ns: int, end_ns: int) -> int:
    """Where the newest days begin, after a training until `last_ns`; UTC ns."""
    return max(end_ns - WINDOW_DAYS * NS_PER_DAY, last_ns + 1)


def _catalogue(
    archive: TickArchive, state: EngineState, start_ns: int, end_ns: int
) -> tuple[Int64Array, Float64Array]:
    """Times and catalogue features of all warm bar closes between two times."""
    engine = FeatureEngine(default_plan(state.bar_period_s), state.instrument)
    return _closes(archive, engine, (start_ns, end_ns), CHECKED)


def _own(
    archive: TickArchive, state: EngineState, span: tuple[int, int], own: OwnColumns
) -> tuple[Int64Array, Float64Array]:
    """The same of a set's own columns, by an engine that looks around as a serving one."""
    engine = FeatureEngine(own.plan, state.instrument, own.around)
    return _closes(archive, engine, span, own.columns)


def _closes(
    archive: TickArchive, engine: FeatureEngine, span: tuple[int, int], columns: tuple[int, ...]
) -> tuple[Int64Array, Float64Array]:
    """Times and some columns of all warm bar closes of a span, from a cold engine."""
    times, rows = [np.empty(0, np.int64)], [np.empty((0, len(columns)))]
    for block in archive.iter_days(engine.symbol, *span):
        sampled = engine.step_block(block)
        warm = sampled.ready & sampled.closed
        times.append(sampled.ts_ns[warm])
        rows.append(sampled.values[warm][:, columns])
    return np.concatenate(times), np.concatenate(rows)
