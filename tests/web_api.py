"""The REST API's description as the web app's client is made from it: what shapes types, no more.

`python tests/web_api.py` writes `openapi.json` of the web folder; `npm run api` there makes the
types from it. Texts and bounds are left out, so that only what changes a type changes the file.
"""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig

from plan2.connectivity import gateway
from plan2.interface import api

WEB = Path(__file__).parents[1] / "src" / "plan2" / "interface" / "web"
DOCUMENT = WEB / "openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")
ROOT = "/api/v1/"
SHAPING = (
    *("$ref", "type", "enum", "const", "oneOf", "anyOf", "allOf", "items", "prefixItems"),
    *("properties", "required", "additionalProperties"),
)


def route_classes() -> Iterator[type]:
    """Every class of the gateway and of the interface that offers routes."""
    for package in (api, gateway):
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for _, kind in inspect.getmembers(module, inspect.isclass):
                if kind.__module__ == module.__name__ and hasattr(kind, "handlers"):
                    yield kind


def handlers() -> list[HTTPRouteHandler]:
    """Their HTTP routes; nothing stands behind them, as only their signatures are looked at."""
    found = []
    for kind in route_classes():
        if kind.__name__ in ("DocsRoutes", "SiteRoutes"):
            continue
        offered = kind.handlers(object.__new__(kind))
        found += [one for one in offered if isinstance(one, HTTPRouteHandler)]
    return [one for one in found if any(path.startswith(ROOT) for path in one.paths)]


def document() -> dict[str, Any]:
    """Paths and schemas, each with what shapes its type."""
    config = OpenAPIConfig(title="Plan2", version="1")
    app = Litestar(handlers(), openapi_config=config, logging_config=None)
    whole = app.openapi_schema.to_schema()
    return {
        "paths": {
            path: {method: operation(item[method]) for method in METHODS if method in item}
            for path, item in whole["paths"].items()
        },
        "components": {
            "schemas": {
                name: shape(schema) for name, schema in whole["components"]["schemas"].items()
            }
        },
    }


def operation(whole: dict[str, Any]) -> dict[str, Any]:
    """What is given and what is answered when all goes well."""
    kept: dict[str, Any] = {
        "responses": {
            status: contents(answer)
            for status, answer in whole.get("responses", {}).items()
            if status.startswith("2")
        }
    }
    parameters = [
        {"name": one["name"], "in": one["in"], "required": one["required"]}
        | {"schema": shape(one.get("schema", {}))}
        for one in whole.get("parameters", [])
        if one["in"] in ("path", "query")
    ]
    if parameters:
        kept["parameters"] = sorted(parameters, key=lambda one: (one["in"], one["name"]))
    if "requestBody" in whole:
        kept["requestBody"] = contents(whole["requestBody"])
    return kept


def contents(whole: dict[str, Any]) -> dict[str, Any]:
    """The schemas of a body by media type."""
    if not whole.get("content"):
        return {}
    return {
        "content": {
            media: {"schema": shape(body.get("schema", {}))}
            for media, body in whole["content"].items()
        }
    }


def shape(schema: Any) -> Any:
    """A schema without its texts and bounds."""
    if isinstance(schema, list):
        return [shape(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key in SHAPING:
        if key not in schema:
            continue
        value = schema[key]
        is_named = key == "properties" and isinstance(value, dict)
        kept[key] = {name: shape(one) for name, one in value.items()} if is_named else shape(value)
    if "required" in kept:
        kept["required"] = sorted(kept["required"])
    return kept


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
