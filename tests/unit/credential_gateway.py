"""A gateway with the routes of this area, and the same behind a socket for the command line."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from plan2.connectivity.gateway.app import Front, Identity, Operations, build_gateway
from plan2.connectivity.gateway.join import JoinRoutes
from plan2.connectivity.gateway.middleware import GatewaySettings
from plan2.connectivity.gateway.pages import FallbackState
from plan2.connectivity.gateway.static import Site
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.principal import Session
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.ids import RandomIds
from plan2.interface.api.approvals import ApprovalRoutes
from plan2.interface.api.keys import KeyRoutes
from plan2.interface.api.people import PeopleRoutes
from plan2.interface.api.second_factor import SecondFactorRoutes
from plan2.interface.api.sessions import SessionRoutes
from plan2.interface.api.telegram import TelegramParts, TelegramRoutes
from unit.chat_fixtures import FakeRunning, memory_pairings, memory_token
from unit.credential_fixtures import CredentialStage
from unit.identity_fixtures import HOME, PASSWORD

HOST = "127.0.0.1:8420"
ORIGIN = f"http://{HOST}"


class CredentialGateway:
    """The stage behind HTTP; `folder` takes the key of this machine, `telegram`: of the bot."""

    def __init__(
        self,
        stage: CredentialStage,
        folder: Path | None = None,
        telegram: Telegram | None = None,
    ) -> None:
        self.stage = stage
        self.local = LocalAccess(folder, HOME) if folder is not None else None
        self.pairings = memory_pairings(stage)
        self.token = memory_token(stage, settings=telegram or Telegram())
        routes = [
            *SessionRoutes(stage.sessions, stage.sign_in).handlers(),
            *SecondFactorRoutes(stage.factors, stage.duty).handlers(),
            *KeyRoutes(stage.desk, stage.book).handlers(),
            *PeopleRoutes(stage.people).handlers(),
            *ApprovalRoutes(stage.approvals).handlers(),
            *JoinRoutes(stage.invitations).handlers(),
            *TelegramRoutes(
                TelegramParts(
                    pairings=self.pairings,
                    book=stage.book,
                    clock=stage.clock,
                    running=FakeRunning(),
                    token=self.token,
                    agrees=lambda _: True,
                    tell=lambda _person, _notification: True,
                )
            ).handlers(),
        ]
        self.identity = Identity(
            stage.sessions,
            stage.links,
            stage.sign_in,
            local=self.local,
            keys=stage.api_keys,
            directory=stage.directory,
            needs_factor=stage.duty.forbids,
        )
        self.app = build_gateway(
            routes,
            self.identity,
            Operations(tuple, lambda: b""),
            Front(Site.load(Path("no-such-folder")), _shown),
            GatewaySettings(),
            RandomIds(),
        )

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A caller without a session."""
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 50_000))
        return httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN, **headers}
        )

    async def signed_in(self, name: str, code: str = "", tenant: str = HOME) -> httpx.AsyncClient:
        """A browser after signing in with the password of the tests."""
        asked = {"tenant": tenant, "name": name, "password": PASSWORD, "code": code}
        async with self.client() as entering:
            answer = await entering.post("/api/v1/signin", json=asked)
        assert answer.status_code == 201, answer.text
        client = self.client(**{"x-plan2-csrf": answer.json()["csrf"]})
        client.cookies = entering.cookies
        return client

    @contextmanager
    def behind_a_socket(self) -> Iterator[str]:
        """Answer real HTTP on a port of this machine; its address."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        app = self.app

        class Bridge(BaseHTTPRequestHandler):
            """Hands each request to the application."""

            def answer(self) -> None:
                """One request, one answer."""
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                work = asyncio.run_coroutine_threadsafe(self._ask(body), loop)
                answer = work.result(30)
                self.send_response(answer.status_code)
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            async def _ask(self, body: bytes) -> httpx.Response:
                transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50_000))
                async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                    headers = {**dict(self.headers), "host": HOST, "origin": ORIGIN}
                    return await client.request(
                        self.command, self.path, content=body, headers=headers
                    )

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer  # noqa: N815 - their names

            def log_message(self, *_: Any) -> None:  # what the library hands over
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()
            server.server_close()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


def _shown(session: Session) -> FallbackState:
    return FallbackState(trading_state="halted", open_positions=0, csrf="", command_key="")
