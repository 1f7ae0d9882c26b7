"""Routes about one's own second factor; what is secret is in one answer and never again."""

from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.principal import User, Via
from plan2.connectivity.identity.second_factor import NotConfirmed, SecondFactors
from plan2.connectivity.identity.second_factor_duty import SecondFactorDuty
from plan2.interface.screen import to_us, us_or_none

BODY_MAX_BYTES: Final = 4_096
TAGS: Final = ("second factor",)


class FactorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller's second factor stands; `since_us` is null without one.

    `is_required`: the caller's role must have one. `must_enrol`: nothing else is open until then.
    """

    is_enrolled: bool
    since_us: int | None
    backup_codes_left: int
    is_required: bool
    must_enrol: bool


class FactorBegun(msgspec.Struct, frozen=True, kw_only=True):
    """A new seed for an authenticator app, shown only here, until it is confirmed by a code."""

    secret: str
    uri: str
    qr_svg: str
    qr_data_uri: str
    expires_us: int


class CodeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The six digits that the app shows."""

    code: Annotated[str, Meta(max_length=16)]


class BackupCodes(msgspec.Struct, frozen=True):
    """Ten codes, each good once in place of the app's; shown only here."""

    backup_codes: list[str]


class SecondFactorRoutes:
    """`/api/v1/second-factor…`."""

    def __init__(self, factors: SecondFactors, duty: SecondFactorDuty) -> None:
        self._factors = factors
        self._duty = duty

    def handlers(self) -> list[HTTPRouteHandler]:
        """The five routes."""
        limit, path = BODY_MAX_BYTES, "/api/v1/second-factor"
        return [
            get(path, tags=TAGS)(self.show),
            post(path, request_max_body_size=limit, tags=TAGS)(self.begin),
            post(f"{path}/confirm", request_max_body_size=limit, tags=TAGS)(self.confirm),
            post(f"{path}/backup-codes", request_max_body_size=limit, tags=TAGS)(self.renew_codes),
            delete(path, tags=TAGS)(self.remove),
        ]

    async def show(self, request: SignedRequest) -> FactorInfo:
        """How the caller's second factor stands, and whether the role needs one."""
        session = request.auth
        standing = await self._factors.standing(session.user)
        since_ns = standing.since_ns
        return FactorInfo(
            is_enrolled=since_ns is not None,
            since_us=us_or_none(since_ns),
            backup_codes_left=standing.codes_left,
            is_required=self._duty.is_required(session.user),
            must_enrol=self._duty.must_enrol(session),
        )

    async def begin(self, request: SignedRequest) -> FactorBegun:
        """A new seed with its picture; the one in force stays so until the new one is confirmed."""
        begun = await self._factors.begin(_person(request))
        return FactorBegun(
            secret=begun.secret,
            uri=begun.uri,
            qr_svg=begun.picture.svg,
            qr_data_uri=begun.picture.data_uri,
            expires_us=to_us(begun.expires_ns),
        )

    async def confirm(self, request: SignedRequest, data: CodeBody) -> BackupCodes:
        """Put the new seed in force with a first code; answers ten backup codes."""
        codes = await self._factors.confirm(_person(request), data.code)
        if codes is NotConfirmed.NOTHING_BEGUN:
            raise RequestRefused(
                409,
                "nothing_begun",
                "No new second factor waits for its first code.",
                remedy="POST /api/v1/second-factor first; a seed waits 15 minutes.",
            )
        if isinstance(codes, NotConfirmed):
            raise RequestRefused(
                422,
                "code_wrong",
                "This is not the code of this half minute.",
                remedy="Type the code that the app shows now; see that both clocks are right.",
            )
        return BackupCodes(list(codes))

    async def renew_codes(self, request: SignedRequest) -> BackupCodes:
        """Ten new backup codes; all former ones are void."""
        codes = await self._factors.renew_codes(_person(request))
        if codes is None:
            raise _not_enrolled()
        return BackupCodes(list(codes))

    async def remove(self, request: SignedRequest) -> None:
        """Take the second factor away; a role that needs one must set up another."""
        if not await self._factors.remove(_person(request), request.auth.actor):
            raise _not_enrolled()


def _person(request: SignedRequest) -> User:
    """The caller, who must be a person that signed in."""
    if request.auth.via not in {Via.COOKIE, Via.TOKEN}:
        raise RequestRefused(
            403,
            "not_a_person",
            "The user of this machine has no second factor.",
            remedy="Sign in to the web page as the person whose second factor it is.",
        )
    return request.auth.user


def _not_enrolled() -> RequestRefused:
    return RequestRefused(409, "not_enrolled", "There is no second factor in force.")
