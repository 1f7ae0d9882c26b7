"""`plan2 config`: the effective configuration with the origin of each value, and its check."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)
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
        "plan2 --config my.toml config check      refuse or accept a file",
        "PLAN2_SERVER__PORT=9000 plan2 config show",
    ),
)
def command() -> None:
    """Show or check the effective configuration."""


@command.command(
    epilog=examples("plan2 config show", "plan2 --config my.toml config show --json | jq .")
)
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Print every key with its effective value and where it came from; passwords are masked."""
    effective = _effective(resolve_settings(ctx, data_dir))
    if as_json:
        print_json(effective)
        return
    width = max(len(f"{entry.key} = {_text(entry)}") for entry in effective.values)
    for entry in effective.values:
        click.echo(f"{f'{entry.key} = {_text(entry)}':<{width}}  # {entry.origin}")
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
