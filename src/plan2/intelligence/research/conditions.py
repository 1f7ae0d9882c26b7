"""A flow, its instrument and its ticks under other conditions than written."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec
import numpy as np

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.flows.flow import Flow, with_parameters
from plan2.intelligence.research.subject import Conditions


def changed_flow(flow: Flow, point: Mapping[str, float], conditions: Conditions) -> Flow:
    """The flow with other numbers, latency, slippage and luck, and its own commission."""
    execution = flow.execution
    latency = conditions.latency_ms
    execution = msgspec.structs.replace(
        execution,
        slippage_points=execution.slippage_points + conditions.slippage_points,
        latency_ms=execution.latency_ms if latency is None else latency,
        seed=execution.seed + conditions.seed,
        commission_per_lot=_scaled(execution.commission_per_lot, conditions.cost_factor),
    )
    return msgspec.structs.replace(with_parameters(flow, dict(point)), execution=execution)


def changed_instrument(instrument: Instrument, conditions: Conditions) -> Instrument:
    """The instrument with dearer commission and nights; what a night pays stays as it is."""
    factor = conditions.cost_factor
    return msgspec.structs.replace(
        instrument,
        commission_per_lot=instrument.commission_per_lot * Decimal(repr(factor)),
        swap_long_points=_night(instrument.swap_long_points, factor),
        swap_short_points=_night(instrument.swap_short_points, factor),
    )


def changed_ticks(block: TickBlock, point: float, conditions: Conditions) -> TickBlock:
    """The ticks with a wider or narrower spread and with noise, on the grid of points.

    Half of what the spread gains goes to each side, the odd point to the ask. Noise moves bid and
    ask of a tick alike; it depends on the seed and the number of the tick in the block.
    """
    if conditions.cost_factor == 1.0 and conditions.noise_points == 0.0:
        return block
    bid, ask = np.rint(block.bid / point), np.rint(block.ask / point)
    extra = np.rint((conditions.cost_factor - 1.0) * (ask - bid))
    down = np.floor(extra / 2.0)
    moved = np.zeros(len(block))
    if conditions.noise_points:
        rng = np.random.default_rng(conditions.seed)
        moved = np.rint(rng.normal(0.0, conditions.noise_points, len(block)))
    low = np.maximum(bid - down + moved, 1.0)
    high = np.maximum(ask + extra - down + moved, low)
    return TickBlock(block.symbol, block.ts_ns, low * point, high * point)


def _night(points: float, factor: float) -> float:
    return points * factor if points < 0.0 else points


def _scaled(commission: str, factor: float) -> str:
    """A commission as flows write it, to four decimals; empty stays the instrument's."""
    return f"{Decimal(commission) * Decimal(repr(factor)):.4f}" if commission else ""
