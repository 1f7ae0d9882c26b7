"""How many files and sockets the system lets this process open at once."""

import sys
from typing import Final

if sys.platform != "win32":
    import resource

WANTED: Final = 65_536
"""Enough for a hundred tenants with fifty screens each, their databases and terminals."""


def raise_descriptor_limit() -> None:
    """Open as many as the system's hard limit allows, `WANTED` at most; never fewer than before.

    Many systems begin a process with 1,024, which is meant for programs that select(2). Windows has
    no such limit.
    """
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
