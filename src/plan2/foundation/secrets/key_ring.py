"""Root keys in the operating system's key store: Windows, macOS, or the Secret Service."""

from typing import Final, Protocol

import msgspec

from plan2.foundation.errors import ConfigError
from plan2.foundation.secrets.keys import RootKeys

SERVICE: Final = "plan2"


class PasswordStore(Protocol):
    """What we use of the package `keyring`: its module, or one of its backends.

    Raises:
        RuntimeError: the key store is locked, missing or refuses (all errors of `keyring` are).
    """

    def get_password(self, service: str, username: str) -> str | None:
        """The password, or None."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""
        ...


class KeyRing:
    """One entry of the key store per data folder; see `keys.RootStore`.

    Args:
        entry: the name of the entry: the data folder.
        passwords: where the entry lies.
        errors: what that raises when it cannot be used.
    """

    kind = "keyring"
    protection = "kept by the operating system for the user that Plan2 runs as"

    def __init__(
        self, entry: str, passwords: PasswordStore, errors: tuple[type[Exception], ...]
    ) -> None:
        self._entry = entry
        self._passwords = passwords
        self._errors = errors

    @property
    def place(self) -> str:
        """The entry."""
        return f"{SERVICE}: {self._entry}"

    def read(self) -> RootKeys | None:
        """See `RootStore.read`."""
        try:
            text = self._passwords.get_password(SERVICE, self._entry)
        except self._errors as error:
            raise self._refusal(error) from error
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=RootKeys)
        except msgspec.MsgspecError:
            raise ConfigError(
                f"The entry {self.place} of the key store holds no root keys of ours.",
                remedy="Put the right entry back; without it nothing that is sealed opens.",
            ) from None

    def write(self, keys: RootKeys) -> None:
        """See `RootStore.write`."""
        try:
            self._passwords.set_password(SERVICE, self._entry, msgspec.json.encode(keys).decode())
        except self._errors as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"The key store of this machine cannot be used: {str(error) or type(error).__name__}",
            remedy='Unlock it, or set secrets.provider to "file".',
        )
