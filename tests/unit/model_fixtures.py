"""Small data sets and markets for the tests of labels, training and models."""

from pathlib import Path

import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_MINUTE, NS_PER_SECOND, TickBlock
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.training.dataset import Dataset, SymbolSamples, pooled
from plan2.intelligence.training.families.available import families
from plan2.intelligence.training.labels import LABEL, Status
from plan2.intelligence.training.report import TrainReport
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.train import train_on

MONDAY_NS = 1_704_067_200 * NS_PER_SECOND
"""2024-01-01 00:00 UTC, a Monday."""
EURUSD = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)


def instrument(symbol: str) -> Instrument:
    """A dollar pair with five digits."""
    return Instrument(symbol=symbol, base=symbol[:3], quote="USD", digits=5)


def request(symbols: tuple[str, ...] = ("EURUSD",), **changes) -> TrainRequest:
    """A request with contract data for all its symbols."""
    return TrainRequest(
        symbols=symbols,
        instruments={symbol: instrument(symbol) for symbol in symbols},
        ts_ns=MONDAY_NS,
        **changes,
    )


def random_walk(seed: int, days: float, symbol: str = "EURUSD") -> TickBlock:
    """A driftless market: a tick about every four seconds, six per cent volatility a year."""
    rng = np.random.default_rng(seed)
    count = int(days * 86_400 / 4)
    ts_ns = MONDAY_NS + np.cumsum(rng.integers(1, 8 * NS_PER_SECOND, count))
    mid = 1.1 * np.exp(np.cumsum(rng.normal(0.0, 3e-5, count)))
    bid = np.round(mid, 5)
    return TickBlock(symbol, ts_ns, bid, bid + 5e-5)


def samples(symbol: str, bars: int, every: int, strength: float, seed: int) -> SymbolSamples:
    """Bars whose first channel drives a slow latent state, and events whose odds follow it.

    The log-odds of up are `strength` times the latent state, which has a standard deviation of one;
    feature 0 shows it with noise, feature 1 does so exactly.
    """
    rng = np.random.default_rng(seed)
    plan = default_plan(60)
    sequence = rng.normal(size=(bars, len(plan.sequence_names))).astype(np.float32)
    latent = np.zeros(bars)
    for bar in range(1, bars):
        latent[bar] = 0.97 * latent[bar - 1] + 0.243 * sequence[bar, 0]
    sequence[rng.random(sequence.shape) < 0.01] = np.nan
    event_bar = np.arange(100, bars, every)
    count = len(event_bar)
    is_up = rng.random(count) < 1.0 / (1.0 + np.exp(-strength * latent[event_bar]))
    bar_ts = MONDAY_NS + np.arange(bars) * NS_PER_MINUTE
    labels = np.zeros(count, LABEL)
    labels["t0"] = bar_ts[event_bar]
    labels["t1"] = labels["t0"] + every * NS_PER_MINUTE - 1
    labels["status"] = Status.RESOLVED
    labels["side"] = np.where(is_up, 1, -1)
    labels["barrier"], labels["cost"] = 1e-3, 1e-4
    labels["gross"] = labels["side"][:, None] * np.array([1e-3, -1e-3])
    labels["net"] = labels["late"] = labels["gross"] - 1e-4
    values = rng.normal(size=(count, len(plan.names)))
    values[:, 0] += latent[event_bar]
    values[:, 1] = latent[event_bar]
    values[:, 2:][rng.random((count, values.shape[1] - 2)) < 0.02] = np.nan
    is_reset = np.zeros(bars, np.bool_)
    is_reset[:: 5 * 1440] = True
    mid = 1.1 + 1e-4 * np.cumsum(rng.normal(size=bars))
    return SymbolSamples(
        symbol, bar_ts, mid, sequence, is_reset, event_bar, values, labels, "0" * 64
    )


def dataset(
    symbols: tuple[str, ...] = ("EURUSD", "GBPUSD"),
    bars: int = 4_000,
    every: int = 10,
    strength: float = 1.0,
    seed: int = 0,
) -> Dataset:
    """Events of several symbols whose outcomes follow their features with known strength."""
    return pooled(
        [samples(symbol, bars, every, strength, seed + k) for k, symbol in enumerate(symbols)]
    )


def small_report(names: tuple[str, ...] = ("xgboost", "lstm"), **changes) -> TrainReport:
    """A whole training run on `dataset()`, a few seconds long."""
    data = dataset()
    found, missing = families(names)
    symbols = tuple(series.symbol for series in data.series)
    return train_on(request(symbols, **changes), data, found, lambda *_: None, missing)


def flip_last_byte(file: Path) -> None:
    """Damage a file."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
