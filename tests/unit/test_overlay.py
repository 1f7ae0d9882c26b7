"""Settings above the file: levels, locks, origins, validation, changes while it runs."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from overlay_fixtures import (
    ACME,
    ANYTHING,
    EVERYBODY,
    MAIN,
    ONLY_TIGHTER,
    RIVAL,
    SettingsRoom,
    everywhere,
    of_person,
    of_tenant,
    said,
)

from plan2.foundation.config.load import load
from plan2.foundation.config.overlay_changes import (
    SettingInvalid,
    SettingLocked,
    SettingLoosens,
    SettingUnknown,
    Target,
)
from plan2.foundation.config.overlay_keys import (
    DECLARED,
    OVERRIDABLE,
    SCOPES,
    TENANT,
    USER,
    Looser,
    is_loosening,
)
from plan2.foundation.config.schema import Risk, Settings
from plan2.foundation.errors import ConfigError, StoreBusy
from plan2.foundation.events.tenancy import SettingChanged

POSITIONS = "risk.positions_max"


def test_every_key_of_the_open_sections_is_declared_once() -> None:
    """A key that the schema gets must be declared here, or nobody could set it."""
    defaults = msgspec.to_builtins(Settings())
    wanted = {f"{section}.{name}" for section in SCOPES for name in defaults[section]}
    assert set(OVERRIDABLE) == wanted
    assert len(DECLARED) == len(OVERRIDABLE)


def test_every_risk_limit_says_which_way_is_looser() -> None:
    """Only the shares that warn are no limit."""
    no_limit = {key for key, each in OVERRIDABLE.items() if each.looser is Looser.NEVER}
    assert {key for key in no_limit if key.startswith("risk.")} == {"risk.warn_fractions"}


async def test_the_narrowest_scope_wins_and_every_value_says_where_it_comes_from(
    tmp_path: Path,
) -> None:
    """File, installation, tenant, person: one after the other (values by hand)."""
    room = SettingsRoom.over(tmp_path, '[ui]\ntheme = "light"\n[risk]\npositions_max = 7\n')
    overlay = await room.open()
    assert overlay.effective(ACME).risk.positions_max == 7
    assert overlay.origin(POSITIONS, ACME).endswith("plan2.toml")
    await overlay.set(everywhere(POSITIONS), 6, ANYTHING)
    await overlay.set(of_tenant(POSITIONS), 5, ANYTHING)
    assert overlay.effective(EVERYBODY).risk.positions_max == 6
    assert overlay.effective(ACME).risk.positions_max == 5
    assert overlay.effective(RIVAL).risk.positions_max == 6
    assert overlay.origin(POSITIONS, ACME) == "set for tenant acme"
    assert overlay.origin(POSITIONS, RIVAL) == "set for the installation"
    await overlay.set(of_tenant("ui.theme"), "dark", ANYTHING)
    await overlay.set(of_person("ui.theme"), "system", ANYTHING)
    assert overlay.effective(ACME, "u1").ui.theme == "system"
    assert overlay.effective(ACME, "u2").ui.theme == "dark"
    assert overlay.effective(RIVAL).ui.theme == "light"
    assert overlay.origin("ui.theme", ACME, "u1") == "set by this person"
    assert overlay.origin("risk.drawdown_max_fraction", ACME) == "default"
    await overlay.unset(of_tenant(POSITIONS), ANYTHING)
    assert overlay.effective(ACME).risk.positions_max == 6


async def test_what_was_set_is_there_after_a_restart() -> None:
    """Another overlay over the same store says the same, locks too."""
    room = SettingsRoom()
    overlay = await room.open()
    await overlay.set(everywhere("ui.theme"), "dark", ANYTHING, is_locked=True)
    await overlay.set(of_tenant(POSITIONS), 2, ANYTHING)
    again = SettingsRoom()
    again.store.rows = room.store.rows
    await again.open()
    assert again.overlay.effective(ACME) == overlay.effective(ACME)
    assert again.overlay.merged(ACME) == overlay.merged(ACME)
    assert (MAIN in room.store.rows, ACME in room.store.rows, RIVAL in room.store.rows) == (
        True,
        True,
        False,
    )


async def test_a_lock_keeps_narrower_scopes_out() -> None:
    """What they had set is ignored and shown so; what they want is refused; until unlocked."""
    overlay = await SettingsRoom().open()
    await overlay.set(of_tenant(POSITIONS), 2, ANYTHING)
    await overlay.lock(everywhere(POSITIONS), ANYTHING, is_locked=True)
    assert overlay.effective(ACME).risk.positions_max == 4  # the schema's default
    assert overlay.merged(ACME)[POSITIONS].ignored == (TENANT,)
    with pytest.raises(SettingLocked, match="below global"):
        await overlay.set(of_tenant(POSITIONS), 3, ANYTHING)
    with pytest.raises(SettingLocked):
        overlay.loosens(of_tenant(POSITIONS, RIVAL), said(3))
    await overlay.unset(of_tenant("risk.duplicate_window_s"), ANYTHING)  # nothing set: no change
    await overlay.lock(everywhere(POSITIONS), ANYTHING, is_locked=False)
    assert overlay.effective(ACME).risk.positions_max == 2


async def test_a_lock_keeps_the_value_that_is_being_set() -> None:
    """Two changes at once: the second sees what the first has made."""
    overlay = await SettingsRoom().open()
    await overlay.set(of_tenant(POSITIONS), 3, ANYTHING)
    await asyncio.gather(
        overlay.set(of_tenant(POSITIONS), 2, ANYTHING),
        overlay.lock(of_tenant(POSITIONS), ANYTHING, is_locked=True),
    )
    entry = overlay.entry(of_tenant(POSITIONS))
    assert entry is not None
    assert (entry.value, entry.is_locked) == ("2", True)


async def test_a_tenant_s_lock_holds_for_its_people_only() -> None:
    """The theme of a firm."""
    overlay = await SettingsRoom().open()
    await overlay.set(of_tenant("ui.theme"), "dark", ANYTHING, is_locked=True)
    with pytest.raises(SettingLocked, match="below tenant"):
        await overlay.set(of_person("ui.theme"), "light", ANYTHING)
    await overlay.set(of_person("ui.theme", tenant=RIVAL), "light", ANYTHING)
    await overlay.set(of_tenant("ui.theme"), "system", ANYTHING)  # the lock stays as it is
    with pytest.raises(SettingLocked):
        await overlay.set(of_person("ui.theme"), "light", ANYTHING)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (POSITIONS, 0, "Expected `int` >= 1 (at risk.positions_max)"),
        (POSITIONS, "many", "Expected `int`, got `str` (at risk.positions_max)"),
        (POSITIONS, 2.5, "risk.positions_max"),
        (POSITIONS, True, "risk.positions_max"),
        ("risk.daily_loss_max_fraction", 0.2, "is above risk.drawdown_max_fraction"),
        ("risk.positions_per_symbol_max", 9, "is above risk.positions_max"),
        ("ui.theme", "pink", "ui.theme"),
        ("ui.quiet_from", "25:00", "ui.quiet_from"),
    ],
)
async def test_a_value_is_held_to_the_same_rules_as_the_file(
    key: str, value: object, words: str
) -> None:
    """Type, range and relations, with the same words; nothing is changed."""
    room = SettingsRoom()
    overlay = await room.open()
    before = overlay.effective(ACME)
    with pytest.raises(SettingInvalid) as caught:
        await overlay.set(of_tenant(key), value, ANYTHING)
    assert words in caught.value.message
    section, name = key.split(".")
    with pytest.raises(ConfigError) as from_file:
        load(None, {f"PLAN2_{section}__{name}".upper(): msgspec.json.encode(value).decode()})
    assert caught.value.message == from_file.value.message
    assert (overlay.effective(ACME), room.store.rows, room.facts.events) == (before, {}, [])


async def test_a_change_for_all_must_fit_every_tenant() -> None:
    """Three positions in all contradict a tenant's four per symbol; it is named."""
    overlay = await SettingsRoom().open()
    await overlay.set(of_tenant("risk.positions_per_symbol_max"), 4, ANYTHING)
    with pytest.raises(SettingInvalid, match="tenant acme"):
        await overlay.set(everywhere(POSITIONS), 3, ANYTHING)
    assert overlay.effective(RIVAL).risk.positions_max == 4


