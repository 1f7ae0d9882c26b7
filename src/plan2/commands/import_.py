"""`plan2 import`: take files of ticks or bars into the archive, each as a whole or not at all."""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.dataflow.importers.outcome import ImportResult
from plan2.dataflow.importers.source import UnknownFormat
from plan2.foundation.errors import InputError

PROGRESS_ROWS = 1_000_000
"""Files with fewer rows are done before a progress line could be read."""


class Refusal(msgspec.Struct, frozen=True):
    """A file that was not imported, and why; in folders, unknown formats are passed over."""

    file: str
    error: str
    message: str
    passed_over: bool


@click.command(
    name="import",
    epilog=examples(
        "plan2 import EURUSD_M1_202401020000_202412312359.csv",
        "plan2 import downloads/                            every known file of a folder",
        "plan2 import ticks.parquet --symbol EURUSD --dry-run --json",
        "plan2 import export.csv --server-tz Europe/Athens  MT5 file of another server clock",
    ),
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--symbol", default=None, help="Symbol of the files; default: what they say.")
@click.option(
    "--server-tz",
    default="newyork+7",
    show_default=True,
    help="Server clock of MT5 files: newyork+7, UTC, UTC+2, Europe/Athens …",
)
@click.option(
    "--price-divisor",
    type=click.IntRange(min=1),
    default=None,
    help="What whole-number prices of Dukascopy files are divided by; default: by symbol.",
)
@click.option("--dry-run", is_flag=True, help="Check everything and count, but store nothing.")
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    symbol: str | None,
    server_tz: str,
    price_divisor: int | None,
    dry_run: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Take files of ticks or bars into the archive.

    Formats are recognised by content: Parquet, MT5 exports of ticks and bars, Dukascopy bi5,
    HistData ASCII, TrueFX and LEAN ticks, plain, .gz or .zip. A file with a broken row is refused
    as a whole; importing the same file again changes nothing.
    """
    from plan2.dataflow.importers.dataset import ImportOptions
    from plan2.dataflow.importers.importing import Importer
    from plan2.dataflow.server_clock import ServerClock
    from plan2.foundation.clock import LiveClock

    options = ImportOptions(symbol, ServerClock.parse(server_tz), price_divisor)
    importer = Importer(resolve_data_dir(ctx, data_dir), options, LiveClock(), _show_progress)
    run = partial(importer.run, dry_run=dry_run)
    if len(files) == 1 and not files[0].is_dir():
        result = run(files[0])
        print_json(result) if as_json else _print(result)
        return
    outcomes = list(_import_all(run, files, shown=not as_json))
    if as_json:
        print_json(outcomes)
    refused = sum(isinstance(outcome, Refusal) and not outcome.passed_over for outcome in outcomes)
    if refused:
        raise InputError(
            f"{refused} of {len(outcomes)} files were refused; nothing of them was stored."
        )


def _import_all(
    run: Callable[[Path], ImportResult], files: Sequence[Path], *, shown: bool
) -> Iterator[ImportResult | Refusal]:
    """Import file after file; a refused one does not stop the others."""
    for path, is_named in _expanded(files):
        try:
            result = run(path)
        except InputError as error:
            passed_over = isinstance(error, UnknownFormat) and not is_named
            if shown:
                click.echo(f"{'Passed over' if passed_over else 'Refused'}: {error}", err=True)
            yield Refusal(str(path), error.code, str(error), passed_over)
        else:
            if shown:
                _print(result)
            yield result


def _expanded(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file with whether it was named itself; folders give their files in order of name."""
    for path in paths:
        if path.is_dir():
            for inside in sorted(path.rglob("*")):
                if inside.is_file() and not inside.name.startswith("."):
                    yield inside, False
        else:
            yield path, True


def _print(result: ImportResult) -> None:
    counts = [f"{result.added:,} added", f"{result.duplicates:,} there already"]
    counts += [f"{result.replaced:,} corrected"] if result.replaced else []
    counts += [f"{result.conflicting:,} differing, not stored"] if result.conflicting else []
    counts += [f"{result.rejected:,} in quarantine (ask below bid)"] if result.rejected else []
    verb = "would be " if result.dry_run else ""
    period = f" of {result.period_s} s" if result.period_s else ""
    click.echo(f"{result.symbol} {result.rows:,} {result.kind}{period}: {verb}{', '.join(counts)}")
    click.echo(f"  {result.first or '-'} … {result.last or '-'}  {result.file}")
    click.echo(f"  {result.format}; clock: {result.clock}")
    if result.imported_before:
        click.echo("  This file was imported before.")
    if result.not_kept:
        click.echo(f"  Columns that are not kept: {', '.join(result.not_kept)}")
    for warning in result.warnings:
        click.echo(f"  Warning: {warning}")


def _show_progress(path: Path, rows: int) -> None:
    if sys.stderr.isatty() and rows >= PROGRESS_ROWS:
        click.echo(f"{path.name}: {rows:,} rows read", err=True)
