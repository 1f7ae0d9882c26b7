"""Signing in with a single-use token, and signing out.

The token travels once, from the terminal to the browser's address bar; the answer replaces it there
by `/`. Nothing logs query strings, and the answer forbids a referrer.
"""

from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie, State
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from plan2.connectivity.gateway.guard import cookie_name
from plan2.connectivity.gateway.pages import signin_page
from plan2.connectivity.identity.bootstrap import SignIn
from plan2.connectivity.identity.sessions import Session, Sessions

TOKEN_MAX = 128
HTML = "text/html"
NS_PER_US = 1_000

SignedRequest = Request[None, Session, State]
"""A request of somebody whose session the guard has checked."""


class SessionInfo(msgspec.Struct, frozen=True):
    """The caller's own session; `csrf` goes into `X-Plan2-CSRF` of unsafe requests."""

    user: str
    role: str
    tenant: str
    csrf: str
    expires_us: int


class SignInRoutes:
    """`/signin` and `/api/v1/session`."""

    def __init__(self, sign_in: SignIn, sessions: Sessions, *, is_tls: bool) -> None:
        self._sign_in = sign_in
        self._sessions = sessions
        self._is_tls = is_tls

    def handlers(self) -> list[HTTPRouteHandler]:
        """The four routes."""
        return [
            get("/signin", include_in_schema=False)(self.by_link),
            post("/signin", include_in_schema=False, status_code=303)(self.by_form),
            get("/api/v1/session", tags=["session"])(self.show),
            delete("/api/v1/session", tags=["session"])(self.end),
        ]

    async def by_link(
        self,
        request: Request[Any, Any, State],  # the guard leaves user and auth open here
        token: Annotated[str, Parameter(max_length=TOKEN_MAX)] = "",
    ) -> Response[bytes]:
        """Sign in with the printed address; without a token, show the form."""
        if not token:
            return Response(signin_page(), media_type=HTML)
        return await self._redeem(request, token)

    async def by_form(self, request: Request[Any, Any, State]) -> Response[bytes]:
        """Sign in with a pasted token."""
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        return await self._redeem(request, fields.get("token", [""])[0].strip()[:TOKEN_MAX])

    async def show(self, request: SignedRequest) -> SessionInfo:
        """Who is signed in, the CSRF value, and when the session ends."""
        session = request.auth
        return SessionInfo(
            user=session.user.name,
            role=session.user.role,
            tenant=session.user.tenant_id,
            csrf=session.csrf,
            expires_us=session.expires_ns // NS_PER_US,
        )

    async def end(self, request: SignedRequest) -> None:
        """Sign out: the session is revoked, open streams of it close within seconds."""
        await self._sessions.revoke(request.auth.session_id)

    async def _redeem(self, request: Request[Any, Any, State], token: str) -> Response[bytes]:
        address = request.client.host if request.client else ""
        opened = await self._sign_in.redeem(token, address)
        if opened is None:
            page = signin_page("This token is unknown, already used, or older than 15 minutes.")
            return Response(page, media_type=HTML, status_code=403)
        secret, session = opened
        age_s = (session.expires_ns - self._sessions.now_ns()) // 1_000_000_000
        cookie = Cookie(
            key=cookie_name(is_tls=self._is_tls),
            value=secret,
            path="/",
            max_age=age_s,
            httponly=True,
            samesite="strict",
            secure=self._is_tls,
        )
        return Response(b"", status_code=303, headers={"location": "/"}, cookies=[cookie])
