"""Identifiers: derived from content where a replay must give the same ones, random elsewhere."""

import hashlib
import os
from typing import Protocol


def derived_id(*parts: object) -> str:
    """A 32-digit hex id that depends on nothing but `parts` (BLAKE2b, 128 bit)."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class IdSource(Protocol):
    """Where new identifiers come from."""

    def next_id(self, kind: str) -> str:
        """A new 32-digit hex id; `kind` names what it is for."""
        ...


class SeededIds:
    """Reproducible ids: the n-th id of a kind depends only on the seed, the kind and n."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._counts: dict[str, int] = {}

    def next_id(self, kind: str) -> str:
        """The next id of this kind."""
        count = self._counts.get(kind, 0)
        self._counts[kind] = count + 1
        return derived_id(self._seed, kind, count)


class RandomIds:
    """Unpredictable ids for sessions, requests and runs."""

    def next_id(self, kind: str) -> str:  # noqa: ARG002 - the port names what an id is for
        """128 random bits in hex."""
        return os.urandom(16).hex()
