"""How the account's entries are cached: their names carry a digest of every kernel inside."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from plan2.intelligence.features import kernels
from plan2.intelligence.features.fingerprint import source_fingerprint

Function = TypeVar("Function", bound=Callable[..., object])


@functools.cache
def account_fingerprint() -> str:
    """Sixteen hex digits over this package and the kernels that it shares with the features."""
    digest = hashlib.sha256(source_fingerprint().encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def entry(function: Function) -> Function:
    """A compiled function that Python calls, as `kernels.entry`, of this package's sources."""
    function.__qualname__ += f"_{account_fingerprint()}"
    return kernels.entry(function)
