"""Read the configuration: defaults, then TOML, then PLAN2_* variables; unknown keys refuse."""

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError

ENV_PREFIX = "PLAN2_"
TESTS_ONLY = ("PLAN2_TEST_POSTGRES",)
ENV_OTHER = frozenset(
    {
        "PLAN2_CONFIG",
        "PLAN2_DATA_DIR",
        "PLAN2_DEBUG",
        "PLAN2_DEEPSEEK_API_KEY",
        "PLAN2_GOOGLE_API_KEY",
        "PLAN2_KEY_PASSPHRASE",
        "PLAN2_MT5_PASSWORD",
        "PLAN2_OPENAI_API_KEY",
        "PLAN2_SHARED",
        "PLAN2_SMTP_PASSWORD",
        "PLAN2_TERMINAL_KEY",
        "PLAN2_TWIN",
        "PLAN2_UI",
        "PLAN2_TELEGRAM_TOKEN",
        "PLAN2_VAULT_TOKEN",
        *TESTS_ONLY,
    }
)
"""Variables that are not configuration keys."""

Tables = dict[str, Any]  # parsed TOML before validation


class Loaded(msgspec.Struct, frozen=True):
    """Validated settings and where each non-default value came from."""

    settings: Settings
    origins: dict[str, str]
    config_hash: str


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Loaded:
    """Load and validate the configuration.

    Args:
        path: the TOML file; None looks at PLAN2_CONFIG, then uses defaults alone.
        env: the environment, for tests; None means the process's own.

    Raises:
        ConfigError: a file is missing or unreadable, a key is unknown, a value has the wrong type
            or lies outside its range; the message names the key.
    """
    environment = os.environ if env is None else env
    if path is None and environment.get("PLAN2_CONFIG"):
        path = Path(environment["PLAN2_CONFIG"])
    origins: dict[str, str] = {}
    tables: Tables = {}
    if path is not None:
        tables = _read(path)
        origins = {key: str(path) for key in _flatten(tables)}
    for key, value in _from_environment(environment).items():
        section, name = key.split(".", 1)
        _table(tables, section)[name] = value
        origins[key] = f"environment variable {ENV_PREFIX}{section.upper()}__{name.upper()}"
    if environment.get("PLAN2_DATA_DIR"):
        _table(tables, "data")["dir"] = environment["PLAN2_DATA_DIR"]
        origins["data.dir"] = "environment variable PLAN2_DATA_DIR"
    settings = validated(tables)
    digest = hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()
    return Loaded(settings, origins, digest)


def flat(settings: Settings) -> dict[str, str]:
    """Every effective key and value as text, `section.name` → JSON."""
    tables: Tables = msgspec.to_builtins(settings)
    return {key: msgspec.json.encode(value).decode() for key, value in _flatten(tables).items()}


def validated(tables: Tables) -> Settings:
    """Settings from tables: keys, types, ranges, and the relations between them.

    Raises:
        ConfigError: see `load`.
    """
    settings = _validate(tables)
    _check_relations(settings)
    return settings


def data_dir(settings: Settings) -> Path:
    """The folder that holds everything Plan2 keeps (not created here)."""
    if settings.data.dir:
        return Path(settings.data.dir).expanduser().absolute()
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "plan2"
    root = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(root) / "plan2"


def _table(tables: Tables, section: str) -> Tables:
    """The table of a section, made when missing.

    Raises:
        ConfigError: the file gives the section a plain value.
    """
    table = tables.setdefault(section, {})
    if not isinstance(table, dict):
        raise ConfigError(
            f"Configuration: {section} = {table!r} is not a table.",
            remedy=f"Write [{section}] and its keys below it.",
        )
    return table


def _read(path: Path) -> Tables:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"Configuration file {path} does not exist.",
            remedy="Give the right path with --config, or leave it out to use the defaults.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"Configuration file {path} is not valid TOML: {error}.") from error


def _from_environment(environment: Mapping[str, str]) -> Tables:
    values: Tables = {}
    for name, text in environment.items():
        if not name.startswith(ENV_PREFIX) or name in ENV_OTHER:
            continue
        if "__" not in name:
            raise ConfigError(
                f"Environment variable {name} is not known.",
                remedy=f"Keys are written {ENV_PREFIX}SECTION__NAME, such as PLAN2_SERVER__PORT.",
            )
        section, _, key = name[len(ENV_PREFIX) :].lower().partition("__")
        try:
            values[f"{section}.{key}"] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            values[f"{section}.{key}"] = text
    return values


def _validate(tables: Tables) -> Settings:
    try:
        return msgspec.convert(tables, Settings)
    except msgspec.ValidationError as error:
        text = str(error)
        message, _, where = text.partition(" - at ")
        key = where.strip("`").removeprefix("$.") or "the top level"
        raise ConfigError(
            f"Configuration: {message} (at {key}).",
            remedy="`plan2 config show` lists every key with its value; config.toml explains them.",
        ) from error


def _check_relations(settings: Settings) -> None:
    risk = settings.risk
    if risk.positions_per_symbol_max > risk.positions_max:
        raise ConfigError(
            f"Configuration: risk.positions_per_symbol_max = {risk.positions_per_symbol_max} is "
            f"above risk.positions_max = {risk.positions_max}."
        )
    if risk.daily_loss_max_fraction > risk.drawdown_max_fraction:
        raise ConfigError(
            f"Configuration: risk.daily_loss_max_fraction = {risk.daily_loss_max_fraction} is "
            f"above risk.drawdown_max_fraction = {risk.drawdown_max_fraction}."
        )
    if len(set(settings.market.symbols)) != len(settings.market.symbols):
        raise ConfigError("Configuration: market.symbols names a symbol twice.")
    if not settings.market.symbols:
        raise ConfigError("Configuration: market.symbols is empty; name at least one symbol.")


def _flatten(tables: Tables) -> dict[str, Any]:
    flat_values: dict[str, Any] = {}
    for section, values in tables.items():
        if isinstance(values, dict):
            flat_values.update({f"{section}.{name}": value for name, value in values.items()})
        else:
            flat_values[section] = values
    return flat_values
