"""`plan2 alerts`: rules, what they raised, acknowledging, and the channels it is told on."""

from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    say,
)
from plan2.commands.tables import print_done
from plan2.foundation.errors import InputError

Row = dict[str, Any]  # JSON of GET /api/v1/alerts…

RULES: Final = {
    "name": "RULE",
    "title": "LOOKS AT",
    "threshold": "FIRES",
    "now": "NOW",
    "severity": "SEVERITY",
    "is_enabled": "ON",
    "fired": "FIRED",
    "last": "LAST",
}
HISTORY: Final = {
    "raised": "RAISED",
    "severity": "SEVERITY",
    "state": "STATE",
    "title": "ALERT",
    "words": "WHAT",
    "by": "BY",
    "alert_id": "ID",
}
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(
    name="alerts",
    epilog=examples(
        "plan2 alerts check rules.toml", "plan2 alerts add rules.toml", "plan2 alerts list",
        "plan2 alerts history --state open",
    ),
)  # fmt: skip
def command() -> None:
    """Alert rules, what they raised, and where it is told."""


@command.command(name="check", epilog=examples("plan2 alerts check rules.toml"))
@click.argument("file", type=FILE)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Read a file of rules and say what is wrong with it; needs no running Plan2."""
    rules = _rules(file)
    if as_json:
        print_json([{"name": each["name"], "kind": each["condition"]["kind"]} for each in rules])
    else:
        click.echo(f"{len(rules)} rules, all of them usable.")


@command.command(name="add", epilog=examples("plan2 alerts add rules.toml"))
@click.argument("file", type=FILE)
@data_dir_option
@json_option
@click.pass_context
def add(ctx: click.Context, file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Declare the rules of a file; one of a name that is there takes its place."""
    from plan2.commands.running import ask, quoted, request

    folder, rules = resolve_data_dir(ctx, data_dir), _rules(file)
    known = {each["name"]: each["rule_id"] for each in ask(folder, "alerts/rules")["items"]}
    kept = []
    for rule in rules:
        old = known.get(rule["name"])
        path = f"alerts/rules/{quoted(old)}" if old else "alerts/rules"
        kept.append(request(folder, "PUT" if old else "POST", path, rule))
        if not as_json:
            click.echo(f"{'Changed' if old else 'Added'}: {rule['name']}. {kept[-1]['now']}.")
    if as_json:
        print_json(kept)


