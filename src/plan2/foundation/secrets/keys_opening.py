"""Which provider of the root key is used, and everything of keys put together."""

import importlib.util
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from plan2.foundation.clock import Clock
from plan2.foundation.config.schema import Secrets
from plan2.foundation.errors import ConfigError
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.foundation.secret import Secret
from plan2.foundation.secrets.envelope import RandomBytes
from plan2.foundation.secrets.envelope_sealer import EnvelopeSealer
from plan2.foundation.secrets.key_file import KeyFile
from plan2.foundation.secrets.key_ring import KeyRing
from plan2.foundation.secrets.key_tables import (
    OpenUnit,
    PostgresSubjectKeys,
    PostgresTenantKeys,
)
from plan2.foundation.secrets.keys import KeyProvider, LocalKeys
from plan2.foundation.secrets.rotation import KeyRotations
from plan2.foundation.secrets.rotation_table import PostgresRotations
from plan2.foundation.secrets.subject_keys import SubjectKeys
from plan2.foundation.secrets.tenant_keys import TenantKeys
from plan2.foundation.secrets.vault import VaultKeys, VaultPlace

PASSPHRASE: Final = "PLAN2_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
TOKEN: Final = "PLAN2_VAULT_TOKEN"  # noqa: S105 - the name of a variable
LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Keys:
    """Everything of keys: the provider, the keys of tenants and people, and the sealer.

    Args:
        provider: of the root key, from `open_keys`.
        open_unit: the database. clock: the machine's.
        ids: name new keys.
        remember_s: how long keys stay in memory while the provider is away.
    """

    def __init__(
        self,
        provider: KeyProvider,
        open_unit: OpenUnit,
        clock: Clock,
        ids: IdSource,
        remember_s: int,
    ) -> None:
        random_bytes = secrets.token_bytes
        self.provider = provider
        table = PostgresTenantKeys(open_unit)
        self.tenants = TenantKeys(provider, table, clock, ids, random_bytes, remember_s)
        people = PostgresSubjectKeys(open_unit)
        self.subjects = SubjectKeys(self.tenants, people, clock, ids, random_bytes)
        self.sealer = EnvelopeSealer(self.tenants, self.subjects, random_bytes)
        self._table = PostgresRotations(open_unit)
        self._clock = clock
        self._ids = ids

    def rotations(self, record: Record) -> KeyRotations:
        """What replaces these keys; `record` takes `KeyRotated`, and may need the sealer itself."""
        return KeyRotations(
            self.tenants, self.subjects, self._table, record, self._clock, self._ids
        )


def open_keys(
    folder: Path,
    settings: Secrets,
    *,
    clock: Clock,
    ids: IdSource,
    environment: Mapping[str, str],
    random_bytes: RandomBytes = secrets.token_bytes,
) -> KeyProvider:
    """The provider that the configuration names; makes the first root key. Blocks.

    Args:
        folder: the data folder.
        settings: the section [secrets].
        clock: dates new root keys.
        ids: names them.
        random_bytes: makes them.
        environment: where PLAN2_KEY_PASSPHRASE and PLAN2_VAULT_TOKEN are looked up.

    Raises:
        ConfigError: it cannot be used: readable by others, a wrong passphrase, no key store, an
            address that would send keys in clear.
    """
    if settings.provider == "vault":
        return _vault(settings, environment)
    if settings.provider == "keyring":
        return LocalKeys(_key_ring(folder), clock, ids, random_bytes)
    passphrase = Secret(environment.get(PASSPHRASE, ""))
    return LocalKeys(KeyFile(folder, passphrase, random_bytes), clock, ids, random_bytes)


def _key_ring(folder: Path) -> KeyRing:
    _need("keyring", "keyring")
    # An optional package that looks for a key store when it is loaded.
    import keyring
    from keyring.errors import KeyringError

    return KeyRing(str(folder.absolute()), keyring, (KeyringError,))


def _vault(settings: Secrets, environment: Mapping[str, str]) -> VaultKeys:
    _need("hvac", "vault")
    url = urlsplit(settings.vault_url)
    is_private = url.scheme == "https" or (url.scheme == "http" and url.hostname in LOCAL_HOSTS)
    if not is_private or not url.hostname or url.username or url.password:
        raise ConfigError(
            f"secrets.vault_url = {settings.vault_url!r} cannot be used: https:// and a host are "
            "expected, without a user (http:// on this machine only).",
        )
    place = VaultPlace(
        url=settings.vault_url.rstrip("/"),
        mount=settings.vault_mount,
        key=settings.vault_key,
        namespace=settings.vault_namespace,
        ca_file=settings.vault_ca_file,
        timeout_s=settings.vault_timeout_ms / 1_000,
    )
    file = settings.vault_token_file
    token = Secret(environment.get(TOKEN, ""))
    if not file and not token:
        raise ConfigError(
            f"Vault needs a token: neither {TOKEN} nor secrets.vault_token_file is set.",
            remedy="An agent that renews the token can write it into that file.",
        )
    return VaultKeys(place, (lambda: _token_of(Path(file))) if file else (lambda: token))


def _token_of(path: Path) -> Secret:
    """The token in a file, read anew each time; nothing when it cannot be read."""
    try:
        return Secret(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return Secret("")


def _need(package: str, provider: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise ConfigError(
            f'secrets.provider = "{provider}" needs the package {package}, which is missing.',
            remedy=f"Install it with `pip install {package}`.",
        )
