"""`plan2 flow`: the flows of the running Plan2, their versions, and moving them."""

from pathlib import Path
from typing import Any

import click

from plan2.commands.flow_compare import compare
from plan2.commands.flow_files import check, template
from plan2.commands.flow_moves import MOVES
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(
    name="flow",
    epilog=examples(
        "plan2 flow template my-rule",
        "plan2 flow add ema-cross.toml",
        "plan2 flow list",
        'plan2 flow move ema-cross --to paper --reason "good in the backtest"',
        'plan2 flow pause ema-cross --reason "news"',
    ),
)
def command() -> None:
    """Write, check and register flows, and move them from draft to live."""


@command.command(name="list", epilog=examples("plan2 flow list", "plan2 flow list --all --json"))
@click.option("--all", "all_versions", is_flag=True, help="Every version, not only the newest.")
@data_dir_option
@json_option
@click.pass_context
def list_flows(
    ctx: click.Context, all_versions: bool, data_dir: Path | None, as_json: bool
) -> None:
    """List flows: state, account, result, last decision.

    Of each flow the version that trades is shown, and the newest one.
    """
    from plan2.commands.running import ask
    from plan2.commands.tables import print_table

    flows = ask(resolve_data_dir(ctx, data_dir), "flows")
    shown = [each for each in flows if all_versions or _is_shown(each)]
    if as_json:
        print_json(shown)
        return
    columns = {
        "name": "flow",
        "version": "version",
        "state": "state",
        "symbol": "symbol",
        "account_id": "account",
        "realised": "realised",
        "floating": "open",
        "trades": "trades",
        "sentence": "last decision",
    }
    print_table(shown, columns, empty="No flows. Register one: plan2 flow add FILE.toml")
    for each in shown:
        if each["trouble"]:
            click.echo(f"! {each['trouble']}", err=True)


@command.command(name="add", epilog=examples("plan2 flow add ema-cross.toml"))
@click.argument("file", type=READABLE)
@data_dir_option
@json_option
@click.pass_context
def add(ctx: click.Context, file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Register a flow's file as a new version; the same file again is the version that it was.

    Exits with 3 when the file declares no flow that could trade here; it says what is wrong and in
    which line.
    """
    from plan2.commands.running import request
    from plan2.foundation.errors import InputError

    folder = resolve_data_dir(ctx, data_dir)
    body = {"text": file.read_text(encoding="utf-8")}
    verdict = request(folder, "POST", "flows/check", body)
    if not verdict["is_usable"]:
        where = f"{file}:{verdict['line']}" if verdict["line"] else str(file)
        raise InputError(f"{where}: {verdict['message']}", remedy=verdict["remedy"])
    flow = request(folder, "POST", "flows", body)
    if as_json:
        print_json(flow)
        return
    click.echo(f"Flow {flow['name']} {flow['version']} is {flow['state']}.")
    if flow["state"] == "draft":
        click.echo(f"Next: plan2 backtest {file}, then plan2 flow move {flow['name']} --reason …")


@command.command(
    name="show", epilog=examples("plan2 flow show ema-cross", "plan2 flow show ema-cross --text")
)
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="Which one. [the one that trades]")
@click.option("--text", "only_text", is_flag=True, help="Print its file and nothing else.")
@data_dir_option
@json_option
@click.pass_context
def show(
    ctx: click.Context,
    name: str,
    version: int | None,
    only_text: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Show a version of a flow: its text, its gates with what is missing, its history."""
    from plan2.commands.running import ask, quoted

    card = ask(resolve_data_dir(ctx, data_dir), f"flows/{quoted(name)}?version={version or 0}")
    if as_json:
        print_json(card)
    elif only_text:
        click.echo(card["text"], nl=False)
    else:
        _print_card(card)


@command.command(name="diff", epilog=examples("plan2 flow diff ema-cross 1 2"))
@click.argument("name")
@click.argument("before", type=click.IntRange(min=1))
@click.argument("after", type=click.IntRange(min=1))
@data_dir_option
@json_option
@click.pass_context
def diff(
    ctx: click.Context, name: str, before: int, after: int, data_dir: Path | None, as_json: bool
) -> None:
    """Show what changed in the text between two versions."""
    from plan2.commands.running import ask, quoted

    path = f"flows/{quoted(name)}/diff?before={before}&after={after}"
    answer = ask(resolve_data_dir(ctx, data_dir), path)
    if as_json:
        print_json(answer)
        return
    for line in answer["lines"] or ["The texts are the same."]:
        click.echo(line)


for each in (template, check, *MOVES, compare):
    command.add_command(each)


def _is_shown(flow: dict[str, Any]) -> bool:
    return flow["version"] == flow["newest"] or flow["state"] in {"paper", "live", "paused"}


def _print_card(card: dict[str, Any]) -> None:
    from plan2.commands.tables import time_text

    flow = card["flow"]
    where = f" on account {flow['account_id']}" if flow["account_id"] else ""
    click.echo(f"{flow['name']} {flow['version']} of {flow['newest']}: {flow['state']}{where}")
    click.echo(f"{flow['symbol']}, digest {flow['digest'][:16]}, by {flow['by']}")
    if flow["realised"] is not None:
        open_ = f"{len(flow['positions'])} open at {flow['floating']}"
        click.echo(f"realised {flow['realised']} in {flow['trades']} exits, {open_}")
    if flow["sentence"]:
        click.echo(f"{time_text(flow['decided_us'])}  {flow['sentence']}")
    if flow["trouble"]:
        click.echo(f"! {flow['trouble']}")
    for gate in card["gates"]:
        click.echo(f"\n{gate['state']}: {'open' if gate['is_open'] else 'closed'}")
        for condition in gate["conditions"]:
            mark = "+" if condition["is_met"] else "-"
            click.echo(f"  {mark} {condition['sentence']}")
    click.echo("")
    for move in card["history"]:
        how = " (override)" if move["is_override"] else ""
        steps = f"{move['version']}: {move['from_state']} → {move['to_state']}{how}"
        click.echo(f"{time_text(move['at_us'])}  {steps} by {move['by']}: {move['reason']}")
    for number, line in enumerate(card["text"].splitlines(), 1):
        click.echo(f"{number:>4}  {line}")
