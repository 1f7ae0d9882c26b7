"""`plan2 models promote|rollback|suspend|retire`: moving candidates in the running Plan2."""

from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    F,
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)


def move_options(callback: F) -> F:
    """Add why, where Plan2 runs, and how to answer."""
    options = (
        click.option("--reason", required=True, metavar="TEXT", help="Why; kept for good."),
        data_dir_option,
        json_option,
    )
    for option in reversed(options):
        callback = option(callback)
    return callback


@click.command(
    name="promote",
    epilog=examples(
        'plan2 models promote 3f2a9c01d2e4 --reason "next step"          one state further',
        'plan2 models promote 3f2a9c01d2e4 --to champion --reason "try"  as far as gates let it',
        'plan2 models promote 3f2a9c01d2e4 --to champion --override --reason "paper only"',
    ),
)
@click.argument("candidate_id")
@click.option(
    "--to",
    type=click.Choice(("validated", "shadow", "canary", "champion")),
    help="How far. [one state further]",
)
@click.option("--override", is_flag=True, help="Pass over conditions that are not met; recorded.")
@move_options
@click.pass_context
def promote(
    ctx: click.Context,
    candidate_id: str,
    to: str | None,
    override: bool,
    reason: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Take a candidate further on its way: validated, shadow, canary, champion.

    A closed gate refuses and says what is missing. `--override` passes over it in your name; a
    suspected leak stops even that.
    """
    from plan2.commands.candidates import WAY, promote_to, running_folder
    from plan2.commands.running import ask, quoted

    folder = resolve_data_dir(ctx, data_dir)
    if to is None:
        card = ask(running_folder(folder), f"candidates/{quoted(candidate_id)}")
        state = card["candidate"]["state"]
        to = WAY[WAY.index(state) + 1] if state in WAY[:-1] else "shadow"
    answer = promote_to(folder, candidate_id, to, reason, is_override=override)
    _tell(answer, as_json=as_json)


@click.command(
    name="rollback",
    epilog=examples('plan2 models rollback --symbol EURUSD --reason "loses since Monday"'),
)
@click.option("--symbol", required=True, metavar="NAME", help="Which symbol goes back.")
@move_options
@click.pass_context
def rollback(
    ctx: click.Context, symbol: str, reason: str, data_dir: Path | None, as_json: bool
) -> None:
    """Let the last good champion serve a symbol again, from the next tick on."""
    from plan2.commands.candidates import running_folder
    from plan2.commands.running import request

    folder = running_folder(resolve_data_dir(ctx, data_dir))
    body = {"symbol": symbol, "reason": reason}
    _tell(request(folder, "POST", "candidates/rollback", body), as_json=as_json)


def _leaving(name: str, state: str, words: str) -> click.Command:
    """A verb that takes a candidate out of service."""

    @click.command(
        name=name, help=words, epilog=examples(f'plan2 models {name} 3f2a9c01d2e4 --reason "…"')
    )
    @click.argument("candidate_id")
    @move_options
    @click.pass_context
    def leave(
        ctx: click.Context, candidate_id: str, reason: str, data_dir: Path | None, as_json: bool
    ) -> None:
        from plan2.commands.candidates import running_folder
        from plan2.commands.running import quoted, request

        folder = running_folder(resolve_data_dir(ctx, data_dir))
        path = f"candidates/{quoted(candidate_id)}/move"
        body = {"to": state, "reason": reason}
        _tell(request(folder, "POST", path, body), as_json=as_json)

    return leave


MOVES: Final = (
    promote,
    rollback,
    _leaving(
        "suspend",
        "suspended",
        "Stop a candidate at once: its symbols have no forecast until another one serves.",
    ),
    _leaving("retire", "retired", "End a candidate; only a rollback brings it back."),
    _leaving("reject", "rejected", "Refuse a candidate for good."),
)


def _tell(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    candidate = answer["candidate"]
    if answer["outcome"] == "proposed":
        click.echo(
            f"Candidate {candidate['candidate_id']} is {candidate['state']}; a second person has "
            f"to approve {answer['approval_id']} (Settings, Approvals)."
        )
        return
    serves = ", ".join(candidate["champion_of"])
    where = f" It serves {serves}." if serves else ""
    click.echo(f"Candidate {candidate['candidate_id']} is {candidate['state']}.{where}")