@pytest.mark.parametrize(
    "target",
    [
        everywhere("server.port"),
        of_tenant("database.url"),
        of_tenant("risk.nothing"),
        of_tenant(""),
        of_person(POSITIONS),
        of_person("quota.users"),
        of_tenant(POSITIONS, tenant=msgspec.convert("nobody", type=str)),
    ],
)
async def test_what_cannot_be_set_there_is_refused(target: Target) -> None:
    """Keys of the file, misspelt ones, scopes that are too narrow, tenants that are not served."""
    overlay = await SettingsRoom().open()
    with pytest.raises(SettingUnknown):
        await overlay.set(target, 1, ANYTHING)


async def test_changes_are_told_after_they_hold() -> None:
    """One fact with old and new value; listeners of those tenants where something differs now."""
    room = SettingsRoom()
    overlay = await room.open()
    heard: list[tuple[str, str, int]] = []
    overlay.on_change(
        lambda tenant, key: heard.append(
            (tenant, key, overlay.effective(tenant).risk.positions_max)
        )
    )
    await overlay.set(of_tenant(POSITIONS), 2, ANYTHING)
    await overlay.set(of_tenant(POSITIONS), 2, ANYTHING)  # the same again is no change
    await overlay.set(everywhere(POSITIONS), 3, ANYTHING)
    assert heard == [("acme", POSITIONS, 2), ("main", POSITIONS, 3), ("rival", POSITIONS, 3)]
    (tenant, stream, first, actor), (home, _, second, _) = room.facts.events
    assert (tenant, stream, actor, home) == ("acme", "settings", "user:ann", "main")
    assert first == SettingChanged(
        ts_ns=room.clock.now_ns(),
        scope="tenant",
        subject="acme",
        key=POSITIONS,
        old_value="",
        new_value="2",
        is_locked=False,
        reason="because",
        by="user:ann",
    )
    assert isinstance(second, SettingChanged)
    assert (second.scope, second.subject, second.new_value) == ("global", "", "3")


