"""A backtest report as a person reads it in a terminal."""

from datetime import UTC, datetime

from plan2.intelligence.backtest.report import BacktestReport


def text_of(report: BacktestReport) -> str:
    """The report in lines; times UTC, money in account currency."""
    rate = "-" if report.win_rate is None else f"{report.win_rate:.1%}"
    lines = [
        f"{', '.join(report.symbols)}  {_moment(report.first_us)} to {_moment(report.last_us)} UTC",
        (
            f"ticks       {report.ticks:,} in {report.seconds:.1f} s "
            f"({report.ticks_per_second:,.0f} per second)"
        ),
        (
            f"trades      {report.trades}, {report.wins} won ({rate}), "
            f"{report.orders_rejected} orders rejected"
        ),
        (
            f"net         {report.net}  (gross {report.gross}, commission {report.commission}, "
            f"swap {report.swap})"
        ),
        (
            f"balance     {report.start_balance} -> {report.end_balance}, "
            f"equity {report.end_equity}, worst drawdown {report.max_drawdown_fraction:.2%}"
        ),
        f"decisions   {report.decisions_kept} kept, digest {report.decisions_digest[:16]}",
    ]
    lines += [f"  {count:>6}  {outcome}" for outcome, count in sorted(report.outcomes.items())]
    return "\n".join([*lines, report.verdict])


def _moment(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d %H:%M:%S}"
