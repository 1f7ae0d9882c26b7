"""The keys that sign access tokens: Ed25519, made here, sealed at rest, replaced in time.

One table of keys decides what a token may be signed with; a token only names an entry of it. A new
key takes over after 60 days. The old one is good for another hour, four times as long as a token
lives, and then for nothing. No key is ever configured, so none can be weak or shared.
"""

import asyncio
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from plan2.foundation.clock import Clock
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.recording import Record
from plan2.foundation.events.tenancy import KeyRotated
from plan2.foundation.ids import IdSource
from plan2.foundation.log import logger
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, Place, SealBroken, Sealer
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, TenantId

SIGNS_FOR_NS: Final = 60 * NS_PER_DAY
OVERLAP_NS: Final = NS_PER_HOUR
KEY_ID_LENGTH: Final = 16
LOOK_EVERY_S: Final = 60.0


class SigningKeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is stored: the private key sealed, times UTC ns, `retires_ns` 0 while it signs.

    The public key is not stored: it follows from the private one, so nobody can slip one in.
    """

    key_id: str
    sealed: bytes
    created_ns: int
    retires_ns: int = 0


class SigningKeyTable(Protocol):
    """Where signing keys are kept: in the main tenant, for all."""

    async def load_keys(self, home: TenantId) -> list[SigningKeyRow]:
        """Every key, oldest first."""
        ...

    async def add_key(self, home: TenantId, row: SigningKeyRow, retires_ns: int) -> None:
        """Keep a new key; those that sign until now retire then. Retired ones may be removed."""
        ...


class _Key(msgspec.Struct, frozen=True):
    """A key that is open; `retires_ns` 0 while it signs."""

    key_id: str
    private: Ed25519PrivateKey
    public: Ed25519PublicKey
    created_ns: int
    retires_ns: int


class SigningKeys:
    """The keys of the installation.

    Args:
        table: durable storage. sealer: seals private keys. clock: wall time. ids: names of keys.
        record: takes `KeyRotated`. home: the tenant in whose table the keys lie.
    """

    def __init__(
        self,
        table: SigningKeyTable,
        sealer: Sealer,
        clock: Clock,
        ids: IdSource,
        record: Record,
        home: TenantId,
    ) -> None:
        self._table = table
        self._sealer = sealer
        self._clock = clock
        self._ids = ids
        self._record = record
        self._home = home
        self._keys: dict[str, _Key] = {}
        self._current: _Key | None = None

    async def load(self) -> None:
        """Open the keys of earlier runs, and make one if none signs any more.

        While the key provider is away there are no keys: no token is good, none can be had, and
        `run` tries again.
        """
        try:
            for row in await self._table.load_keys(self._home):
                if row.retires_ns == 0 or self._clock.now_ns() < row.retires_ns:
                    await self._open(row)
            await self.renew()
        except KeysUnavailable as away:
            logger("identity").warning("signing_keys_away", reason=str(away))

    async def run(self) -> None:
        """Look every minute whether a new key is due, or the first one missing, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await (self.load() if self._current is None else self.renew())
            except (StoreBusy, KeysUnavailable):
                continue  # the key that signs now goes on

    async def _open(self, row: SigningKeyRow) -> None:
        """A stored key; one that was changed or moved signs nothing and opens nothing any more."""
        try:
            raw = await self._sealer.open(self._place(row.key_id), row.sealed)
        except (SealBroken, KeyGone) as fault:
            logger("identity").error("signing_key_unusable", key_id=row.key_id, reason=str(fault))
            return
        self._take(Ed25519PrivateKey.from_private_bytes(raw), row)

    async def renew(self, by: str = "system", *, at_once: bool = False) -> bool:
        """Put a new key in charge if the old one has signed for 60 days; whether it did.

        `at_once` is for a key that somebody may have seen: the old one is good for nothing from
        now on.

        Raises:
            KeysUnavailable: the key provider is away; the old key goes on.
        """
        now_ns = self._clock.now_ns()
        old = self._current
        if old is not None and not at_once and now_ns < old.created_ns + SIGNS_FOR_NS:
            return False
        private = Ed25519PrivateKey.generate()
        key_id = self._ids.next_id("signing_key")[:KEY_ID_LENGTH]
        sealed = await self._sealer.seal(self._place(key_id), private.private_bytes_raw())
        row = SigningKeyRow(key_id=key_id, sealed=sealed, created_ns=now_ns)
        retires_ns = now_ns if at_once else now_ns + OVERLAP_NS
        await self._table.add_key(self._home, row, retires_ns)
        self._retire(now_ns, retires_ns)
        self._take(private, row)
        self._record(
            self._home,
            "signing-keys",
            KeyRotated(
                ts_ns=now_ns,
                level="signing",
                old_key=old.key_id if old is not None else "",
                new_key=key_id,
                rewrapped=0,
                by=by,
            ),
            actor=by,
        )
        return True

    @property
    def current_id(self) -> str:
        """The key that signs now."""
        return self._in_charge().key_id

    def sign(self, content: bytes) -> bytes:
        """The signature of the key that signs now, 64 bytes."""
        return self._in_charge().private.sign(content)

    def is_signed(self, key_id: str, content: bytes, signature: bytes) -> bool:
        """Whether a key that is not retired made this signature."""
        if not self.is_good(key_id):
            return False
        try:
            self._keys[key_id].public.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    def is_good(self, key_id: str) -> bool:
        """Whether there is such a key and it is not retired."""
        key = self._keys.get(key_id)
        return key is not None and (not key.retires_ns or self._clock.now_ns() < key.retires_ns)

    def _in_charge(self) -> _Key:
        if self._current is None:
            raise KeysUnavailable(
                "There is no key to sign tokens with.",
                remedy="Tokens can be had again when the provider of the root key answers.",
            )
        return self._current

    def _retire(self, now_ns: int, retires_ns: int) -> None:
        """Let the key in charge retire, and forget those that have."""
        kept: dict[str, _Key] = {}
        for key in self._keys.values():
            end_ns = min(key.retires_ns or retires_ns, retires_ns)
            if now_ns < end_ns:
                kept[key.key_id] = msgspec.structs.replace(key, retires_ns=end_ns)
        self._keys = kept

    def _take(self, private: Ed25519PrivateKey, row: SigningKeyRow) -> None:
        key = _Key(row.key_id, private, private.public_key(), row.created_ns, row.retires_ns)
        self._keys[row.key_id] = key
        if row.retires_ns == 0:
            self._current = key

    def _place(self, key_id: str) -> Place:
        return Place(tenant_id=self._home, table="signing_key", column="sealed", row=key_id)
