"""Features of ticks or bars as Arrow tables with named columns, block by block."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from plan2.dataflow.price_grid import to_points
from plan2.dataflow.store_files import StagedFiles
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import Float64Array, Int64Array, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.indicator_rules import PriceBars
from plan2.intelligence.features.indicators import indicators_of
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.sampled import SampledFeatures
from plan2.intelligence.features.selection import Selection

Every = Literal["bar", "tick"]
TIME = pa.timestamp("ns", "UTC")
PRICES = ("open", "high", "low", "close")
VOLUMES = ("volume", "tick_volume", "ticks", "real_volume")
ROWS_AT_ONCE = 100_000
USUAL_DIGITS = 5


def tick_tables(
    blocks: Iterable[TickBlock], selection: Selection, plan: FeaturePlan, every: Every
) -> Iterator[pa.Table]:
    """Feature rows of consecutive blocks of ticks of one symbol; nothing when there is no tick.

    Columns: time_utc (the tick of the row: with `every` = "bar" the one that closed a bar),
    bar_utc (start of the bar closed last), ready, then what was selected. Indicators are taken of
    the closed bid bars and need `every` = "bar"; the last, unfinished bar gives no row.

    Raises:
        InputError: for indicators at every tick, or prices that no indicator can be taken of.
    """
    if selection.indicators and every == "tick":
        raise InputError(
            f"{', '.join(selection.indicators)}: indicators change only when a bar closes.",
            remedy="Use --every bar.",
        )
    pieces = _pieces(blocks, plan, every)
    if not selection.indicators:
        yield from (_table(rows, selection, plan, {}) for rows in pieces)
        return
    held = list(pieces)
    if not held:
        return
    ohlc = np.concatenate([rows.bar_ohlc for rows in held])
    ticks = np.concatenate([rows.bar_ticks for rows in held]).astype(np.float64)
    bars = PriceBars(ohlc[:, 0], ohlc[:, 1], ohlc[:, 2], ohlc[:, 3], ticks)
    columns = indicators_of(selection.indicators, bars)
    start = 0
    for rows in held:
        part = {name: column[start : start + len(rows)] for name, column in columns.items()}
        start += len(rows)
        yield _table(rows, selection, plan, part)


def _pieces(
    blocks: Iterable[TickBlock], plan: FeaturePlan, every: Every
) -> Iterator[SampledFeatures]:
    engine: FeatureEngine | None = None
    for block in blocks:
        for start in range(0, len(block), ROWS_AT_ONCE):
            part = block.slice(start, start + ROWS_AT_ONCE)
            engine = engine or FeatureEngine(plan, instrument_of(part))
            yield engine.step_block(part, "bars" if every == "bar" else "ticks")


def instrument_of(block: TickBlock) -> Instrument:
    """What the engine must know of a symbol that is only seen in a file: its price grid."""
    found = to_points(block.bid, block.ask)
    digits = USUAL_DIGITS if found is None else max(found.grid.digits, 1)
    symbol = block.symbol
    return Instrument(symbol=symbol, base=symbol[:3], quote=symbol[3:6], digits=digits)


def read_bars(path: Path) -> pl.DataFrame:
    """A Parquet or CSV file of bars, as it is.

    Raises:
        InputError: when it is neither, or cannot be read.
    """
    try:
        if path.suffix.lower() == ".csv":
            return pl.read_csv(path, try_parse_dates=True)
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as bars: {error}.") from error


def bar_frame(bars: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    """The time columns of `bars` and the selected indicators.

    Prices are the columns open, high, low, close, or else bid_open … bid_close.

    Raises:
        InputError: when a price column is missing or holds what is not a finite number.
    """
    prefix = "" if set(PRICES) <= set(bars.columns) else "bid_"
    opens, highs, lows, closes = (_numbers(bars, prefix + name) for name in PRICES)
    volume = next((name for name in VOLUMES if name in bars.columns), None)
    volumes = None if volume is None else _numbers(bars, volume)
    values = indicators_of(selection.indicators, PriceBars(opens, highs, lows, closes, volumes))
    times = [name for name, kind in bars.schema.items() if _is_time(name, kind)]
    return bars.select(times).with_columns(
        [pl.Series(name, column) for name, column in values.items()]
    )


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """Rows, rows whose `ready` is true, and the column names of a written file."""

    rows: int
    ready: int
    columns: tuple[str, ...]


def write_tables(path: Path, tables: Iterable[pa.Table]) -> WrittenTable | None:
    """Write tables of one schema as a Parquet file that appears whole; None without a table.

    Raises:
        InputError: when the file cannot be written; an older version of it is unchanged.
    """
    parts = iter(tables)
    first = next(parts, None)
    if first is None:
        return None
    rows = ready = 0

    def write(beside: Path) -> None:
        nonlocal rows, ready
        with pq.ParquetWriter(beside, first.schema, compression="zstd") as writer:
            for part in itertools.chain([first], parts):
                writer.write_table(part)
                rows += part.num_rows
                ready += pc.sum(part["ready"]).as_py() or 0 if "ready" in names else 0

    names = tuple(first.column_names)
    staged = StagedFiles()
    try:
        staged.stage(path, write)
        staged.commit()
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}.") from error
    finally:
        staged.discard()
    return WrittenTable(rows, ready, names)


def _table(
    rows: SampledFeatures,
    selection: Selection,
    plan: FeaturePlan,
    indicators: dict[str, Float64Array],
) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "time_utc": _times(rows.ts_ns),
        "bar_utc": _times(rows.bar_ts_ns),
    }
    columns["ready"] = pa.array(rows.ready)
    for name in selection.features:
        columns[name] = pa.array(np.ascontiguousarray(rows.values[:, plan.names.index(name)]))
    for name, values in indicators.items():
        columns[name] = pa.array(values)
    return pa.table(columns)


def _times(ts_ns: Int64Array) -> pa.Array:
    return pa.array(ts_ns).cast(TIME)


def _is_time(name: str, kind: pl.DataType) -> bool:
    return kind.is_temporal() or name in {"time", "date", "ts_ns"}


def _numbers(bars: pl.DataFrame, name: str) -> Float64Array:
    if name not in bars.columns:
        raise InputError(
            f"the bars have no column {name}; found {', '.join(bars.columns)}.",
            remedy="Expected open, high, low, close or bid_open, bid_high, bid_low, bid_close.",
        )
    if not bars.schema[name].is_numeric():
        raise InputError(f"column {name} must hold numbers; found {bars.schema[name]}.")
    return bars[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
