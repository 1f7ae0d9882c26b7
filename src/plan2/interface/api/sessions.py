"""What people do about their own sessions: list and end them, prove who they are, get tokens."""

from typing import Annotated, Final

import msgspec
from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import (
    CodeText,
    Entry,
    OpenRequest,
    PasswordText,
    SessionInfo,
    SignedRequest,
    caller_of,
)
from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.principal import Session, Via
from plan2.connectivity.identity.refresh import Grant, Refresh
from plan2.connectivity.identity.session_rows import Live
from plan2.connectivity.identity.sessions import Sessions
from plan2.connectivity.identity.sign_in import PasswordSignIn, is_proven
from plan2.foundation.values import NS_PER_SECOND
from plan2.interface.api.paging import ItemId
from plan2.interface.screen import to_us

BODY_MAX_BYTES: Final = 16_384
RefreshText = Annotated[str, Meta(max_length=128)]


class SessionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One session of the caller; address and browser are known since the last restart only."""

    session_id: str
    via: str
    created_us: int
    last_seen_us: int
    expires_us: int
    ip_address: str
    user_agent: str
    is_current: bool


class SessionList(msgspec.Struct, frozen=True):
    """The caller's sessions, oldest first."""

    sessions: list[SessionItem]


class Ended(msgspec.Struct, frozen=True):
    """How many sessions were ended."""

    ended: int


class ProofBody(Masked, frozen=True, forbid_unknown_fields=True):
    """A proof of identity: a code for who has a second factor, else the password.

    All that is given must be right.
    """

    password: PasswordText = ""
    code: CodeText = ""


class PasswordBody(Masked, frozen=True, forbid_unknown_fields=True):
    """The password so far, empty if there was none, and the new one."""

    old: PasswordText
    new: PasswordText


class RefreshBody(Masked, frozen=True, forbid_unknown_fields=True):
    """A refresh token."""

    refresh_token: RefreshText


class TokenItem(Masked, frozen=True, kw_only=True):
    """An access token for `Authorization: Bearer`, and the refresh token for the next one."""

    access_token: str
    token_type: str
    expires_in_s: int
    refresh_token: str
    session_id: str
    refresh_expires_us: int


class SessionRoutes:
    """`/api/v1/sessions`, proof of identity, and the password."""

    def __init__(self, sessions: Sessions, sign_in: PasswordSignIn) -> None:
        self._sessions = sessions
        self._sign_in = sign_in
        self._entry = Entry(sign_in, sessions)

    def handlers(self) -> list[HTTPRouteHandler]:
        """The five routes."""
        limit = BODY_MAX_BYTES
        one = "/api/v1/sessions/{session_id:str}"
        return [
            get("/api/v1/sessions", tags=["session"])(self.listed),
            delete("/api/v1/sessions", status_code=200, tags=["session"])(self.end_others),
            delete(one, tags=["session"])(self.end_one),
            post("/api/v1/session/prove", request_max_body_size=limit, tags=["session"])(
                self.prove
            ),
            put("/api/v1/password", request_max_body_size=limit, tags=["session"])(
                self.change_password
            ),
        ]

    async def listed(self, request: SignedRequest) -> SessionList:
        """The caller's sessions, those of tokens too."""
        return SessionList([_item(live, request.auth) for live in self._mine(request.auth)])

    async def end_others(self, request: SignedRequest) -> Ended:
        """End every session of the caller but this one."""
        session = request.auth
        user = session.user
        count = await self._sessions.end_user(
            user.tenant_id, user.user_id, "revoked", session.actor, keeps=session.session_id
        )
        return Ended(count)

    async def end_one(self, request: SignedRequest, session_id: ItemId) -> None:
        """End one session of the caller, and the tokens that came from it."""
        if all(live.row.session_id != session_id for live in self._mine(request.auth)):
            raise RequestRefused(404, "not_found", "You have no such session.")
        await self._sessions.revoke(session_id, "revoked", request.auth.actor)

    async def prove(self, request: SignedRequest, data: ProofBody) -> Response[SessionInfo]:
        """Prove again who you are, for the next five minutes; the session gets a new cookie."""
        _check_cookie(request.auth)
        if self._sign_in.needs_code(request.auth.user) and not data.code:
            raise RequestRefused(
                401,
                "code_needed",
                "You have a second factor: a password alone does not prove who you are.",
                remedy="Send a code of your authenticator, or a backup code.",
            )
        opened = await self._sign_in.prove(
            request.auth, data.password, data.code, caller_of(request)
        )
        if opened is None:
            raise _not_proven()
        return self._entry.answer(request, opened, 201)

    async def change_password(
        self, request: SignedRequest, data: PasswordBody
    ) -> Response[SessionInfo]:
        """Set a new password: every session and token of the person ends, a new session begins."""
        session = request.auth
        _check_cookie(session)
        fault = self._sign_in.fault_of(session.user, data.new)
        if fault:
            raise RequestRefused(422, "password_unfit", fault, remedy="Choose another one.")
        if self._sign_in.needs_proof(session.user) and not is_proven(
            session, self._sessions.now_ns()
        ):
            raise RequestRefused(
                403,
                "step_up_needed",
                "To set a first password, or one beside a second factor, prove who you are.",
                remedy="POST /api/v1/session/prove with a code; who has neither password nor code "
                "signs in with a printed address and sets it within five minutes.",
            )
        opened = await self._sign_in.change_password(
            session, data.old, data.new, caller_of(request)
        )
        if opened is None:
            raise _not_proven()
        return self._entry.answer(request, opened, 200)

    def _mine(self, session: Session) -> list[Live]:
        return self._sessions.list_of(session.user.tenant_id, session.user.user_id)


