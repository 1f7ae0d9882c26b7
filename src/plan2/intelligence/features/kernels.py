"""Small compiled kernels that the feature groups and the bar indicators share.

Invariants: pure functions of their arguments (arrays are changed only where the name says so), no
allocation, IEEE arithmetic without re-ordering (no fastmath), so a call from Python and the same
call inside a compiled loop give the same bits.
"""

import math
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import njit

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.fingerprint import source_fingerprint

Function = TypeVar("Function", bound=Callable[..., object])
BLAS = "scipy.linalg.cython_blas"
ARRAY_FUNCTIONS = "numba.np.arraymath"


def kernel(function: Function) -> Function:
    """A compiled function that only compiled functions call (no Python wrapper is built).

    A division by zero gives inf or NaN as in numpy; no Python exception leaves a kernel.
    """
    # numba's type stubs do not list the two wrapper options.
    options: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("Function", njit(error_model="numpy", **options)(function))


def entry(function: Function) -> Function:
    """A compiled function that Python calls; its machine code is kept in numba's cache folder.

    Where no cache folder can be written it is compiled afresh in every process. It holds the GIL:
    releasing it costs a tenth of a microsecond a call.
    """
    # numba names its cache files after the qualified name: new sources, new files.
    function.__qualname__ += f"_{source_fingerprint()}"
    try:
        return cast("Function", njit(cache=True, error_model="numpy")(function))
    except RuntimeError:
        return cast("Function", njit(error_model="numpy")(function))


def start_lightly() -> None:
    """Bring numba up without all of SciPy's linear algebra, for a process that needs none.

    numba asks at its first compilation whether SciPy has BLAS, for np.cov and np.corrcoef alone,
    and imports scipy.linalg to find out: a tenth of a second or two, and 20 MB. Here the answer is
    no; whoever imports scipy.linalg later gets it.
    """
    if BLAS in sys.modules or ARRAY_FUNCTIONS in sys.modules:
        return
    hidden: dict[str, object] = {BLAS: None}  # what Python knows as "there is no such module"
    sys.modules.update(hidden)  # type: ignore[arg-type]
    try:
        from numba.np import arraymath  # noqa: F401 - it is the import that counts
    finally:
        del sys.modules[BLAS]


def machine_code(function: Callable[..., object], *examples: object) -> Callable[..., Any]:
    """The machine code of an `entry` for arguments like `examples`, compiled or loaded now.

    It skips numba's type dispatch, which costs more than a small kernel. The caller promises to
    pass arrays of exactly these types; numbers are converted.
    """
    dispatcher: Any = function  # `entry` types a dispatcher as the function it wraps
    typeof: Any = numba.typeof  # untyped in numba's stubs
    signature = tuple(typeof(example) for example in examples)
    dispatcher.compile(signature)
    return cast("Callable[..., Any]", dispatcher.overloads[signature].entry_point)


@kernel
def sma_seeded_next(previous: float, value: float, alpha: float, count: int, period: int) -> float:
    """Exponential average that starts as the plain mean of its first `period` values.

    `count` numbers `value` from 1. This is the published seeding of EMA (alpha = 2/(N+1)) and of
    Wilder's averages (alpha = 1/N).
    """
    if count == 1:
        return value
    if count <= period:
        return previous + (value - previous) / count
    return previous + alpha * (value - previous)


@kernel
def ema_next(previous: float, value: float, period: int, count: int) -> float:
    """EMA(N) after `value`, the `count`-th one; seeded with the mean of the first N."""
    return sma_seeded_next(previous, value, 2.0 / (period + 1.0), count, period)


@kernel
def wilder_next(previous: float, value: float, period: int, count: int) -> float:
    """Wilder's average (alpha = 1/N) after `value`, the `count`-th; seeded with the mean of N."""
    return sma_seeded_next(previous, value, 1.0 / period, count, period)


@kernel
def rsi_of(average_gain: float, average_loss: float) -> float:
    """Relative strength index, 0..100, from Wilder's averages; 50 when nothing has moved.

    Formula: 100·gain/(gain + loss), equal to Wilder's 100 − 100/(1 + gain/loss).
    """
    total = average_gain + average_loss
    return 100.0 * average_gain / total if total > 0.0 else 50.0


@kernel
def half_life_decay(elapsed: float, half_life: float) -> float:
    """What remains of a weight after `elapsed`: ½ per half-life; both in the same unit."""
    return math.exp(-math.log(2.0) * elapsed / half_life)


@kernel
def clip(value: float, limit: float) -> float:
    """`value` held within ±limit; NaN stays NaN."""
    if value > limit:
        return limit
    if value < -limit:
        return -limit
    return value


@kernel
def position_in_range(value: float, low: float, high: float) -> float:
    """0 at `low`, 1 at `high`; one half when the range has no width."""
    return (value - low) / (high - low) if high > low else 0.5


@kernel
def true_range(high: float, low: float, previous_close: float) -> float:
    """Wilder's true range: the span of the bar and the previous close, in quote currency."""
    return max(high, previous_close) - min(low, previous_close)


@kernel
def ring_back(ring: Float64Array, head: int, steps: int) -> float:
    """The value `steps` pushes before the newest, which lies at `head`."""
    size = ring.shape[0]
    return float(ring[(head - steps + size) % size])


@kernel
def rolling_total(ring: Float64Array, head: int, window: int, total: float, count: int) -> float:
    """Sum of the newest `window` values of a zero-filled ring, after a push at `head`.

    `total` is the sum before the push, `count` the number of pushes so far. The running sum is
    replaced by an exact one every `window` pushes, so rounding never piles up (amortised O(1)).
    """
    if count % window != 0:
        return total + float(ring[head] - ring_back(ring, head, window))
    exact = 0.0
    for steps in range(window):
        exact += ring_back(ring, head, steps)
    return exact


@kernel
def anchored_moments(
    ring: Float64Array, head: int, window: int, moments: Float64Array, count: int
) -> None:
    """Update `moments` = [anchor, Σ(x−anchor), Σ(x−anchor)²] after a push of x at `head`.

    Sums of squares of raw prices lose every digit of a small variance; deviations from a nearby
    anchor do not. Every `window` pushes the anchor moves to the newest value and both sums are
    taken afresh. `ring` holds at least window + 1 values; `count` ≥ 1 numbers the push.
    """
    if count % window == 0 or count == 1:
        moments[0] = ring[head]
        moments[1] = 0.0
        moments[2] = 0.0
        for steps in range(min(window, count)):
            deviation = ring_back(ring, head, steps) - moments[0]
            moments[1] += deviation
            moments[2] += deviation * deviation
        return
    deviation = ring[head] - moments[0]
    moments[1] += deviation
    moments[2] += deviation * deviation
    if count > window:
        leaving = ring_back(ring, head, window) - moments[0]
        moments[1] -= leaving
        moments[2] -= leaving * leaving


@kernel
def population_variance(total: float, total_squares: float, count: int) -> float:
    """Variance (divisor N) from sums of deviations; rounding below zero counts as zero."""
    return max(total_squares - total * total / count, 0.0) / count
