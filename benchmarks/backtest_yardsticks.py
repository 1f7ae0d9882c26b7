"""The yardsticks of `backtest.py`: fused loops that do the same work as a flow and nothing else.

Strategy A: two averages of one-minute bars. B+: five indicators on every tick, with order latency,
stop and target, equity, drawdown and a daily loss limit. And the quotes that they run over.
"""

import numpy as np
from numba import njit

DAY, MINUTE = 86_400_000_000_000, 60_000_000_000


@njit(inline="always", error_model="numpy")
def five(s, x):
    """RSI 14, MACD 12/26/9, SMA 20, EMA 20, Bollinger 20/2 after one more price."""
    if s[8] == 0.0:
        s[9] = s[12] = s[13] = s[4] = s[14] = x
    change = x - s[9]
    s[9] = x
    s[10] = max(change, 0.0) / 14 + s[10] * 13 / 14
    s[11] = max(-change, 0.0) / 14 + s[11] * 13 / 14
    s[0] = 1.0 if s[11] == 0.0 else 1.0 - 1.0 / (1.0 + s[10] / s[11])
    s[12] = 2 / 13 * x + 11 / 13 * s[12]
    s[13] = 2 / 27 * x + 25 / 27 * s[13]
    s[1] = s[12] - s[13]
    s[2] = s[1] if s[8] == 0.0 else 0.2 * s[1] + 0.8 * s[2]
    s[4] = 2 / 21 * x + 19 / 21 * s[4]
    y = x - s[14]
    slot = int(s[17])
    old = s[24 + slot]
    s[24 + slot] = y
    slot += 1
    if slot == 20:
        slot = 0
        s[15] = s[16] = 0.0
        for place in range(24, 44):
            s[15] += s[place]
            s[16] += s[place] * s[place]
    else:
        s[15] += y - old
        s[16] += y * y - old * old
    s[17] = slot
    s[8] += 1.0
    held = min(s[8], 20.0)
    mean = s[15] / held
    reach = 2.0 * np.sqrt(max(s[16] / held - mean * mean, 0.0))
    s[3] = mean + s[14]
    s[5], s[7] = s[3] + reach, s[3] - reach


@njit(inline="always")
def wanted(s, x):
    """The side of strategy B, 0 for none."""
    slack = 1e-7
    if s[1] > s[2] and s[0] > 0.5 and x > s[3] + slack and x > s[4] and x > s[5] + slack:
        return 1
    if s[1] < s[2] and s[0] < 0.5 and x < s[3] - slack and x < s[4] and x < s[7] - slack:
        return -1
    return 0


@njit
def yardstick_a(ts, bid, ask):
    """EMA 10 against EMA 20 of one-minute closes; profit in points."""
    fast = slow = 0.0
    bars = side = entry = profit = 0
    minute = ts[0] // MINUTE
    last = bid[0] + ask[0]
    for i in range(ts.shape[0]):
        if ts[i] // MINUTE != minute:
            minute = ts[i] // MINUTE
            price = last * 0.5e-5
            fast = price if bars == 0 else 2 / 11 * price + 9 / 11 * fast
            slow = price if bars == 0 else 2 / 21 * price + 19 / 21 * slow
            bars += 1
            want = 1 if fast >= slow else -1
            if bars >= 20 and want != side:
                profit += side * ((bid[i - 1] if side > 0 else ask[i - 1]) - entry)
                entry = ask[i - 1] if want > 0 else bid[i - 1]
                side = want
        last = bid[i] + ask[i]
    return profit


@njit
def yardstick_b_plus(ts, bid, ask, equity):  # noqa: C901 - one fused loop is the point
    """Strategy B with latency 50 ms, stop 60, target 120, daily limit 2,000, in points."""
    s = np.zeros(64)
    side = entry = cash = wait = due = peak = fall = day = start = 0
    last = -10_000
    blocked = False
    for i in range(ts.shape[0]):
        b, a, t = bid[i], ask[i], ts[i]
        if t // DAY != day:
            day, start, blocked = t // DAY, cash, False
        if wait != 0 and t >= due:
            if side != 0:
                cash += side * ((b if side > 0 else a) - entry) - 2
                side = 0
            if wait != 2:
                entry, side = (a if wait > 0 else b), wait
                cash -= 2
            wait = 0
        open_ = side * ((b if side > 0 else a) - entry)
        if side != 0 and wait == 0 and (open_ <= -60 or open_ >= 120):
            wait, due = 2, t + 50_000_000
        now = cash + open_
        peak = max(peak, now)
        fall = max(fall, peak - now)
        if now - start <= -2_000 and not blocked:
            blocked = True
            if side != 0 and wait == 0:
                wait, due = 2, t + 50_000_000
        equity[i] = now
        x = (b + a) * 0.5e-5
        five(s, x)
        if i < 100 or i - last < 500 or wait != 0 or blocked:
            continue
        want = wanted(s, x)
        if want not in (0, side):
            wait, due, last = want, t + 50_000_000, i
    return cash, fall


def walk(length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quotes like those of EUR/USD in points: clustered volatility, spread of 1 to 12 points."""
    rng = np.random.default_rng(42)
    gaps = np.clip(rng.lognormal(6.6, 1.2, length).astype(np.int64), 1, 25_000) * 1_000_000
    level = np.exp(0.6 * np.cumsum(rng.normal(0, 0.02, length)) / np.sqrt(length) * 30)
    mid = 108_000 + np.cumsum(rng.standard_t(5, length) * 1.1 * level)
    spread = np.clip(np.rint(rng.gamma(2.0, 1.6, length) + 1), 1, 12).astype(np.int64)
    bid = np.rint(mid - spread / 2).astype(np.int64)
    return 1_704_067_200_000_000_000 + np.cumsum(gaps), bid, bid + spread
