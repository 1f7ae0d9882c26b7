"""What halt, pause, resume, reduce-only and kill have in common: their options and their answer."""

from typing import Any

import click

from plan2.commands.options import (
    F,
    data_dir_option,
    json_option,
    print_json,
    resolve_data_dir,
)

SCOPES = ("global", "tenant", "account", "symbol", "flow")


def selector_options(callback: F) -> F:
    """Add the options that say what is meant, why, where Plan2 runs and how to answer."""
    options = (
        click.option("--scope", type=click.Choice(SCOPES), help="What it bears on."),
        click.option("--symbol", metavar="NAME", help="Only this symbol."),
        click.option("--flow", metavar="NAME", help="Only this flow."),
        click.option("--account", metavar="NAME", help="Only this account (default: every one)."),
        click.option("--tenant", metavar="ID", help="Another tenant's; for who runs the machine."),
        click.option("--reason", required=True, metavar="TEXT", help="Why; kept in the events."),
        data_dir_option,
        json_option,
    )
    for option in reversed(options):
        callback = option(callback)
    return callback


def carry_out(
    ctx: click.Context, command: str, options: dict[str, Any], **more: object
) -> dict[str, Any]:
    """Send a command and print how trading stands afterwards.

    Raises:
        UsageError: the options name two things at once, or nothing.
        NotRunning, Refused: as `plan2.commands.running.send`.
    """
    from plan2.commands.running import ask, send

    folder = resolve_data_dir(ctx, options["data_dir"])
    body = body_of(options) | {name: value for name, value in more.items() if value}
    tenant = options["tenant"] or ""
    receipt = send(folder, command, body, tenant)
    trading = ask(folder, "trading", tenant)
    answer = {**receipt, **trading}
    if options["as_json"]:
        print_json(answer)
    else:
        _print(command, answer)
    return answer


def body_of(options: dict[str, Any]) -> dict[str, object]:
    """The options as the API takes them.

    Raises:
        UsageError: they contradict each other.
    """
    named = {scope: options[scope] for scope in ("symbol", "flow") if options[scope]}
    if len(named) > 1:
        raise click.UsageError("--symbol and --flow cannot go together.")
    scope, target = next(iter(named.items()), (options["scope"] or "account", ""))
    if options["scope"] not in {None, scope}:
        raise click.UsageError(f"--scope {options['scope']} and --{scope} contradict each other.")
    if scope == "global" and options["tenant"]:
        raise click.UsageError("--scope global and --tenant contradict each other.")
    if scope in {"symbol", "flow"} and not target:
        raise click.UsageError(f"Name the {scope} with --{scope}.")
    return {
        "reason": options["reason"],
        "scope": scope,
        "target": target,
        "account_id": options["account"] or "",
    }


def _print(command: str, answer: dict[str, Any]) -> None:
    click.echo(f"{command}: taken.")
    for account in answer["accounts"]:
        click.echo(f"  account {account['account_id']} ({account['mode']}): {_state(account)}")
        for switch in account["switches"]:
            if switch["scope"] != "account" and switch["state"] != "armed":
                click.echo(
                    f"    {_name(switch)}: {switch['state']} by {switch['actor']}: "
                    f"{switch['reason']}"
                )
        for kill in account["kills"]:
            click.echo(
                f"    killing {_name(kill)}: until the terminal shows no order and no position"
            )


def _state(account: dict[str, Any]) -> str:
    state = str(account["trading_state"])
    return f"{state} ({account['holds']})" if account["holds"] else state


def _name(item: dict[str, Any]) -> str:
    return f"{item['scope']} {item['target']}".strip()
