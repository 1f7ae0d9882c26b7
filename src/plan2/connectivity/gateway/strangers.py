"""What the refused unsafe requests of nobody leave behind: at the perimeter, or without a session.

They belong to no tenant, so they stand in the log of the one that the installation starts with. Who
is nobody may come as often as they like, so the log takes each kind of refusal of an address once a
minute, and no more than a few of all of them; the rest is counted by metrics and rate limits.
"""

from collections.abc import Callable
from typing import Final

from litestar.types import Scope

from plan2.connectivity.gateway.addresses import client_address
from plan2.connectivity.gateway.middleware import UNCHANGING, method_of
from plan2.connectivity.identity.right_table import rule_for
from plan2.connectivity.identity.rights import Entrance
from plan2.foundation.events.people import ActionTaken
from plan2.foundation.events.recording import Record
from plan2.foundation.values import NS_PER_MINUTE

STREAM: Final = "strangers"
WRITTEN_MAX: Final = 20
"""Events of one minute."""


class Strangers:
    """Writes `ActionTaken` without a person.

    Args:
        record: takes the facts. home: in whose log they stand. now_ns: UTC.
    """

    def __init__(self, record: Record, home: str, now_ns: Callable[[], int]) -> None:
        self._record = record
        self._home = home
        self._now_ns = now_ns
        self._minute = -1
        self._seen: set[tuple[str, str, str]] = set()

    def note(self, scope: Scope, status: int, code: str) -> None:
        """Write down that an unsafe request of nobody was refused.

        Signing in is left out: it writes events of its own.
        """
        method, path = method_of(scope), str(scope.get("path_template", ""))
        if method in UNCHANGING or status < 400 or _is_open(method, path):
            return
        now_ns, action = self._now_ns(), f"{method} {path}".strip()
        if not self._is_new((client_address(scope), action, code), now_ns):
            return
        state = scope["state"]
        event = ActionTaken(
            ts_ns=now_ns,
            user_id="",
            role="",
            via="",
            session_id="",
            ip_address=client_address(scope),
            request_id=str(state["request_id"]),
            action=action,
            target="",
            status=status,
            code=code,
            before="",
            after="",
        )
        self._record(
            self._home, STREAM, event, actor="nobody", correlation_id=str(state["correlation_id"])
        )

    def _is_new(self, kind: tuple[str, str, str], now_ns: int) -> bool:
        """Whether this kind was not written in this minute, and there is room for it."""
        if now_ns // NS_PER_MINUTE != self._minute:
            self._minute = now_ns // NS_PER_MINUTE
            self._seen.clear()
        if kind in self._seen or len(self._seen) >= WRITTEN_MAX:
            return False
        self._seen.add(kind)
        return True


def _is_open(method: str, path: str) -> bool:
    rule = rule_for(method, path)
    return rule is not None and rule.entrance is Entrance.OPEN
