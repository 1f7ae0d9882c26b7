"""The API's description: OpenAPI as JSON and a first-party page, made once at the start.

The description is made from a second, throw-away application with the same handlers, so that no
route exists that the table of rights does not know.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from plan2 import __version__
from plan2.connectivity.gateway.pages import docs_page

METHODS = ("get", "post", "put", "patch", "delete")


class DocsRoutes:
    """`/api/openapi.json` and `/api/docs`."""

    def __init__(self, described: Sequence[ControllerRouterHandler]) -> None:
        config = OpenAPIConfig(title="Plan2", version=__version__, use_handler_docstrings=True)
        app = Litestar(described, openapi_config=config, logging_config=None)
        schema: dict[str, Any] = app.openapi_schema.to_schema()  # OpenAPI is open by nature
        self._json = msgspec.json.encode(schema)
        self._etag = '"' + hashlib.sha256(self._json).hexdigest()[:24] + '"'
        self._page = docs_page(f"Plan2 {__version__}: API", _operations(schema))

    def handlers(self) -> list[HTTPRouteHandler]:
        """The two routes."""
        return [
            get("/api/openapi.json", include_in_schema=False)(self.openapi),
            get("/api/docs", include_in_schema=False)(self.page),
        ]

    async def openapi(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The OpenAPI 3.1 description."""
        headers = {"etag": self._etag}
        if request.headers.get("if-none-match") == self._etag:
            return Response(b"", status_code=304, headers=headers)
        media_type = "application/vnd.oai.openapi+json"
        return Response(self._json, media_type=media_type, headers=headers)

    async def page(self) -> Response[bytes]:
        """All operations on one page, without scripts."""
        return Response(self._page, media_type="text/html")


def _operations(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Method, path and description of each operation, by path."""
    return [
        (method.upper(), path, str(item[method].get("description", "")).split("\n")[0])
        for path, item in sorted(schema.get("paths", {}).items())
        for method in METHODS
        if method in item
    ]
