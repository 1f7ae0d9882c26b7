"""A fact: an event on its way into the event store, named so that a repetition is recognised."""

import msgspec

from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import NAME_OF
from plan2.foundation.ids import derived_id


class Fact(msgspec.Struct, frozen=True):
    """An event with the stream it belongs to and an id that a repetition would share."""

    stream: str
    event_id: str
    event: Event
    correlation_id: str = ""


def fact(stream: str, event: Event, *identity: object, correlation_id: str = "") -> Fact:
    """A fact whose id depends on its type, stream and `identity` only."""
    event_id = derived_id(NAME_OF[type(event)], stream, *identity)
    return Fact(stream, event_id, event, correlation_id)
