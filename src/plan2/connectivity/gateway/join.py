"""The page behind a one-time link, which works without scripts, and the same for programs.

The token is in the address only until the form is sent; nothing logs query strings, and no other
site is told the address (Referrer-Policy). Whatever was wrong with a link, the refusal is the same.
"""

from html import escape
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.pages import html_page
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import BODY_MAX_BYTES, HTML, OpenRequest, form_fields
from plan2.connectivity.identity.invitations import TOKEN_MAX, Invitations, NotJoined
from plan2.connectivity.identity.people import Person
from plan2.foundation.errors import InputError

GONE: Final = "This link is unknown, already used, or older than 48 hours."
REMEDY: Final = "Ask the administrator for a new one."


class JoinBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody with a link types; an empty name keeps the one the administrator gave."""

    token: Annotated[str, Meta(max_length=TOKEN_MAX)]
    password: Annotated[str, Meta(max_length=1_024)]
    name: Annotated[str, Meta(max_length=128)] = ""


class JoinedItem(msgspec.Struct, frozen=True):
    """Who can sign in now."""

    user_id: str
    name: str
    tenant: str


class JoinRoutes:
    """`/join` and `/api/v1/join`."""

    def __init__(self, invitations: Invitations) -> None:
        self._invitations = invitations

    def handlers(self) -> list[HTTPRouteHandler]:
        """The three routes."""
        limit = BODY_MAX_BYTES
        return [
            get("/join", include_in_schema=False)(self.page),
            post("/join", include_in_schema=False, status_code=200, request_max_body_size=limit)(
                self.by_form
            ),
            post("/api/v1/join", status_code=200, request_max_body_size=limit, tags=["users"])(
                self.join
            ),
        ]

    async def page(
        self, token: Annotated[str, Parameter(max_length=TOKEN_MAX)] = ""
    ) -> Response[bytes]:
        """The form of a link; looking at it uses nothing up."""
        person = await self._invitations.look(token)
        if person is None:
            return _answer(410, f"<h1>No entry</h1><p>{GONE} {REMEDY}</p>")
        return _form(person, token, "")

    async def by_form(self, request: OpenRequest) -> Response[bytes]:
        """Set the password; the form comes back with a reason when it cannot be used."""
        fields = await form_fields(request)
        token = fields.get("token", "")[:TOKEN_MAX]
        person = await self._invitations.look(token)
        if person is None:
            return _answer(410, f"<h1>No entry</h1><p>{GONE} {REMEDY}</p>")
        try:
            joined = await self._invitations.join(
                token, fields.get("password", ""), fields.get("name", "").strip()
            )
        except InputError as error:
            return _form(person, token, str(error))
        if isinstance(joined, NotJoined):
            return _form(person, token, joined.fault or GONE)
        return _answer(
            200,
            f"<h1>Welcome, {escape(joined.user.name)}</h1><p>The password is set. "
            f'<a href="/signin">Sign in</a> to the tenant '
            f"<code>{escape(joined.user.tenant_id)}</code>.</p>",
        )

    async def join(self, data: JoinBody) -> JoinedItem:
        """Set a password with a one-time link; the link is used up, sessions of before end."""
        joined = await self._invitations.join(data.token, data.password, data.name)
        if isinstance(joined, NotJoined):
            if joined.fault:
                raise RequestRefused(422, "password_unfit", joined.fault)
            raise RequestRefused(410, "invitation_gone", GONE, remedy=REMEDY)
        user = joined.user
        return JoinedItem(user.user_id, user.name, user.tenant_id)


def _form(person: Person, token: str, message: str) -> Response[bytes]:
    note = f'<p role="alert"><strong>{escape(message)}</strong></p>' if message else ""
    user = person.user
    return _answer(
        422 if message else 200,
        f"<h1>Set your password</h1>{note}<p>For {escape(user.name)} of the tenant "
        f"<code>{escape(user.tenant_id)}</code>.</p>"
        '<form method="post" action="/join">'
        f'<input type="hidden" name="token" value="{escape(token)}">'
        f'<input type="hidden" name="username" value="{escape(user.name)}" '
        'autocomplete="username"><p><label>Password, 15 characters or more<br>'
        '<input name="password" type="password" autocomplete="new-password" required '
        'minlength="15" maxlength="128" size="40"></label></p>'
        "<p><button>Set the password</button></p></form>",
    )


def _answer(status: int, body: str) -> Response[bytes]:
    return Response(html_page("Plan2: join", body), media_type=HTML, status_code=status)
