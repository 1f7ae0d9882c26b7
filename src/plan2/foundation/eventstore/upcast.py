"""Old events read as new ones: pure functions that lift a payload from one version to the next.

What is stored is never rewritten. When the shape of an event changes, its version in the catalogue
goes up by one, a function from the old shape to the new one is added to `UPCASTERS`, and a golden
sample of the new version joins the tests.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import STORED
from plan2.foundation.eventstore.record import StoredEvent

Payload = dict[str, Any]  # decoded JSON of one version of one event
Upcaster = Callable[[Payload], Payload]
Catalogue = Mapping[str, tuple[int, type[Event]]]

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""(type, version) → the function that makes a payload of the next version."""


def upcast(
    type_: str,
    schema_ver: int,
    payload: bytes,
    catalogue: Catalogue = STORED,
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
) -> Event:
    """The event as today's class, whatever version it was stored in.

    Raises:
        InvariantBroken: the type is unknown, the version is newer than this program, a step of the
            chain is missing, or the payload does not fit.
    """
    known = catalogue.get(type_)
    if known is None:
        raise InvariantBroken(f"the store holds an event of unknown type {type_!r}")
    newest, cls = known
    try:
        if schema_ver == newest:
            return msgspec.json.decode(payload, type=cls)
        data: Payload = msgspec.json.decode(payload)
        for version in range(schema_ver, newest):
            data = upcasters[type_, version](data)
        if schema_ver > newest:
            raise InvariantBroken(
                f"{type_} version {schema_ver} was written by a newer Plan2; "
                f"this one reads up to {newest}",
                remedy="Install the newer version again.",
            )
        return msgspec.convert(data, cls)
    except KeyError as error:
        raise InvariantBroken(
            f"{type_} version {schema_ver} cannot be lifted to {newest}: step {error} is missing"
        ) from error
    except msgspec.MsgspecError as error:
        raise InvariantBroken(
            f"a stored {type_} version {schema_ver} is broken: {error}"
        ) from error


def restore(stored: StoredEvent) -> Event:
    """The stored event as an object of today's class.

    Raises:
        InvariantBroken: see `upcast`.
    """
    return upcast(stored.type, stored.schema_ver, stored.payload)
