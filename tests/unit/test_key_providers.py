"""Where the root key lies: a private file, with or without passphrase, or the OS's key store."""

import os
import stat
from pathlib import Path

import keyring.backend
import keyring.errors
import pytest
from sealing_fixtures import counted_bytes

from plan2.foundation.clock import SimulatedClock
from plan2.foundation.config.schema import Secrets
from plan2.foundation.errors import ConfigError
from plan2.foundation.ids import SeededIds
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.key_file import KeyFile
from plan2.foundation.secrets.key_ring import KeyRing
from plan2.foundation.secrets.keys import KeyProvider, LocalKeys, RootStore, Wrapped
from plan2.foundation.secrets.keys_opening import open_keys
from plan2.foundation.secrets.sealing import KeysUnavailable, SealBroken

KEY = b"thirty-two bytes of a tenant key"
CLOCK = SimulatedClock(5)
posix = pytest.mark.skipif(os.name != "posix", reason="file modes exist on POSIX only")


def opened(folder: Path, run: str = "a", **environment: str) -> KeyProvider:
    """The file provider of a data folder, as a start of Plan2 opens it."""
    return open_keys(
        folder,
        Secrets(),
        clock=CLOCK,
        ids=SeededIds(run),
        environment=environment,
        random_bytes=counted_bytes(run),
    )


@posix
def test_the_key_file_is_private_from_its_first_moment(tmp_path: Path) -> None:
    """0600 in a folder of 0700, whatever the umask, and no half-written file beside it."""
    before = os.umask(0)
    try:
        opened(tmp_path)
    finally:
        os.umask(before)
    path = tmp_path / "keys" / "root.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["root.json"]


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777, 0o610])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says which mode was found, the remedy what to do."""
    opened(tmp_path)
    path = tmp_path / "keys" / "root.json"
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"{mode:04o}") as caught:
        opened(tmp_path)
    assert f"chmod 600 {path}" in caught.value.remedy
    path.chmod(0o600)
    opened(tmp_path)


@pytest.mark.parametrize("passphrase", ["", "correct horse battery staple"])
async def test_what_was_wrapped_opens_after_a_restart_and_a_rotation(
    tmp_path: Path, passphrase: str
) -> None:
    """Old versions stay; rewrapping names the new one; nobody else's binding opens it."""
    environment = {"PLAN2_KEY_PASSPHRASE": passphrase}
    first = opened(tmp_path, "a", **environment)
    wrapped = await first.wrap(KEY, b"acme")
    old, new = await first.current(), await first.rotate()
    again = opened(tmp_path, "b", **environment)
    assert (wrapped.root_key, await again.current()) == (old, new)
    assert await again.unwrap(wrapped, b"acme") == KEY
    renewed = await again.rewrap(wrapped, b"acme")
    assert renewed.root_key == new
    assert await again.unwrap(renewed, b"acme") == KEY
    for foreign in (wrapped, renewed):
        with pytest.raises(SealBroken):
            await again.unwrap(foreign, b"rival")
    with pytest.raises(SealBroken):
        await again.unwrap(Wrapped(new, wrapped.blob), b"acme")
    told = await again.describe()
    assert (told.kind, told.current_key, told.keys) == ("file", new, (old, new))
    assert ("passphrase" in told.protection, KEY in wrapped.blob) == (bool(passphrase), False)


def test_a_passphrase_keeps_the_keys_out_of_the_file(tmp_path: Path) -> None:
    """The same keys in clear and sealed: only the clear file shows them."""
    opened(tmp_path / "clear", "same")
    opened(tmp_path / "sealed", "same", PLAN2_KEY_PASSPHRASE="correct horse")
    clear = (tmp_path / "clear" / "keys" / "root.json").read_text(encoding="utf-8")
    sealed = (tmp_path / "sealed" / "keys" / "root.json").read_text(encoding="utf-8")
    assert '"secret":' in clear
    assert '"secret":' not in sealed
    assert '"rounds":3,"memory_kib":65536,"lanes":4' in sealed
    assert "correct horse" not in sealed


async def test_a_passphrase_that_is_given_later_seals_the_file_at_once(tmp_path: Path) -> None:
    """The keys stay the same; from then on the file opens with the passphrase only."""
    wrapped = await opened(tmp_path, "a").wrap(KEY, b"acme")
    sealing = opened(tmp_path, "b", PLAN2_KEY_PASSPHRASE="correct horse")
    assert await sealing.unwrap(wrapped, b"acme") == KEY
    assert '"secret":' not in (tmp_path / "keys" / "root.json").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="none is given"):
        opened(tmp_path, "c")


def test_a_wrong_or_missing_passphrase_is_refused(tmp_path: Path) -> None:
    """Neither opens the file, and neither replaces it."""
    opened(tmp_path, PLAN2_KEY_PASSPHRASE="right")
    before = (tmp_path / "keys" / "root.json").read_bytes()
    with pytest.raises(ConfigError, match="does not open"):
        opened(tmp_path, PLAN2_KEY_PASSPHRASE="wrong")
    with pytest.raises(ConfigError, match="none is given"):
        opened(tmp_path)
    assert (tmp_path / "keys" / "root.json").read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", "{}", '{"format":1}', '{"root":{"keys":[]}}', "[]"])
