"""The configuration: strict, with origins, and explained key by key in config.toml."""

import itertools
import tomllib
from pathlib import Path

import msgspec
import pytest

from plan2.foundation.config.load import Loaded, data_dir, flat, load
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]


def from_text(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Loaded:
    """Load a configuration file with this text."""
    path = tmp_path / "plan2.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, env or {})


def test_the_shipped_file_shows_every_key_with_its_default() -> None:
    """config.toml and the schema have the same keys and the same values."""
    tables = tomllib.loads((REPOSITORY / "config.toml").read_text(encoding="utf-8"))
    shown = {f"{section}.{key}" for section, keys in tables.items() for key in keys}

    defaults = flat(Settings())

    assert shown == set(defaults)
    assert flat(load(REPOSITORY / "config.toml", {}).settings) == defaults


def test_the_shipped_file_explains_every_key() -> None:
    """A comment stands above each key."""
    lines = (REPOSITORY / "config.toml").read_text(encoding="utf-8").splitlines()

    bare = [
        line
        for above, line in itertools.pairwise(lines)
        if "=" in line and not line.startswith("#") and not above.startswith("#")
    ]

    assert bare == []


def test_without_a_file_the_defaults_hold() -> None:
    """Nothing to read: no origins, the built-in values."""
    loaded = load(None, {})

    assert loaded.settings == Settings()
    assert loaded.origins == {}


def test_a_variable_wins_over_the_file_and_each_says_where_it_came_from(tmp_path: Path) -> None:
    """Origins name the file and the variable."""
    loaded = from_text(
        tmp_path, "[server]\nport = 9000\nsession_hours = 3\n", {"PLAN2_SERVER__PORT": "9001"}
    )

    assert loaded.settings.server.port == 9001
    assert loaded.settings.server.session_hours == 3
    assert loaded.origins["server.port"] == "environment variable PLAN2_SERVER__PORT"
    assert loaded.origins["server.session_hours"].endswith("plan2.toml")


def test_variables_may_be_text_numbers_or_lists() -> None:
    """Values that are JSON are read as JSON, others as text."""
    settings = load(
        None,
        {
            "PLAN2_SERVER__HOST": "0.0.0.0",  # noqa: S104 - only a value here
            "PLAN2_MARKET__SYMBOLS": '["EURUSD"]',
            "PLAN2_SIMULATED__SPEED": "2.5",
            "PLAN2_DATA_DIR": "/srv/plan2",
        },
    ).settings

    assert settings.server.host == "0.0.0.0"  # noqa: S104 - only a value here
    assert settings.market.symbols == ("EURUSD",)
    assert settings.simulated.speed == 2.5
    assert settings.data.dir == "/srv/plan2"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nprot = 1\n", "prot"),
        ("[sever]\nport = 1\n", "sever"),
        ("[server]\nport = 70000\n", "server.port"),
        ('[server]\nport = "high"\n', "server.port"),
        ("[risk]\ndaily_loss_max_fraction = 1.5\n", "risk.daily_loss_max_fraction"),
        ("[risk]\ndaily_loss_max_fraction = 0.5\n", "risk.daily_loss_max_fraction"),
        ("[risk]\npositions_per_symbol_max = 9\n", "risk.positions_per_symbol_max"),
        ('[market]\nsymbols = ["EURUSD", "EURUSD"]\n', "twice"),
        ("[market]\nsymbols = []\n", "empty"),
        ('[simulated]\nbalance = "lots"\n', "simulated.balance"),
        ("[server\n", "TOML"),
    ],
)
def test_a_wrong_file_is_refused_and_the_key_named(tmp_path: Path, text: str, named: str) -> None:
    """Unknown keys, wrong types, out of range, broken relations, broken syntax."""
    with pytest.raises(ConfigError, match=named):
        from_text(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that was given must exist."""
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "absent.toml", {})


def test_the_hash_changes_with_any_value_and_only_then(tmp_path: Path) -> None:
    """Two ways to the same values have the same hash."""
    default = load(None, {}).config_hash

    assert from_text(tmp_path, "[server]\nport = 8420\n").config_hash == default
    assert from_text(tmp_path, "[server]\nport = 8421\n").config_hash != default


def test_settings_cannot_be_changed() -> None:
    """A component cannot alter what another one reads."""
    with pytest.raises(AttributeError):
        Settings().server.port = 1
    assert msgspec.json.decode(msgspec.json.encode(Settings()), type=Settings) == Settings()


def test_the_data_folder_is_the_configured_one() -> None:
    """An absolute path, with the home folder expanded."""
    settings = load(None, {"PLAN2_DATA_DIR": "~/p2"}).settings

    assert data_dir(settings) == Path.home() / "p2"
