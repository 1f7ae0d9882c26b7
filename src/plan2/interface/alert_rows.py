"""Rows of the stream's channel `alerts`: what waits to be acknowledged, keyed by id."""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

import msgspec

from plan2.intelligence.alerts.alert import Alert
from plan2.interface.screen import to_us


class AlertNow(msgspec.Struct, frozen=True, array_like=True):
    """An alert that waits; `raised_us` is wall clock, microseconds UTC."""

    alert_id: str
    severity: str
    state: str
    title: str
    words: str
    raised_us: int


class AlertsSource:
    """Implements `StateSource`; what nobody waits for any more is gone."""

    def __init__(self, waiting: Callable[[], Mapping[str, Alert]]) -> None:
        self._waiting = waiting

    def snapshot(self) -> list[Any]:
        """Every alert that waits."""
        return [_now(each) for each in self._waiting().values()]

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """These alerts; `[id, None]` for one that waits no more."""
        found = self._waiting()
        return [_now(found[str(key)]) if str(key) in found else (key, None) for key in keys]


def _now(alert: Alert) -> AlertNow:
    return AlertNow(
        alert_id=alert.alert_id,
        severity=alert.severity,
        state=alert.state,
        title=alert.title,
        words=alert.words,
        raised_us=to_us(alert.raised_ns),
    )
