"""Values that must never be read by accident: a secret shows as `***` wherever it is printed.

There is no way to a secret but `reveal()`, so a search for that word finds every use. Printing,
formatting and logging show the mask; pickling, copying into JSON and hashing are refused.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Final, NoReturn

import msgspec

MASK: Final = "***"
DEPTH_MAX: Final = 6
"""Nesting to which `redact` looks; anything deeper is shown as the mask."""

SECRET_NAME: Final = re.compile(
    r"(^|_)(password|passwd|passphrase|secret|api_key|private_key|master_key|credentials?|"
    r"authorization|cookie|csrf|(access|refresh|session|signin|bot|bearer)_token)$"
)
"""Field names whose value is never shown, whatever its type."""

SECRET_TEXT: Final = re.compile(
    r"(?P<url>://[^\s:/@]+:)[^\s@/]+(?=@)"
    r"|(?P<pair>\b(?:token|(?:ssl)?password|passwd|secret|api_key|session)=)[^\s&\"',;]+"
    r"|(?P<bot>\b(?:bot)?\d{5,20}:)[\w-]{30,}"
    r"|(?P<bearer>\bBearer\s+)[\w.~+/=-]+",
    re.IGNORECASE,
)
"""Secrets inside running text: `scheme://user:PASSWORD@host`, `token=…`, `Bearer …`, and
the token of a Telegram bot, which stands in the very address of its API (`/bot123456:…/getMe`)."""


class Secret:
    """A password, key or token in memory."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash in a table would outlive the secret

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied; pass the object itself")


def redact_text(text: str) -> str:
    """Running text with the secrets in it masked."""
    return SECRET_TEXT.sub(lambda found: f"{found[found.lastgroup or 0]}{MASK}", text)


def redact(value: object, depth: int = 0) -> object:
    """A copy of plain data with each `Secret`, each secret field and each secret text masked."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Secret) or depth > DEPTH_MAX:
        return MASK
    if isinstance(value, Mapping):
        return {
            key: MASK if SECRET_NAME.search(str(key).lower()) else redact(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, msgspec.Struct):
        return redact(msgspec.structs.asdict(value), depth + 1)
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for item in value]
    return value
