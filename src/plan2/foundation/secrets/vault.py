"""The root key in HashiCorp Vault or OpenBao: Transit wraps and unwraps, the key never leaves it.

Whose key a wrapped one is goes, as SHA-256, in front of it into what Transit encrypts: that binds
it without `associated_data`, which Transit's rewrap does not take. The client blocks, so each call
runs in one of two threads of our own; a Vault that hangs keeps nothing else from running.
"""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import msgspec

from plan2.foundation.secret import Secret
from plan2.foundation.secrets.keys import Provider, Wrapped
from plan2.foundation.secrets.sealing import KeysUnavailable, SealBroken

T = TypeVar("T")
Answer = dict[str, Any]  # Vault's JSON
Transit = Any  # hvac's class; the package is optional and slow to load, so it is imported late
THREADS: Final = 2
DIGEST_BYTES: Final = 32
KEY_TYPE: Final = "aes256-gcm96"


class VaultPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where Transit is reached.

    Attributes:
        url: https, or http on this machine. mount, key: of the Transit engine.
        namespace: "" for none. ca_file: "" trusts the system's authorities.
    """

    url: str
    mount: str = "transit"
    key: str = "plan2"
    namespace: str = ""
    ca_file: str = ""
    timeout_s: float = 2.0


class VaultKeys:
    """A `KeyProvider` over Transit.

    Args:
        place: where it is.
        token: read for each call, so that a renewed one counts at once.
    """

    def __init__(self, place: VaultPlace, token: Callable[[], Secret]) -> None:
        self._place = place
        self._token = token
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="vault")

    async def current(self) -> str:
        """See `KeyProvider.current`."""
        return self._name((await self._key())["latest_version"])

    async def wrap(self, key: bytes, bound_to: bytes) -> Wrapped:
        """See `KeyProvider.wrap`."""
        await self._key()
        plain = base64.b64encode(hashlib.sha256(bound_to).digest() + key).decode()
        answer = await self._ask(
            lambda transit: transit.encrypt_data(
                self._place.key, plaintext=plain, mount_point=self._place.mount
            )
        )
        return self._wrapped(answer)

    async def unwrap(self, wrapped: Wrapped, bound_to: bytes) -> bytes:
        """See `KeyProvider.unwrap`."""
        answer = await self._ask(
            lambda transit: transit.decrypt_data(
                self._place.key,
                ciphertext=wrapped.blob.decode("ascii", "replace"),
                mount_point=self._place.mount,
            )
        )
        try:
            plain = base64.b64decode(_text(answer, "plaintext"), validate=True)
        except binascii.Error:
            raise _strange() from None
        if plain[:DIGEST_BYTES] != hashlib.sha256(bound_to).digest():
            raise SealBroken("The wrapped key belongs to somebody else.")
        return plain[DIGEST_BYTES:]

    async def rewrap(self, wrapped: Wrapped, bound_to: bytes) -> Wrapped:  # noqa: ARG002 - the port
        """See `KeyProvider.rewrap`; the key does not leave Vault."""
        answer = await self._ask(
            lambda transit: transit.rewrap_data(
                self._place.key,
                ciphertext=wrapped.blob.decode("ascii", "replace"),
                mount_point=self._place.mount,
            )
        )
        return self._wrapped(answer)

    async def rotate(self) -> str:
        """See `KeyProvider.rotate`."""
        await self._key()
        await self._ask(
            lambda transit: transit.rotate_key(self._place.key, mount_point=self._place.mount)
        )
        return await self.current()

    async def describe(self) -> Provider:
        """See `KeyProvider.describe`."""
        key = await self._key()
        versions = sorted(int(version) for version in key.get("keys", {}))
        return Provider(
            kind="vault",
            place=f"{self._place.url} {self._place.mount}/{self._place.key}",
            current_key=self._name(key["latest_version"]),
            keys=tuple(self._name(version) for version in versions),
            protection="never leaves Vault",
        )

    def close(self) -> None:
        """Give the threads back; a call under way ends by its time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _key(self) -> Answer:
        """What Transit says about our key; makes it when there is none."""
        answer = await self._ask(self._read_or_create)
        data = answer.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("latest_version"), int):
            raise _strange()
        return data

    def _read_or_create(self, transit: Transit) -> Answer:
        from hvac.exceptions import InvalidPath

        mount = self._place.mount
        try:
            found: Answer = transit.read_key(self._place.key, mount_point=mount)
        except InvalidPath:
            transit.create_key(self._place.key, key_type=KEY_TYPE, mount_point=mount)
            found = transit.read_key(self._place.key, mount_point=mount)
        return found

    async def _ask(self, call: Callable[[Transit], T]) -> T:
        """One call in a thread of ours.

        Raises:
            KeysUnavailable: no answer in time, a refusal, or a Vault that is sealed.
            SealBroken: Transit cannot decrypt what it was given.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._call, call)

    def _call(self, call: Callable[[Transit], T]) -> T:
        import hvac
        import requests
        from hvac.exceptions import Forbidden, InvalidRequest, VaultError

        place = self._place
        client = hvac.Client(
            url=place.url,
            token=self._token().reveal(),
            verify=place.ca_file or True,
            timeout=place.timeout_s,
            namespace=place.namespace or None,
            allow_redirects=False,
        )
        try:
            return call(client.secrets.transit)
        except InvalidRequest as error:
            raise SealBroken(f"Vault cannot open a wrapped key: {_short(error)}") from None
        except Forbidden:
            raise KeysUnavailable(
                f"Vault at {place.url} does not let us use {place.mount}/{place.key}.",
                remedy="Give Plan2 a token with rights to this Transit key.",
            ) from None
        except (VaultError, requests.RequestException, ValueError) as error:
            raise KeysUnavailable(
                f"Vault at {place.url} does not answer: {_short(error)}",
                remedy="See whether it runs, is unsealed and can be reached from here.",
            ) from None
        finally:
            client.adapter.close()

    def _wrapped(self, answer: Answer) -> Wrapped:
        text = _text(answer, "ciphertext")
        parts = text.split(":")
        if len(parts) != 3 or parts[0] != "vault" or not parts[1].startswith("v"):
            raise _strange()
        return Wrapped(self._name(parts[1].removeprefix("v")), text.encode())

    def _name(self, version: object) -> str:
        return f"{self._place.mount}/{self._place.key}:v{version}"


def _text(answer: Answer, member: str) -> str:
    data = answer.get("data")
    found = data.get(member) if isinstance(data, dict) else None
    if not isinstance(found, str):
        raise _strange()
    return found


def _strange() -> KeysUnavailable:
    return KeysUnavailable("What answers at Vault's address does not speak as Transit does.")


def _short(error: Exception) -> str:
    """The kind of an error; its text may quote what was sent."""
    return type(error).__name__