@command.command(name="list", epilog=examples("plan2 alerts list", "plan2 alerts list --json"))
@data_dir_option
@json_option
@click.pass_context
def list_(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List rules with what each sees now."""
    from plan2.commands.running import ask
    from plan2.commands.tables import print_table, time_text

    items = ask(resolve_data_dir(ctx, data_dir), "alerts/rules")["items"]
    if as_json:
        print_json(items)
        return
    rows = [each | {"last": time_text(each["last_us"])} for each in items]
    print_table(rows, RULES, empty="There are no alert rules.")


@command.command(
    name="test",
    epilog=examples("plan2 alerts test rules.toml", "plan2 alerts test --channel desk"),
)
@click.argument("file", type=FILE, required=False)
@click.option("--channel", default="", help="Send a test message on this channel instead.")
@data_dir_option
@json_option
@click.pass_context
def test(
    ctx: click.Context, file: Path | None, channel: str, data_dir: Path | None, as_json: bool
) -> None:
    """Say whether the rules of a file would fire now, or whether a channel works.

    Ends with exit code 1 when a message could not be handed over.
    """
    from plan2.commands.running import quoted, request

    folder = resolve_data_dir(ctx, data_dir)
    if bool(channel) == (file is not None):
        raise click.UsageError("Name either a file of rules or a --channel.")
    if channel:
        found = request(folder, "POST", f"alerts/channels/{quoted(channel)}/test")
        if as_json:
            print_json(found)
        else:
            click.echo("Delivered." if found["is_delivered"] else found["detail"])
        ctx.exit(0 if found["is_delivered"] else 1)
    rules = _rules(file) if file is not None else []
    tried = [
        {"name": rule["name"], **request(folder, "POST", "alerts/rules/try", rule)}
        for rule in rules
    ]
    if as_json:
        print_json(tried)
        return
    for each in tried:
        verdict = "would fire" if each["would_fire"] else "would not fire"
        click.echo(f"{each['name']}: {verdict} ({each['now']}; fires {each['threshold']}).")


@command.command(name="remove", epilog=examples('plan2 alerts remove "EURUSD high"'))
@click.argument("rule")
@data_dir_option
@json_option
@click.pass_context
def remove(ctx: click.Context, rule: str, data_dir: Path | None, as_json: bool) -> None:
    """Take a rule away, by name or id; what it raised stays in the history."""
    from plan2.commands.running import ask, quoted, request

    folder = resolve_data_dir(ctx, data_dir)
    for each in ask(folder, "alerts/rules")["items"]:
        if rule in {each["name"], each["rule_id"]}:
            request(folder, "DELETE", f"alerts/rules/{quoted(each['rule_id'])}")
            print_done([each], "Removed: {name}.", as_json)
            return
    raise InputError(f"There is no alert rule {rule!r}.", remedy="`plan2 alerts list` shows them.")


@command.command(
    name="history",
    epilog=examples("plan2 alerts history", "plan2 alerts history --state open --json"),
)
@click.option(
    "--state",
    default="",
    type=click.Choice(["", "open", "acknowledged", "snoozed", "closed"]),
    help="Only alerts that stand so.",
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
@data_dir_option
@json_option
@click.pass_context
def history(
    ctx: click.Context, state: str, limit: int, data_dir: Path | None, as_json: bool
) -> None:
    """List what was raised, newest first."""
    from plan2.commands.running import ask, with_query
    from plan2.commands.tables import print_table, time_text

    path = with_query("alerts", {"state": state, "limit": limit})
    items = ask(resolve_data_dir(ctx, data_dir), path)["items"]
    if as_json:
        print_json(items)
        return
    rows = [each | {"raised": time_text(each["raised_us"])} for each in items]
    print_table(rows, HISTORY, empty="Nothing was raised.")


@command.command(name="ack", epilog=examples("plan2 alerts ack 3f2a…", "plan2 alerts ack --all"))
@click.argument("alert_id", required=False)
@click.option("--all", "every", is_flag=True, help="Everything that waits.")
@data_dir_option
@json_option
@click.pass_context
def ack(
    ctx: click.Context, alert_id: str | None, every: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Say that you have seen an alert; an id may be cut short."""
    from plan2.commands.running import quoted, request

    folder = resolve_data_dir(ctx, data_dir)
    found = _waiting(folder, alert_id, every=every)
    for each in found:
        request(folder, "POST", f"alerts/{quoted(each['alert_id'])}/acknowledge")
    print_done(found, "Acknowledged: {title}.", as_json)


@command.command(name="snooze", epilog=examples("plan2 alerts snooze 3f2a --minutes 60"))
@click.argument("alert_id")
@click.option("--minutes", default=30, show_default=True, type=click.IntRange(1, 10_080))
@data_dir_option
@json_option
@click.pass_context
def snooze(
    ctx: click.Context, alert_id: str, minutes: int, data_dir: Path | None, as_json: bool
) -> None:
    """Put an alert off; it comes back, and its rule is quiet until then."""
    from plan2.commands.running import quoted, request

    folder = resolve_data_dir(ctx, data_dir)
    found = _waiting(folder, alert_id)
    for each in found:
        path = f"alerts/{quoted(each['alert_id'])}/snooze"
        request(folder, "POST", path, {"minutes": minutes})
    print_done(found, f"Put off for {minutes} min: {{title}}.", as_json)


@command.command(name="beat", epilog=examples("plan2 alerts beat my-script"))
@click.argument("name")
@data_dir_option
@click.pass_context
def beat(ctx: click.Context, name: str, data_dir: Path | None) -> None:
    """Report that a program lives; a rule about its silence hears it."""
    from plan2.commands.running import quoted, request

    request(resolve_data_dir(ctx, data_dir), "POST", f"alerts/heartbeat/{quoted(name)}")


@command.group(
    name="channels",
    epilog=examples(
        "plan2 alerts channels list",
        "plan2 alerts channels add desk webhook https://example.com/hook",
        "plan2 alerts test --channel desk",
    ),
)
def channels() -> None:
    """Mailboxes and webhooks that alerts are told on."""


@channels.command(name="list", epilog=examples("plan2 alerts channels list"))
@data_dir_option
@json_option
@click.pass_context
def channels_list(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List channels and how each is."""
    from plan2.commands.running import ask
    from plan2.commands.tables import print_table

    found = ask(resolve_data_dir(ctx, data_dir), "alerts/channels")
    if as_json:
        print_json(found)
        return
    columns = {"name": "CHANNEL", "way": "WAY", "status": "STATUS", "detail": "DETAIL"}
    print_table(found["items"], columns, empty="There are no channels but the web app.")


@channels.command(
    name="add",
    epilog=examples("plan2 alerts channels add desk webhook https://example.com/hook"),
)
@click.argument("name")
@click.argument("way", type=click.Choice(["email", "webhook"]))
@click.argument("target")
@data_dir_option
@json_option
@click.pass_context
def channels_add(
    ctx: click.Context, name: str, way: str, target: str, data_dir: Path | None, as_json: bool
) -> None:
    """Add a mailbox of yours, or a webhook, whose secret is shown this once."""
    from plan2.commands.running import request

    body = {"name": name, "way": way, "target": target}
    made = request(resolve_data_dir(ctx, data_dir), "POST", "alerts/channels", body)
    if as_json:
        print_json(made)
        return
    click.echo(f"Added: {made['name']}.")
    if made["secret"]:
        say("Keep this secret; it signs every message and is not shown again:")
        click.echo(made["secret"])


@channels.command(name="remove", epilog=examples("plan2 alerts channels remove desk"))
@click.argument("name")
@data_dir_option
@click.pass_context
def channels_remove(ctx: click.Context, name: str, data_dir: Path | None) -> None:
    """Take a channel away that no rule names."""
    from plan2.commands.running import quoted, request

    request(resolve_data_dir(ctx, data_dir), "DELETE", f"alerts/channels/{quoted(name)}")
    click.echo(f"Removed: {name}.")


def _rules(file: Path) -> list[Row]:
    """The rules of a file as the API takes them."""
    import msgspec

    from plan2.intelligence.alerts.rule import read_rules

    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{file} is no text.") from None
    found: list[Row] = [msgspec.to_builtins(rule) for rule in read_rules(text)]
    return found


def _waiting(folder: Path, alert_id: str | None, *, every: bool = False) -> list[Row]:
    """The alerts that wait and are meant.

    Raises:
        InputError: none, or more than one of that beginning.
    """
    from plan2.commands.running import ask

    if every == (alert_id is not None):
        raise click.UsageError("Name an alert, or --all.")
    waiting: list[Row] = [
        each
        for state in ("open", "snoozed")
        for each in ask(folder, f"alerts?state={state}&limit=1000")["items"]
        if every or each["alert_id"].startswith(str(alert_id))
    ]
    if not every and len(waiting) != 1:
        raise InputError(
            f"{len(waiting)} alerts wait whose id begins with {alert_id!r}.",
            remedy="`plan2 alerts history --state open` shows them.",
        )
    return waiting
