"""Makes the generated OpenAPI description say all that the gateway does beside the routes.

Who may call what, which headers unsafe requests take, every status that a refusal can have, and
that bodies with unknown members are refused: all of it from the table of rights and the table of
problems, so that it cannot differ from what is done.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from plan2.connectivity.gateway.problems import PROBLEM_JSON, TITLES, Problem
from plan2.connectivity.identity.right_table import Route, rule_for
from plan2.connectivity.identity.rights import Entrance, Proof, Rule

Json = dict[str, Any]  # an OpenAPI document is open by nature

METHODS: Final = ("get", "post", "put", "patch", "delete")
UNSAFE: Final = frozenset({"post", "put", "patch", "delete"})
REFUSALS: Final = (400, 403, 404, 429, 500, 503)
"""Statuses that any route may answer with."""
REFUSALS_SIGNED_IN: Final = (401, 409, 422)
REFUSALS_UNSAFE: Final = (409, 410, 413, 415, 422, 504)
SCHEMES: Final[Json] = {
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "p2_session",
        "description": "A browser's session; over TLS the cookie is `__Host-p2_session`. Unsafe "
        "requests carry `X-Plan2-CSRF` as well, and come from our own origin.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of a session, or an API key (`p2_…`).",
    },
}
CSRF: Final[Json] = {
    "name": "X-Plan2-CSRF",
    "in": "header",
    "required": False,
    "description": "`csrf` of GET /api/v1/session; required with a cookie.",
    "schema": {"type": "string", "maxLength": 128},
}
IDEMPOTENCY: Final[Json] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Names the request: a repetition with the same key within 24 hours gets the "
    "same answer and does nothing.",
    "schema": {
        "type": "string",
        "minLength": 8,
        "maxLength": 128,
        "pattern": r"^[\x21-\x7e]+$",
    },
}
NO_NUL: Final = r"^[^\x00]*$"
NOT_MODIFIED: Final[Json] = {"description": "The caller has this answer already (If-None-Match)."}


def refine(schema: Json, bodies: Sequence[type[msgspec.Struct]]) -> Json:
    """Complete a generated description in place; returns it.

    Args:
        schema: as Litestar makes it.
        bodies: what request bodies are read into. msgspec describes them as it checks them: with
            every range, and without unknown members.
    """
    components = schema.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    schemas = components.setdefault("schemas", {})
    schemas.update(_schemas_of([Problem]))
    of_bodies = _schemas_of(bodies)
    _refuse_nul(of_bodies)
    schemas.update(of_bodies)
    for path, item in schema.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                _complete(path, method, item[method])
    return schema


def declared_queries(schema: Json) -> dict[Route, frozenset[str]]:
    """The query parameters of every described operation."""
    return {
        (method.upper(), path): frozenset(
            each["name"] for each in item[method].get("parameters", ()) if each["in"] == "query"
        )
        for path, item in schema.get("paths", {}).items()
        for method in METHODS
        if method in item
    }


def _complete(path: str, method: str, operation: Json) -> None:
    rule = rule_for(method.upper(), path)
    is_signed_in = rule is not None and rule.entrance is Entrance.SESSION
    operation["security"] = [{"cookie": []}, {"bearer": []}] if is_signed_in else []
    if rule is not None and is_signed_in:
        operation["x-plan2-rights"] = _rights(rule)
    if method in UNSAFE and rule is not None and is_signed_in:
        _add_headers(rule, operation)
    responses = operation.setdefault("responses", {})
    own = {status: responses.pop(status) for status in sorted(responses) if status >= "400"}
    statuses = {*REFUSALS}
    statuses.update(REFUSALS_SIGNED_IN if is_signed_in else (401,) if method in UNSAFE else ())
    statuses.update(REFUSALS_UNSAFE if method in UNSAFE else ())
    responses.update({str(status): _refusal(status) for status in sorted(statuses)})
    for status in own.keys() & {"503"}:
        responses[status]["content"].update(own[status]["content"])
    if method == "get" and "application/json" in responses.get("200", {}).get("content", {}):
        responses["304"] = NOT_MODIFIED


def _rights(rule: Rule) -> Json:
    return {
        "roles": sorted(rule.roles),
        "scope": str(rule.scope),
        "operator": rule.operator,
        "step_up": rule.step_up,
    }


def _add_headers(rule: Rule, operation: Json) -> None:
    parameters = operation.setdefault("parameters", [])
    named = {each["name"] for each in parameters}
    wanted = (CSRF, IDEMPOTENCY) if rule.proof is Proof.HEADER else (IDEMPOTENCY,)
    parameters.extend(each for each in wanted if each["name"] not in named)


def _refusal(status: int) -> Json:
    return {
        "description": TITLES[status],
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _schemas_of(types: Sequence[type[msgspec.Struct]]) -> Json:
    _, found = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return dict(found)


def _refuse_nul(part: object) -> None:
    """Say of every text without a pattern what the parser refuses in all of them."""
    if isinstance(part, dict):
        if part.get("type") == "string" and not part.keys() & {"pattern", "enum", "format"}:
            part["pattern"] = NO_NUL
        for each in part.values():
            _refuse_nul(each)
    elif isinstance(part, list):
        for each in part:
            _refuse_nul(each)
