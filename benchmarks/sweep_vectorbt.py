"""The hundred pairs of `sweep.py` in vectorbt, in whatever Python has it: seconds and profits.

Usage: `PYTHON sweep_vectorbt.py FOLDER [ROUNDS]`; FOLDER holds ts.npy, bid.npy and ask.npy, prices
in points. Prints JSON: processor seconds of each round, and the profit of each pair in dollars.
"""

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import numpy as np  # noqa: E402 - the libraries warn as they are imported
import pandas as pd  # noqa: E402
import vectorbt as vbt  # noqa: E402

FAST = np.repeat(np.arange(5, 15), 10)
SLOW = np.tile(np.arange(20, 30), 10)


HEAD = 30


def heads(price):
    """The first bars of the averages, which vectorbt leaves out before their length is full."""
    series = pd.Series(price[:HEAD])
    return [
        np.stack([series.ewm(span=n, adjust=False).mean() for n in lengths], axis=1)
        for lengths in (FAST, SLOW)
    ]


def profits(price, bid, ask, first):
    """Points of each pair: long while the quick average is above, 2 dollars an order."""
    series = pd.Series(price)
    quick, calm = (
        vbt.MA.run(series, lengths.tolist(), ewm=True).ma.to_numpy().copy()
        for lengths in (FAST, SLOW)
    )
    quick[:HEAD], calm[:HEAD] = first
    side = np.where(quick >= calm, 1, -1)
    side[:19] = 0
    change = np.diff(side, axis=0, prepend=0)
    change[-1] = -side[-2]
    portfolio = vbt.Portfolio.from_orders(
        pd.DataFrame(np.repeat(price[:, None], len(FAST), 1)),
        size=np.where(change == 0, np.nan, change * 100_000.0),
        price=np.where(change >= 0, ask[:, None], bid[:, None]) / 1e5,
        fixed_fees=2.0 * np.abs(change),
        init_cash=1e6,
        freq="1min",
    )
    return portfolio.final_value().to_numpy() - 1e6


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1])
    ts, bid, ask = (np.load(folder / f"{name}.npy") for name in ("ts", "bid", "ask"))
    minute = ts // 60_000_000_000
    ends = np.append(np.flatnonzero(np.diff(minute)), len(minute) - 1)
    bid, ask = bid[ends], ask[ends]
    price = (bid + ask) * 0.5e-5
    first = heads(price)
    found = profits(price, bid, ask, first)
    seconds = []
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5):
        began = time.process_time()
        profits(price, bid, ask, first)
        seconds.append(time.process_time() - began)
    print(json.dumps({"seconds": seconds, "profits": np.round(found, 2).tolist()}))


if __name__ == "__main__":
    main()
