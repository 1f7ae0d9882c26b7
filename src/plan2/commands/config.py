"""`plan2 config`: the effective configuration with origins, its check, changes while it runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)
from plan2.commands.setting_options import TargetOptions, path_of, target_options
from plan2.foundation.config.load import Loaded, flat
from plan2.foundation.secret import redact_text


class Value(msgspec.Struct, frozen=True):
    """One configuration key: its effective value as JSON text and where it came from."""

    key: str
    value: msgspec.Raw
    origin: str


class Effective(msgspec.Struct, frozen=True):
    """The whole effective configuration; `config_hash` goes into SystemStarted."""

    values: list[Value]
    config_hash: str


@click.group(
    name="config",
    epilog=examples(
        "plan2 config show                        every key, its value and its origin",
        "plan2 config show --json                 the same for scripts",
        "plan2 config show --origin --tenant acme what a running Plan2 goes by for a tenant",
        "plan2 --config my.toml config check      refuse or accept a file",
        'plan2 config set risk.positions_max 2 --reason "calmer"',
        "PLAN2_SERVER__PORT=9000 plan2 config show",
    ),
)
def command() -> None:
    """Show, check and change the effective configuration."""


@command.command(
    epilog=examples(
        "plan2 config show",
        "plan2 --config my.toml config show --json | jq .",
        "plan2 config show --origin                         with what was set while it runs",
        "plan2 config show --tenant acme --user 0123456789abcdef",
    )
)
@click.option(
    "--origin",
    "is_running",
    is_flag=True,
    help="Ask the running Plan2: all levels, locks, origins.",
)
@click.option(
    "--tenant", metavar="ID", default="", help="For this tenant (asks the running Plan2)."
)
@click.option("--user", metavar="ID", default="", help="For this person (asks the running Plan2).")
@data_dir_option
@json_option
@click.pass_context
def show(
    ctx: click.Context,
    is_running: bool,
    tenant: str,
    user: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Print every key with its effective value and where it came from; passwords are masked."""
    if is_running or tenant or user:
        _show_running(resolve_data_dir(ctx, data_dir), tenant, user, as_json)
        return
    effective = _effective(resolve_settings(ctx, data_dir))
    if as_json:
        print_json(effective)
        return
    lines = [(f"{entry.key} = {_text(entry)}", entry.origin) for entry in effective.values]
    _print_aligned(lines)
    click.echo(f"\nconfig hash {effective.config_hash}")


@command.command(epilog=examples("plan2 config check", "plan2 --config my.toml config check"))
@data_dir_option
@json_option
@click.pass_context
def check(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Read and validate the configuration; exit 2 and name the key when it cannot be used."""
    effective = _effective(resolve_settings(ctx, data_dir))
    if as_json:
        print_json({"valid": True, "config_hash": effective.config_hash})
        return
    changed = sum(1 for entry in effective.values if entry.origin != "default")
    click.echo(
        f"The configuration is valid: {len(effective.values)} keys, {changed} not at their default."
    )


@command.command(
    "set",
    epilog=examples(
        'plan2 config set risk.positions_max 2 --reason "calmer"',
        "plan2 config set risk.symbols_permitted '[\"EURUSD\"]' --tenant acme --lock",
        "plan2 config set quota.users 200 --tenant acme     for one tenant",
        "plan2 config set ui.theme dark --scope global      for everybody",
    ),
)
@click.argument("key")
@click.argument("value")
@click.option("--lock", "is_locked", is_flag=True, help="Keep narrower scopes from overriding it.")
@target_options
@click.pass_context
def set_(
    ctx: click.Context, /, key: str, value: str, is_locked: bool, target: TargetOptions
) -> None:
    """Set a key of the running Plan2; VALUE is JSON, or plain text. In force at once."""
    body: dict[str, object] = {"value": _parsed(value), "reason": target.reason}
    if is_locked:
        body["locked"] = True
    _change(ctx, "PUT", key, target, body)


@command.command(
    epilog=examples(
        "plan2 config unset risk.positions_max", "plan2 config unset ui.theme --user ID"
    )
)
@click.argument("key")
@target_options
@click.pass_context
def unset(ctx: click.Context, /, key: str, target: TargetOptions) -> None:
    """Take away what was set in a scope, with its lock; the wider scope's value holds again."""
    _change(ctx, "DELETE", key, target, None)


@command.command(epilog=examples("plan2 config lock risk.drawdown_max_fraction --scope global"))
@click.argument("key")
@target_options
@click.pass_context
def lock(ctx: click.Context, /, key: str, target: TargetOptions) -> None:
    """Keep narrower scopes from overriding a key; what they have set is ignored, not deleted."""
    _change(ctx, "PUT", key, target, {"locked": True, "reason": target.reason})


@command.command(epilog=examples("plan2 config unlock risk.drawdown_max_fraction --scope global"))
@click.argument("key")
@target_options
@click.pass_context
def unlock(ctx: click.Context, /, key: str, target: TargetOptions) -> None:
    """Let narrower scopes override a key again; what they have set counts again at once."""
    _change(ctx, "PUT", key, target, {"locked": False, "reason": target.reason})


def _change(
    ctx: click.Context,
    method: Literal["PUT", "DELETE"],
    key: str,
    target: TargetOptions,
    body: dict[str, object] | None,
) -> None:
    from plan2.commands.running import request

    folder = resolve_data_dir(ctx, target.data_dir)
    path = path_of("settings", key, target, is_removal=body is None)
    receipt: dict[str, Any] = request(folder, method, path, body, tenant=target.tenant)
    if target.as_json:
        print_json(receipt)
    elif receipt["outcome"] == "proposed":
        click.echo(f"{key} waits for a second person: approval {receipt['approval_id']}.")
    else:
        click.echo(f"{key} = {msgspec.json.encode(receipt['value']).decode()}")


def _show_running(folder: Path, tenant: str, user: str, as_json: bool) -> None:
    from plan2.commands.running import request, with_query

    found = request(folder, "GET", with_query("settings", {"user": user}), tenant=tenant)
    if as_json:
        print_json(found)
        return
    _print_aligned([(_value_text(item), _origin_text(item)) for item in found["items"]])


def _value_text(item: Mapping[str, Any]) -> str:
    return f"{item['key']} = {msgspec.json.encode(item['value']).decode()}"


def _origin_text(item: Mapping[str, Any]) -> str:
    words = [item["origin"]]
    if item["locked_by"]:
        words.append(f"locked ({item['locked_by']})")
    words += [
        f"ignored: {level['scope']} says {msgspec.json.encode(level['value']).decode()}"
        for level in item["levels"]
        if level["is_ignored"]
    ]
    return "; ".join(words)


def _print_aligned(lines: list[tuple[str, str]]) -> None:
    width = max(len(value) for value, _ in lines)
    for value, origin in lines:
        click.echo(f"{value:<{width}}  # {origin}")


def _parsed(text: str) -> object:
    """JSON, or the text itself, as environment variables are read."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _effective(loaded: Loaded) -> Effective:
    values = [
        Value(key, msgspec.Raw(redact_text(text).encode()), _origin(key, loaded.origins))
        for key, text in flat(loaded.settings).items()
    ]
    return Effective(values, loaded.config_hash)


def _origin(key: str, origins: Mapping[str, str]) -> str:
    return origins.get(key, "default")


def _text(entry: Value) -> str:
    return bytes(entry.value).decode()
