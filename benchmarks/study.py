"""An honest study on recorded minute bars: does any family forecast, and would it have paid?

`python benchmarks/study.py --data DIR` reads one-minute bars of MetaTrader 5 (Parquet with bid
open, high, low, close and the spread in points), turns each bar into four ticks, evaluates the
families walk-forward and prints a table for docs/study.md, or JSON with `--json`. Nothing is
registered. A run takes minutes; nothing of it needs a network.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.values import NS_PER_SECOND, TickBlock
from plan2.intelligence.training.again import evaluate_again
from plan2.intelligence.training.report import TrainReport, metrics_of
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.trials import Trials

FILES = {
    "EURUSD": "bars/mt5_eurusd_m1_2025-01_09.parquet",
    "XAUUSD": "bars/mt5_xauusd_m1_2023-01_2025-01.parquet",
}
POINT = {"EURUSD": 1e-5, "XAUUSD": 1e-2}
SPREAD_MIN_POINTS = {"EURUSD": 5, "XAUUSD": 10}
"""Demo servers record spreads of zero; nobody trades at them."""
SECONDS = (0, 20, 40, 59)
"""When in its minute a bar's four prices are taken to have been."""


def ticks_of(symbol: str, file: Path) -> TickBlock:
    """Four ticks a bar: open, the extreme against the bar's direction, the other one, close."""
    bars = pl.read_parquet(file)
    opened, high, low, close = (bars[c].to_numpy() for c in ("open", "high", "low", "close"))
    is_up = close >= opened
    bid = np.column_stack(
        [opened, np.where(is_up, low, high), np.where(is_up, high, low), close]
    ).ravel()
    spread = np.maximum(bars["spread"].to_numpy(), SPREAD_MIN_POINTS[symbol]) * POINT[symbol]
    start = bars["time_utc"].cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy()
    ts_ns = (start[:, None] + np.array(SECONDS) * NS_PER_SECOND).ravel()
    return TickBlock(symbol, ts_ns, bid, bid + np.repeat(spread, 4))


def studied(symbol: str, horizon: int, families: tuple[str, ...], data: Path) -> TrainReport:
    """One symbol at one horizon, on a record of trials of its own."""
    request = TrainRequest(
        symbols=(symbol,),
        instruments=instruments([symbol]),
        ts_ns=0,
        families=families,
        horizon_minutes=horizon,
    )
    block = ticks_of(symbol, data / FILES[symbol])

    def tell(message: str, share: float) -> None:
        print(f"{symbol} {horizon} min {share:4.0%} {message}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        return evaluate_again(request, {symbol: [block]}, tell, Trials(Path(folder)))


def rows_of(symbol: str, horizon: int, report: TrainReport) -> list[dict[str, object]]:
    """One row for each family and the ensemble, with all of its figures."""
    return [
        {
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
    "| symbol, horizon | family | events (independent) | accuracy, 95 % | log-loss skill, 95 % | "
    "against logistic, 95 % | trades | net R per trade at 1× / 1.5× | DSR | PBO | SPA p | verdict |"
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
        f"{row['symbol']}, {row['horizon_minutes']} min",
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
    """Study what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with bars/*.parquet")
    parser.add_argument("--symbol", action="append", choices=sorted(FILES))
    parser.add_argument("--horizon", action="append", type=int, help="minutes [120, 240]")
    parser.add_argument("--families", action="append", help="[xgboost, lstm]")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [
        row
        for symbol in asked.symbol or sorted(FILES)
        for horizon in asked.horizon or (120, 240)
        for row in rows_of(
            symbol,
            horizon,
            studied(symbol, horizon, tuple(asked.families or ("xgboost", "lstm")), asked.data),
        )
    ]
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    print("\n".join([HEAD, "|---" * 12 + "|", *(line_of(row) for row in rows)]))


if __name__ == "__main__":
    main()
