"""What a sealed value is bound to, and the port that seals and opens one."""

from typing import Protocol

import msgspec

from plan2.foundation.errors import Plan2Error
from plan2.foundation.values import TenantId


class SealBroken(Plan2Error):
    """A sealed value does not open here: it was changed, moved, or is another one's."""

    code = "seal_broken"


class KeyGone(Plan2Error):
    """The key was destroyed: the value is erased for good."""

    code = "key_gone"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sealed value lives; it opens nowhere else.

    Attributes:
        tenant_id, table, column, row: bound into the seal as additional data.
        subject: the person whose key seals it; "" means the tenant's own key.
    """

    tenant_id: TenantId
    table: str
    column: str
    row: str
    subject: str = ""


class Sealer(Protocol):
    """Seals with AES-256-GCM; what comes back names its key, so that keys can be replaced."""

    async def seal(self, place: Place, plain: bytes) -> bytes:
        """The sealed bytes, safe to store.

        Raises:
            KeyGone: the subject was erased; nothing about them is stored any more.
            KeysUnavailable: the key provider is away and nothing is remembered.
        """
        ...

    async def open(self, place: Place, sealed: bytes) -> bytes:
        """What was sealed.

        Raises:
            SealBroken: changed, moved, or of another place. KeyGone: the subject was erased.
            KeysUnavailable: the key provider is away and nothing is remembered.
        """
        ...


class KeysUnavailable(Plan2Error):
    """The provider of the root key cannot be reached, and no key is remembered."""

    code = "keys_unavailable"
