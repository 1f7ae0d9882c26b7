"""Signing in, by password or with a single-use token, and signing out.

The printed token travels once, from the terminal to the browser's address bar; the answer replaces
it there by `/`. Nothing logs query strings, and the answer forbids a referrer. Whatever was wrong
with a name, password or code, the refusal is the same.
"""

from typing import Annotated, Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie, State
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.addresses import client_address, is_secure
from plan2.connectivity.gateway.middleware import cookie_name
from plan2.connectivity.gateway.pages import signin_page
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.masked import Masked
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.session_rows import Caller
from plan2.connectivity.identity.sessions import Sessions
from plan2.connectivity.identity.sign_in import Credentials, Opened, PasswordSignIn
from plan2.foundation.values import NS_PER_SECOND

TOKEN_MAX: Final = 128
AGENT_MAX: Final = 256
BODY_MAX_BYTES: Final = 16_384
HTML: Final = "text/html"
NS_PER_US: Final = 1_000

SignedRequest = Request[None, Session, State]
"""A request of somebody whose session the guard has checked."""
OpenRequest = Request[Any, Any, State]  # the guard leaves user and auth open where it asks for none

TenantText = Annotated[str, Meta(max_length=64)]
NameText = Annotated[str, Meta(max_length=128)]
PasswordText = Annotated[str, Meta(max_length=1_024)]
CodeText = Annotated[str, Meta(max_length=64)]


