"""Numerics of the shared kernels: anchored variance, rolling sums, deques, the five indicators."""

import numpy as np
import pytest
from numba import njit

from plan2.foundation.values import Float64Array
from plan2.intelligence.features import deque, kernels
from plan2.intelligence.features.five import NAMES, FiveIndicators
from plan2.intelligence.features.kernels import machine_code
from plan2.intelligence.features.records import record_dtype

WINDOW = 200
RING = 256


@njit
def anchored_variances(prices: Float64Array, out: Float64Array) -> None:
    """The rolling variance the engine's way."""
    ring, moments = np.zeros(RING), np.zeros(3)
    for index in range(prices.shape[0]):
        head = index % RING
        ring[head] = prices[index]
        kernels.anchored_moments(ring, head, WINDOW, moments, index + 1)
        held = min(index + 1, WINDOW)
        out[index] = kernels.population_variance(moments[1], moments[2], held)


@njit
def naive_variances(prices: Float64Array, out: Float64Array) -> None:
    """The rolling variance from running sums of raw prices and their squares."""
    total, squares = 0.0, 0.0
    for index in range(prices.shape[0]):
        total += prices[index]
        squares += prices[index] ** 2
        if index >= WINDOW:
            total -= prices[index - WINDOW]
            squares -= prices[index - WINDOW] ** 2
        mean = total / WINDOW
        out[index] = squares / WINDOW - mean * mean


@njit
def rolling_totals(values: Float64Array, window: int, out: Float64Array) -> None:
    """Rolling sums the engine's way."""
    ring, total = np.zeros(RING), 0.0
    for index in range(values.shape[0]):
        ring[index % RING] = values[index]
        total = kernels.rolling_total(ring, index % RING, window, total, index + 1)
        out[index] = total


def rounded_walk(count: int, level: float, step: float) -> Float64Array:
    """Rounded quotes with long stretches in which the price does not move at all."""
    rng = np.random.default_rng(17)
    steps = rng.normal(0.0, step, count)
    quiet = (np.arange(count) // 1_500) % 3 == 1
    steps[quiet] = 0.0
    return np.round(level + np.cumsum(steps), 5)


def exact_variances(prices: Float64Array, rows: np.ndarray) -> Float64Array:
    """Two-pass variance of the windows that end at `rows`."""
    windows = np.lib.stride_tricks.sliding_window_view(prices, WINDOW)[rows - WINDOW + 1]
    return np.var(windows - windows[:, :1], axis=1)


@pytest.mark.parametrize(("level", "step"), [(1.1, 2e-5), (1.1, 4e-6), (165.0, 3e-3)])
def test_variance_after_two_million_ticks(level: float, step: float) -> None:
    """Relative error ≤ 1e-6 with constant stretches between; running raw sums are far off."""
    prices = rounded_walk(2_000_000, level, step)
    ours, naive = np.empty_like(prices), np.empty_like(prices)
    anchored_variances(prices, ours)
    naive_variances(prices, naive)
    rows = np.arange(WINDOW, len(prices), 97)
    exact = exact_variances(prices, rows)
    moving = exact > 0.0
    relative = np.abs(ours[rows] / np.where(moving, exact, 1.0) - 1.0)[moving]
    assert relative.max() <= 1e-6
    # A window without any move: at most a billionth of a squared point is left.
    assert ours[rows][~moving].max() <= 1e-9 * 1e-10
    off = np.abs(naive[rows] / np.where(moving, exact, 1.0) - 1.0)[moving]
    assert off.max() > 1e-6


@pytest.mark.parametrize("window", [1, 2, 60, 255])
def test_rolling_total_is_the_sum_of_the_window(window: int) -> None:
    """Values over six orders of magnitude, as squared returns of a calm and a wild market."""
    rng = np.random.default_rng(3)
    values = rng.exponential(1.0, 5_000) * np.where(np.arange(5_000) % 900 < 30, 1e-4, 1e-10)
    out = np.empty_like(values)
    rolling_totals(values, window, out)
    padded = np.concatenate((np.zeros(window - 1), values))
    exact = np.lib.stride_tricks.sliding_window_view(padded, window).sum(axis=1)
    np.testing.assert_allclose(out, exact, rtol=1e-9, atol=1e-18)


def test_monotonic_deque_finds_the_maximum_of_every_window() -> None:
    """Against a plain maximum, for several windows, with ties and long falls."""
    rng = np.random.default_rng(4)
    values = np.round(rng.normal(0.0, 1.0, 3_000).cumsum(), 0)
    dtype = record_dtype(deque.MaximumState, 1)

    @njit
    def run(records, values, window, out):
        for index in range(values.shape[0]):
            deque.push_maximum(records[0], values[index], index + 1, window)
            out[index] = deque.maximum_with(records[0], values[index])

    for window in (1, 2, 14, 120):
        out = np.empty_like(values)
        run(np.zeros(1, dtype), values, window, out)
        padded = np.concatenate((np.full(window - 1, -np.inf), values))
        exact = np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)
        np.testing.assert_array_equal(out, exact)


