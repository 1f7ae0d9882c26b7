"""Wires who may come in: people, passwords, second factors, sessions, tokens, keys, approvals.

Everything is of all tenants at once and asked from memory; `admit` brings in a tenant that was
created or resumed later.
"""

from collections.abc import Mapping

import msgspec

from plan2.connectivity.identity.api_key_desk import ApiKeyDesk, Mint
from plan2.connectivity.identity.api_key_table import PostgresApiKeys
from plan2.connectivity.identity.api_keys import ApiKeys
from plan2.connectivity.identity.approval_table import PostgresApprovals
from plan2.connectivity.identity.approvals import Approvals
from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.directory import TenantDirectory, TenantState
from plan2.connectivity.identity.invitation_table import PostgresInvitations
from plan2.connectivity.identity.invitations import Invitations, Purpose
from plan2.connectivity.identity.lockout import Lockout
from plan2.connectivity.identity.passwords import Passwords
from plan2.connectivity.identity.people_desk import PeopleDesk
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.proposals import Kind
from plan2.connectivity.identity.refresh import Refresh
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.room import Room
from plan2.connectivity.identity.second_factor import SecondFactors
from plan2.connectivity.identity.second_factor_duty import SecondFactorDuty
from plan2.connectivity.identity.second_factor_table import PostgresFactors
from plan2.connectivity.identity.sessions import Sessions, new_secret
from plan2.connectivity.identity.sign_in import PasswordSignIn, SignInParts
from plan2.connectivity.identity.signing_keys import SigningKeys
from plan2.connectivity.identity.tables import PostgresIdentity
from plan2.connectivity.identity.tables_tokens import PostgresTokens
from plan2.connectivity.identity.tokens import Tokens
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.clock import LiveClock
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.events.recording import Record
from plan2.foundation.hub import Component
from plan2.foundation.ids import RandomIds, derived_id
from plan2.foundation.secrets.sealing import Sealer
from plan2.foundation.storage import Database
from plan2.foundation.values import TenantId

IN_USE = frozenset({TenantState.READY, TenantState.SUSPENDED})
"""Tenants whose people are known: served, or to be served again."""


class PeoplePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What people are wired from.

    Attributes:
        environment: a word in API keys that tells what market they trade.
        room: refuses when a quota is full.
        approval_kinds: what needs two people.
    """

    database: Database
    directory: TenantDirectory
    record: Record
    sealer: Sealer
    session_hours: int
    environment: str
    approval_kinds: Mapping[str, Kind]
    room: Room


class People:
    """Who may come in, and how."""

    def __init__(self, plan: PeoplePlan) -> None:
        wall, ids, record = LiveClock(), RandomIds(), plan.record
        open_unit = plan.database.uow
        tables, token_tables = PostgresIdentity(open_unit), PostgresTokens(open_unit)
        self._directory = plan.directory
        self.book = UserBook(tables, wall, record)
        self.sessions = Sessions(tables, wall, ids, plan.session_hours, record)
        self.signing = SigningKeys(token_tables, plan.sealer, wall, ids, record, MAIN_TENANT)
        self.tokens = Tokens(self.signing, self.sessions, wall, ids)
        self.refresh = Refresh(token_tables, self.tokens, self.sessions, wall)
        self.passwords = Passwords()
        self.factors = SecondFactors(
            PostgresFactors(open_unit), plan.sealer, wall, ids, record, new_secret
        )
        self.duty = SecondFactorDuty(self.book, self.factors)
        self.api_keys = ApiKeys(self.book, plan.directory.is_served, wall)
        self.key_desk = ApiKeyDesk(
            self.api_keys,
            self.book,
            PostgresApiKeys(open_unit),
            wall,
            record,
            Mint(plan.environment, ids, new_secret, plan.room),
        )
        self.invitations = Invitations(
            self.book, self.passwords, PostgresInvitations(open_unit), wall, record, new_secret
        )
        self.desk = PeopleDesk(self.book, self.invitations, self.factors, ids, plan.room)
        self.approvals = Approvals(
            PostgresApprovals(open_unit), self.book, plan.approval_kinds, wall, ids, record
        )
        self.sign_in = PasswordSignIn(
            SignInParts(
                book=self.book,
                passwords=self.passwords,
                sessions=self.sessions,
                directory=plan.directory,
                second_factor=self.factors,
                lockout=Lockout(wall),
                clock=wall,
                record=record,
            )
        )
        self.links = SignIn(tables, self.book, self.sessions, wall, record, MAIN_TENANT)
        self.book.on_change(self.sessions.on_person)
        self.book.on_change(self.key_desk.on_person)
        plan.directory.on_change(self.sessions.on_tenant)

    async def load(self) -> None:
        """Bring in every tenant that is there, served or not."""
        known = [each for each in self._directory.all() if each.state in IN_USE]
        suspended = [each.tenant_id for each in known if each.state is TenantState.SUSPENDED]
        served = [each.tenant_id for each in known if each.state is TenantState.READY]
        await self.book.load([*served, *suspended])
        await self.sessions.load(served, suspended)
        await self.signing.load()
        for tenant_id in (*served, *suspended):
            await self._load_rest(tenant_id)

    async def admit(self, tenant_id: TenantId) -> None:
        """Bring in a tenant that was created or resumed; harmless when repeated."""
        await self.book.load([tenant_id])
        await self.sessions.load([tenant_id])
        await self._load_rest(tenant_id)

    async def invite_first(self, tenant_id: TenantId, name: str, address: str) -> str:
        """The one-time link of a new tenant's first administrator."""
        await self.admit(tenant_id)
        person = self.book.named(tenant_id, name)
        if person is None:
            user = User(
                user_id=derived_id("user", tenant_id, name),
                name=name,
                tenant_id=tenant_id,
                role=Role.TENANT_ADMIN,
            )
            person = await self.book.create(user, by="system")
        invitation = await self.invitations.make(person, Purpose.JOIN, "system")
        return f"{address}/join?token={invitation.token}"

    def forget(self, tenant_id: TenantId) -> None:
        """A tenant is gone for good."""
        self.book.drop_tenant(tenant_id)
        self.factors.forget(tenant_id)
        self.key_desk.forget(tenant_id)

    def components(self) -> tuple[Component, ...]:
        """What runs beside requests."""
        return (
            Component(name="signing_keys", level=2, run=self.signing.run),
            Component(name="sessions", level=2, run=self.sessions.run, stop=self._stop),
            Component(name="api_keys", level=2, run=self.key_desk.run, stop=self.key_desk.write),
        )

    async def _load_rest(self, tenant_id: TenantId) -> None:
        await self.factors.load(tenant_id)
        await self.key_desk.load(tenant_id)
        await self.approvals.load(tenant_id)

    async def _stop(self) -> None:
        self.passwords.close()
