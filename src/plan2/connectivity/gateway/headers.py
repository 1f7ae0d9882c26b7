"""Request headers by name: read into a dictionary once, asked for by every layer.

Only where each name came once: of several with one name, layers want the first, any or all, and
then they walk the list as it came.
"""

from typing import Final

from litestar.types import Scope

BY_NAME: Final = "headers_by_name"
"""In the state of a request that the perimeter has seen."""


def by_name(scope: Scope) -> dict[bytes, bytes]:
    """The headers; of several with one name the last. Kept with the request where there are none.

    The perimeter asks once, for every layer behind it.
    """
    headers = list(scope["headers"])
    found = dict(headers)
    if len(found) == len(headers):
        scope["state"][BY_NAME] = found
    return found


def header(scope: Scope, wanted: bytes) -> str:
    """The first value of a header, "" without one."""
    known: dict[bytes, bytes] | None = scope.get("state", {}).get(BY_NAME)
    if known is not None:
        return known.get(wanted, b"").decode("latin-1")
    for name, value in scope["headers"]:
        if name == wanted:
            return value.decode("latin-1")
    return ""
