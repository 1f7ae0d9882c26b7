"""Ticks as plain arrays in files, so that all processes of a research share them in memory."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array, Int64Array, TickBlock

TIMES: Final = "ts_ns.int64"
BIDS: Final = "bid.float64"
ASKS: Final = "ask.float64"


@dataclass(frozen=True, slots=True)
class TickColumns:
    """Where the columns lie, how many ticks they hold, and the hash of all of them."""

    folder: Path
    symbol: str
    ticks: int
    data_id: str

    def open(self) -> TickBlock:
        """The ticks, mapped into memory; nothing is read before it is needed."""
        return _mapped(self.folder, self.symbol, self.ticks)


def write_columns(folder: Path, symbol: str, blocks: Iterable[TickBlock]) -> TickColumns:
    """Write blocks of ticks in time order one behind the other.

    Raises:
        InputError: there is no tick.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest, ticks = hashlib.sha256(symbol.encode()), 0
    with (
        (folder / TIMES).open("wb") as times,
        (folder / BIDS).open("wb") as bids,
        (folder / ASKS).open("wb") as asks,
    ):
        for block in blocks:
            ticks += len(block)
            for file, column in ((times, block.ts_ns), (bids, block.bid), (asks, block.ask)):
                data = np.ascontiguousarray(column).tobytes()
                digest.update(data)
                file.write(data)
    if ticks == 0:
        raise InputError(
            f"{symbol}: no ticks in the chosen time.",
            remedy="`plan2 archive list` shows what there is; or take --simulated ticks.",
        )
    return TickColumns(folder, symbol, ticks, digest.hexdigest())


@lru_cache(maxsize=2)
def _mapped(folder: Path, symbol: str, ticks: int) -> TickBlock:
    times: Int64Array = np.memmap(folder / TIMES, np.int64, "r", shape=(ticks,))
    bids: Float64Array = np.memmap(folder / BIDS, np.float64, "r", shape=(ticks,))
    asks: Float64Array = np.memmap(folder / ASKS, np.float64, "r", shape=(ticks,))
    return TickBlock(symbol, times, bids, asks)
