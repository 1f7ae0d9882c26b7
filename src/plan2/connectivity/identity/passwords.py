"""Passwords: argon2id in threads of their own, and what a new password must be.

Hashing takes some 120 ms and 46 MiB on purpose, so it never runs on the event loop, it leaves half
of the cores to trading, and only so many callers may wait. A password is used exactly as it was
typed: nothing is cut off, folded or normalised.
"""

import asyncio
import base64
import os
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from plan2.foundation.errors import Recoverable

T = TypeVar("T")
MEMORY_KIB: Final = 46 * 1024
TIME_COST: Final = 2
LANES: Final = 1
LENGTH_MIN: Final = 15
LENGTH_MAX: Final = 128
WAITING_MAX: Final = 64
KNOWN: Final = 10_000
"""So many of the most used passwords are refused."""
NAME_PART_MIN: Final = 4
"""A shorter name may occur in a password by chance."""


class Busy(Recoverable):
    """Too many people sign in at this moment; nothing was looked at."""

    code = "sign_in_busy"


class Verdict(msgspec.Struct, frozen=True):
    """Whether a password is right, and whether its hash was made with older parameters."""

    is_right: bool
    is_outdated: bool = False


class Passwords:
    """Hashes and checks passwords.

    Args:
        workers: threads; None takes half of the cores.
        hasher: parameters of argon2id, for tests.
    """

    def __init__(self, workers: int | None = None, hasher: PasswordHasher | None = None) -> None:
        count = workers or max(1, (os.cpu_count() or 1) // 2)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="argon2")
        self._hasher = hasher or PasswordHasher(TIME_COST, MEMORY_KIB, LANES)
        self._decoy_hash = _decoy_hash(self._hasher)
        self._waiting = 0
        self._known = frozenset(FREQUENCY_LISTS["passwords"][:KNOWN])

    async def hash(self, password: str) -> str:
        """The encoded hash of a password.

        Raises:
            Busy: too many wait.
        """
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def check(self, password_hash: str, password: str) -> Verdict:
        """Whether a password belongs to a hash; without a hash (""): no, after the same time.

        Raises:
            Busy: too many wait.
        """
        return await self._in_thread(lambda: self._check(password_hash, password))

    def fault_of(self, password: str, names: Iterable[str] = ()) -> str:
        """Why a new password cannot be used, as a sentence; "" when it can.

        Args:
            password: as typed.
            names: of the person and the tenant, which it must not contain.
        """
        if len(password) < LENGTH_MIN:
            return f"A password has at least {LENGTH_MIN} characters; a sentence is a good one."
        if len(password) > LENGTH_MAX:
            return f"A password has at most {LENGTH_MAX} characters."
        folded = password.casefold()
        for name in names:
            if len(name) >= NAME_PART_MIN and name.casefold() in folded:
                return "The password contains the name of the person or the tenant."
        if self._is_known(folded):
            return "The password is one of those that are tried first."
        return ""

    def close(self) -> None:
        """End the threads; what they work on is finished."""
        self._threads.shutdown()

    def _is_known(self, folded: str) -> bool:
        """A much used password, alone, repeated, or with digits and signs at its end."""
        bare = folded.rstrip("0123456789!?.,;:-_#*+@$%&/= ")
        units = {folded, bare, _unit_of(folded), _unit_of(bare)}
        return len(_unit_of(folded)) <= 4 or not units.isdisjoint(self._known)

    def _check(self, password_hash: str, password: str) -> Verdict:
        """The work of a thread: one verification, whatever was given."""
        try:
            self._hasher.verify(password_hash or self._decoy_hash, password)
        except (VerificationError, InvalidHashError):
            return Verdict(is_right=False)
        return Verdict(is_right=True, is_outdated=self._hasher.check_needs_rehash(password_hash))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Busy(
                "Too many people sign in at this moment.", remedy="Try again in a few seconds."
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _decoy_hash(hasher: PasswordHasher) -> str:
    """What a password is held against where there is none: the same work, and never right.

    Salt and digest are random, so making it costs nothing and no password belongs to it.
    """

    def random_text(size: int) -> str:
        return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")

    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = random_text(hasher.salt_len), random_text(hasher.hash_len)
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


def _unit_of(text: str) -> str:
    """The shortest part whose repetition is the text: "ab" of "ababab"."""
    return text[: (text + text).find(text, 1)] if text else ""
