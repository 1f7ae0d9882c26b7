"""`plan2 risk`: how close the account is to its limits, and what stress would do to it."""

from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.commands.running import ask
from plan2.commands.tables import print_table, time_text

LIMITS: Final = {
    "rule": "RULE",
    "used": "USED",
    "limit": "LIMIT",
    "share": "SHARE",
    "effect": "BEYOND IT",
    "resets": "RESETS",
    "setting": "SETTING",
}
SYMBOLS: Final = {
    "symbol": "SYMBOL",
    "positions": "POSITIONS",
    "lots": "LOTS",
    "value": "VALUE",
    "fraction": "OF EQUITY",
    "profit": "PROFIT",
}
CURRENCIES: Final = {"currency": "CURRENCY", "net": "NET", "fraction": "OF EQUITY"}
SCENARIOS: Final = {
    "kind": "SCENARIO",
    "subject": "OF",
    "move": "MOVE",
    "profit": "RESULT",
    "fraction": "OF EQUITY",
    "at": "HOUR",
    "reaches": "REACHES",
}
CORRELATIONS: Final = {
    "first": "SYMBOL",
    "second": "WITH",
    "value": "CORRELATION",
    "low": "FROM",
    "high": "TO",
    "hours": "HOURS",
}

Row = dict[str, Any]  # a row of the API's answer


@click.group(name="risk", epilog=examples("plan2 risk limits", "plan2 risk scenarios --json"))
def command() -> None:
    """Limits with their use, exposure, and stress of the open positions."""


@command.command(
    epilog=examples(
        "plan2 risk limits",
        "plan2 risk limits --json | jq '.limits[] | select(.used > 0.8 * .limit)'",
        'plan2 config set risk.positions_max 2 --reason "calmer"',
    )
)
@data_dir_option
@json_option
@click.pass_context
def limits(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List every limit with its use, and the exposure by symbol and by currency.

    A limit is changed with `plan2 config set`, by the key in the column SETTING.
    """
    risk = ask(resolve_data_dir(ctx, data_dir), "risk")
    if as_json:
        print_json(risk)
        return
    state = f"Account {risk['account_id']}: trading is {risk['trading_state']}."
    click.echo(f"{state} {risk['holds']}".strip())
    print_table([limit_row(each) for each in risk["limits"]], LIMITS)
    click.echo()
    print_table([_exposed(each) for each in risk["symbols"]], SYMBOLS, empty="Nothing is open.")
    if risk["currencies"]:
        click.echo()
        print_table([_exposed(each) for each in risk["currencies"]], CURRENCIES)


@command.command(epilog=examples("plan2 risk scenarios", "plan2 risk scenarios --json"))
@data_dir_option
@json_option
@click.pass_context
def scenarios(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Say what the open positions would lose in stress, and how their symbols move together."""
    answer = ask(resolve_data_dir(ctx, data_dir), "risk/scenarios")
    if as_json:
        print_json(answer)
        return
    rows = [
        _exposed(each) | {"move": _share(each["move"]), "at": time_text(each["at_us"])}
        for each in answer["scenarios"]
    ]
    print_table(rows, SCENARIOS, empty="No position is open.")
    if answer["correlations"]:
        click.echo()
        print_table([_rounded(each) for each in answer["correlations"]], CORRELATIONS)


def limit_row(limit: Row) -> Row:
    """A limit as a person reads it: fractions of equity as per cent, the share that is used."""
    used, most = limit["used"], limit["limit"]
    amount = _share if limit["unit"] == "fraction" else _count
    return limit | {
        "used": amount(used),
        "limit": amount(most),
        "share": f"{used / most:.0%}" if used is not None and most > 0 else None,
        "resets": time_text(limit["resets_us"]),
    }


def _exposed(row: Row) -> Row:
    """Money to two decimals, the part of equity in per cent."""
    money = {
        name: f"{row[name]:.2f}"
        for name in ("net", "value", "profit")
        if isinstance(row.get(name), float)
    }
    return row | money | {"fraction": _share(row["fraction"])}


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.2%}"


def _count(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _rounded(row: Row) -> Row:
    """A correlation to two decimals."""
    shown = {name: row[name] for name in ("value", "low", "high")}
    return row | {name: None if v is None else f"{v:.2f}" for name, v in shown.items()}
