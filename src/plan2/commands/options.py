"""What the verbs share: the context object, the common options, and how results are printed.

The options are an overlay on the environment, so that `config.load` stays the only place where
values, their order of precedence and their origins are decided.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from plan2.foundation.config import load as config

F = TypeVar("F", bound=Callable[..., Any])  # a decorated callback keeps its own signature

FOLDER = click.Path(file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Cli:
    """The options before the verb; click hands it to every command as `ctx.obj`."""

    config_file: Path | None = None
    data_dir_given: Path | None = None
    log_level: str | None = None
    debug: bool = False

    def load(self, data_dir: Path | None = None) -> config.Loaded:
        """The configuration with these options applied; `data_dir` is the verb's own option.

        Raises:
            ConfigError: as `plan2.foundation.config.load.load`.
        """
        environment = dict(os.environ)
        origins = {}
        folder = data_dir or self.data_dir_given
        if folder is not None:
            environment["PLAN2_DATA_DIR"] = str(folder.expanduser().absolute())
            origins["data.dir"] = "option --data-dir"
        if self.log_level is not None:
            environment["PLAN2_LOG__LEVEL"] = self.log_level
            origins["log.level"] = "option --log-level"
        loaded = config.load(self.config_file, environment)
        return msgspec.structs.replace(loaded, origins=loaded.origins | origins)

    @property
    def data_dir(self) -> Path:
        """The folder that holds everything Plan2 keeps (not created here)."""
        return config.data_dir(self.load().settings)


def data_dir_option(callback: F) -> F:
    """Add `--data-dir DIR`; the callback takes `data_dir: Path | None`."""
    return click.option(
        "--data-dir", type=FOLDER, default=None, help="Folder for everything Plan2 keeps."
    )(callback)


def json_option(callback: F) -> F:
    """Add `--json`; the callback takes `as_json: bool`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(callback)


def resolve_settings(ctx: click.Context, data_dir: Path | None = None) -> config.Loaded:
    """The effective configuration for a verb; works too when a test invokes the verb alone."""
    return (ctx.find_object(Cli) or Cli()).load(data_dir)


def resolve_data_dir(ctx: click.Context, data_dir: Path | None = None) -> Path:
    """The data folder for a verb: its own option, else the global one, else the configuration."""
    return config.data_dir(resolve_settings(ctx, data_dir).settings)


def examples(*lines: str) -> str:
    """An `epilog=` for a command: example lines that click prints as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def say(sentence: str) -> None:
    """Tell a person what is going on, beside the result: on standard error."""
    click.echo(sentence, err=True)


def print_json(value: object) -> None:
    """Print anything msgspec can encode (structs, dataclasses, plain data) as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))
