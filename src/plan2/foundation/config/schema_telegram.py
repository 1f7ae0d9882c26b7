"""Configuration of the Telegram bot."""

from typing import Annotated

from msgspec import Meta

from plan2.foundation.config.section import Section

Address = Annotated[str, Meta(pattern=r"^$|^https?://[^\s]+$")]


class Telegram(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bot; its token comes from PLAN2_TELEGRAM_TOKEN or from a private file.

    An empty `webhook_url` asks Telegram for updates; `base_url` is the Bot API server.
    """

    enabled: bool = False
    token_file: str = ""
    webhook_url: Address = ""
    base_url: Address = "https://api.telegram.org"
