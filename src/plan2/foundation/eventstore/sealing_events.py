"""Personal fields of events: sealed before an event is stored, opened for those who may see them.

The stored payload holds the fields as "", their values are JSON sealed with the subject's key in
`sealed`, and `key_id` names the subject. The hash covers the sealed bytes, so destroying the key
erases the values and leaves the chain whole.
"""

import enum
from typing import Final

import msgspec

from plan2.foundation.errors import Plan2Error
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import NAME_OF
from plan2.foundation.events.people import PERSONAL
from plan2.foundation.eventstore.record import Encoded, NewEvent, StoredEvent, encode
from plan2.foundation.log import logger
from plan2.foundation.secrets.sealing import KeyGone, KeysUnavailable, Place, SealBroken, Sealer
from plan2.foundation.values import TenantId

NOT_KEPT: Final = "[not kept: no key]"
"""Stands in the payload where a value could not be sealed: an event never waits for a key."""
MASK: Final = "•••"


class PersonalState(enum.StrEnum):
    """What is known of an event's personal fields."""

    NONE = "none"
    """It has none."""
    MASKED = "masked"
    """They are there; who asks may not see them."""
    OPENED = "opened"
    ERASED = "erased"
    """The subject's key was destroyed."""
    UNREADABLE = "unreadable"
    """The seal does not fit, or no key can be had now."""


class Opened(msgspec.Struct, frozen=True):
    """The personal fields of a stored event, as far as they can be read."""

    state: PersonalState
    fields: dict[str, str]


def has_personal(event: Event) -> bool:
    """Whether an event carries personal values that must be sealed."""
    declared = PERSONAL.get(NAME_OF.get(type(event), ""))
    return declared is not None and any(getattr(event, name) for name in declared[1])


class EventSealer:
    """Seals the personal fields of one tenant's events on their way into the store."""

    def __init__(self, sealer: Sealer, tenant: TenantId) -> None:
        self._sealer = sealer
        self._tenant = tenant

    async def seal(self, each: Encoded) -> Encoded:
        """The event as it is stored; one without personal values is returned as it is."""
        if not has_personal(each.new.event):
            return each
        subject_field, names = PERSONAL[each.type]
        event = each.new.event
        subject = str(getattr(event, subject_field))
        values = {name: getattr(event, name) for name in names if getattr(event, name)}
        place = place_of(self._tenant, each.new.event_id, subject)
        try:
            sealed = await self._sealer.seal(place, msgspec.json.encode(values))
        except KeyGone:
            return _replaced(each, dict.fromkeys(values, ""), None, subject)
        except (KeysUnavailable, SealBroken) as error:
            logger("audit").warning("personal_fields_not_kept", kind=each.type, reason=str(error))
            return _replaced(each, dict.fromkeys(values, NOT_KEPT), None, subject)
        return _replaced(each, dict.fromkeys(values, ""), sealed, subject)


async def open_personal(sealer: Sealer, tenant: TenantId, stored: StoredEvent) -> Opened:
    """The personal fields of a stored event, or why they cannot be shown."""
    if stored.sealed is None:
        return _without_seal(stored)
    place = place_of(tenant, stored.event_id, stored.key_id)
    try:
        plain = await sealer.open(place, stored.sealed)
        return Opened(PersonalState.OPENED, msgspec.json.decode(plain, type=dict[str, str]))
    except KeyGone:
        return Opened(PersonalState.ERASED, {})
    except (SealBroken, KeysUnavailable, msgspec.MsgspecError) as error:
        reason = error.code if isinstance(error, Plan2Error) else str(error)
        logger("audit").warning("seal_unreadable", position=stored.position, reason=reason)
        return Opened(PersonalState.UNREADABLE, {})


def masked(stored: StoredEvent) -> Opened:
    """What somebody sees who may not see personal fields."""
    if stored.sealed is None:
        return _without_seal(stored)
    _, names = PERSONAL.get(stored.type, ("", ()))
    return Opened(PersonalState.MASKED, dict.fromkeys(names, MASK))


def _without_seal(stored: StoredEvent) -> Opened:
    is_gone = stored.type in PERSONAL and bool(stored.key_id)
    return Opened(PersonalState.ERASED if is_gone else PersonalState.NONE, {})


def place_of(tenant: TenantId, event_id: str, subject: str) -> Place:
    """What an event's seal is bound to."""
    return Place(tenant_id=tenant, table="event", column="sealed", row=event_id, subject=subject)


def _replaced(each: Encoded, values: dict[str, str], sealed: bytes | None, subject: str) -> Encoded:
    event = msgspec.structs.replace(each.new.event, **values)
    new: NewEvent = msgspec.structs.replace(each.new, event=event, sealed=sealed, key_id=subject)
    return encode(new)
