"""Which chat belongs to which person: codes from the web app, pairings, and sessions from them.

A code is good once and for ten minutes; it is kept as its hash, in memory only, so a restart voids
it. A pairing is sealed with its person's key; who it belongs to is looked up for every message, so
a person who is blocked, or whose tenant is suspended, is nobody from that moment on.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from plan2.connectivity.identity.directory import TenantDirectory
from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.people import Change, Person
from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.clock import Clock
from plan2.foundation.events.people import CredentialChanged
from plan2.foundation.events.recording import Record
from plan2.foundation.ids import IdSource
from plan2.foundation.log import logger
from plan2.foundation.secrets.sealing import KeyGone, Place, SealBroken, Sealer
from plan2.foundation.values import NS_PER_MINUTE, TenantId

CODE_LIFE_NS: Final = 10 * NS_PER_MINUTE
ALPHABET: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Without letters and digits that look alike."""
CODE_LENGTH: Final = 10
"""49 bits; a stranger's tries are limited, and a code lives ten minutes."""
CHATS_MAX: Final = 5
"""Chats of one person."""
LABEL_MAX: Final = 64
NEVER_NS: Final = (1 << 63) - 1
TABLE: Final = "telegram_chat"


class Chat(Masked, frozen=True, kw_only=True):
    """A private chat that its person paired; `label` is what they call themselves there."""

    pairing_id: str
    tenant_id: str
    user_id: str
    chat_id: int
    label: str
    paired_ns: int


class StoredChat(msgspec.Struct, frozen=True, kw_only=True):
    """A pairing as it is kept: the chat is sealed with the person's key."""

    pairing_id: str
    user_id: str
    sealed: bytes
    paired_ns: int


class ChatTable(Protocol):
    """Where pairings are kept."""

    async def load(self, tenant_id: TenantId) -> Sequence[StoredChat]:
        """Every pairing of a tenant."""
        ...

    async def insert(self, tenant_id: TenantId, stored: StoredChat) -> None:
        """Keep a pairing; durable when this returns."""
        ...

    async def remove(self, tenant_id: TenantId, pairing_id: str) -> None:
        """Forget a pairing."""
        ...


class Code(Masked, frozen=True):
    """A code that pairs the first chat that sends it; shown only here."""

    code: str
    expires_ns: int


class _Waiting(msgspec.Struct, frozen=True):
    tenant_id: str
    user_id: str
    expires_ns: int


