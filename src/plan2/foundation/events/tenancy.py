"""Facts about tenants, their settings, keys, limits, records and the clock."""

from plan2.foundation.events.base import Event


class TenantChanged(Event, frozen=True, kw_only=True, gc=False):
    """A tenant was created, suspended, resumed, exported or deleted."""

    tenant: str
    change: str
    """`created`, `suspended`, `resumed`, `exported`, `restored` or `deleted`."""
    reason: str
    by: str


class OnboardingStep(Event, frozen=True, kw_only=True, gc=False):
    """A step of a tenant's creation was done, or failed and was undone."""

    tenant: str
    step: str
    outcome: str
    """`done`, `failed` or `undone`."""
    detail: str


class SettingChanged(Event, frozen=True, kw_only=True, gc=False):
    """A setting of the installation, a tenant or a person was changed, locked or freed.

    Values are JSON; "" where there was or is none.
    """

    scope: str
    """`global`, `tenant` or `user`."""
    subject: str
    key: str
    old_value: str
    new_value: str
    is_locked: bool
    reason: str
    by: str


class FlagChanged(Event, frozen=True, kw_only=True, gc=False):
    """A feature flag was switched."""

    scope: str
    subject: str
    flag: str
    old_value: str
    new_value: str
    by: str


class LimitExceeded(Event, frozen=True, kw_only=True, gc=False):
    """A tenant used up a quota; written at most once a minute and quota."""

    quota: str
    value: float
    limit: float
    subject: str
    refused: int


class KeyRotated(Event, frozen=True, kw_only=True, gc=False):
    """The root key or a tenant's key was replaced; what it wrapped was wrapped again."""

    level: str
    """`root`, `tenant` or `signing`."""
    old_key: str
    new_key: str
    rewrapped: int
    by: str


class CheckpointSigned(Event, frozen=True, kw_only=True, gc=False):
    """The head of the log was noted down outside the database."""

    size: int
    head_hash: str
    root_hash: str
    target: str
    signature: str


class ClockMeasured(Event, frozen=True, kw_only=True, gc=False):
    """How far this machine's clock was from a reference; unknown is None."""

    offset_us: float | None
    source: str
    state: str
    """`synchronised`, `drifting`, `off` or `unknown`."""


class RecordsExported(Event, frozen=True, kw_only=True, gc=False):
    """Order records or trade reports were handed out."""

    report: str
    first_ns: int
    last_ns: int
    rows: int
    sha256: str
    by: str
