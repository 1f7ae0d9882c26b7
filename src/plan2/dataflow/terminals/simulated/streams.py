"""Random streams for compiled code: addressable by name, the same on every run.

A stream is one `uint64` word that SplitMix64 (Steele, Lea, Flood 2014) turns into numbers. Its seed
is a hash of whatever names it, so that any hour of any symbol can be drawn without the ones before.
"""

import hashlib
import math
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

P = ParamSpec("P")
R = TypeVar("R")

StreamState = npt.NDArray[np.uint64]
"""uint64[1]: the position of a stream; drawing moves it."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_A = np.uint64(0xBF58476D1CE4E5B9)
MIX_B = np.uint64(0x94D049BB133111EB)
UNIT = 2.0**-53


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call, and keep the machine code on disk; the signature stays typed."""
    machine_code: Callable[P, R] = njit(cache=True)(function)
    return machine_code


def stream(*names: object) -> StreamState:
    """A fresh stream whose numbers depend on nothing but `names` (BLAKE2b, 64 bit)."""
    text = "\x1f".join(str(name) for name in names)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return np.array([int.from_bytes(digest, "little")], dtype=np.uint64)


@compiled
def uniform(state: StreamState) -> float:
    """A number in the open interval (0, 1): 53 bits of SplitMix64, centred in their cell."""
    state[0] += GOLDEN
    word = state[0]
    word = (word ^ (word >> np.uint64(30))) * MIX_A
    word = (word ^ (word >> np.uint64(27))) * MIX_B
    word ^= word >> np.uint64(31)
    return (float(word >> np.uint64(11)) + 0.5) * UNIT


@compiled
def exponential(state: StreamState) -> float:
    """A waiting time of mean 1."""
    return -math.log(uniform(state))


@compiled
def normal(state: StreamState) -> float:
    """A standard normal number (Box and Muller 1958; the second one is not kept)."""
    radius = math.sqrt(2.0 * exponential(state))
    return radius * math.cos(2.0 * math.pi * uniform(state))
