"""Rows of the stream's channel `alerts`: what waits to be acknowledged, keyed by id."""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

from plan2.intelligence.alerts.alert import Alert
from plan2.interface.api.alert_items import alert_item


class AlertsSource:
    """Implements `StateSource`; what nobody waits for any more is gone."""

    def __init__(self, waiting: Callable[[], Mapping[str, Alert]]) -> None:
        self._waiting = waiting

    def snapshot(self) -> list[Any]:
        """Every alert that waits."""
        return [alert_item(each) for each in self._waiting().values()]

    def rows(self, keys: Collection[Hashable]) -> list[Any]:
        """These alerts; `[id, None]` for one that waits no more."""
        found = self._waiting()
        return [alert_item(found[str(key)]) if str(key) in found else (key, None) for key in keys]