async def test_what_could_not_be_stored_does_not_hold() -> None:
    """The database is away: the old value stays, nobody is told."""
    room = SettingsRoom()
    overlay = await room.open()
    room.store.error = StoreBusy("away")
    with pytest.raises(StoreBusy):
        await overlay.set(of_tenant(POSITIONS), 2, ANYTHING)
    assert overlay.effective(ACME).risk.positions_max == 4
    assert room.facts.events == []


async def test_tightening_applies_at_once_and_loosening_asks_more() -> None:
    """Also when a value is taken away, or a lock whose removal lets a looser value count."""
    overlay = await SettingsRoom().open()
    await overlay.set(of_tenant(POSITIONS), 2, ONLY_TIGHTER)
    for looser in (3, 4):
        with pytest.raises(SettingLoosens):
            await overlay.set(of_tenant(POSITIONS), looser, ONLY_TIGHTER)
    with pytest.raises(SettingLoosens):
        await overlay.unset(of_tenant(POSITIONS), ONLY_TIGHTER)
    await overlay.set(of_tenant(POSITIONS), 9, ANYTHING)
    await overlay.lock(everywhere(POSITIONS), ONLY_TIGHTER, is_locked=True)
    with pytest.raises(SettingLoosens):
        await overlay.lock(everywhere(POSITIONS), ONLY_TIGHTER, is_locked=False)
    assert overlay.effective(ACME).risk.positions_max == 4
    await overlay.set(of_tenant("ui.theme"), "dark", ONLY_TIGHTER)


