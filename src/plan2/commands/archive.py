"""`plan2 archive`: what is stored, whether it is sound, and getting it out again."""

import datetime as dt
from pathlib import Path
from typing import Final

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MS

FILE: Final = click.Path(dir_okay=False, path_type=Path)


class TicksOf(msgspec.Struct, frozen=True):
    """Archived ticks of one symbol; times ISO 8601 UTC."""

    symbol: str
    days: int
    ticks: int
    first: str
    last: str
    size_bytes: int
    bytes_per_tick: float


class BarsOf(msgspec.Struct, frozen=True):
    """Archived bars of one symbol and period; times of bar starts, ISO 8601 UTC."""

    symbol: str
    period_s: int
    bars: int
    first: str
    last: str
    size_bytes: int


class Listing(msgspec.Struct, frozen=True):
    """Everything in the archive."""

    ticks: list[TicksOf]
    bars: list[BarsOf]


class Written(msgspec.Struct, frozen=True):
    """What was written to a file; ticks with the ask below the bid are rejected, not used."""

    file: str
    rows: int
    ticks: int
    rejected: int


@click.group(
    name="archive",
    epilog=examples(
        "plan2 archive list --json",
        "plan2 archive verify",
        "plan2 archive export --symbol EURUSD --out eurusd.parquet",
        "plan2 archive ohlc --ticks ticks.parquet --period 1m --out bars.parquet",
    ),
)
def command() -> None:
    """List, verify and export the tick archive."""


