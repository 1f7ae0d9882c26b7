"""Routes of the web app's files, and of the page that stands in when it was not built."""

from collections.abc import Callable

from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.answers import is_shown
from plan2.connectivity.gateway.pages import FallbackState, fallback_page
from plan2.connectivity.gateway.problems import RequestRefused
from plan2.connectivity.gateway.static import Asset, Site, choose, is_page
from plan2.connectivity.identity.principal import Session

OpenRequest = Request[None, Session | None, State]
"""A request that may come without a session."""

ShowState = Callable[[Session], FallbackState]
"""What the fallback page shows to somebody who is signed in."""


class SiteRoutes:
    """Serves the built app, or says why there is none."""

    def __init__(self, site: Site, show_state: ShowState) -> None:
        self._site = site
        self._show_state = show_state

    def handlers(self) -> list[HTTPRouteHandler]:
        """One route; `/health` is named because `/health/live` would hide that page of the app."""
        return [
            route(
                ["/", "/health", "/{file_path:path}"],
                http_method=[HttpMethod.GET, HttpMethod.HEAD],
                include_in_schema=False,
            )(self.serve)
        ]

    async def serve(self, request: OpenRequest) -> Response[bytes]:
        """A file, the app's page for every path that may be a page, or 404."""
        path = request.scope["path"]
        asset = self._site.find(path)
        if asset is not None:
            return _answer(asset, request)
        if self._site.missing_reason and is_page(path):
            session = request.auth
            state = self._show_state(session) if session is not None else None
            body = fallback_page(self._site.missing_reason, state)
            return Response(
                body,
                media_type="text/html",
                headers={"cache-control": "no-store"},
            )
        raise RequestRefused(404, "not_found", "There is nothing at this address.")


def _answer(asset: Asset, request: OpenRequest) -> Response[bytes]:
    headers = {
        "cache-control": asset.cache_control,
        "etag": asset.etag,
        "vary": "accept-encoding",
    }
    if is_shown(asset.etag, request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    body, coding = choose(asset, request.headers.get("accept-encoding", ""))
    if coding:
        headers["content-encoding"] = coding
    return Response(body, media_type=asset.media_type, headers=headers)
