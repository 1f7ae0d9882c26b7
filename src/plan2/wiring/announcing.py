"""Facts that come about beside trading: models, imports, configuration, and what was forecast.

Each is named by its content, so that saying it again at the next start changes nothing.
"""

import hashlib
from pathlib import Path

import msgspec

from plan2.dataflow.importers.ledger import Ledger
from plan2.foundation.bus import Bus
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.load import data_dir, flat
from plan2.foundation.config.schema import Settings
from plan2.foundation.events.base import Event
from plan2.foundation.events.market import BarClosed
from plan2.foundation.events.model import (
    FeatureCalculated,
    ModelAccuracyUpdated,
    ModelPredictionGenerated,
    ModelRegistered,
)
from plan2.foundation.events.system import ConfigurationChanged, DataImported
from plan2.foundation.eventstore.appender import Appender
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.ids import derived_id
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND
from plan2.intelligence.events import ForecastMade
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.manifest import Manifest
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.pipeline import Pipeline

NOTED_EVERY_NS = 15 * NS_PER_MINUTE
"""Market time between two stored forecasts of a symbol; decisions carry their own."""

NOTED_INDICATORS = (
    "rsi_mid_14",
    "macd_histogram_12_26_9",
    "ema_gap_30",
    "bollinger_percent_b_20",
    "bollinger_width_20",
)
"""Indicators whose value goes into the event store with the forecast."""

LAST_CONFIGURATION = "configuration.json"


def told_at_start(settings: Settings, home: Path) -> list[NewEvent]:
    """What the event store may not have heard of yet; repeating it is harmless."""
    now_ns = LiveClock().now_ns()
    return [
        *model_facts(Registry(home / "models")),
        *import_facts(home),
        *configuration_facts(data_dir(settings), settings, now_ns),
    ]


def model_facts(registry: Registry) -> list[NewEvent]:
    """Every registered model, and the accuracy it was registered with."""
    return [fact for manifest in registry.list() for fact in _facts_of_model(manifest)]


def _facts_of_model(manifest: Manifest) -> list[NewEvent]:
    model_id, symbols = manifest.model_id, ",".join(manifest.symbols)
    registered = ModelRegistered(
        ts_ns=manifest.trained_ts_ns,
        model_id=model_id,
        family=manifest.family,
        symbol=symbols,
        sha256=manifest.sha256,
        metrics=manifest.metrics,
    )
    facts = [_new(f"model:{model_id}", registered)]
    if "accuracy" in manifest.metrics:
        trained_on = manifest.provenance
        first_s, last_s = trained_on.first_ts_ns // NS_PER_SECOND, trained_on.last_ts_ns
        measured = ModelAccuracyUpdated(
            ts_ns=manifest.trained_ts_ns,
            model_id=model_id,
            accuracy=manifest.metrics["accuracy"],
            backtest_period=f"{first_s}/{last_s // NS_PER_SECOND}",
        )
        facts.append(_new(f"model:{model_id}", measured))
    return facts


def import_facts(data_dir: Path) -> list[NewEvent]:
    """Every file that `plan2 import` has taken in."""
    return [
        _new(
            f"archive:{entry.symbol}",
            DataImported(
                ts_ns=entry.imported_ts_ns,
                symbol=entry.symbol,
                kind=entry.kind,
                rows=entry.rows,
                file_name=entry.file,
                sha256=entry.sha256,
            ),
        )
        for entry in Ledger(data_dir).entries()
    ]


def configuration_facts(folder: Path, settings: Settings, now_ns: int) -> list[NewEvent]:
    """What is configured differently from the run before; remembers this run's configuration."""
    file, now = folder / LAST_CONFIGURATION, flat(settings)
    before = msgspec.json.decode(file.read_bytes(), type=dict[str, str]) if file.exists() else now
    file.write_bytes(msgspec.json.encode(now))
    return [
        _new(
            "system",
            ConfigurationChanged(
                ts_ns=now_ns,
                config_key=key,
                old_value=before.get(key, ""),
                new_value=now.get(key, ""),
                user_id="configuration file",
            ),
        )
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]


class Observations:
    """Stores, every so often, what was forecast for a symbol and its indicators then."""

    def __init__(self, pipeline: Pipeline, appender: Appender) -> None:
        self._pipeline = pipeline
        self._appender = appender
        self._forecasts: dict[str, Forecast] = {}
        self._due_ns: dict[str, int] = {}

    def listen(self, bus: Bus) -> None:
        """Hear of forecasts and closed bars."""
        bus.subscribe(ForecastMade, self._on_forecast)
        bus.subscribe(BarClosed, self._on_bar)

    def _on_forecast(self, event: ForecastMade) -> None:
        self._forecasts[event.forecast.symbol] = event.forecast

    def _on_bar(self, event: BarClosed) -> None:
        symbol = event.bar.symbol
        if event.ts_ns < self._due_ns.get(symbol, 0):
            return
        self._due_ns[symbol] = event.ts_ns // NOTED_EVERY_NS * NOTED_EVERY_NS + NOTED_EVERY_NS
        engine = self._pipeline.lanes[symbol].engine
        values = dict(zip(engine.plan.names, engine.values.tolist(), strict=True))
        for name in NOTED_INDICATORS:
            value = values.get(name, float("nan"))
            known = value if value == value else None  # noqa: PLR0124 - not a number
            self._put(
                FeatureCalculated(ts_ns=event.ts_ns, symbol=symbol, indicator=name, value=known)
            )
        forecast = self._forecasts.get(symbol)
        if forecast is not None and not forecast.abstained:
            digest = hashlib.sha256(engine.values.tobytes()).hexdigest()
            self._put(_prediction(forecast, event.ts_ns, digest))

    def _put(self, event: FeatureCalculated | ModelPredictionGenerated) -> None:
        self._appender.put(_new(f"market:{event.symbol}", event))


def _prediction(forecast: Forecast, ts_ns: int, features_hash: str) -> ModelPredictionGenerated:
    better = max(forecast.p_up, 1.0 - forecast.p_up)
    return ModelPredictionGenerated(
        ts_ns=ts_ns,
        symbol=forecast.symbol,
        model_id=forecast.calibration_id,
        prediction=forecast.p_up,
        confidence=max(0.0, better - forecast.standard_error),
        members={vote.model_id: vote.raw for vote in forecast.votes},
        features_hash=features_hash,
    )


def _new(stream: str, event: Event) -> NewEvent:
    """An event whose id is its content."""
    content = msgspec.json.encode(event).decode()
    event_id = derived_id(type(event).__name__, stream, content)
    return NewEvent(stream_id=stream, event=event, event_id=event_id)