class SignInBody(Masked, frozen=True, forbid_unknown_fields=True):
    """What somebody types to sign in; `code` is left empty without a second factor."""

    tenant: TenantText
    name: NameText
    password: PasswordText
    code: CodeText = ""


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's own session; `csrf` goes into `X-Plan2-CSRF` of unsafe requests.

    `via` is cookie, token, key or local. `proven_us` says when the person last proved who they
    are: 0 never, null for the user of this machine. Times are microseconds UTC, null for never.
    """

    user: str
    user_id: str
    role: str
    tenant: str
    is_operator: bool
    via: str
    csrf: str
    expires_us: int | None
    proven_us: int | None
    has_password: bool
    has_second_factor: bool


class Entry:
    """How a session that was just opened, or got a new cookie, is answered."""

    def __init__(self, sign_in: PasswordSignIn, sessions: Sessions) -> None:
        self._sign_in = sign_in
        self._sessions = sessions

    def info(self, session: Session) -> SessionInfo:
        """A session as its owner sees it."""
        user = session.user
        return SessionInfo(
            user=user.name,
            user_id=user.user_id,
            role=user.role,
            tenant=user.tenant_id,
            is_operator=user.is_operator,
            via=session.via,
            csrf=session.csrf,
            expires_us=_us_or_never(session.expires_ns),
            proven_us=_us_or_never(session.proven_ns),
            has_password=self._sign_in.has_password(user),
            has_second_factor=self._sign_in.needs_code(user),
        )

    def answer(
        self, request: OpenRequest, opened: Opened, status_code: int
    ) -> Response[SessionInfo]:
        """The session, with its cookie."""
        return Response(
            self.info(opened[1]), status_code=status_code, cookies=[self._cookie(request, opened)]
        )

    def redirect(self, request: OpenRequest, opened: Opened) -> Response[bytes]:
        """To the page, with the cookie."""
        return Response(
            b"",
            status_code=303,
            headers={"location": "/"},
            cookies=[self._cookie(request, opened)],
        )

    def _cookie(self, request: OpenRequest, opened: Opened) -> Cookie:
        secret, session = opened
        is_tls = is_secure(request.scope)
        return Cookie(
            key=cookie_name(is_tls=is_tls),
            value=secret,
            path="/",
            max_age=(session.expires_ns - self._sessions.now_ns()) // NS_PER_SECOND,
            httponly=True,
            samesite="strict",
            secure=is_tls,
        )


class SignInRoutes:
    """`/signin`, `/api/v1/signin` and `/api/v1/session`."""

    def __init__(self, links: SignIn, sign_in: PasswordSignIn, sessions: Sessions) -> None:
        self._links = links
        self._sign_in = sign_in
        self._sessions = sessions
        self._entry = Entry(sign_in, sessions)

    def handlers(self) -> list[HTTPRouteHandler]:
        """The five routes."""
        limit = BODY_MAX_BYTES
        return [
            get("/signin", include_in_schema=False)(self.by_link),
            post("/signin", include_in_schema=False, status_code=303, request_max_body_size=limit)(
                self.by_form
            ),
            post("/api/v1/signin", tags=["session"], request_max_body_size=limit)(self.by_password),
            get("/api/v1/session", tags=["session"])(self.show),
            delete("/api/v1/session", tags=["session"])(self.end),
        ]

    async def by_link(
        self,
        request: OpenRequest,
        token: Annotated[str, Parameter(max_length=TOKEN_MAX)] = "",
    ) -> Response[bytes]:
        """Sign in with the printed address; without a token, show the form."""
        if not token:
            return Response(signin_page(), media_type=HTML)
        return await self._redeem(request, token)

    async def by_form(self, request: OpenRequest) -> Response[bytes]:
        """Sign in with a pasted token, or with tenant, name, password and code."""
        fields = await form_fields(request)
        if "name" not in fields:
            return await self._redeem(request, fields.get("token", "").strip()[:TOKEN_MAX])
        asked = Credentials(
            tenant=fields.get("tenant", ""),
            name=fields["name"],
            password=fields.get("password", ""),
            code=fields.get("code", "").strip(),
        )
        opened = await self._sign_in.enter(asked, caller_of(request))
        if opened is None:
            return _page_again(
                "Tenant, name, password or code is not right, or too many tries were made; "
                "then wait a while."
            )
        return self._entry.redirect(request, opened)

    async def by_password(self, request: OpenRequest, data: SignInBody) -> Response[SessionInfo]:
        """Sign in; every refusal is the same 401, whatever was wrong."""
        asked = Credentials(
            tenant=data.tenant, name=data.name, password=data.password, code=data.code
        )
        opened = await self._sign_in.enter(asked, caller_of(request))
        if opened is None:
            raise RequestRefused(
                401,
                "signin_refused",
                "Tenant, name, password or code is not right, or too many tries were made.",
                remedy="Look at what you typed; after several tries wait a while.",
            )
        return self._entry.answer(request, opened, 201)

    async def show(self, request: SignedRequest) -> SessionInfo:
        """Who is signed in, the CSRF value, and when the session ends."""
        return self._entry.info(request.auth)

    async def end(self, request: SignedRequest) -> None:
        """Sign out: the session and its tokens are revoked, open streams close within seconds."""
        await self._sessions.revoke(request.auth.session_id)

    async def _redeem(self, request: OpenRequest, token: str) -> Response[bytes]:
        opened = await self._links.redeem(token, caller_of(request))
        if opened is None:
            return _page_again("This token is unknown, already used, or older than 15 minutes.")
        return self._entry.redirect(request, opened)


async def form_fields(request: OpenRequest) -> dict[str, str]:
    """What a form without scripts holds; of several fields with one name the first."""
    typed = parse_qs((await request.body()).decode("utf-8", "replace"))
    return {name: values[0] for name, values in typed.items()}


def caller_of(request: OpenRequest) -> Caller:
    """Where a request comes from."""
    agent = "".join(each for each in request.headers.get("user-agent", "") if each.isprintable())
    return Caller(client_address(request.scope), agent[:AGENT_MAX])


def _page_again(message: str) -> Response[bytes]:
    return Response(signin_page(message), media_type=HTML, status_code=403)


def _us_or_never(ts_ns: int) -> int | None:
    """Microseconds, or None for a time beyond all times."""
    us = ts_ns // NS_PER_US
    return us if us < 1 << 53 else None