def test_a_damaged_file_is_refused_and_never_replaced(tmp_path: Path, content: str) -> None:
    """A new key in its place would lose everything that is sealed."""
    opened(tmp_path)
    path = tmp_path / "keys" / "root.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match="damaged"):
        opened(tmp_path)
    assert path.read_text(encoding="utf-8") == content


async def test_a_key_file_that_belongs_to_another_database_says_so(tmp_path: Path) -> None:
    """Lost and made anew: what the old one wrapped cannot be had, with a remedy."""
    wrapped = await opened(tmp_path, "a").wrap(KEY, b"acme")
    (tmp_path / "keys" / "root.json").unlink()
    with pytest.raises(KeysUnavailable, match=wrapped.root_key) as caught:
        await opened(tmp_path, "b").unwrap(wrapped, b"acme")
    assert "Put the key file back" in caught.value.remedy


class Passwords(keyring.backend.KeyringBackend):
    """A key store of the package `keyring`, in memory."""

    priority = 1  # type: ignore[assignment]  # keyring declares a property

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """The password."""
        if self.is_locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep one."""
        if self.is_locked:
            raise keyring.errors.PasswordSetError("locked")
        self.kept[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget one."""
        del self.kept[(service, username)]


def ring(passwords: Passwords, entry: str = "/data") -> RootStore:
    """An entry of the key store."""
    return KeyRing(entry, passwords, (keyring.errors.KeyringError,))


def local(store: RootStore, run: str) -> LocalKeys:
    """A provider over a store."""
    return LocalKeys(store, CLOCK, SeededIds(run), counted_bytes(run))


async def test_the_key_store_of_the_system_keeps_one_entry_per_data_folder() -> None:
    """Found again after a restart; another folder has keys of its own."""
    passwords = Passwords()
    wrapped = await local(ring(passwords), "a").wrap(KEY, b"acme")
    assert await local(ring(passwords), "b").unwrap(wrapped, b"acme") == KEY
    with pytest.raises(KeysUnavailable):
        await local(ring(passwords, "/other"), "c").unwrap(wrapped, b"acme")
    assert set(passwords.kept) == {("plan2", "/data"), ("plan2", "/other")}


def test_a_locked_or_foreign_key_store_is_refused_with_a_remedy() -> None:
    """Nothing is made in its place."""
    passwords = Passwords()
    passwords.is_locked = True
    with pytest.raises(ConfigError, match="locked") as caught:
        local(ring(passwords), "a")
    assert "secrets.provider" in caught.value.remedy
    passwords.is_locked = False
    passwords.kept[("plan2", "/data")] = "something else"
    with pytest.raises(ConfigError, match="no root keys of ours"):
        local(ring(passwords), "a")


async def test_a_root_key_that_could_not_be_kept_is_not_used() -> None:
    """A rotation that the store refuses changes nothing."""
    passwords = Passwords()
    provider = local(ring(passwords), "a")
    before = await provider.current()
    passwords.is_locked = True
    with pytest.raises(ConfigError):
        await provider.rotate()
    assert await provider.current() == before


def test_no_secret_shows_itself(tmp_path: Path) -> None:
    """Stores, keys and file contents print without what they hold (R-106)."""
    canary = "canary-of-the-passphrase"
    store = KeyFile(tmp_path, Secret(canary), counted_bytes())
    provider = LocalKeys(store, CLOCK, SeededIds("a"), counted_bytes())
    keys = store.read()
    assert keys is not None
    secret = keys.keys[0].secret
    for shown in (repr(store), repr(provider), repr(keys), f"{keys.keys[0]}", repr(vars(store))):
        assert canary not in shown
        assert repr(secret)[2:-1] not in shown


@pytest.mark.parametrize(
    ("url", "environment", "words"),
    [
        ("http://vault.example:8200", {"PLAN2_VAULT_TOKEN": "t"}, "https://"),
        ("", {"PLAN2_VAULT_TOKEN": "t"}, "https://"),
        ("https://user:pass@vault.example", {"PLAN2_VAULT_TOKEN": "t"}, "without a user"),
        ("https://vault.example:8200", {}, "PLAN2_VAULT_TOKEN"),
    ],
)
def test_a_vault_that_would_hear_keys_in_clear_is_refused(
    tmp_path: Path, url: str, environment: dict[str, str], words: str
) -> None:
    """Only https, or this machine; and a token has to be given."""
    settings = Secrets(provider="vault", vault_url=url)
    with pytest.raises(ConfigError, match=words):
        open_keys(tmp_path, settings, clock=CLOCK, ids=SeededIds("a"), environment=environment)
