"""`plan2 flow move|pause|resume|retire`: moving a flow in the running Plan2."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.models_moves import move_options
from plan2.commands.options import examples, print_json, resolve_data_dir

WAY: Final = ("draft", "backtested", "paper", "live")
"""The usual way up."""


@click.command(
    name="move",
    epilog=examples(
        'plan2 flow move ema-cross --reason "next step"           one state further',
        'plan2 flow move ema-cross --to paper --reason "try it"   as far as gates let it',
        'plan2 flow move ema-cross --to live --override --reason "small account, I know"',
    ),
)
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="Which one. [the one that trades]")
@click.option(
    "--to",
    type=click.Choice(("backtested", "paper", "live")),
    help="How far. [one state further]",
)
@click.option("--account", default="", metavar="ID", help="On which account. [the tenant's]")
@click.option("--override", is_flag=True, help="Pass over conditions that a person may; recorded.")
@move_options
@click.pass_context
def move(
    ctx: click.Context,
    name: str,
    version: int | None,
    to: str | None,
    account: str,
    override: bool,
    reason: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Take a version further on its way: backtested, paper, live.

    A closed gate refuses and says what is missing. `--override` passes over too few days on paper
    in your name, and over nothing else.
    """
    folder = resolve_data_dir(ctx, data_dir)
    flow = _flow(folder, name, version)
    wanted = to or _next(str(flow["state"]))
    wish = {"reason": reason, "account_id": account}
    _tell(_walk(folder, flow, wanted, wish, is_override=override), as_json=as_json)


def _leaving(verb: str, state: str, words: str) -> click.Command:
    """A verb that takes a flow to one state."""

    @click.command(
        name=verb, help=words, epilog=examples(f'plan2 flow {verb} ema-cross --reason "…"')
    )
    @click.argument("name")
    @click.option("--version", type=click.IntRange(min=1), help="Which one. [the one that trades]")
    @move_options
    @click.pass_context
    def leave(
        ctx: click.Context,
        name: str,
        version: int | None,
        reason: str,
        data_dir: Path | None,
        as_json: bool,
    ) -> None:
        folder = resolve_data_dir(ctx, data_dir)
        flow = _flow(folder, name, version)
        to = state or _before_the_pause(folder, flow)
        _tell(_step(folder, flow, to, {"reason": reason}, is_override=False), as_json=as_json)

    return leave


MOVES: Final = (
    move,
    _leaving("pause", "paused", "Open nothing new from the next tick on; exits go on."),
    _leaving("resume", "", "Let a paused flow trade as it did before the pause."),
    _leaving("retire", "retired", "End a version for good; its positions are closed."),
)


def _flow(folder: Path, name: str, version: int | None) -> dict[str, Any]:
    from plan2.commands.running import ask, quoted

    flow: dict[str, Any] = ask(folder, f"flows/{quoted(name)}?version={version or 0}")["flow"]
    return flow


def _next(state: str) -> str:
    """The state after this one; of one off the way the first that trades."""
    return WAY[WAY.index(state) + 1] if state in WAY[:-1] else "paper"


def _before_the_pause(folder: Path, flow: dict[str, Any]) -> str:
    from plan2.commands.running import ask, quoted

    card = ask(folder, f"flows/{quoted(flow['name'])}?version={flow['version']}")
    pauses = [move["from_state"] for move in card["history"] if move["to_state"] == "paused"]
    return str(pauses[0]) if pauses else "paper"


def _walk(
    folder: Path, flow: dict[str, Any], to: str, wish: Mapping[str, object], *, is_override: bool
) -> dict[str, Any]:
    """One recorded step after another, until the first gate that is closed."""
    answer: dict[str, Any] = {"outcome": "done", "flow": flow}
    while answer["outcome"] == "done" and answer["flow"]["state"] != to:
        state = str(answer["flow"]["state"])
        is_on_the_way = state in WAY and WAY.index(state) < WAY.index(to)
        step = _next(state) if is_on_the_way else to
        # An override may only pass over a condition of the last step; the others have none.
        answer = _step(folder, answer["flow"], step, wish, is_override=is_override and step == to)
    return answer


def _step(
    folder: Path, flow: dict[str, Any], to: str, wish: Mapping[str, object], *, is_override: bool
) -> dict[str, Any]:
    from plan2.commands.running import quoted, request

    verb = "override" if is_override else "move"
    body = {"version": flow["version"], "to": to, **wish}
    answer: dict[str, Any] = request(folder, "POST", f"flows/{quoted(flow['name'])}/{verb}", body)
    return answer


def _tell(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    flow = answer["flow"]
    label = f"Flow {flow['name']} {flow['version']} is {flow['state']}"
    if answer["outcome"] == "proposed":
        click.echo(
            f"{label}; a second person has to approve {answer['approval_id']} "
            "(Settings, Approvals)."
        )
        return
    where = f" on account {flow['account_id']}" if flow["account_id"] else ""
    click.echo(f"{label}{where}.")
