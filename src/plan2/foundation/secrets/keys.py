"""The root key: the port through which tenant keys are wrapped, and its form on this machine.

A wrapped key names the version of the root key that wrapped it. Root keys are never deleted: an old
backup needs the one of its time.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.ids import IdSource
from plan2.foundation.secrets.envelope import KEY_BYTES, DataKey, RandomBytes, key_id_of
from plan2.foundation.secrets.sealing import KeysUnavailable, SealBroken


class Wrapped(msgspec.Struct, frozen=True):
    """A key that only the named version of the root key can open."""

    root_key: str
    blob: bytes


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What can be told about where the root key lies; nothing of the key itself."""

    kind: str
    place: str
    current_key: str
    keys: tuple[str, ...]
    protection: str
    """How the key is kept from others, as a sentence."""


class KeyProvider(Protocol):
    """Wraps and unwraps keys; `bound_to` names whose key it is and must be the same both times.

    Every method may take long or fail: ask rarely, remember what it said.

    Raises:
        KeysUnavailable: it cannot be reached, or does not let us in.
        SealBroken: what was wrapped was changed, or is another one's.
    """

    async def current(self) -> str:
        """The version of the root key that wraps from now on."""
        ...

    async def wrap(self, key: bytes, bound_to: bytes) -> Wrapped:
        """Wrap a key with the current version."""
        ...

    async def unwrap(self, wrapped: Wrapped, bound_to: bytes) -> bytes:
        """The key."""
        ...

    async def rewrap(self, wrapped: Wrapped, bound_to: bytes) -> Wrapped:
        """The same key, wrapped with the current version."""
        ...

    async def rotate(self) -> str:
        """Make a new version of the root key, durable when this returns, and name it."""
        ...

    async def describe(self) -> Provider:
        """Where the root key lies."""
        ...

    def close(self) -> None:
        """Give back threads and connections."""
        ...


class RootKey(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the root key as it is stored."""

    key_id: str
    created_ns: int
    secret: bytes

    def __repr__(self) -> str:
        return f"RootKey({self.key_id}, ***)"


class RootKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All versions, the newest last."""

    keys: tuple[RootKey, ...]


class RootStore(Protocol):
    """Where root keys lie on this machine; both calls block.

    Raises:
        ConfigError: it cannot be used; the remedy says what to do.
    """

    @property
    def kind(self) -> str:
        """What it is, in one word."""
        ...

    @property
    def place(self) -> str:
        """Where it is, for people."""
        ...

    @property
    def protection(self) -> str:
        """How it is kept from others, as a sentence."""
        ...

    def read(self) -> RootKeys | None:
        """The keys; None when there are none yet."""
        ...

    def write(self, keys: RootKeys) -> None:
        """Replace them, durable and whole."""
        ...


class LocalKeys:
    """A `KeyProvider` whose root keys are in this process's memory, read once from their store.

    Args:
        store: the file or the operating system's key store.
        clock, ids, random_bytes: for new versions.

    Raises:
        ConfigError: see `RootStore`.
    """

    def __init__(
        self, store: RootStore, clock: Clock, ids: IdSource, random_bytes: RandomBytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._random = random_bytes
        self._rotating = asyncio.Lock()
        found = store.read()
        if found is None:
            found = RootKeys(keys=(self._new_key(),))
            store.write(found)
        self._found = found
        self._by_id = _by_id(found)

    async def current(self) -> str:
        """See `KeyProvider.current`."""
        return self._found.keys[-1].key_id

    async def wrap(self, key: bytes, bound_to: bytes) -> Wrapped:
        """See `KeyProvider.wrap`."""
        root = self._by_id[self._found.keys[-1].key_id]
        return Wrapped(root.key_id, root.seal(key, WRAPPING + bound_to, self._random))

    async def unwrap(self, wrapped: Wrapped, bound_to: bytes) -> bytes:
        """See `KeyProvider.unwrap`."""
        if key_id_of(wrapped.blob) != wrapped.root_key:
            raise SealBroken("A wrapped key names another root key than the one beside it.")
        root = self._by_id.get(wrapped.root_key)
        if root is None:
            raise KeysUnavailable(
                f"The root key {wrapped.root_key} is not in {self._store.place}.",
                remedy="Put the key file back that belongs to this database.",
            )
        return root.open(wrapped.blob, WRAPPING + bound_to)

    async def rewrap(self, wrapped: Wrapped, bound_to: bytes) -> Wrapped:
        """See `KeyProvider.rewrap`."""
        return await self.wrap(await self.unwrap(wrapped, bound_to), bound_to)

    async def rotate(self) -> str:
        """See `KeyProvider.rotate`."""
        async with self._rotating:
            more = RootKeys(keys=(*self._found.keys, self._new_key()))
            await asyncio.to_thread(self._store.write, more)
            self._found, self._by_id = more, _by_id(more)
            return more.keys[-1].key_id

    async def describe(self) -> Provider:
        """See `KeyProvider.describe`."""
        return Provider(
            kind=self._store.kind,
            place=self._store.place,
            current_key=await self.current(),
            keys=tuple(key.key_id for key in self._found.keys),
            protection=self._store.protection,
        )

    def close(self) -> None:
        """Nothing is held."""

    def _new_key(self) -> RootKey:
        return RootKey(
            key_id=self._ids.next_id("root_key"),
            created_ns=self._clock.now_ns(),
            secret=self._random(KEY_BYTES),
        )


WRAPPING: Final = b"plan2 key\x00"
"""Keeps wrapped keys and sealed values apart, whatever they are bound to."""


def _by_id(found: RootKeys) -> Mapping[str, DataKey]:
    return {key.key_id: DataKey(key.key_id, key.secret) for key in found.keys}
