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
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from plan2 import __version__
from plan2.connectivity.gateway.answers import is_shown
from plan2.connectivity.gateway.openapi import METHODS, Json, declared_queries, refine
from plan2.connectivity.gateway.pages import docs_page


class DocsRoutes:
    """`/api/openapi.json` and `/api/docs`; `queries` are the parameters that operations take."""

    def __init__(self, described: Sequence[ControllerRouterHandler]) -> None:
        config = OpenAPIConfig(title="Plan2", version=__version__, use_handler_docstrings=True)
        app = Litestar(described, openapi_config=config, logging_config=None)
        schema = refine(app.openapi_schema.to_schema(), _bodies(app))
        self.queries = declared_queries(schema)
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
        if is_shown(self._etag, request.headers.get("if-none-match", "")):
            return Response(b"", status_code=304, headers=headers)
        media_type = "application/vnd.oai.openapi+json"
        return Response(self._json, media_type=media_type, headers=headers)

    async def page(self) -> Response[bytes]:
        """All operations on one page, without scripts."""
        return Response(self._page, media_type="text/html")


def _bodies(app: Litestar) -> list[type[msgspec.Struct]]:
    """The structs that request bodies are read into."""
    fields = (
        handler.parsed_data_field
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
    )
    types = {field.annotation for field in fields if field is not None}
    structs = [each for each in types if isinstance(each, type)]
    return sorted((each for each in structs if issubclass(each, msgspec.Struct)), key=str)


def _operations(schema: Json) -> list[tuple[str, str, str]]:
    """Method, path and description of each operation, by path."""
    return [
        (method.upper(), path, str(item[method].get("description", "")).split("\n")[0])
        for path, item in sorted(schema.get("paths", {}).items())
        for method in METHODS
        if method in item
    ]
