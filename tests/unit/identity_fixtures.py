# ruff: noqa: D102 - the protocols that the fakes implement say what their methods do
"""Everything that lets people in, around tables in memory; nothing here reads a database."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from argon2 import PasswordHasher

from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.directory import Tenant, TenantState
from plan2.connectivity.identity.lockout import Lockout
from plan2.connectivity.identity.passwords import Passwords
from plan2.connectivity.identity.people import Person, name_key
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.refresh import Refresh, RefreshRow, Use
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.session_rows import Caller, SessionRow
from plan2.connectivity.identity.sessions import Sessions, hash_secret
from plan2.connectivity.identity.sign_in import (
    Credentials,
    PasswordSignIn,
    SecondFactor,
    SignInParts,
)
from plan2.connectivity.identity.signing_keys import SigningKeyRow, SigningKeys
from plan2.connectivity.identity.tokens import Tokens
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.clock import SimulatedClock
from plan2.foundation.errors import StoreBusy
from plan2.foundation.events.base import Event
from plan2.foundation.ids import SeededIds
from plan2.foundation.secrets.sealing import KeysUnavailable, Place, SealBroken
from plan2.foundation.values import NS_PER_SECOND, TenantId

NOON_NS = 1_709_640_000 * NS_PER_SECOND  # Tuesday 2024-03-05 12:00 UTC
HOME = TenantId("main")
OTHER = TenantId("other")
HERE = Caller("192.0.2.7", "test")
PASSWORD = "seven horses over the hill"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""argon2id with parameters that are good for tests only."""


class IdentityTables:
    """People, links, sessions, refresh tokens and keys in dictionaries; a restart finds them."""

    def __init__(self) -> None:
        self.people: dict[tuple[str, str], Person] = {}
        self.rows: dict[str, SessionRow] = {}
        self.revoked: set[str] = set()
        self.links: dict[bytes, tuple[str, str, int]] = {}
        self.refresh: dict[bytes, RefreshRow] = {}
        self.keys: dict[str, SigningKeyRow] = {}
        self.before_insert: Callable[[], None] = lambda: None
        self.without_tables: set[str] = set()

    async def load_people(self, tenant_id: TenantId) -> list[Person]:
        return [each for (tenant, _), each in self.people.items() if tenant == tenant_id]

    async def insert_person(self, person: Person) -> bool:
        key = (person.user.tenant_id, person.user.user_id)
        names = {
            name_key(each.user.name)
            for each in self.people.values()
            if each.user.tenant_id == key[0]
        }
        if key in self.people or name_key(person.user.name) in names:
            return False
        self.people[key] = person
        return True

    async def update_person(self, person: Person, ended_ns: int | None) -> None:
        key = (person.user.tenant_id, person.user.user_id)
        self.people[key] = person
        if ended_ns is not None:
            self.revoked |= {
                row.session_id for row in self.rows.values() if row.user.user_id == key[1]
            }

    async def insert_link(
        self, tenant_id: TenantId, token_hash: bytes, user_id: str, expires_ns: int
    ) -> None:
        self.links[token_hash] = (tenant_id, user_id, expires_ns)

    async def redeem_link(self, tenant_id: TenantId, token_hash: bytes, now_ns: int) -> str | None:
        tenant, user_id, expires_ns = self.links.pop(token_hash, ("", "", 0))
        return user_id if tenant == tenant_id and expires_ns > now_ns else None

    async def load_sessions(self, tenant_id: TenantId, now_ns: int) -> list[SessionRow]:
        return [
            row
            for row in self.rows.values()
            if row.expires_ns > now_ns
            and row.session_id not in self.revoked
            and row.user.tenant_id == tenant_id
        ]

    async def insert_session(self, row: SessionRow) -> None:
        self.before_insert()
        self.rows[row.session_id] = row

    async def renew_session(self, row: SessionRow) -> None:
        self.rows[row.session_id] = row

    async def end_sessions(
        self, tenant_id: TenantId, session_ids: Iterable[str] | None, at_ns: int
    ) -> None:
        if tenant_id in self.without_tables:
            raise StoreBusy(f"Tenant {tenant_id} has no tables at the moment.")
        mine = {key for key, row in self.rows.items() if row.user.tenant_id == tenant_id}
        self.revoked |= mine if session_ids is None else mine & set(session_ids)

    async def note_seen(self, tenant_id: TenantId, seen_ns: Mapping[str, int]) -> None:
        for session_id, at_ns in seen_ns.items():
            row = self.rows[session_id]
            self.rows[session_id] = msgspec.structs.replace(row, last_seen_ns=at_ns)

    async def insert_refresh(self, tenant_id: TenantId, row: RefreshRow) -> None:
        self.refresh[row.token_hash] = row

    async def use_refresh(self, tenant_id: TenantId, use: Use) -> RefreshRow | None:
        before = self.refresh.get(use.token_hash)
        if before is not None and before.used_ns == 0:
            self.refresh[use.token_hash] = msgspec.structs.replace(
                before, used_ns=use.used_ns, salt=use.salt
            )
            self.refresh[use.successor_hash] = RefreshRow(
                token_hash=use.successor_hash,
                session_id=before.session_id,
                issued_ns=use.used_ns,
            )
        return before

    async def is_unused(self, tenant_id: TenantId, token_hash: bytes) -> bool:
        row = self.refresh.get(token_hash)
        return row is not None and row.used_ns == 0

    async def load_keys(self, home: TenantId) -> list[SigningKeyRow]:
        return sorted(self.keys.values(), key=lambda row: row.created_ns)

    async def add_key(self, home: TenantId, row: SigningKeyRow, retires_ns: int) -> None:
        for key_id, old in self.keys.items():
            if old.retires_ns == 0 or old.retires_ns > retires_ns:
                self.keys[key_id] = msgspec.structs.replace(old, retires_ns=retires_ns)
        self.keys[row.key_id] = row


