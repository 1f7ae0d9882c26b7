"""Every error as `application/problem+json` with a stable code and a remedy.

The map from our tree of exceptions to HTTP is here and nowhere else. What a caller may know is in
the message; anything unforeseen answers 500 without detail and is logged under the request id.
"""

from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from plan2.foundation.errors import (
    ConfigError,
    InputError,
    OutcomeUnknown,
    Plan2Error,
    Recoverable,
    Unrecoverable,
    VersionConflict,
)
from plan2.foundation.log import logger

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2

TITLES: Final[dict[int, str]] = {
    400: "Bad request",
    401: "Signed out",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Unusable input",
    429: "Too many requests",
    431: "Headers too large",
    500: "Fault of the server",
    503: "Unavailable",
    504: "Outcome unknown",
}

CODES: Final[dict[int, str]] = {
    400: "bad_request",
    401: "signed_out",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "input_invalid",
    429: "rate_limited",
    503: "unavailable",
}

STATUS_OF: Final[tuple[tuple[type[Plan2Error], int], ...]] = (
    (InputError, 422),
    (Recoverable, 503),
    (OutcomeUnknown, 504),
    (VersionConflict, 409),
    (ConfigError, 500),
    (Unrecoverable, 500),
    (Plan2Error, 500),
)
"""The first class that fits decides."""


class RequestRefused(Plan2Error):
    """A request that is answered with a problem of its own; `code` is stable for scripts."""

    def __init__(self, status: int, code: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.code = code


class RuleRefused(RequestRefused):
    """A rule of the risk gate said no; `value` is what it saw, account or quote currency."""

    def __init__(self, rule: str, message: str, value: float, limit: float) -> None:
        super().__init__(422, "denied", message)
        self.rule = rule
        self.value = value
        self.limit = limit


class InvalidField(msgspec.Struct, frozen=True):
    """One parameter or body field that cannot be used, and why."""

    field: str
    source: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457 problem details with our code, remedy and request id.

    When a rule refused: its name, what it saw and its limit.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    remedy: str = ""
    errors: tuple[InvalidField, ...] = ()
    rule: str = ""
    value: float | None = None
    limit: float | None = None


def problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    *,
    remedy: str = "",
    errors: tuple[InvalidField, ...] = (),
) -> Problem:
    """A problem with the title of its status."""
    return Problem(
        type=f"urn:plan2:problem:{code}",
        title=TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        remedy=remedy,
        errors=errors,
    )


def problem_of(error: Exception, request_id: str) -> Problem:
    """What a caller is told about `error`."""
    if isinstance(error, RuleRefused):
        told = problem(error.status, error.code, error.message, request_id)
        return msgspec.structs.replace(told, rule=error.rule, value=error.value, limit=error.limit)
    if isinstance(error, RequestRefused):
        return problem(error.status, error.code, error.message, request_id, remedy=error.remedy)
    if isinstance(error, Plan2Error):
        status = next(status for cls, status in STATUS_OF if isinstance(error, cls))
        return problem(status, error.code, error.message, request_id, remedy=error.remedy)
    if isinstance(error, ValidationException):
        return _invalid(error, request_id)
    if isinstance(error, HTTPException) and error.status_code < 500:
        status = error.status_code
        code = CODES.get(status, "bad_request")
        return problem(status, code, error.detail or TITLES.get(status, ""), request_id)
    return problem(
        500,
        "internal",
        "Something unforeseen happened.",
        request_id,
        remedy="The log has the details under this request id.",
    )


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything that a route raises."""
    request_id = str(request.scope.get("state", {}).get("request_id", ""))
    found = problem_of(error, request_id)
    request.scope.setdefault("state", {})["problem_code"] = found.code
    if found.status >= 500 and not isinstance(error, RequestRefused):
        logger("gateway").error(
            "request_failed",
            request_id=request_id,
            path=request.scope["path"],
            code=found.code,
            exc_info=error,
        )
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if found.status == 401:
        headers["www-authenticate"] = "Bearer"
    if found.status == 503:
        headers["retry-after"] = str(RETRY_AFTER_S)
    return Response(
        msgspec.json.encode(found),
        status_code=found.status,
        media_type=PROBLEM_JSON,
        headers=headers,
    )


def _invalid(error: ValidationException, request_id: str) -> Problem:
    fields = tuple(_fields(error.extra))
    detail = "; ".join(f"{item.field} ({item.source}): {item.message}" for item in fields)
    return problem(
        400,
        "invalid_parameter",
        detail or error.detail,
        request_id,
        remedy="GET /api/docs lists every parameter with its range.",
        errors=fields,
    )


def _fields(extra: object) -> list[InvalidField]:
    """Litestar's own list of faults; its shape is not promised, so each part is optional."""
    if not isinstance(extra, list):
        return []
    return [
        InvalidField(
            field=str(item.get("key", "body")),
            source=str(item.get("source", "body")).rpartition(".")[2].lower(),
            message=str(item.get("message", "")),
        )
        for item in extra
        if isinstance(item, dict)
    ]
