"""Settings of every scope against a merge in twenty lines that works in another way (R-062)."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from plan2.foundation.config.overlay_keys import GLOBAL, TENANT, USER, SettingScope
from plan2.foundation.config.overlay_merge import Entry, Layer, merge

KEYS = ("ui.theme", "ui.language", "ui.quiet_from", "risk.positions_max", "quota.users")
ORDER = (GLOBAL, TENANT, USER)
NARROWEST = {"ui": 3, "risk": 2, "quota": 2}
"""How many of the scopes a section has."""

entries = st.builds(
    lambda value, is_locked: Entry(value=value, is_locked=is_locked or value is None),
    st.one_of(st.none(), st.sampled_from(["1", "2", '"dark"'])),
    st.booleans(),
)
layers = st.dictionaries(st.sampled_from([*KEYS, "server.port", "risk.gone"]), entries)


def reference(key: str, stack: list[Layer]) -> tuple[str | None, SettingScope | None]:
    """What holds for a key: cut the stack below the first lock, then take the last value."""
    entries = [
        (scope, layer[key])
        for scope, layer in list(zip(ORDER, stack, strict=True))[: NARROWEST[key.partition(".")[0]]]
        if key in layer
    ]
    first_lock = next((at for at, (_, entry) in enumerate(entries) if entry.is_locked), None)
    heard = entries if first_lock is None else entries[: first_lock + 1]
    values = [(entry.value, scope) for scope, entry in heard if entry.value is not None]
    return values[-1] if values else (None, None)


@given(st.lists(layers, min_size=3, max_size=3))
def test_it_merges_as_the_reference_does(stack: list[Layer]) -> None:
    """Same value, same origin, for every key; what cannot be overridden never appears."""
    merged = merge(list(zip(ORDER, stack, strict=True)))
    for key in KEYS:
        found = merged.get(key)
        seen = (found.value, found.origin) if found else (None, None)
        assert seen == reference(key, stack)
    assert not {"server.port", "risk.gone"} & merged.keys()


@given(st.lists(layers, min_size=3, max_size=3), st.sampled_from(KEYS))
def test_nothing_below_a_lock_changes_what_holds(stack: list[Layer], key: str) -> None:
    """Whatever narrower scopes say about a key that the installation has locked."""
    locked = {**stack[0], key: Entry(value="3", is_locked=True)}
    alone = merge([(GLOBAL, locked)])[key]
    all_of_them = merge(list(zip(ORDER, [locked, *stack[1:]], strict=True)))[key]
    assert (all_of_them.value, all_of_them.origin) == (alone.value, alone.origin) == ("3", GLOBAL)
    said_below = [
        scope
        for scope, layer in zip(ORDER[1:], stack[1:], strict=True)
        if key in layer and ORDER.index(scope) < NARROWEST[key.partition(".")[0]]
    ]
    assert list(all_of_them.ignored) == said_below


@given(st.lists(layers, min_size=3, max_size=3))
def test_the_same_layers_give_the_same_bytes(stack: list[Layer]) -> None:
    """Whatever order the keys were read in."""
    turned = [dict(reversed(list(layer.items()))) for layer in stack]
    once = merge(list(zip(ORDER, stack, strict=True)))
    again = merge(list(zip(ORDER, turned, strict=True)))
    encode = msgspec.json.Encoder(order="sorted").encode
    assert encode(once) == encode(again)
