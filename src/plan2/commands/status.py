"""`plan2 status`: how the running Plan2 and its account stand, in a few lines."""

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

SOUND: Final = ("ok", "stopped")
"""A part that has finished its work has stopped; what was needed for longer would be down."""

Answers = dict[str, Any]  # what the API answers, by the name of the question


@click.command(
    name="status",
    epilog=examples(
        "plan2 status",
        "plan2 status --json | jq -r .account.equity",
        "watch -n 5 plan2 status",
    ),
)
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Say what runs, whether it trades, what the account is worth and what is wrong.

    Exit code 4 when no Plan2 runs on the data folder.
    """
    from plan2.commands.running import ask

    folder = resolve_data_dir(ctx, data_dir)
    answers = {name: ask(folder, name) for name in ("system", "account", "trading", "health")}
    if as_json:
        print_json(answers)
        return
    for line in lines(answers):
        click.echo(line)


def lines(answers: Answers) -> list[str]:
    """What a person wants to know first; money in the account's currency, times UTC.

    Args:
        answers: `system`, `account`, `trading` and `health` as the API answers them.
    """
    return [_system(answers), _trading(answers), _account(answers), *_parts(answers["health"])]


def _system(answers: Answers) -> str:
    from plan2.commands.tables import cell_text, time_text

    system = answers["system"]
    pace = f" at {system['speed']:g} × real time" if system["speed"] != 1 else ""
    return (
        f"Plan2 {system['version']}, {system['mode']} market{pace}, "
        f"{cell_text(system['symbols'])}; its time is {time_text(system['market_us'])}, "
        f"running since {time_text(system['started_us'])}."
    )


def _trading(answers: Answers) -> str:
    account = answers["account"]
    holds = [
        each["holds"]
        for each in answers["trading"]["accounts"]
        if each["account_id"] == account["account_id"]
    ]
    state = f"Account {account['account_id']}: trading is {account['trading_state']}."
    return " ".join([state, *filter(None, holds)])


def _account(answers: Answers) -> str:
    account, currency = answers["account"], answers["system"]["currency"]
    open_now = account["open_positions"]
    positions = "1 position" if open_now == 1 else f"{open_now} positions"
    return (
        f"Equity {account['equity']} {currency}, balance {account['balance']}, "
        f"today {_signed(account['day_pnl'])}, {positions} open, "
        f"{account['drawdown']:.2%} below the highest equity."
    )


def _parts(health: Answers) -> list[str]:
    parts = health["components"]
    unsound = [each for each in parts if each["status"] not in SOUND]
    if not unsound:
        return ["Every part is well."]
    return [f"{each['name']} is {each['status']}: {each['detail']}" for each in unsound]


def _signed(money: str) -> str:
    return money if money.startswith("-") else f"+{money}"
