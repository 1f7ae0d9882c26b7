"""Facts told at a start are named by their content; forecasts are noted now and then."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
from trading_fixtures import NOON_NS, forecast

from plan2.dataflow.importers.ledger import Entry, Ledger
from plan2.foundation.bus import Bus
from plan2.foundation.config.schema import Risk, Settings
from plan2.foundation.events.market import BarClosed
from plan2.foundation.events.model import FeatureCalculated, ModelPredictionGenerated
from plan2.foundation.events.system import ConfigurationChanged, DataImported
from plan2.foundation.eventstore.record import NewEvent
from plan2.foundation.values import NS_PER_MINUTE, Bar
from plan2.intelligence.events import ForecastMade
from plan2.wiring.announcing import (
    NOTED_INDICATORS,
    Observations,
    configuration_facts,
    import_facts,
)


def test_a_changed_key_is_told_with_old_and_new_value(tmp_path: Path) -> None:
    """The first start tells nothing, the next one what changed, the one after nothing again."""
    plain = Settings()
    strict = msgspec.structs.replace(plain, risk=Risk(positions_max=2))
    assert configuration_facts(tmp_path, plain, 1) == []
    (told,) = configuration_facts(tmp_path, strict, 2)
    event = told.event
    assert isinstance(event, ConfigurationChanged)
    assert (event.config_key, event.old_value, event.new_value) == ("risk.positions_max", "4", "2")
    assert configuration_facts(tmp_path, strict, 3) == []


def test_an_import_is_the_same_fact_at_every_start(tmp_path: Path) -> None:
    """The event's id depends on the ledger's line only."""
    entry = Entry(
        sha256="ab",
        symbol="EURUSD",
        kind="ticks",
        file="a.csv",
        format="mt5",
        clock="UTC",
        rows=3,
        rejected=0,
        added=3,
        first=None,
        last=None,
        imported_ts_ns=7,
    )
    Ledger(tmp_path).add(entry)
    (first,), (second,) = import_facts(tmp_path), import_facts(tmp_path)
    assert first == second
    assert isinstance(first.event, DataImported)
    assert (first.event.rows, first.event.sha256, first.event.ts_ns) == (3, "ab", 7)


class Appended:
    """Takes events like the appender."""

    def __init__(self) -> None:
        self.events: list[NewEvent] = []

    def put(self, new: NewEvent) -> None:
        """Remember it."""
        self.events.append(new)


def test_forecasts_and_indicators_are_noted_every_quarter_of_an_hour() -> None:
    """Sixteen one-minute bars give two notes, each with every indicator and the last forecast."""
    values = np.arange(len(NOTED_INDICATORS), dtype=np.float64)
    values[2] = np.nan
    engine = SimpleNamespace(plan=SimpleNamespace(names=NOTED_INDICATORS), values=values)
    pipeline = SimpleNamespace(lanes={"EURUSD": SimpleNamespace(engine=engine)})
    taken, bus = Appended(), Bus()
    Observations(pipeline, taken).listen(bus)  # type: ignore[arg-type]
    bus.seal()
    for minute in range(16):
        ts_ns = NOON_NS + minute * NS_PER_MINUTE
        bus.publish(ForecastMade(ts_ns=ts_ns, forecast=forecast(0.4, standard_error=0.02)))
        bar = Bar("EURUSD", 60, ts_ns - NS_PER_MINUTE, 1.0, 1.0, 1.0, 1.0, 5)
        bus.publish(BarClosed(ts_ns=ts_ns, bar=bar))
    told = [new.event for new in taken.events]
    features = [event for event in told if isinstance(event, FeatureCalculated)]
    assert [(item.indicator, item.value) for item in features[: len(values)]] == [
        (name, None if name == "ema_gap_30" else float(place))
        for place, name in enumerate(NOTED_INDICATORS)
    ]
    predictions = [event for event in told if isinstance(event, ModelPredictionGenerated)]
    assert [item.ts_ns for item in predictions] == [NOON_NS, NOON_NS + 15 * NS_PER_MINUTE]
    assert predictions[0].prediction == 0.4
    assert abs(predictions[0].confidence - 0.58) < 1e-12
    assert len({new.event_id for new in taken.events}) == len(taken.events) == 12
