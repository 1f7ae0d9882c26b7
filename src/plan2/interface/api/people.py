"""Routes about the people of a tenant: names for everybody, the rest for administrators."""

from typing import Annotated, Final

import msgspec
from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from plan2.connectivity.gateway.accounting import note_change
from plan2.connectivity.gateway.addresses import is_secure
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.invitations import Invitation
from plan2.connectivity.identity.people import NAME_MAX, Person
from plan2.connectivity.identity.people_desk import (
    Listed,
    NoSuchUser,
    OnlyOperators,
    PeopleDesk,
    Wanted,
)
from plan2.connectivity.identity.principal import User
from plan2.connectivity.identity.rights import Role
from plan2.interface.api.paging import ItemId
from plan2.interface.screen import to_us

BODY_MAX_BYTES: Final = 4_096
TAGS: Final = ("users",)

Name = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]


class PersonItem(msgspec.Struct, frozen=True):
    """Who stands behind the `user:<user_id>` of an event."""

    user_id: str
    name: str
    role: str


class PeopleList(msgspec.Struct, frozen=True):
    """Everybody of the tenant, by name."""

    items: list[PersonItem]


class UserItem(msgspec.Struct, frozen=True, kw_only=True):
    """A person as administrators see one; `state` is active, invited or blocked."""

    user_id: str
    name: str
    role: str
    is_operator: bool
    state: str
    has_password: bool
    has_second_factor: bool
    created_us: int


class UserList(msgspec.Struct, frozen=True):
    """Everybody of the tenant, by name."""

    items: list[UserItem]


class InviteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to join, and as what."""

    name: Name
    role: Role


class UserChangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What should change about a person: exactly one of these."""

    name: Name | None = None
    role: Role | None = None
    blocked: bool | None = None
    operator: bool | None = None


class ResetBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the second factor is lost as well, and is taken away at once."""

    second_factor: bool = False


class InvitationItem(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link, shown only here; empty for a program, which gets a key instead."""

    user_id: str
    name: str
    role: str
    purpose: str
    link: str
    token: str
    expires_us: int | None


class PeopleRoutes:
    """`/api/v1/people` and `/api/v1/users…`."""

    def __init__(self, desk: PeopleDesk) -> None:
        self._desk = desk

    def handlers(self) -> list[HTTPRouteHandler]:
        """The five routes."""
        limit, one = BODY_MAX_BYTES, "/api/v1/users/{user_id:str}"
        return [
            get("/api/v1/people", tags=TAGS)(self.people),
            get("/api/v1/users", tags=TAGS)(self.listed),
            post("/api/v1/users", request_max_body_size=limit, tags=TAGS)(self.invite),
            patch(one, request_max_body_size=limit, tags=TAGS)(self.change),
            post(f"{one}/reset", request_max_body_size=limit, tags=TAGS)(self.reset),
        ]

    async def people(self, request: SignedRequest) -> PeopleList:
        """Everybody of the tenant: name and role behind a user id."""
        found = self._desk.people(request.auth.user.tenant_id)
        return PeopleList(
            [PersonItem(each.user.user_id, each.user.name, each.user.role) for each in found]
        )

    async def listed(self, request: SignedRequest) -> UserList:
        """Everybody of the tenant with how they stand."""
        found = await self._desk.listed(request.auth.user.tenant_id)
        return UserList([_item(each) for each in found])

    async def invite(self, request: SignedRequest, data: InviteBody) -> InvitationItem:
        """Add a person; answers the link with which they set their password, within 48 hours."""
        made = await self._desk.invite(request.auth, data.name, data.role)
        note_change(request, b"", _facts(made if isinstance(made, Person) else made.person))
        return _shown(request, made)

    async def change(
        self, request: SignedRequest, user_id: ItemId, data: UserChangeBody
    ) -> UserItem:
        """Change name, role, blocked or operator; rights that are taken away end at once."""
        wanted = Wanted(
            name=data.name, role=data.role, is_blocked=data.blocked, is_operator=data.operator
        )
        before = self._facts_of(request, user_id)
        try:
            person = await self._desk.change(request.auth, user_id, wanted)
        except (NoSuchUser, OnlyOperators) as error:
            raise _refused(error) from error
        note_change(request, before, _facts(person))
        return _item(await self._desk.show(person))

    async def reset(
        self, request: SignedRequest, user_id: ItemId, data: ResetBody
    ) -> InvitationItem:
        """A link with which a person sets a new password, within 48 hours."""
        before = self._factor_of(request, user_id)
        try:
            made = await self._desk.reset(request.auth, user_id, second_factor=data.second_factor)
        except (NoSuchUser, OnlyOperators) as error:
            raise _refused(error) from error
        note_change(request, before, self._factor_of(request, user_id))
        return _shown(request, made)

    def _facts_of(self, request: SignedRequest, user_id: str) -> bytes:
        people = self._desk.people(request.auth.user.tenant_id)
        found = next((each for each in people if each.user.user_id == user_id), None)
        return _facts(found) if found is not None else b""

    def _factor_of(self, request: SignedRequest, user_id: str) -> bytes:
        has_factor = self._desk.has_factor(request.auth.user.tenant_id, user_id)
        return b"second factor" if has_factor else b"no second factor"


def _facts(person: Person) -> bytes:
    """What a person may do, for the account of requests.

    Without the name: a hash of it would go on telling it after the person was erased.
    """
    user = person.user
    return msgspec.json.encode((user.user_id, user.role, person.is_blocked, user.is_operator))


def _shown(request: SignedRequest, made: Invitation | Person) -> InvitationItem:
    if isinstance(made, Person):
        return _invitation(made.user, "join", "", "", None)
    link = f"{_base_of(request)}/join?token={made.token}"
    return _invitation(
        made.person.user, str(made.purpose), link, made.token, to_us(made.expires_ns)
    )


def _invitation(
    user: User, purpose: str, link: str, token: str, expires_us: int | None
) -> InvitationItem:
    return InvitationItem(
        user_id=user.user_id,
        name=user.name,
        role=user.role,
        purpose=purpose,
        link=link,
        token=token,
        expires_us=expires_us,
    )


def _base_of(request: SignedRequest) -> str:
    """The address that was asked; the perimeter has held its host against those allowed."""
    scheme = "https" if is_secure(request.scope) else "http"
    return f"{scheme}://{request.headers.get('host', '')}"


def _item(listed: Listed) -> UserItem:
    person, user = listed.person, listed.person.user
    return UserItem(
        user_id=user.user_id,
        name=user.name,
        role=user.role,
        is_operator=user.is_operator,
        state=listed.state,
        has_password=bool(person.password_hash),
        has_second_factor=listed.has_second_factor,
        created_us=to_us(person.created_ns),
    )


def _refused(error: NoSuchUser | OnlyOperators) -> RequestRefused:
    status = 404 if isinstance(error, NoSuchUser) else 403
    return RequestRefused(status, error.code, error.message, remedy=error.remedy)
