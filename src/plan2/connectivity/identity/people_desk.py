"""What administrators do about the people of their tenant: invite, change, reset.

Nobody but an operator touches an operator: otherwise an administrator of the same tenant could
reset that password and stand above all tenants.
"""

import enum

import msgspec

from plan2.connectivity.identity.invitations import Invitation, Invitations, Purpose
from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.principal import Session, User
from plan2.connectivity.identity.rights import Role
from plan2.connectivity.identity.room import Room, no_limit
from plan2.connectivity.identity.second_factor import SecondFactors
from plan2.connectivity.identity.users import UserBook
from plan2.foundation.errors import InputError, Plan2Error
from plan2.foundation.ids import IdSource


class State(enum.StrEnum):
    """How a person stands."""

    ACTIVE = "active"
    INVITED = "invited"
    """Has a link and no password yet."""
    BLOCKED = "blocked"


class NoSuchUser(InputError):
    """The tenant has no person of this id."""

    code = "not_found"


class OnlyOperators(Plan2Error):
    """Only somebody who runs the installation may do this."""

    code = "forbidden"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What should change about a person: exactly one of these; None leaves as it is."""

    name: str | None = None
    role: Role | None = None
    is_blocked: bool | None = None
    is_operator: bool | None = None


class Listed(msgspec.Struct, frozen=True):
    """A person as administrators see one."""

    person: Person
    state: State
    has_second_factor: bool


class PeopleDesk:
    """Administrators' requests about people; the caller's tenant bounds them all.

    Args:
        book: people. invitations: links. factors: second factors. ids: ids of new people.
        room: refuses when the tenant has as many people as its quota allows.
    """

    def __init__(
        self,
        book: UserBook,
        invitations: Invitations,
        factors: SecondFactors,
        ids: IdSource,
        room: Room = no_limit,
    ) -> None:
        self._book = book
        self._invitations = invitations
        self._factors = factors
        self._ids = ids
        self._room = room

    def people(self, tenant_id: str) -> list[Person]:
        """Everybody of a tenant, by name."""
        return self._book.of_tenant(tenant_id)

    def has_factor(self, tenant_id: str, user_id: str) -> bool:
        """Whether somebody has set up a second factor."""
        return self._factors.has(tenant_id, user_id)

    async def listed(self, tenant_id: str) -> list[Listed]:
        """Everybody of a tenant with how they stand, by name."""
        waiting = await self._invitations.waiting(tenant_id)
        return [self._seen(person, waiting) for person in self._book.of_tenant(tenant_id)]

    async def show(self, person: Person) -> Listed:
        """One person with how they stand."""
        waiting = await self._invitations.waiting(person.user.tenant_id)
        return self._seen(person, waiting)

    async def invite(self, caller: Session, name: str, role: Role) -> Invitation | Person:
        """Add a person and make their link; a program gets none, it signs in with keys only.

        Raises:
            InputError: the name is unusable or taken, or the tenant is full.
        """
        self._room(caller.user.tenant_id, "users")
        user = User(
            user_id=self._ids.next_id("user"),
            name=name,
            tenant_id=caller.user.tenant_id,
            role=role,
        )
        person = await self._book.create(user, by=caller.actor)
        if role is Role.API_USER:
            return person
        return await self._invitations.make(person, Purpose.JOIN, caller.actor)

    async def change(self, caller: Session, user_id: str, wanted: Wanted) -> Person:
        """Change one thing about a person; rights that are taken away end at once.

        Raises:
            NoSuchUser: nobody of the caller's tenant has this id.
            OnlyOperators: it is about an operator, and the caller is none.
            InputError: not exactly one change, the last administrator, or an unusable name.
        """
        person = self._person(caller, user_id)
        asked = [value for value in msgspec.structs.astuple(wanted) if value is not None]
        if len(asked) != 1:
            raise InputError(f"One change at a time is expected; found {len(asked)}.")
        whose, by = (person.user.tenant_id, user_id), caller.actor
        if wanted.name is not None:
            return await self._book.rename(*whose, wanted.name, by=by)
        if wanted.role is not None:
            return await self._book.change_role(*whose, wanted.role, by=by)
        if wanted.is_blocked is not None:
            return await self._book.set_blocked(*whose, wanted.is_blocked, by=by)
        if not caller.user.is_operator:
            raise OnlyOperators("Only an operator makes operators.")
        return await self._book.set_operator(*whose, bool(wanted.is_operator), by=by)

    async def reset(self, caller: Session, user_id: str, *, second_factor: bool) -> Invitation:
        """A link for a new password; the old one is good until then.

        Args:
            caller: who asks.
            user_id: whose password it is.
            second_factor: also take the second factor away, at once: authenticator and backup
                codes are lost.

        Raises:
            NoSuchUser, OnlyOperators: as `change`. InputError: a blocked person, or a program.
        """
        person = self._person(caller, user_id)
        if person.is_blocked:
            raise InputError(f"{person.user.name} is blocked.", remedy="Unblock them first.")
        if person.user.role is Role.API_USER:
            raise InputError("A program has no password.", remedy="Make a key for it.")
        if second_factor:
            await self._factors.remove(person.user, caller.actor)
        return await self._invitations.make(person, Purpose.RESET, caller.actor)

    def _person(self, caller: Session, user_id: str) -> Person:
        person = self._book.find(caller.user.tenant_id, user_id)
        if person is None or person.is_erased:
            raise NoSuchUser(f"There is no user {user_id}.")
        if person.user.is_operator and not caller.user.is_operator:
            raise OnlyOperators("Only an operator changes an operator.")
        return person

    def _seen(self, person: Person, waiting: set[str]) -> Listed:
        user = person.user
        state = State.ACTIVE
        if person.is_blocked:
            state = State.BLOCKED
        elif user.user_id in waiting and not person.password_hash:
            state = State.INVITED
        return Listed(person, state, self._factors.has(user.tenant_id, user.user_id))
