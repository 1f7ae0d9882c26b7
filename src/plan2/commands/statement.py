"""`plan2 statement`: whether a MetaTrader 5 report says what its own deals say."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from plan2.commands.options import examples, json_option, print_json
from plan2.dataflow.statements.check import Check, check_report
from plan2.dataflow.statements.pricing import SymbolPricing

DIFFERENT_EXIT_CODE: Final = 1
FILE: Final = click.Path(dir_okay=False, path_type=Path)
TOTALS: Final = (
    ("profit", "profit"),
    ("swap", "swap"),
    ("commission", "commission"),
    ("fee", "fee"),
    ("net_profit", "net profit"),
    ("opening_balance", "balance before"),
    ("operations", "deposits and other"),
    ("final_balance", "balance after"),
)
"""Fields of the totals, and what they are called."""
COLUMNS: Final = ("section", "row", "subject", "field", "expected", "found")


@click.group(
    name="statement",
    epilog=examples(
        "plan2 statement check ReportHistory-123456.xlsx",
        "plan2 statement check ReportTester-123456.html --json",
    ),
)
def command() -> None:
    """Check MetaTrader 5 reports against their own deals."""


@command.command(
    epilog=examples(
        "plan2 statement check ReportHistory-123456.xlsx   an account's Trade History Report",
        "plan2 statement check ReportTester-123456.html    the report of a strategy test",
        "plan2 statement check report.xlsx --json          everything, for scripts",
    )
)
@click.argument("file", type=FILE)
@json_option
@click.pass_context
def check(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Rebuild positions and profit from the deals of FILE and compare; exit 1 on a difference.

    FILE is a report as the terminal saves it, HTML or Open XML (.xlsx), in English. Every line
    of it is compared, to the last digit: the running balance, positions, totals, the summary,
    and the profits by prices where contract size and conversion rate are known.
    """
    result = check_report(file)
    if as_json:
        print_json(result)
    else:
        for line in _lines(result):
            click.echo(line)
    if not result.agrees:
        ctx.exit(DIFFERENT_EXIT_CODE)


def _lines(result: Check) -> Iterator[str]:
    mode = result.mode if result.mode_is_stated else f"{result.mode} by its deals"
    yield f"{result.file}: {result.kind} report, {mode}, {result.currency}"
    yield f"{result.first} to {result.last}, server clock"
    yield f"{result.deals} deals, {result.positions} positions, {result.orders} orders"
    yield ""
    amounts = [f"{getattr(result.totals, field):,}" for field, _ in TOTALS]
    yield from _table([[label, amount] for (_, label), amount in zip(TOTALS, amounts, strict=True)])
    yield ""
    yield from _table(
        [[each.what, f"{each.agreed} of {each.compared} agree"] for each in result.comparisons]
    )
    if result.prices:
        yield ""
        yield from _table([_price_line(each) for each in result.prices])
    yield from ["", *result.notes] if result.notes else []
    yield ""
    yield from _verdict(result)


def _price_line(line: SymbolPricing) -> list[str]:
    if line.contract_size is None:
        return [line.symbol, f"{line.closings} closing(s) not recomputed: {line.why_not}"]
    what = f"{line.agreeing} of {line.closings} closing(s) by prices, contract {line.contract_size}"
    return [line.symbol, f"{what}; {line.why_not}" if line.why_not else what]


def _verdict(result: Check) -> Iterator[str]:
    if result.agrees:
        yield "The report agrees with its deals to the last digit."
        return
    yield f"{len(result.differences)} difference(s) between what follows from the deals and this:"
    yield ""
    rows = [[str(getattr(each, name)) for name in COLUMNS] for each in result.differences]
    yield from _table([list(COLUMNS), *rows])


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of equal width; those that hold only figures are aligned at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    figures = [
        all(cell[-1:].isdigit() and cell[:1] in "-0123456789" for cell in column)
        for column in zip(*rows, strict=True)
    ]
    for row in rows:
        cells = [
            cell.rjust(width) if is_figure else cell.ljust(width)
            for cell, width, is_figure in zip(row, widths, figures, strict=True)
        ]
        yield f"  {'  '.join(cells).rstrip()}"
