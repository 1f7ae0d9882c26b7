"""Root keys in a file of the data folder that nobody but its owner can read.

With a passphrase the keys inside are sealed under a key that argon2id derives from it (RFC 9106),
so that a copy of the data folder alone opens nothing.
"""

import os
import stat
from pathlib import Path
from typing import Final

import msgspec
from argon2.low_level import Type, hash_secret_raw

from plan2.foundation.errors import ConfigError
from plan2.foundation.private_file import write_private
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.envelope import KEY_BYTES, DataKey, RandomBytes
from plan2.foundation.secrets.keys import RootKeys
from plan2.foundation.secrets.sealing import SealBroken

FOLDER: Final = "keys"
FILE_NAME: Final = "root.json"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
SALT_BYTES: Final = 16
BOUND_TO: Final = b"plan2 root keys"
PASSPHRASE_KEY: Final = "00" * 16
"""Stands where a sealed value names its key: the passphrase itself has no id."""


class Derivation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a passphrase becomes a key: argon2id with these parameters (memory in KiB)."""

    salt: bytes
    rounds: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


class Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: the keys in clear, or sealed under a passphrase."""

    format: int = 1
    root: RootKeys | None = None
    sealed: bytes | None = None
    derivation: Derivation | None = None

    def __repr__(self) -> str:
        return "Content(***)"


class KeyFile:
    """`keys/root.json` in the data folder; see `keys.RootStore`.

    Args:
        folder: the data folder.
        passphrase: empty keeps the keys in clear, protected by the file's mode alone.
        random_bytes: for the salt and nonces.
    """

    kind = "file"

    def __init__(self, folder: Path, passphrase: Secret, random_bytes: RandomBytes) -> None:
        self._path = folder / FOLDER / FILE_NAME
        self._passphrase = passphrase
        self._random = random_bytes
        self._derived: tuple[Derivation, DataKey] | None = None

    @property
    def place(self) -> str:
        """The file."""
        return str(self._path)

    @property
    def protection(self) -> str:
        """How the file is protected."""
        if self._passphrase:
            return "readable by its owner only, and sealed with the passphrase"
        return "readable by its owner only; set PLAN2_KEY_PASSPHRASE to seal it as well"

    def read(self) -> RootKeys | None:
        """See `RootStore.read`."""
        try:
            with self._path.open("rb") as file:
                _check_owner(os.fstat(file.fileno()), self._path)
                text = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"The key file {self._path} cannot be read: {error}.") from error
        try:
            content = msgspec.json.decode(text, type=Content)
        except msgspec.MsgspecError:
            content = Content()
        if content.root is not None and content.root.keys:
            if self._passphrase:
                self.write(content.root)  # it was given since: nothing stays in clear
            return content.root
        if content.sealed is None or content.derivation is None:
            raise ConfigError(
                f"The key file {self._path} is damaged: it holds no root key.",
                remedy="Put it back from a backup; without it nothing that is sealed opens.",
            )
        return self._opened(content.sealed, content.derivation)

    def write(self, keys: RootKeys) -> None:
        """See `RootStore.write`."""
        content = Content(root=keys)
        if self._passphrase:
            derivation, key = self._derived or self._derive(
                Derivation(salt=self._random(SALT_BYTES))
            )
            sealed = key.seal(msgspec.json.encode(keys), BOUND_TO, self._random)
            content = Content(sealed=sealed, derivation=derivation)
        try:
            write_private(self._path, msgspec.json.encode(content))
        except OSError as error:
            raise ConfigError(f"The key file {self._path} cannot be written: {error}.") from error

    def _opened(self, sealed: bytes, derivation: Derivation) -> RootKeys:
        if not self._passphrase:
            raise ConfigError(
                f"The key file {self._path} is sealed with a passphrase, and none is given.",
                remedy="Set PLAN2_KEY_PASSPHRASE to the passphrase it was made with.",
            )
        _, key = self._derive(derivation)
        try:
            return msgspec.json.decode(key.open(sealed, BOUND_TO), type=RootKeys)
        except SealBroken:
            raise ConfigError(
                f"The passphrase does not open the key file {self._path}, or the file was changed.",
                remedy="Set PLAN2_KEY_PASSPHRASE to the passphrase it was made with.",
            ) from None

    def _derive(self, derivation: Derivation) -> tuple[Derivation, DataKey]:
        secret = hash_secret_raw(
            self._passphrase.reveal().encode(),
            derivation.salt,
            derivation.rounds,
            derivation.memory_kib,
            derivation.lanes,
            KEY_BYTES,
            Type.ID,
        )
        self._derived = (derivation, DataKey(PASSPHRASE_KEY, secret))
        return self._derived


def _check_owner(found: os.stat_result, path: Path) -> None:
    """Refuse a file that others can read; Windows keeps data folders private by itself.

    Raises:
        ConfigError: it is readable by others, or belongs to somebody else.
    """
    if os.name != "posix":
        return
    if found.st_mode & OTHERS:
        raise ConfigError(
            f"The key file {path} can be read by others "
            f"(mode {stat.S_IMODE(found.st_mode):04o}; 0600 is expected).",
            remedy=f"Take their rights away with `chmod 600 {path}`; if somebody may have read "
            "it, make new keys with `plan2 secrets rotate`.",
        )
    if found.st_uid not in {0, os.geteuid()}:
        raise ConfigError(
            f"The key file {path} belongs to user {found.st_uid}, not to the one Plan2 runs as.",
            remedy=f"Make it yours with `chown {os.geteuid()} {path}`.",
        )
