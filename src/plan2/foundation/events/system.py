"""Facts about the process itself."""

from plan2.foundation.events.base import Event


class SystemStarted(Event, frozen=True, kw_only=True, gc=False):
    """A run began."""

    run_id: str
    version: str
    mode: str
    config_hash: str


class SystemStopped(Event, frozen=True, kw_only=True, gc=False):
    """A run ended in order."""

    run_id: str
    reason: str


class ServiceHealthChanged(Event, frozen=True, kw_only=True, gc=False):
    """A component became healthy, degraded or down."""

    service_name: str
    status: str
    detail: str
    metrics: dict[str, float]


class ConfigurationChanged(Event, frozen=True, kw_only=True, gc=False):
    """A configuration value is different from the last run or was changed."""

    config_key: str
    old_value: str
    new_value: str
    user_id: str


class UserAuthenticated(Event, frozen=True, kw_only=True, gc=False):
    """Somebody signed in."""

    user_id: str
    session_id: str
    ip_address: str


class DataImported(Event, frozen=True, kw_only=True, gc=False):
    """A file of market data was taken into the archive."""

    symbol: str
    kind: str
    rows: int
    file_name: str
    sha256: str