def five_in_numpy(prices: Float64Array) -> dict[str, float]:
    """The five indicators after the last price, straight from their definitions."""

    def average(values: Float64Array, alpha: float, first: float) -> Float64Array:
        out, last = np.empty_like(values), first
        for index, value in enumerate(values):
            last = alpha * value + (1.0 - alpha) * last
            out[index] = last
        return out

    change = np.diff(prices, prepend=prices[0])
    gain = average(np.maximum(change, 0.0), 1 / 14, 0.0)[-1]
    loss = average(np.maximum(-change, 0.0), 1 / 14, 0.0)[-1]
    macd = average(prices, 2 / 13, prices[0]) - average(prices, 2 / 27, prices[0])
    held = prices[-20:]
    middle, reach = held.mean(), 2.0 * (held - held[0]).std()
    return {
        "rsi": 100.0 * gain / (gain + loss),
        "macd": macd[-1],
        "signal": average(macd, 0.2, 0.0)[-1],
        "sma": middle,
        "ema": average(prices, 2 / 21, prices[0])[-1],
        "upper": middle + reach,
        "middle": middle,
        "lower": middle - reach,
    }


@pytest.mark.parametrize("count", [2, 19, 20, 21, 39, 40, 41, 5_003])
def test_five_indicators_follow_their_definitions(count: int) -> None:
    """From the second price on, around each wrap of the window, and after many prices."""
    rng = np.random.default_rng(6)
    prices = np.round(1.1 + np.cumsum(rng.normal(0.0, 2e-5, count)), 5)
    five = FiveIndicators()
    for price in prices.tolist():
        five.update(price)
    expected = five_in_numpy(prices)
    found = dict(zip(NAMES, five.values.tolist(), strict=True))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    block = FiveIndicators()
    block.run(prices[: count // 2])
    block.run(prices[count // 2 :])
    np.testing.assert_array_equal(block.values, five.values)


def test_without_a_cache_folder_an_entry_is_compiled_afresh() -> None:
    """Numba finds no place for the cache of code that has no file; that is not an error."""
    namespace: dict[str, object] = {}
    exec(compile("def doubled(x):\n    return 2.0 * x", "<nowhere>", "exec"), namespace)  # noqa: S102 - code without a file
    doubled = namespace["doubled"]
    assert callable(doubled)
    assert kernels.entry(doubled)(21.0) == 42.0


def test_machine_code_gives_what_the_dispatcher_gives() -> None:
    """Skipping the type dispatch changes nothing but the time."""

    @njit
    def scaled(values: Float64Array, factor: float) -> float:
        return values.sum() * factor

    values = np.arange(5.0)
    assert machine_code(scaled, values, 0.0)(values, 3) == scaled(values, 3.0) == 30.0
