"""`plan2 assistants`: how language models stand, a decision in plain words, a report, news."""

from pathlib import Path
from typing import Any

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    say,
)

Row = dict[str, Any]  # JSON of the API


@click.group(
    name="assistants",
    epilog=examples("plan2 assistants status", "plan2 assistants explain 4f1c…"),
)
def command() -> None:
    """Language models: off unless configured; they word and tag, and decide nothing."""


@command.command(epilog=examples("plan2 assistants status", "plan2 assistants status --json"))
@data_dir_option
@json_option
@click.pass_context
def status(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Show who is asked in which order, and the day's use."""
    from plan2.commands.running import ask
    from plan2.commands.tables import print_table

    found: Row = ask(resolve_data_dir(ctx, data_dir), "assistants")
    if as_json:
        print_json(found)
        return
    columns = {"name": "PROVIDER", "model": "MODEL", "is_resting": "LEFT ALONE"}
    print_table(found["providers"], columns, empty="Assistants are off (assistants.order).")
    click.echo(
        f"Today: {found['tokens_used']} of {found['tokens_allowed']} tokens, "
        f"{found['cost_used']} of {found['cost_allowed']}."
    )


@command.command(epilog=examples("plan2 assistants agree", "plan2 assistants agree --withdraw"))
@click.option("--withdraw", is_flag=True, help="No longer agree.")
@data_dir_option
@click.pass_context
def agree(ctx: click.Context, withdraw: bool, data_dir: Path | None) -> None:
    """Read what is sent to a provider and agree to it, as the user of this machine."""
    from plan2.commands.running import ask, request

    folder = resolve_data_dir(ctx, data_dir)
    known = {each["purpose"]: each for each in ask(folder, "consents")["items"]}
    found = known["assistants"]
    if withdraw:
        request(folder, "DELETE", "consents/assistants")
        click.echo("Nothing of yours is sent any more.")
        return
    click.echo(found["text"])
    if click.confirm("Do you agree?"):
        request(folder, "PUT", "consents/assistants", {"version": found["version"]})
        click.echo("Agreed.")


@command.command(epilog=examples("plan2 assistants explain 4f1c…"))
@click.argument("decision_id")
@data_dir_option
@json_option
@click.pass_context
def explain(ctx: click.Context, decision_id: str, data_dir: Path | None, as_json: bool) -> None:
    """Say a decision in plain words, from its record alone."""
    from plan2.commands.running import quoted, request

    folder = resolve_data_dir(ctx, data_dir)
    _tell(request(folder, "POST", f"decisions/{quoted(decision_id)}/explain"), as_json)


@command.command(epilog=examples("plan2 assistants report"))
@data_dir_option
@json_option
@click.pass_context
def report(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Say the day's figures in plain words."""
    from plan2.commands.running import request

    _tell(request(resolve_data_dir(ctx, data_dir), "POST", "assistants/report"), as_json)


@command.command(
    epilog=examples("plan2 assistants tag EURUSD news.txt", "… | plan2 assistants tag EURUSD -")
)
@click.argument("symbol")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--source", default="", help="What names this piece of news. [its content's hash]")
@data_dir_option
@json_option
@click.pass_context
def tag(
    ctx: click.Context,
    symbol: str,
    file: Any,  # click's text file
    source: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Tag a piece of news; it can only shrink or veto entries of the symbol for a while."""
    from plan2.commands.running import request
    from plan2.foundation.ids import derived_id

    text = file.read(8_000)
    body = {"symbol": symbol, "source_id": source or derived_id("news", text), "text": text}
    found = request(resolve_data_dir(ctx, data_dir), "POST", "assistants/news", body)
    if as_json:
        print_json(found)
    elif found["refused"]:
        click.echo(f"No opinion: {found['refused']}")
    else:
        effect = "applied" if found["is_applied"] else "not applied (assistants.shade_entries)"
        click.echo(
            f"{', '.join(found['tags'])}; score {found['score']:+.2f}; entries of {symbol} "
            f"×{found['factor']:.2f}, {effect}. Tagged by {found['provider']} {found['model']}."
        )


@command.command(hidden=True)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def work(file: Path) -> None:
    """Carry out an errand as a worker."""
    from plan2.foundation.worker_messages import open_channel

    channel = open_channel()
    import msgspec

    from plan2.intelligence.assistants.asking import carry_out
    from plan2.intelligence.assistants.errand import Errand

    channel.result(carry_out(msgspec.json.decode(file.read_bytes(), type=Errand)))


def _tell(found: Row, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(found["text"])
    if found["is_generated"]:
        say(f"Worded by {found['provider']} {found['model']}; figures are the record's.")
    elif found["refused"]:
        say(f"Not worded by an assistant: {found['refused']}")
