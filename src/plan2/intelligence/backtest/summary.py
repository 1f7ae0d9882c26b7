"""The figures of a run for a terminal and for scripts, and its files."""

from pathlib import Path
from typing import Final

import msgspec

from plan2.dataflow.terminals.simulated.refusals import RETCODES
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.backtest.bar_paths import STATEMENT
from plan2.intelligence.backtest.run import BacktestRun, Engine

MEANINGS: Final = {
    **{code: refusal.value.replace("_", " ") for refusal, code in reversed(RETCODES.items())},
    10012: "timeout",
    10027: "autotrading disabled",
    10031: "no connection",
}
"""What each code of a refusal says; of several reasons with one code the first."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to; money in account currency, times UTC ns.

    `other_paths`: net result on the other paths, for runs made of bars. `inference_share`: of the
    time, spent in models. `statement`: what is not simulated, empty for ticks.
    """

    run_id: str
    flow: str
    engine: Engine
    symbol: str
    parameters: dict[str, float]
    seed: int
    data_id: str
    first_ns: int
    last_ns: int
    ticks: int
    bars: int
    seconds: float
    ticks_per_second: float
    orders: int
    trades: int
    net: float
    commission: float
    swap: float
    spread_cost: float
    slippage_cost: float
    win_rate: float | None
    start_balance: float
    end_balance: float
    max_drawdown: float
    max_drawdown_fraction: float
    denials: dict[str, int]
    rejects: dict[int, int]
    log_digest: str
    is_bars: bool
    other_paths: dict[str, float]
    inference_share: float
    statement: str


def summary_of(
    run: BacktestRun,
    other_paths: dict[str, BacktestRun] | None = None,
    inference_share: float = 0.0,
) -> RunSummary:
    """The figures of a run."""
    trades = run.trades
    paths = {name: _net(other) for name, other in (other_paths or {}).items()}
    costs = {
        name: round(float(trades[name].sum()), 2)
        for name in ("commission", "swap", "spread_cost", "slippage_cost")
    }
    wins = int((trades["net"] > 0).sum())
    return RunSummary(
        run_id=run.run_id,
        flow=run.flow.name,
        engine=run.engine,
        symbol=run.flow.source.symbol,
        parameters=run.flow.parameters,
        seed=run.seed,
        data_id=run.data_id,
        first_ns=run.first_ns,
        last_ns=run.last_ns,
        ticks=run.ticks,
        bars=run.bars,
        seconds=round(run.seconds, 4),
        ticks_per_second=round(run.ticks / max(run.seconds, 1e-9), 1),
        orders=run.orders.height,
        trades=trades.height,
        net=_net(run),
        **costs,
        win_rate=wins / trades.height if trades.height else None,
        start_balance=run.start_balance,
        end_balance=run.end_balance,
        max_drawdown=run.max_drawdown,
        max_drawdown_fraction=run.max_drawdown_fraction,
        denials=run.denials,
        rejects=run.rejects,
        log_digest=run.log_digest,
        is_bars=run.is_bars,
        other_paths=paths,
        inference_share=round(inference_share, 4),
        statement=f"{run.made_of} {STATEMENT}".strip() if run.is_bars else "",
    )


def summary_text(summary: RunSummary) -> str:
    """The figures in lines for a terminal."""
    win = "–" if summary.win_rate is None else f"{summary.win_rate:.1%}"
    days = (summary.last_ns - summary.first_ns) / NS_PER_SECOND / 86_400
    speed = f"{summary.seconds:.2f} s ({summary.ticks_per_second:,.0f} ticks/s)"
    size = f"{summary.ticks:,} ticks, {summary.bars:,} bars, {days:.1f} days"
    lines = [
        f"{summary.flow} on {summary.symbol}: {size}, in {speed}",
        f"  net            {summary.net:>14,.2f}   balance {summary.end_balance:,.2f}",
        f"  trades         {summary.trades:>14,}   won {win}, orders {summary.orders:,}",
        f"  largest fall   {summary.max_drawdown:>14,.2f}   {summary.max_drawdown_fraction:.1%}",
        f"  commission     {summary.commission:>14,.2f}   swap {summary.swap:,.2f}",
        (
            f"  spread         {summary.spread_cost:>14,.2f}   slippage "
            f"{summary.slippage_cost:,.2f}, both paid in the prices"
        ),
    ]
    if summary.denials:
        lines.append(f"  denied         {_counts(summary.denials)}")
    if summary.rejects:
        lines.append(f"  rejected       {_counts(named(summary.rejects))}")
    if summary.other_paths:
        nets = ", ".join(f"{name} {net:,.2f}" for name, net in summary.other_paths.items())
        worst = min(summary.net, *summary.other_paths.values())
        best = max(summary.net, *summary.other_paths.values())
        lines.append(f"  other paths    {nets}: from {worst:,.2f} to {best:,.2f}")
    if summary.inference_share:
        lines.append(f"  in models      {summary.inference_share:>14.0%}   of the time")
    if summary.statement:
        lines.append(summary.statement)
    lines.append(f"  run {summary.run_id}, seed {summary.seed}, log {summary.log_digest[:16]}")
    return "\n".join(lines)


def write_run(run: BacktestRun, summary: RunSummary, folder: Path) -> None:
    """Write run.json and the frames as Parquet; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode(summary), indent=2)
    (folder / "run.json").write_bytes(content + b"\n")
    for name, frame in (("trades", run.trades), ("orders", run.orders), ("equity", run.equity)):
        frame.write_parquet(folder / f"{name}.parquet")


def _net(run: BacktestRun) -> float:
    return round(run.end_balance - run.start_balance, 2)


def named(rejects: dict[int, int]) -> dict[str, int]:
    """Counts by code and what the code says: `10016 invalid stops`."""
    return {f"{code} {MEANINGS.get(code, '')}".strip(): n for code, n in rejects.items()}


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
