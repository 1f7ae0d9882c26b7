"""Where the bot's token is given from outside: a variable, or a file that only its owner can read.

What people set while Plan2 runs is kept sealed (`kept_token`); a token from outside goes before it.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import ConfigError, InputError
from plan2.foundation.secret import Secret

VARIABLE: Final = "PLAN2_TELEGRAM_TOKEN"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
SECRET_MIN: Final = 30
"""Characters behind the bot's number; BotFather makes 35."""
REMEDY: Final = (
    f"Get one from BotFather; `plan2 telegram token` or page Settings keeps it sealed. {VARIABLE} "
    "or a file named in telegram.token_file does as well."
)

Source = Literal["", "file", "environment", "kept"]
"""Where the token in use is from; "" is nowhere."""


def token_in(text: str) -> Secret:
    """The token that somebody typed or that a file holds.

    Raises:
        InputError: it looks like none; what was typed is not repeated.
    """
    token = text.strip()
    number, colon, secret = token.partition(":")
    is_whole = number.isdecimal() and bool(colon) and len(secret) >= SECRET_MIN
    if not is_whole or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError("This is no token of a bot such as 123456789:AA….", remedy=REMEDY)
    return Secret(token)


def token_from_outside(
    settings: Telegram, environment: Mapping[str, str]
) -> tuple[Secret | None, Source]:
    """The token that the file, else the variable holds, and which; (None, "") when neither does.

    Raises:
        ConfigError: what is there looks like none, or the file is open to others.
    """
    if settings.token_file:
        return _checked(_read(Path(settings.token_file).expanduser())), "file"
    if text := environment.get(VARIABLE, ""):
        return _checked(text), "environment"
    return None, ""


def _checked(text: str) -> Secret:
    try:
        return token_in(text)
    except InputError as error:
        raise ConfigError(error.message, remedy=error.remedy) from None


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
