"""The kill switch of the page that stands in for the web app: a plain form, no script."""

from urllib.parse import parse_qs

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.pages import FallbackState, killed_page
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.signin import SignedRequest
from plan2.connectivity.identity.principal import Session
from plan2.connectivity.identity.sessions import is_csrf
from plan2.foundation.ids import IdSource
from plan2.interface.api.command_desk import BODY_MAX_BYTES, CommandBody
from plan2.interface.api.desk import Desks

KILL_WORD = "KILL"


class FallbackRoutes:
    """`POST /kill`, and what the page shows."""

    def __init__(self, desks: Desks, ids: IdSource) -> None:
        self._desks = desks
        self._ids = ids

    def handlers(self) -> list[HTTPRouteHandler]:
        """The one route."""
        return [
            post(
                "/kill",
                status_code=200,
                request_max_body_size=BODY_MAX_BYTES,
                include_in_schema=False,
            )(self.kill)
        ]

    def show_state(self, session: Session) -> FallbackState:
        """What the page shows to somebody who is signed in, with a fresh command key."""
        books = self._desks.of(session).books
        return FallbackState(
            trading_state=books.trading_state(),
            open_positions=len(books.positions()),
            csrf=session.csrf,
            command_key=self._ids.next_id("command"),
        )

    async def kill(self, request: SignedRequest) -> Response[bytes]:
        """Halt, cancel and close, as the form asks."""
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        csrf, key, word = (fields.get(name, [""])[0] for name in ("csrf", "key", "word"))
        if not is_csrf(request.auth, csrf):
            raise RequestRefused(403, "csrf_missing", "The form does not belong to this session.")
        if word != KILL_WORD:
            raise RequestRefused(
                422, "not_confirmed", f"Type {KILL_WORD} into the form to confirm."
            )
        receipt = await self._desks.of(request.auth).commands.carry_out(
            "kill",
            request.auth,
            key or self._ids.next_id("command"),
            CommandBody(reason="kill form"),
        )
        return Response(killed_page(receipt.trading_state), media_type="text/html")
