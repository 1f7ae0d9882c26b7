"""Backup codes: what lets a person in whose authenticator is lost; ten, each good once.

A code is 120 random bits, so a plain SHA-256 of it is safe to keep (ASVS V6.5.2 asks for 112) and
one look-up finds it: no work that grows with the number of codes, and no difference in time.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from plan2.connectivity.identity.sessions import hash_secret

CODES: Final = 10
CODE_BYTES: Final = 15
GROUP: Final = 4
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that nothing is misread from paper."""
LETTERS: Final = CODE_BYTES * 8 // 5
MISREAD: Final = str.maketrans("OIL", "011", "- \t")


def new_codes(secret: Callable[[], str]) -> tuple[str, ...]:
    """Ten new codes in groups of four; each comes from 256 random bits of its own."""
    return tuple(_shown(secret()) for _ in range(CODES))


def code_hash(typed: str) -> bytes | None:
    """What is kept of a code, however it was typed; None when it cannot be one."""
    code = typed.upper().translate(MISREAD) if typed.isascii() else ""
    if len(code) != LETTERS or not set(code) <= set(ALPHABET):
        return None
    return hash_secret(code)


def _shown(secret: str) -> str:
    bits = int.from_bytes(
        hashlib.blake2b(secret.encode(), digest_size=CODE_BYTES, person=b"plan2-backup").digest()
    )
    letters = [ALPHABET[bits >> (5 * place) & 31] for place in range(LETTERS)]
    return "-".join("".join(letters[at : at + GROUP]) for at in range(0, LETTERS, GROUP))
