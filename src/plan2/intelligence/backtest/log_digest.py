"""The one hash of what a run did: equal for equal orders and trades, whichever engine ran them."""

import hashlib
from typing import Final

import numpy as np
import polars as pl

PRICES: Final = ("price", "open_price", "close_price")
LOTS: Final = ("lots", "filled_lots")
FIGURES: Final = ("mae", "mfe", "spread_cost", "slippage_cost")
"""Columns that say something about a trade and are no part of what happened."""
LOTS_SCALE: Final = 1e8
CENTS: Final = 100.0


def log_digest(orders: pl.DataFrame, trades: pl.DataFrame, digits: int) -> str:
    """SHA-256 over the frames of `run.py`, column after column.

    Prices count in points of an instrument with so many `digits`, money in cents, lots in 1e-8:
    sums of binary fractions that differ in their last bit are the same.
    """
    digest = hashlib.sha256()
    for frame in (orders, trades):
        for name in frame.columns:
            if name not in FIGURES:
                digest.update(_content(frame[name], name, digits))
    return digest.hexdigest()


def _content(column: pl.Series, name: str, digits: int) -> bytes:
    if column.dtype == pl.String:
        return "\n".join(column.to_list()).encode()
    if column.dtype != pl.Float64:
        return column.cast(pl.Int64).to_numpy().tobytes()
    scale = 10.0**digits if name in PRICES else LOTS_SCALE if name in LOTS else CENTS
    return np.rint(column.to_numpy() * scale).astype(np.int64).tobytes()