class TokenRoutes:
    """`/api/v1/token`: access tokens for programs that act for a person."""

    def __init__(self, refresh: Refresh, sessions: Sessions) -> None:
        self._refresh = refresh
        self._sessions = sessions

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        limit = BODY_MAX_BYTES
        return [
            post("/api/v1/token", request_max_body_size=limit, tags=["token"])(self.begin),
            post("/api/v1/token/refresh", request_max_body_size=limit, tags=["token"])(self.renew),
            post(
                "/api/v1/token/revoke",
                request_max_body_size=limit,
                status_code=204,
                tags=["token"],
            )(self.revoke),
        ]

    async def begin(self, request: SignedRequest) -> TokenItem:
        """An access token and a refresh token; they end with the session that asks."""
        _check_cookie(request.auth)
        grant = await self._refresh.begin(request.auth, caller_of(request))
        if grant is None:
            raise _cookie_needed()
        return self._token_item(grant)

    async def renew(self, request: OpenRequest, data: RefreshBody) -> TokenItem:
        """The next pair of tokens; a refresh token that comes twice ends them all."""
        grant = await self._refresh.renew(data.refresh_token, caller_of(request))
        if grant is None:
            raise RequestRefused(
                401,
                "token_refused",
                "This refresh token is not good.",
                remedy="Sign in again and ask for new tokens.",
            )
        return self._token_item(grant)

    async def revoke(self, data: RefreshBody) -> None:
        """End the tokens of a refresh token; one that is unknown is answered alike (RFC 7009)."""
        await self._refresh.revoke(data.refresh_token)

    def _token_item(self, grant: Grant) -> TokenItem:
        left_ns = grant.access_expires_ns - self._sessions.now_ns()
        return TokenItem(
            access_token=grant.access_token,
            token_type="Bearer",  # noqa: S106 - the kind of token
            expires_in_s=max(0, left_ns // NS_PER_SECOND),
            refresh_token=grant.refresh_token,
            session_id=grant.session.session_id,
            refresh_expires_us=to_us(grant.session.expires_ns),
        )


def _item(live: Live, session: Session) -> SessionItem:
    row = live.row
    return SessionItem(
        session_id=row.session_id,
        via=row.via,
        created_us=to_us(row.created_ns),
        last_seen_us=to_us(live.last_seen_ns),
        expires_us=to_us(row.expires_ns),
        ip_address=live.caller.address,
        user_agent=live.caller.agent,
        is_current=row.session_id == session.session_id,
    )


def _check_cookie(session: Session) -> None:
    """Only somebody who signed in with a browser does this."""
    if session.via is not Via.COOKIE:
        raise _cookie_needed()


def _cookie_needed() -> RequestRefused:
    return RequestRefused(
        403,
        "cookie_session_needed",
        "This is for people who signed in with a browser, not for tokens and keys.",
        remedy="Sign in with POST /api/v1/signin.",
    )


def _not_proven() -> RequestRefused:
    return RequestRefused(
        401,
        "proof_refused",
        "Password or code is not right, or too many tries were made.",
        remedy="Look at what you typed; after several tries wait a while.",
    )
