"""Who may do what about alerts: everybody who reads may acknowledge, traders declare rules."""

from typing import Final

import msgspec

from plan2.connectivity.identity.rights import (
    ADMINISTER,
    ADMINISTER_PROVEN,
    PROPOSE,
    READERS,
    START,
    WATCH,
    Rule,
)

HEED: Final = msgspec.structs.replace(START, roles=READERS)
"""Answering to what was told: acknowledging, putting off."""

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/api/v1/alerts"): WATCH,
    ("GET", "/api/v1/alerts/rules"): WATCH,
    ("POST", "/api/v1/alerts/rules"): START,
    ("POST", "/api/v1/alerts/rules/try"): HEED,
    ("PUT", "/api/v1/alerts/rules/{rule_id}"): START,
    ("DELETE", "/api/v1/alerts/rules/{rule_id}"): START,
    ("POST", "/api/v1/alerts/{alert_id}/acknowledge"): HEED,
    ("POST", "/api/v1/alerts/{alert_id}/snooze"): HEED,
    ("POST", "/api/v1/alerts/heartbeat/{name}"): PROPOSE,
    ("GET", "/api/v1/alerts/channels"): WATCH,
    ("POST", "/api/v1/alerts/channels"): ADMINISTER_PROVEN,
    ("DELETE", "/api/v1/alerts/channels/{name}"): ADMINISTER,
    ("POST", "/api/v1/alerts/channels/{name}/test"): START,
}
