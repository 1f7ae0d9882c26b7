"""What a picture shows: the errand of the child that draws it."""

from typing import Any

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """A kind, `equity` or `trade`, and the data that the child draws from."""

    kind: str
    data: dict[str, Any]  # plain JSON; `picture_child` knows the shape of each kind
