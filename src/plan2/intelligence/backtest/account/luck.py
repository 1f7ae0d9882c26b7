"""Chance without memory: a uniform number for (seed, request, which draw).

splitmix64 (Steele, Lea, Flood 2014) of a counter: a draw depends on nothing but its three numbers,
so no chance shifts another one and a run can be cut anywhere.
"""

import math

import numpy as np

from plan2.intelligence.features.kernels import kernel

LATENCY, REJECT, WHICH_REJECT, PART, SLIP, SLIP_REST = range(6)
"""Which draw of a request."""
DRAWS = 8
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@kernel
def mixed(state: np.uint64) -> np.uint64:
    """The output of splitmix64 for a state."""
    state = (state ^ (state >> np.uint64(30))) * MIX_1
    state = (state ^ (state >> np.uint64(27))) * MIX_2
    return state ^ (state >> np.uint64(31))


@kernel
def luck(seed: int, number: int, which: int) -> float:
    """Uniform in [0, 1), 53 bits."""
    stream = mixed(np.uint64(seed) * GOLDEN + GOLDEN)
    count = np.uint64(number * DRAWS + which + 1)
    return float(mixed(stream + count * GOLDEN) >> np.uint64(11)) * 2.0**-53


@kernel
def tail(seed: int, number: int, scale: float) -> float:
    """Exponential with this mean: what the network adds to the shortest way."""
    return -scale * math.log(1.0 - luck(seed, number, LATENCY)) if scale > 0.0 else 0.0
