"""The same trades by chance: in another order, in blocks drawn again, or with some left out.

A shuffle keeps the profit and shows which drawdowns the same trades might have had; a bootstrap
also shows which profits were as likely; skipping asks whether the result hangs on every trade.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from plan2.foundation.values import Float64Array

REPETITIONS: Final = 2_000
FAN_POINTS: Final = 120
SHARES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_CELLS_AT_ONCE: Final = 2_000_000


class Quantiles(msgspec.Struct, frozen=True):
    """Five points of a distribution: 5, 25, 50, 75 and 95 %."""

    p05: float
    p25: float
    p50: float
    p75: float
    p95: float


class Fan(msgspec.Struct, frozen=True, kw_only=True):
    """How the sum of trades may have gone; money in account currency.

    Attributes:
        at: after so many trades. bands: float[5][points], quantiles 5, 25, 50, 75, 95 %.
        actual: the order as it was. drawdown: of the repetitions; actual_drawdown: of closed
            trades as they came.
    """

    at: tuple[int, ...]
    bands: tuple[tuple[float, ...], ...]
    actual: tuple[float, ...]
    drawdown: Quantiles
    actual_drawdown: float


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """Profits and drawdowns of repetitions; `losing`: the share of them that lost money."""

    net: Quantiles
    drawdown: Quantiles
    losing: float


def quantiles_of(values: Float64Array) -> Quantiles:
    """Five points of a distribution, by linear interpolation."""
    return Quantiles(*(float(each) for each in np.quantile(values, SHARES)))


def drawdowns(paths: Float64Array) -> Float64Array:
    """The largest fall of each cumulated path from 0 on: float64[rows, n] → float64[rows]."""
    peaks = np.maximum.accumulate(np.maximum(paths, 0.0), axis=1)
    return np.asarray((peaks - paths).max(axis=1))


def shuffled(nets: Float64Array, seed: int, repetitions: int = REPETITIONS) -> Fan:
    """The trades in random orders.

    Args:
        nets: result of each trade in order, float64[n], n ≥ 1.
        seed: the same seed gives the same fan.
        repetitions: how many orders.
    """
    at = np.unique(np.linspace(1, len(nets), min(FAN_POINTS, len(nets))).astype(np.int64))
    rng = np.random.default_rng(seed)
    falls, samples = [], []
    for rows in _rows(repetitions, len(nets)):
        paths = rng.permuted(np.tile(nets, (rows, 1)), axis=1).cumsum(axis=1)
        falls.append(drawdowns(paths))
        samples.append(paths[:, at - 1])
    own = nets.cumsum()
    bands = np.quantile(np.concatenate(samples), SHARES, axis=0)
    return Fan(
        at=tuple(at.tolist()),
        bands=tuple(tuple(band) for band in bands.round(2).tolist()),
        actual=tuple(own[at - 1].round(2).tolist()),
        drawdown=quantiles_of(np.concatenate(falls)),
        actual_drawdown=float(drawdowns(own[None, :])[0]),
    )


def drawn_in_blocks(
    nets: Float64Array, seed: int, block: float | None = None, repetitions: int = REPETITIONS
) -> Drawn:
    """The stationary bootstrap of trades: blocks of neighbours drawn again.

    Politis and Romano (1994). Blocks keep streaks together, which a shuffle tears apart.

    Args:
        nets: result of each trade in order, float64[n], n ≥ 1.
        seed: of the draws.
        block: mean length of a block in trades; None = the cube root of n, at least 1.
        repetitions: how many draws.
    """
    n = len(nets)
    mean = max(1.0, n ** (1 / 3)) if block is None else block
    rng = np.random.default_rng(seed)
    sums, falls = [], []
    for rows in _rows(repetitions, n):
        begins = rng.random((rows, n)) < 1.0 / mean
        begins[:, 0] = True
        starts = rng.integers(0, n, (rows, n))
        places = np.arange(n)
        last_begin = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
        chosen = (np.take_along_axis(starts, last_begin, axis=1) + places - last_begin) % n
        paths = nets[chosen].cumsum(axis=1)
        sums.append(paths[:, -1])
        falls.append(drawdowns(paths))
    return _drawn(np.concatenate(sums), np.concatenate(falls))


def with_skips(
    nets: Float64Array, share: float, seed: int, repetitions: int = REPETITIONS
) -> Drawn:
    """Each trade left out with the probability `share`, as if it had been missed.

    Args:
        nets: result of each trade in order, float64[n], n ≥ 1.
        share: 0 to 1.
        seed: of the draws.
        repetitions: how many draws.
    """
    rng = np.random.default_rng(seed)
    sums, falls = [], []
    for rows in _rows(repetitions, len(nets)):
        kept = rng.random((rows, len(nets))) >= share
        paths = np.where(kept, nets, 0.0).cumsum(axis=1)
        sums.append(paths[:, -1])
        falls.append(drawdowns(paths))
    return _drawn(np.concatenate(sums), np.concatenate(falls))


def _drawn(sums: Float64Array, falls: Float64Array) -> Drawn:
    return Drawn(
        net=quantiles_of(sums), drawdown=quantiles_of(falls), losing=float((sums < 0.0).mean())
    )


def _rows(repetitions: int, length: int) -> Iterator[int]:
    """Repetitions in portions that fit into memory."""
    portion = max(1, _CELLS_AT_ONCE // max(1, length))
    for start in range(0, repetitions, portion):
        yield min(portion, repetitions - start)
