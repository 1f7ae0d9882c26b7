"""The port through which whoever adds something asks whether the tenant's quota has room for it."""

from collections.abc import Callable

Room = Callable[[str, str], None]
"""(tenant, quota) → nothing, or it raises the refusal that the caller is to be answered with."""


def no_limit(_tenant_id: str, _quota: str) -> None:
    """Room for everything: where no quotas are wired, and in tests."""
