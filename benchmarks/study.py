"""An honest study on recorded data: does any family forecast, and would it have paid?

`python benchmarks/study.py --data DIR` reads one-minute bars of MetaTrader 5 (bid and the spread
in points), years of hourly bars (bid and ask) and nine days of ticks, all Parquet; it turns each
bar into four ticks, evaluates the families walk-forward and prints a table for docs/study.md, or
JSON with `--json`. Nothing is registered. A run of all parts takes an hour or so of one core;
nothing of it needs a network.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND, TickBlock
from plan2.intelligence.training.again import evaluate_again
from plan2.intelligence.training.families.available import KNOWN
from plan2.intelligence.training.report import TrainReport, metrics_of
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.trials import Trials

FILES = {
    ("m1", "EURUSD"): "bars/mt5_eurusd_m1_2025-01_09.parquet",
    ("m1", "XAUUSD"): "bars/mt5_xauusd_m1_2023-01_2025-01.parquet",
    ("h1", "EURUSD"): "bars/oanda_eurusd_h1_2007_2018.parquet",
    ("h1", "XAUUSD"): "bars/oanda_xauusd_h1_2006_2019.parquet",
    ("ticks", "EURUSD"): "ticks/oanda_eurusd_2014-05-01_09.parquet",
    ("ticks", "XAUUSD"): "ticks/oanda_xauusd_2014-05-01_09.parquet",
}
PERIOD_S = {"m1": 60, "h1": 3_600, "ticks": 60}
HORIZONS = {"m1": (60, 120, 240), "h1": (240,), "ticks": (60,)}
"""Minutes ahead. Hours hold too little for shorter ones, nine days too few for longer ones."""
POINT = {"EURUSD": 1e-5, "XAUUSD": 1e-2}
SPREAD_MIN_POINTS = {"EURUSD": 5, "XAUUSD": 10}
"""Demo servers record spreads of zero; nobody trades at them."""
SIXTIETHS = (0, 20, 40, 59)
"""When in its sixty parts a bar's four prices are taken to have been."""
SIDES = ("open", "high", "low", "close")


def ticks_of(source: str, symbol: str, file: Path) -> TickBlock:
    """The ticks of a file, or four for each of its bars."""
    rows = pl.read_parquet(file)
    start = rows["time_utc"].cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy()
    if source == "ticks":
        return TickBlock(symbol, start, rows["bid"].to_numpy(), rows["ask"].to_numpy())
    least = SPREAD_MIN_POINTS[symbol] * POINT[symbol]
    if "bid_open" in rows.columns:
        bid = in_order(rows, "bid_")
        ask = np.maximum(in_order(rows, "ask_"), bid + least)
    else:
        bid = in_order(rows, "")
        ask = bid + np.repeat(np.maximum(rows["spread"].to_numpy() * POINT[symbol], least), 4)
    steps = np.array(SIXTIETHS) * (PERIOD_S[source] // 60) * NS_PER_SECOND
    return TickBlock(symbol, (start[:, None] + steps).ravel(), bid, ask)


def in_order(bars: pl.DataFrame, side: str) -> npt.NDArray[np.float64]:
    """Four prices a bar: open, the extreme against the bar's direction, the other one, close."""
    opened, high, low, close = (bars[side + name].to_numpy() for name in SIDES)
    # One direction for both sides of a quote: the bid's.
    first = bars["bid_open" if side else "open"].to_numpy()
    is_up = bars["bid_close" if side else "close"].to_numpy() >= first
    return np.column_stack(
        [opened, np.where(is_up, low, high), np.where(is_up, high, low), close]
    ).ravel()


def studied(
    source: str, symbol: str, horizon: int, families: tuple[str, ...], data: Path
) -> TrainReport:
    """One symbol at one horizon, on a record of trials of its own."""
    request = TrainRequest(
        symbols=(symbol,),
        instruments=instruments([symbol]),
        ts_ns=0,
        families=families,
        horizon_minutes=horizon,
        bar_period_s=PERIOD_S[source],
    )
    block = ticks_of(source, symbol, data / FILES[source, symbol])

    def tell(message: str, share: float) -> None:
        words = f"{symbol} {source} {horizon} min {share:4.0%} {message}"
        print(words, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        return evaluate_again(request, {symbol: [block]}, tell, Trials(Path(folder)))


def rows_of(source: str, symbol: str, horizon: int, report: TrainReport) -> list[dict[str, object]]:
    """One row for each family and the ensemble, with all of its figures."""
    return [
        {
            "source": source,
            "symbol": symbol,
            "horizon_minutes": horizon,
            "family": name,
            "verdict": str(found.verdict),
            "flags": [str(flag) for flag in found.flags],
            "metrics": metrics_of(found),
            "baselines": msgspec.to_builtins(found.baselines),
            "stress": msgspec.to_builtins(found.stress),
        }
        for name, found in [*report.families.items(), ("ensemble", report.ensemble)]
    ]


HEAD = (
    "| data, symbol, horizon | family | events (independent) | accuracy, 95 % | "
    "log-loss skill, 95 % | against logistic, 95 % | trades | net R per trade at 1× / 1.5× | "
    "DSR | PBO | SPA p | verdict |"
)


def line_of(row: dict[str, object]) -> str:
    """A row as a line of a Markdown table."""
    found = row["metrics"]
    assert isinstance(found, dict)
    stress = row["stress"]
    assert isinstance(stress, dict)

    def interval(name: str, digits: int) -> str:
        low, high = found[f"{name}_low"], found[f"{name}_high"]
        return f"{found[name]:.{digits}%} ({low:.{digits}%} … {high:.{digits}%})"

    paid = " / ".join(f"{stress[key]['value']:+.3f}" for key in ("1", "1.5")) if stress else "–"
    luck = [f"{found[name]:.2f}" if name in found else "–" for name in ("dsr", "pbo", "spa_p")]
    cells = [
        f"{row['source']}, {row['symbol']}, {row['horizon_minutes']} min",
        str(row["family"]),
        f"{found['n']:.0f} ({found['n_eff']:.0f})",
        interval("accuracy", 1),
        interval("log_loss_skill", 2),
        interval("skill_vs_logistic", 2),
        f"{found['trades']:.0f}",
        paid,
        *luck,
        str(row["verdict"]),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Study what is asked for and print it; a part that has too few events says so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with bars/ and ticks/")
    parser.add_argument("--source", action="append", choices=list(PERIOD_S))
    parser.add_argument("--symbol", action="append", choices=sorted(POINT))
    parser.add_argument("--horizon", action="append", type=int, help="minutes [see HORIZONS]")
    parser.add_argument("--families", action="append", choices=KNOWN, help="[all]")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    families = tuple(asked.families or KNOWN)
    rows = []
    for source in asked.source or PERIOD_S:
        for symbol in asked.symbol or sorted(POINT):
            for horizon in asked.horizon or HORIZONS[source]:
                try:
                    report = studied(source, symbol, horizon, families, asked.data)
                except InputError as error:
                    print(f"{source} {symbol} {horizon} min: {error}", file=sys.stderr)
                    continue
                rows += rows_of(source, symbol, horizon, report)
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    print("\n".join([HEAD, "|---" * 12 + "|", *(line_of(row) for row in rows)]))


if __name__ == "__main__":
    main()
