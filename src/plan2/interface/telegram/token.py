"""Where the bot's token comes from: a variable, or a file that only its owner can read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import ConfigError
from plan2.foundation.secret import Secret

VARIABLE: Final = "PLAN2_TELEGRAM_TOKEN"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def token_of(settings: Telegram, environment: Mapping[str, str]) -> Secret:
    """The token; the file is asked first.

    Raises:
        ConfigError: there is none, it looks like none, or its file is open to others.
    """
    if settings.token_file:
        text = _read(Path(settings.token_file).expanduser())
    else:
        text = environment.get(VARIABLE, "")
    token = text.strip()
    number, colon, secret = token.partition(":")
    if not (number.isdecimal() and colon and len(secret) >= 30):
        raise ConfigError(
            "telegram.enabled is true, but there is no token of a bot such as 123456789:AA….",
            remedy=f"Get one from BotFather; set {VARIABLE} or name a file in telegram.token_file.",
        )
    return Secret(token)


def _read(path: Path) -> str:
    try:
        if os.name == "posix" and path.stat().st_mode & OTHERS:
            raise ConfigError(
                f"telegram.token_file = {path} can be read by others than its owner.",
                remedy=f"chmod 600 {path}",
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"telegram.token_file = {path} cannot be read: {error}.",
            remedy=f"Name a readable file, or set {VARIABLE}.",
        ) from error
