"""JSON bodies as we accept them: shallow, without duplicate names, NaN, Infinity or broken text.

Two parsers that resolve a duplicate name differently would let one request mean two things; so
such bodies are refused before anything looks at them. For the same reason a text is no number and
a number no yes or no, though the library that fills in bodies would take it as one.
"""

import json
import math
import re
from typing import Any, Final, NoReturn

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler

from plan2.connectivity.gateway.problems import RequestRefused

DEPTH_MAX: Final = 64
DIGITS_MAX: Final = 300
"""Digits of an integer; more would not fit a floating-point field."""

_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BROKEN: Final = re.compile("[\\x00\\ud800-\\udfff]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def parse(body: bytes) -> Json:
    """The value of a JSON text in UTF-8.

    Raises:
        RequestRefused: 400 with code json_invalid, json_too_deep or json_duplicate_name.
    """
    _check_depth(body)
    try:
        value: Json = json.loads(
            body.decode(),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_exact,
        )
    except UnicodeDecodeError:
        raise RequestRefused(400, "json_invalid", "The body is not UTF-8.") from None
    except ValueError as error:
        raise RequestRefused(400, "json_invalid", f"The body is not JSON: {error}.") from None
    if b"\\u" in body:  # only escapes can bring in what UTF-8 cannot say
        _check_text(value)
    return value


class StrictRequest(Request[Any, Any, Any]):  # user, auth and state are Litestar's open types
    """A request whose JSON body is parsed by `parse`, whatever route reads it."""

    async def json(self) -> Json:
        """The body, once parsed and kept.

        Raises:
            RequestRefused: not JSON as we accept it, or not declared as JSON.
        """
        kept = self.scope["state"].get("json_body", ...)
        if kept is not ...:
            return kept  # type: ignore[no-any-return]  # set below, to a Json
        media_type = self.content_type[0]
        if media_type != "application/json":
            raise RequestRefused(
                415,
                "unsupported_media_type",
                f"The body is declared as {media_type or 'nothing'}; application/json is expected.",
            )
        value = parse(await self.body())
        self._check_types(value)
        self.scope["state"]["json_body"] = value
        return value

    def _check_types(self, value: Json) -> None:
        """Refuse what fits the route's body only after a conversion.

        Raises:
            RequestRefused: 400. What does not fit at all is left to the route, which says more.
        """
        handler = self.scope.get("route_handler")
        field = handler.parsed_data_field if isinstance(handler, HTTPRouteHandler) else None
        if field is None:
            return
        try:
            msgspec.convert(_whole(value), field.annotation)
        except msgspec.ValidationError as error:
            if _fits_somehow(value, field.annotation):
                raise RequestRefused(400, "invalid_parameter", f"body: {error}.") from None


def _whole(value: Json) -> Json:
    """The same with 1.0 as 1: JSON knows one kind of number only."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    return value


def _fits_somehow(value: Json, kind: Any) -> bool:  # whatever a route declares
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _check_depth(body: bytes) -> None:
    depth = 0
    for bracket in _STRINGS.sub(b"", body).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_MAX:
            raise RequestRefused(
                400, "json_too_deep", f"The body nests deeper than {DEPTH_MAX} levels."
            )


def _check_text(value: Json) -> None:
    """NUL and halves of a surrogate pair are legal JSON, but no text that can be stored."""
    if isinstance(value, str):
        if _BROKEN.search(value):
            raise RequestRefused(
                400, "json_invalid", "A text of the body holds NUL or half a character."
            )
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            _check_text(member)
    elif isinstance(value, list):
        for member in value:
            _check_text(member)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is beyond any number")
    return number


def _exact(text: str) -> int:
    if len(text) > DIGITS_MAX:
        raise ValueError(f"an integer of {len(text)} digits is beyond any number")
    return int(text)


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestRefused(400, "json_duplicate_name", f"The body names {twice!r} twice.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
