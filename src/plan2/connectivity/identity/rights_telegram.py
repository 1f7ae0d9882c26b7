"""Rights of the routes about Telegram: one's own pairings, the bot's token, how updates come."""

from typing import Final

from plan2.connectivity.identity.rights import OPERATE, SELF, SELF_PROVEN, Entrance, RateClass, Rule

ROWS: Final[dict[tuple[str, str], Rule]] = {
    ("GET", "/api/v1/telegram"): SELF,
    ("POST", "/api/v1/telegram/codes"): SELF_PROVEN,
    ("POST", "/api/v1/telegram/test"): SELF,
    ("DELETE", "/api/v1/telegram/chats/{pairing_id}"): SELF,
    ("PUT", "/api/v1/telegram/token"): OPERATE,
    ("DELETE", "/api/v1/telegram/token"): OPERATE,
    ("POST", "/api/v1/telegram/token/check"): OPERATE,
    # Telegram itself, which shows a secret that the route checks.
    ("POST", "/api/v1/telegram/webhook"): Rule(entrance=Entrance.KEY, rate=RateClass.FREE),
}
"""Method and path → what it asks for; joined into `right_table.RIGHTS`."""