class _Sealed(msgspec.Struct, frozen=True):
    """What is sealed of a pairing."""

    chat_id: int
    label: str


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What pairings are made with.

    Attributes:
        clock: wall time. ids: names of pairings. record: writes facts down.
        draw: a number below its argument, for codes; nobody may be able to foresee it.
    """

    clock: Clock
    ids: IdSource
    record: Record
    draw: Callable[[int], int]


class Pairings:
    """Every tenant's pairings.

    Args:
        table: where they are kept. book: people. directory: which tenants are served.
        sealer: seals chats. means: clock, names, log and randomness.
    """

    def __init__(
        self,
        table: ChatTable,
        book: UserBook,
        directory: TenantDirectory,
        sealer: Sealer,
        means: Means,
    ) -> None:
        self._table = table
        self._book = book
        self._directory = directory
        self._sealer = sealer
        self._clock, self._ids = means.clock, means.ids
        self._record, self._draw = means.record, means.draw
        self._by_chat: dict[int, Chat] = {}
        self._by_person: dict[tuple[str, str], list[Chat]] = {}
        self._codes: dict[bytes, _Waiting] = {}
        self._proven_ns: dict[str, int] = {}
        self._pairing = asyncio.Lock()
        book.on_change(self._on_person)

    async def load(self, tenant_id: str) -> None:
        """Read a tenant's pairings; harmless when repeated."""
        found = [
            await self._opened(tenant_id, stored)
            for stored in await self._table.load(TenantId(tenant_id))
        ]
        self.forget(tenant_id)
        for chat in found:
            if chat is not None and chat.chat_id not in self._by_chat:
                self._keep(chat)

    def forget(self, tenant_id: str) -> None:
        """A tenant is gone, or read anew."""
        for chat in self.of_tenant(tenant_id):
            self._drop(chat)

    # --- pairing --------------------------------------------------------------------------

    def new_code(self, user: User) -> Code:
        """A code for one chat of this person; an earlier one is void."""
        now_ns = self._clock.now_ns()
        self._codes = {
            hash_: waiting
            for hash_, waiting in self._codes.items()
            if waiting.expires_ns > now_ns
            and (waiting.tenant_id, waiting.user_id) != (user.tenant_id, user.user_id)
        }
        code = "".join(ALPHABET[self._draw(len(ALPHABET))] for _ in range(CODE_LENGTH))
        expires_ns = now_ns + CODE_LIFE_NS
        self._codes[_hash(code)] = _Waiting(user.tenant_id, user.user_id, expires_ns)
        return Code(code, expires_ns)

    async def redeem(self, code: str, chat_id: int, label: str) -> Chat | None:
        """Pair a chat with the person whose code it shows; None when the code is not good.

        A chat belongs to one person: pairing it again takes it away from whoever had it.
        """
        waiting = self._codes.pop(_hash(code), None)
        if waiting is None or waiting.expires_ns <= self._clock.now_ns():
            return None
        async with self._pairing:
            if self._user(waiting.tenant_id, waiting.user_id) is None:
                return None
            await self._make_room(waiting, chat_id)
            chat = Chat(
                pairing_id=self._ids.next_id("pairing"),
                tenant_id=waiting.tenant_id,
                user_id=waiting.user_id,
                chat_id=chat_id,
                label=_line(label),
                paired_ns=self._clock.now_ns(),
            )
            await self._table.insert(TenantId(chat.tenant_id), await self._stored(chat))
            self._keep(chat)
        self._tell(chat, "set", f"user:{chat.user_id}")
        return chat

    async def unpair(self, chat: Chat, by: str) -> None:
        """End a pairing: in memory first, so that it is dead even if the table is slow."""
        self._drop(chat)
        await self._table.remove(TenantId(chat.tenant_id), chat.pairing_id)
        self._tell(chat, "removed", by)

    # --- asking ---------------------------------------------------------------------------

    def chat(self, chat_id: int) -> Chat | None:
        """The pairing of a chat; None when it is nobody's."""
        return self._by_chat.get(chat_id)

    def session(self, chat: Chat) -> Session | None:
        """The session of a chat's person as they are now; None when they may not come in."""
        user = self._user(chat.tenant_id, chat.user_id)
        if user is None or self._by_chat.get(chat.chat_id) is not chat:
            return None
        return Session(
            session_id=chat.pairing_id,
            user=user,
            csrf="",
            expires_ns=NEVER_NS,
            via=Via.TELEGRAM,
            proven_ns=self._proven_ns.get(chat.pairing_id, 0),
        )

    def note_proof(self, chat: Chat) -> None:
        """The chat's person proved just now who they are."""
        self._proven_ns[chat.pairing_id] = self._clock.now_ns()

    def of_user(self, tenant_id: str, user_id: str) -> list[Chat]:
        """A person's pairings, oldest first."""
        return list(self._by_person.get((tenant_id, user_id), ()))

    def of_tenant(self, tenant_id: str) -> list[Chat]:
        """A tenant's pairings, oldest first."""
        mine = (chat for chat in self._by_chat.values() if chat.tenant_id == tenant_id)
        return sorted(mine, key=lambda chat: chat.paired_ns)

    # --- within ---------------------------------------------------------------------------

    def _user(self, tenant_id: str, user_id: str) -> User | None:
        person = self._book.find(tenant_id, user_id)
        if person is None or person.is_blocked:
            return None
        return person.user if self._directory.is_served(TenantId(tenant_id)) else None

    async def _make_room(self, waiting: _Waiting, chat_id: int) -> None:
        """End what the chat was before, and the person's oldest pairing beyond the most."""
        by = f"user:{waiting.user_id}"
        before = self._by_chat.get(chat_id)
        if before is not None:
            await self.unpair(before, by)
        mine = self.of_user(waiting.tenant_id, waiting.user_id)
        for chat in mine[: max(0, len(mine) - CHATS_MAX + 1)]:
            await self.unpair(chat, by)

    def _on_person(self, person: Person, change: Change) -> None:
        """Whoever is erased has no chats; the rows go with the erasure."""
        if change is Change.REMOVED:
            user = person.user
            for chat in self.of_user(user.tenant_id, user.user_id):
                self._drop(chat)

    def _keep(self, chat: Chat) -> None:
        self._by_chat[chat.chat_id] = chat
        self._by_person.setdefault((chat.tenant_id, chat.user_id), []).append(chat)

    def _drop(self, chat: Chat) -> None:
        if self._by_chat.get(chat.chat_id) is not chat:
            return
        del self._by_chat[chat.chat_id]
        self._proven_ns.pop(chat.pairing_id, None)
        whose = chat.tenant_id, chat.user_id
        self._by_person[whose].remove(chat)
        if not self._by_person[whose]:
            del self._by_person[whose]

    async def _stored(self, chat: Chat) -> StoredChat:
        plain = msgspec.json.encode(_Sealed(chat.chat_id, chat.label))
        place = _place(chat.tenant_id, chat.pairing_id, chat.user_id)
        return StoredChat(
            pairing_id=chat.pairing_id,
            user_id=chat.user_id,
            sealed=await self._sealer.seal(place, plain),
            paired_ns=chat.paired_ns,
        )

    async def _opened(self, tenant_id: str, stored: StoredChat) -> Chat | None:
        place = _place(tenant_id, stored.pairing_id, stored.user_id)
        try:
            plain = await self._sealer.open(place, stored.sealed)
        except (KeyGone, SealBroken) as error:
            logger("telegram").warning("pairing_unreadable", reason=str(error))
            return None
        kept = msgspec.json.decode(plain, type=_Sealed)
        return Chat(
            pairing_id=stored.pairing_id,
            tenant_id=tenant_id,
            user_id=stored.user_id,
            chat_id=kept.chat_id,
            label=kept.label,
            paired_ns=stored.paired_ns,
        )

    def _tell(self, chat: Chat, change: str, by: str) -> None:
        self._record(
            chat.tenant_id,
            f"user:{chat.user_id}",
            CredentialChanged(
                ts_ns=self._clock.now_ns(),
                user_id=chat.user_id,
                credential="telegram",
                change=change,
                by=by,
            ),
            actor=by,
        )


def _hash(code: str) -> bytes:
    """Of a code as people type it: case, blanks and dashes do not matter."""
    typed = "".join(each for each in code.upper() if each.isalnum())
    return hashlib.sha256(typed.encode()).digest()


def _line(label: str) -> str:
    return "".join(each for each in label if each.isprintable()).strip()[:LABEL_MAX]


def _place(tenant_id: str, pairing_id: str, user_id: str) -> Place:
    return Place(
        tenant_id=TenantId(tenant_id),
        table=TABLE,
        column="sealed",
        row=pairing_id,
        subject=user_id,
    )