class PlacedSealer:
    """Hides nothing, but opens nothing in another place than it was sealed for."""

    is_away = False

    async def seal(self, place: Place, plain: bytes) -> bytes:
        self._check()
        return _mark(place) + plain[::-1]

    async def open(self, place: Place, sealed: bytes) -> bytes:
        self._check()
        if sealed[:32] != _mark(place):
            raise SealBroken("sealed for another place")
        return sealed[:31:-1]

    def _check(self) -> None:
        if self.is_away:
            raise KeysUnavailable("away")


def _mark(place: Place) -> bytes:
    return hashlib.sha256(repr(place).encode()).digest()


class FakeDirectory:
    """Tenants that tests switch on and off."""

    def __init__(self, *tenants: str) -> None:
        self.states = dict.fromkeys(tenants, TenantState.READY)
        self.listeners: list[Callable[[Tenant], None]] = []

    def find(self, tenant_id: str) -> Tenant | None:
        if tenant_id not in self.states:
            return None
        return Tenant(
            tenant_id=TenantId(tenant_id),
            name=tenant_id,
            state=self.states[tenant_id],
            detail="",
            created_ns=0,
        )

    def is_served(self, tenant_id: str) -> bool:
        return self.states.get(tenant_id) is TenantState.READY

    def all(self) -> Sequence[Tenant]:
        return [each for each in map(self.find, sorted(self.states)) if each is not None]

    def on_change(self, listener: Callable[[Tenant], None]) -> None:
        self.listeners.append(listener)

    def set(self, tenant_id: str, state: TenantState) -> None:
        self.states[tenant_id] = state
        found = self.find(tenant_id)
        assert found is not None
        for listener in self.listeners:
            listener(found)


class Written:
    """A `Record` that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Event]] = []

    def __call__(
        self,
        tenant_id: str,
        stream: str,
        event: Event,
        *,
        actor: str = "system",
        correlation_id: str = "",
    ) -> None:
        self.events.append((tenant_id, stream, event))

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for _, _, event in self.events if isinstance(event, kind)]


class OneCode:
    """A second factor whose code is 424242 for those who have one."""

    def __init__(self) -> None:
        self.having: set[str] = set()
        self.asked: list[str | None] = []

    def is_needed(self, user: User) -> bool:
        return user.user_id in self.having

    async def check(self, user: User | None, code: str) -> bool:
        self.asked.append(user.user_id if user is not None else None)
        return user is not None and user.user_id in self.having and code == "424242"


class IdentityStage:
    """All of identity around tables in memory; `start` is what a restart does."""

    def __init__(
        self, second_factor: SecondFactor | None = None, hasher: PasswordHasher | None = None
    ) -> None:
        self.clock = SimulatedClock(NOON_NS)
        self.tables = IdentityTables()
        self.directory = FakeDirectory(HOME, OTHER)
        self.sealer = PlacedSealer()
        self.written = Written()
        self.passwords = Passwords(hasher=hasher or FAST)
        self.second_factor = second_factor or OneCode()
        self.runs = 0
        self.wire()

    def wire(self) -> None:
        """Build what a restart builds anew."""
        self.runs += 1
        ids = SeededIds(f"run{self.runs}")
        clock, tables, written = self.clock, self.tables, self.written
        self.book = UserBook(tables, clock, written)
        self.sessions = Sessions(tables, clock, ids, 12, written)
        self.book.on_change(self.sessions.on_person)
        self.directory.listeners = [self.sessions.on_tenant]
        self.keys = SigningKeys(tables, self.sealer, clock, ids, written, HOME)
        self.tokens = Tokens(self.keys, self.sessions, clock, ids)
        self.refresh = Refresh(tables, self.tokens, self.sessions, clock)
        self.links = SignIn(tables, self.book, self.sessions, clock, written, HOME)
        self.lockout = Lockout(clock)
        self.sign_in = PasswordSignIn(
            SignInParts(
                book=self.book,
                passwords=self.passwords,
                sessions=self.sessions,
                directory=self.directory,
                second_factor=self.second_factor,
                lockout=self.lockout,
                clock=clock,
                record=written,
            )
        )

    async def start(self) -> "IdentityStage":
        """Load everything, as a start does."""
        served = [each.tenant_id for each in self.directory.all()]
        ready = [each for each in served if self.directory.is_served(each)]
        await self.book.load(served)
        await self.sessions.load(ready, [each for each in served if each not in ready])
        await self.keys.load()
        return self

    async def restart(self) -> None:
        """A new process on the same tables."""
        self.wire()
        await self.start()

    async def add(
        self, name: str, role: Role = Role.PORTFOLIO_MANAGER, tenant_id: str = HOME
    ) -> User:
        """Somebody with the password of the tests."""
        user = User(
            user_id=hash_secret(f"{tenant_id} {name}").hex()[:32],
            name=name,
            tenant_id=tenant_id,
            role=role,
        )
        password_hash = await self.passwords.hash(PASSWORD)
        await self.book.create(user, by="test", password_hash=password_hash)
        return user

    async def enter(
        self,
        name: str,
        password: str = PASSWORD,
        *,
        tenant: str = HOME,
        code: str = "",
        address: str = HERE.address,
    ) -> tuple[str, Session] | None:
        """Try to sign in."""
        asked = Credentials(tenant=tenant, name=name, password=password, code=code)
        return await self.sign_in.enter(asked, Caller(address, "test"))

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.now_ns() + round(seconds * NS_PER_SECOND))