def risk(**values: object) -> Settings:
    """Settings with these limits."""
    return Settings(risk=msgspec.convert(values, Risk))


@pytest.mark.parametrize(
    ("key", "old", "new", "is_looser"),
    [
        ("positions_max", 4, 5, True),
        ("positions_max", 5, 4, False),
        ("positions_max", 4, 4, False),
        ("stop_distance_min_spreads", 2.0, 1.0, True),
        ("stop_distance_min_spreads", 1.0, 2.0, False),
        ("duplicate_window_s", 5.0, 0.0, True),
        ("executions_window_s", 3600, 60, True),
        ("collar_window_s", 60, 61, True),
        ("collar_window_s", 60, 59, True),
        ("symbols_permitted", ["EURUSD"], ["EURUSD", "GBPUSD"], True),
        ("symbols_permitted", ["EURUSD"], ["*"], True),
        ("symbols_permitted", ["*"], ["EURUSD"], False),
        ("symbols_permitted", ["EURUSD", "GBPUSD"], ["GBPUSD"], False),
        ("order_volume_max_lots_by_symbol", {}, {"XAUUSD": 2.0}, False),
        ("order_volume_max_lots_by_symbol", {}, {"XAUUSD": 21.0}, True),
        ("order_volume_max_lots_by_symbol", {"XAUUSD": 2.0}, {}, True),
        ("order_volume_max_lots_by_symbol", {"XAUUSD": 2.0}, {"XAUUSD": 1.0}, False),
        ("warn_fractions", [0.5], [0.9], False),
    ],
)
def test_which_way_is_looser(key: str, old: object, new: object, is_looser: bool) -> None:
    """Hand-made pairs; the general lot limit is the default of 20."""
    assert is_loosening(f"risk.{key}", risk(**{key: old}), risk(**{key: new})) is is_looser


async def test_a_tenant_whose_settings_contradict_the_file_is_not_served(tmp_path: Path) -> None:
    """The file was tightened meanwhile; the others are served, and an operator can mend it."""
    room = SettingsRoom.over(tmp_path, "[risk]\npositions_max = 2\n")
    room.store.rows[ACME] = {(TENANT, "", "risk.positions_per_symbol_max"): said(3)}
    errors = await room.overlay.load([MAIN, ACME, RIVAL])
    assert set(errors) == {ACME}
    assert "risk.positions_per_symbol_max = 3" in errors[ACME].message
    with pytest.raises(ConfigError):
        room.overlay.effective(ACME)
    with pytest.raises(ConfigError, match="not loaded"):
        room.overlay.effective(MAIN.__class__("unknown"))
    assert room.overlay.effective(RIVAL).risk.positions_max == 2
    await room.overlay.set(everywhere("ui.theme"), "dark", ANYTHING)  # not ACME's fault
    await room.overlay.unset(of_tenant("risk.positions_per_symbol_max"), ANYTHING)
    assert room.overlay.effective(ACME).risk.positions_per_symbol_max == 1


async def test_keys_that_are_gone_from_the_schema_do_not_disturb() -> None:
    """A row of an older version is passed over."""
    room = SettingsRoom()
    room.store.rows[ACME] = {
        (TENANT, "", "risk.old_rule"): said(3),
        (USER, "u1", POSITIONS): said(1),
    }
    overlay = await room.open()
    assert overlay.effective(ACME, "u1") == room.base.settings


async def test_an_erased_person_s_settings_are_gone() -> None:
    """From the store and from memory; the others' stay."""
    room = SettingsRoom()
    overlay = await room.open()
    for person in ("u1", "u2"):
        await overlay.set(of_person("ui.theme", person), "dark", ANYTHING)
    assert await overlay.forget_person(ACME, "u1") == 1
    assert overlay.effective(ACME, "u1").ui.theme == "system"
    assert overlay.effective(ACME, "u2").ui.theme == "dark"
    assert [place[1] for place in room.store.rows[ACME]] == ["u2"]
