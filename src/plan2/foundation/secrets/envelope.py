"""How a value is sealed: AES-256-GCM under one key, bound to one place.

A sealed value is: format byte, 16 bytes of key id, 12 random bytes of nonce, cipher text, tag. The
header and the place are authenticated too, so a value opens only where it was sealed, and nowhere
under another key. Random nonces allow 2³² values per key (NIST SP 800-38D §8.3).
"""

from collections.abc import Callable
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from plan2.foundation.secret import MASK
from plan2.foundation.secrets.sealing import Place, SealBroken

FORMAT: Final = b"\x01"
KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
HEADER_BYTES: Final = len(FORMAT) + KEY_ID_BYTES
SEALED_MIN: Final = HEADER_BYTES + NONCE_BYTES + TAG_BYTES

RandomBytes = Callable[[int], bytes]
"""Gives that many unpredictable bytes, such as `secrets.token_bytes`."""


class DataKey:
    """A key in memory; it shows as `***` and cannot be pickled.

    Args:
        key_id: 32 hex digits, unique in the installation.
        secret: 32 bytes.
    """

    __slots__ = ("_cipher", "_secret", "key_id")

    def __init__(self, key_id: str, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise SealBroken(f"Key {key_id} has {len(secret)} bytes; {KEY_BYTES} are expected.")
        self.key_id = key_id
        self._secret = secret
        self._cipher = AESGCM(secret)

    def seal(self, plain: bytes, bound_to: bytes, random_bytes: RandomBytes) -> bytes:
        """Seal a value for one place."""
        header = FORMAT + bytes.fromhex(self.key_id)
        nonce = random_bytes(NONCE_BYTES)
        return header + nonce + self.encrypt(nonce, plain, header + bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> bytes:
        """What was sealed for this place.

        Raises:
            SealBroken: it was changed, or sealed for another place or by another key.
        """
        if key_id_of(sealed) != self.key_id:
            raise SealBroken(f"The value was sealed by key {key_id_of(sealed)}, not {self.key_id}.")
        header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:][:NONCE_BYTES]
        return self.decrypt(nonce, sealed[HEADER_BYTES + NONCE_BYTES :], header + bound_to)

    def encrypt(self, nonce: bytes, plain: bytes, bound_to: bytes) -> bytes:
        """AES-256-GCM: cipher text and tag."""
        return self._cipher.encrypt(nonce, plain, bound_to)

    def decrypt(self, nonce: bytes, encrypted: bytes, bound_to: bytes) -> bytes:
        """The plain text.

        Raises:
            SealBroken: the tag does not fit, or the nonce has a length that is not allowed.
        """
        try:
            return self._cipher.decrypt(nonce, encrypted, bound_to)
        except (InvalidTag, ValueError):
            raise SealBroken("The sealed value was changed, or belongs somewhere else.") from None

    def reveal(self) -> bytes:
        """The key itself, for wrapping it."""
        return self._secret

    def __repr__(self) -> str:
        return f"DataKey({self.key_id}, {MASK})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a DataKey cannot be pickled or copied; pass the object itself")


def key_id_of(sealed: bytes) -> str:
    """Which key sealed a value, 32 hex digits.

    Raises:
        SealBroken: these are not bytes that we sealed.
    """
    if len(sealed) < SEALED_MIN or sealed[:1] != FORMAT:
        raise SealBroken(f"{len(sealed)} bytes that are not a sealed value of a known format.")
    return sealed[1:HEADER_BYTES].hex()


def framed(*parts: str) -> bytes:
    """Texts, each with its length in front, so that no two lists give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def bytes_of(place: Place) -> bytes:
    """The additional data that binds a value to its place."""
    return framed(
        "plan2 value", place.tenant_id, place.table, place.column, place.row, place.subject
    )
