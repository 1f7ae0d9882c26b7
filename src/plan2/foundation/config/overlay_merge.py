"""How the levels become one value: global, then tenant, then person, unless a lock stands above."""

from collections.abc import Mapping, Sequence

import msgspec

from plan2.foundation.config.overlay_keys import OVERRIDABLE, SettingScope


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What was set for a key in one scope.

    Attributes:
        value: JSON; None when only the lock was set.
        is_locked: nobody below may override it.
        changed_ns: UTC. changed_by: an actor such as `user:…`.
    """

    value: str | None
    is_locked: bool = False
    changed_ns: int = 0
    changed_by: str = ""
    reason: str = ""


Layer = Mapping[str, Entry]
"""Key → what was set; one scope of one tenant or person."""
Layers = Sequence[tuple[SettingScope, Layer]]
"""The layers that bear on somebody, the widest first."""


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a key.

    Attributes:
        value: JSON; None leaves what the file, a variable or the default says.
        origin: the scope that decided; None when none did.
        locked_by: the scope whose lock keeps the ones below from overriding.
        ignored: scopes that say something else, below that lock.
    """

    value: str | None = None
    origin: SettingScope | None = None
    locked_by: SettingScope | None = None
    ignored: tuple[SettingScope, ...] = ()


def merge(layers: Layers) -> dict[str, Merged]:
    """What holds for each key that some layer names; the narrowest wins, but no lock is passed."""
    merged: dict[str, Merged] = {}
    for scope, layer in layers:
        for key, entry in layer.items():
            if key in OVERRIDABLE and scope in OVERRIDABLE[key].scopes:
                merged[key] = _with(merged.get(key, Merged()), scope, entry)
    return merged


def _with(above: Merged, scope: SettingScope, entry: Entry) -> Merged:
    if above.locked_by is not None:
        return msgspec.structs.replace(above, ignored=(*above.ignored, scope))
    locked_by = scope if entry.is_locked else None
    if entry.value is None:
        return msgspec.structs.replace(above, locked_by=locked_by)
    return Merged(value=entry.value, origin=scope, locked_by=locked_by)
