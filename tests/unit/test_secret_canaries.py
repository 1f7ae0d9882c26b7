"""Planted secrets are in no log line, error or fact of keys, settings and flags (R-029, R-106)."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import structlog
from overlay_fixtures import ACME, ANYTHING, SettingsRoom, of_tenant
from sealing_fixtures import counted_bytes
from test_rotation import RotationRoom
from vault_fixtures import TOKEN, transit

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.load import load
from plan2.foundation.config.schema import Log, Secrets
from plan2.foundation.errors import Plan2Error
from plan2.foundation.ids import SeededIds
from plan2.foundation.log import configure, logger
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.envelope import DataKey
from plan2.foundation.secrets.keys_opening import open_keys
from plan2.foundation.secrets.sealing import Place
from plan2.foundation.secrets.vault import VaultKeys, VaultPlace

PASSPHRASE = "canary-of-the-passphrase"
PLAIN = b"canary-of-a-broker-password"
PLACE = Place(tenant_id=ACME, table="account", column="password", row="live")


@pytest.fixture
def lines() -> Iterator[io.TextIOWrapper]:
    """Everything that is logged meanwhile, libraries at their most talkative."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    root = logging.getLogger()
    handlers, level, before = list(root.handlers), root.level, structlog.get_config()
    configure(Log(level="debug", format="json"), SimulatedClock(), "run", out)
    root.setLevel(logging.DEBUG)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def text_of(lines: io.TextIOWrapper) -> str:
    """What was logged."""
    lines.seek(0)
    return lines.read()


async def test_keys_log_no_secret(lines: io.TextIOWrapper, tmp_path: Path) -> None:
    """Files with a passphrase, a Vault that is up, sealed and gone, rotations, broken values."""
    told: list[str] = []
    with transit() as (fake, url):
        vault = VaultKeys(VaultPlace(url=url, timeout_s=0.3), lambda: Secret(TOKEN))
        room = RotationRoom(vault)
        sealed = await room.sealer.seal(PLACE, PLAIN)
        await room.rotations.rotate_tenant(ACME, "user:ann")
        await room.rotations.carry_on(ACME)
        key = await room.tenants.current(ACME)
        fake.fault = "sealed"
        assert not await room.tenants.refresh(ACME)
        room.wait_s(4_000)
        for value in (sealed, sealed[:-1] + b"\x00", PLAIN):
            try:
                await room.sealer.open(PLACE, value)
            except Plan2Error as error:
                told.append(f"{error} {error!r}")
        told += [repr(room.tenants.health()), repr(room.facts.events), repr(vars(vault))]
        vault.close()
    open_keys(
        tmp_path,
        Secrets(),
        clock=SimulatedClock(),
        ids=SeededIds("a"),
        environment={"PLAN2_KEY_PASSPHRASE": PASSPHRASE},
        random_bytes=counted_bytes(),
    )
    logger("test").error(
        "objects", key=key, keys=[key], room=room.tenants, secret=Secret(PASSPHRASE)
    )
    seen = text_of(lines) + "".join(told)
    assert "keys_not_refreshed" in seen
    for secret in (PASSPHRASE, TOKEN, PLAIN.decode(), key.reveal().hex(), repr(key.reveal())[2:-1]):
        assert secret not in seen


def test_every_object_with_a_secret_masks_itself(lines: io.TextIOWrapper) -> None:
    """R-106: each is logged once, printed once and put into JSON once."""
    key = DataKey("ab" * 16, b"canary-canary-canary-canary-0123")
    for shown in (key, Secret("canary"), {"password": "canary"}, [key, Secret("canary")]):
        logger("test").info("shown", value=shown)
        logging.getLogger("library").warning("%s", shown if not isinstance(shown, dict) else "")
    seen = text_of(lines)
    assert "canary" not in seen
    assert len([json.loads(line) for line in seen.splitlines()]) == 8
    with pytest.raises(TypeError):
        msgspec.json.encode(key)


async def test_settings_show_no_password_of_the_file(lines: io.TextIOWrapper) -> None:
    """Facts of changed settings hold what was set, and the file's secrets cannot be set at all."""
    room = SettingsRoom(load(None, {"PLAN2_DATABASE__URL": "postgresql://p2_app:canary@db/x"}))
    overlay = await room.open()
    await overlay.set(of_tenant("risk.positions_max"), 2, ANYTHING)
    try:
        await overlay.set(of_tenant("risk.positions_max"), 0, ANYTHING)
    except Plan2Error as error:
        logger("test").error("refused", reason=str(error))
    assert "canary" not in text_of(lines) + repr(room.facts.events)
