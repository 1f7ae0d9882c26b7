"""What is kept of a run: its summary for lists, and the whole record."""

import re
from typing import Final, Literal

import msgspec

from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.figures.terms import RunFigures
from plan2.intelligence.backtest.run import BacktestRun, Engine
from plan2.intelligence.flows.flow import Flow

VERSION: Final = 1
HEADLINES: Final = (
    "net_profit",
    "total_return",
    "cagr",
    "sharpe",
    "max_drawdown",
    "profit_factor",
    "win_rate",
    "cost_share",
    "deflated_sharpe",
)
"""Figures that lists show."""
Table = Literal["trades", "orders", "equity"]
TABLES: Final[tuple[Table, ...]] = ("trades", "orders", "equity")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,79}")


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """How a run came to be: when (UTC ns), by which source, and its net result on other paths."""

    ts_ns: int
    code_hash: str
    other_paths: dict[str, float] = {}


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list; times are UTC ns, money in `currency`.

    Attributes:
        name: the flow's. period: of its bars. bars: how many there were.
        code_hash: of the source that made it. log_digest: of all orders and trades.
        daily_sharpe: not annualised, None without variation; what deflation counts.
        headlines: some figures, None where there is none.
        other_paths: net results on other paths inside the bars, by name; empty for ticks.
    """

    run_id: str
    name: str
    symbol: str
    period: str
    parameters: dict[str, float]
    flow_digest: str
    engine: Engine
    data_id: str
    code_hash: str
    log_digest: str
    seed: int
    made_ns: int
    first_ns: int
    last_ns: int
    ticks: int
    bars: int
    is_bars: bool
    seconds: float
    currency: str
    start_balance: float
    end_balance: float
    max_drawdown: float
    max_drawdown_fraction: float
    trades: int
    orders: int
    verdict: str
    sentence: str
    daily_sharpe: float | None
    headlines: dict[str, float | None]
    other_paths: dict[str, float] = {}


class FileMark(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run: its SHA-256 and its length."""

    sha256: str
    size: int


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`: everything of a run but its tables, its figures and its page."""

    version: int
    summary: RunSummary
    flow: Flow
    denials: dict[str, int]
    rejects: dict[int, int]
    files: dict[str, FileMark]


class DamagedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that is no whole run, and what is wrong with it."""

    run_id: str
    reason: str


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a tenant, newest first, what of them is damaged, and what all of it takes."""

    runs: tuple[RunSummary, ...]
    damaged: tuple[DamagedRun, ...]
    size: int


def summary_of(run: BacktestRun, figures: RunFigures, made: Made) -> RunSummary:
    """A run as lists show it."""
    metrics, evidence = figures.metrics, figures.evidence
    return RunSummary(
        run_id=run.run_id,
        name=run.flow.name,
        symbol=run.flow.source.symbol,
        period=run.flow.source.bars,
        parameters=run.flow.parameters,
        flow_digest=run.flow_digest,
        engine=run.engine,
        data_id=run.data_id,
        code_hash=made.code_hash,
        log_digest=run.log_digest,
        seed=int(run.seed),
        made_ns=made.ts_ns,
        first_ns=int(run.first_ns),
        last_ns=int(run.last_ns),
        ticks=int(run.ticks),
        bars=int(run.bars),
        is_bars=run.is_bars,
        seconds=float(run.seconds),
        currency=run.flow.account.currency,
        start_balance=float(run.start_balance),
        end_balance=float(run.end_balance),
        max_drawdown=float(run.max_drawdown),
        max_drawdown_fraction=float(run.max_drawdown_fraction),
        trades=run.trades.height,
        orders=run.orders.height,
        verdict=evidence.verdict,
        sentence=evidence.sentence,
        daily_sharpe=evidence.daily_sharpe,
        headlines={name: metrics[name].value for name in HEADLINES},
        other_paths=made.other_paths,
    )


def is_run_id(text: str) -> bool:
    """Whether a text can name a run, and nothing else of a disk."""
    return _ID.fullmatch(text) is not None


class UnknownRun(InputError):
    """An id that names no run."""

    code = "not_found"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"There is no backtest {run_id!r}.",
            remedy="`plan2 backtests list` names those there are.",
        )


class BrokenRun(InputError):
    """A run whose files are not what was written."""

    code = "run_damaged"

    def __init__(self, run_id: str, what: str) -> None:
        super().__init__(
            f"The backtest {run_id} is damaged: {what}.",
            remedy=f"Remove it with `plan2 backtests remove {run_id}` and run it again.",
        )
