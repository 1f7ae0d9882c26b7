"""The port through which whoever adds something asks whether the tenant's quota has room for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Room = Callable[[str, str], None]
"""(tenant, quota) → nothing, or it raises the refusal that the caller is to be answered with."""


def no_limit(_tenant_id: str, _quota: str) -> None:
    """Room for everything: where no quotas are wired, and in tests."""


Place = Callable[[str], AbstractContextManager[None]]
"""(tenant) → a block that counts as one of the tenant's jobs while it lasts, or the refusal."""


def free_place(_tenant_id: str) -> AbstractContextManager[None]:
    """A block that nobody counts."""
    return nullcontext()