@command.command(name="list", epilog=examples("plan2 archive list", "plan2 archive list --json"))
@data_dir_option
@json_option
@click.pass_context
def list_(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Show symbols, days, ticks, first and last time, size and bytes a tick."""
    listing = _listing(resolve_data_dir(ctx, data_dir) / "archive")
    if as_json:
        print_json(listing)
        return
    for row in listing.ticks:
        click.echo(
            f"{row.symbol:<10} ticks {row.days:>6,} days {row.ticks:>13,} ticks  {row.first} … "
            f"{row.last}  {row.size_bytes / 1e6:>8.2f} MB  {row.bytes_per_tick:.2f} bytes/tick"
        )
    for bar in listing.bars:
        click.echo(
            f"{bar.symbol:<10} bars  {bar.period_s:>6,} s    {bar.bars:>13,} bars   {bar.first} … "
            f"{bar.last}  {bar.size_bytes / 1e6:>8.2f} MB"
        )
    if not (listing.ticks or listing.bars):
        click.echo("The archive is empty; `plan2 import FILE` fills it.")


@command.command(epilog=examples("plan2 archive verify", "plan2 archive verify --symbol EURUSD"))
@click.option("--symbol", default=None, help="Only this symbol; default: all.")
@data_dir_option
@json_option
@click.pass_context
def verify(ctx: click.Context, symbol: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Read every archived tick and check order, days and prices; exit 3 when a file is faulty."""
    from plan2.dataflow.archive import TickArchive

    archive = TickArchive(resolve_data_dir(ctx, data_dir) / "archive")
    symbols = archive.symbols() if symbol is None else (symbol,)
    faults = [fault for name in symbols for fault in archive.verify(name)]
    days = sum(len(archive.coverage(name)) for name in symbols) if not faults else None
    if as_json:
        print_json({"symbols": symbols, "days": days, "faults": faults})
    for fault in faults if not as_json else ():
        click.echo(fault)
    if faults:
        raise InputError(f"{len(faults)} faults were found in the archive.")
    if not as_json:
        click.echo(f"{days:,} days of {len(symbols)} symbols are sound.")


@command.command(
    epilog=examples(
        "plan2 archive export --symbol EURUSD --out eurusd.parquet",
        "plan2 archive export --symbol EURUSD --from 2024-01-02 --to 2024-01-05 --out week.csv",
    )
)
@click.option("--symbol", required=True, help="Which symbol.")
@click.option("--out", required=True, type=FILE, help="File to write: .parquet or .csv.")
@click.option("--from", "start", default=None, type=click.DateTime(), help="First time, UTC.")
@click.option("--to", "end", default=None, type=click.DateTime(), help="End, UTC, not included.")
@data_dir_option
@json_option
@click.pass_context
def export(
    ctx: click.Context,
    symbol: str,
    out: Path,
    start: dt.datetime | None,
    end: dt.datetime | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Write archived ticks as time_utc, bid, ask."""
    from plan2.dataflow.archive import END_OF_TIME_NS, TickArchive
    from plan2.dataflow.export import write_tick_table

    archive = TickArchive(resolve_data_dir(ctx, data_dir) / "archive")
    _demand_symbol(symbol, archive.symbols())
    days = archive.iter_days(symbol, _ns(start, 0), _ns(end, END_OF_TIME_NS))
    ticks = write_tick_table(out, days)
    _tell(Written(str(out), ticks, ticks, 0), "ticks", as_json=as_json)


@command.command(
    epilog=examples(
        "plan2 archive ohlc --ticks ticks.parquet --period 1m --out bars.parquet",
        "plan2 archive ohlc --symbol EURUSD --period 4h --out bars.csv",
    )
)
@click.option("--ticks", type=FILE, default=None, help="File of ticks, of any known format.")
@click.option("--symbol", default=None, help="Archived symbol, instead of --ticks.")
@click.option("--period", required=True, help="Length of a bar: 30s, 1m, 15m, 4h, 1d.")
@click.option("--out", required=True, type=FILE, help="File to write: .parquet or .csv.")
@click.option("--server-tz", default="newyork+7", show_default=True, help="Clock of MT5 files.")
@data_dir_option
@json_option
@click.pass_context
def ohlc(
    ctx: click.Context,
    ticks: Path | None,
    symbol: str | None,
    period: str,
    out: Path,
    server_tz: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make bid and ask bars from ticks: time_utc (start), OHLC of both sides, ticks."""
    from plan2.dataflow.archive import TickArchive
    from plan2.dataflow.bar_series import empty_bars, join_bars, parse_period
    from plan2.dataflow.bars import build_bars
    from plan2.dataflow.export import write_bar_table
    from plan2.dataflow.importers.dataset import ImportOptions
    from plan2.dataflow.importers.importing import read_ticks
    from plan2.dataflow.server_clock import ServerClock

    period_s = parse_period(period)
    rejected = 0
    if ticks is not None and symbol is None:
        parts = [empty_bars("", period_s)]
        for checked in read_ticks(ticks, ImportOptions(None, ServerClock.parse(server_tz))):
            parts.append(build_bars(checked.usable, period_s))
            rejected += len(checked.rejected)
        series = join_bars(parts)
    elif symbol is not None and ticks is None:
        archive = TickArchive(resolve_data_dir(ctx, data_dir) / "archive")
        _demand_symbol(symbol, archive.symbols())
        series = archive.bars(symbol, period_s)
    else:
        raise click.UsageError("Give either --ticks FILE or --symbol SYMBOL.")
    write_bar_table(out, series)
    _tell(
        Written(str(out), len(series), int(series.ticks.sum()), rejected), "bars", as_json=as_json
    )


def _listing(root: Path) -> Listing:
    from plan2.dataflow.archive import TickArchive
    from plan2.dataflow.bar_archive import BarArchive

    archive = TickArchive(root)
    rows = []
    for symbol in archive.symbols():
        days = archive.coverage(symbol)
        ticks, size = sum(day.ticks for day in days), sum(day.size_bytes for day in days)
        rows.append(
            TicksOf(
                symbol,
                len(days),
                ticks,
                _iso(days[0].first_ts_ns),
                _iso(days[-1].last_ts_ns),
                size,
                round(size / ticks, 3),
            )
        )
    bars = [
        BarsOf(
            part.symbol,
            part.period_s,
            part.bars,
            _iso(part.first_ts_ns),
            _iso(part.last_ts_ns),
            part.size_bytes,
        )
        for part in BarArchive(root).coverage()
    ]
    return Listing(rows, bars)


def _tell(written: Written, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(written)
        return
    click.echo(f"{written.rows:,} {what} written to {written.file} from {written.ticks:,} ticks.")
    if written.rejected:
        click.echo(f"{written.rejected:,} ticks with the ask below the bid were not used.")


def _demand_symbol(symbol: str, known: tuple[str, ...]) -> None:
    if symbol not in known:
        raise InputError(
            f"There are no ticks of {symbol} in the archive; it holds "
            f"{', '.join(known) or 'nothing'}."
        )


def _ns(time: dt.datetime | None, otherwise: int) -> int:
    if time is None:
        return otherwise
    return int(time.replace(tzinfo=dt.UTC).timestamp() * 1_000) * NS_PER_MS


def _iso(ts_ns: int) -> str:
    time = dt.datetime.fromtimestamp(ts_ns // NS_PER_MS / 1_000, dt.UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
