"""History stays readable: every version of every stored type has a sample that loads today."""

import json
from pathlib import Path

import msgspec
import pytest

from plan2.foundation.errors import InvariantBroken
from plan2.foundation.events.base import Event
from plan2.foundation.events.catalog import NAME_OF, STORED
from plan2.foundation.eventstore.upcast import UPCASTERS, Payload, upcast

GOLDEN = Path(__file__).parent / "golden_events"
VERSIONS = [
    (name, version) for name, (newest, _) in STORED.items() for version in range(1, newest + 1)
]


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_every_version_has_a_sample_that_loads(name: str, version: int) -> None:
    """R-013: the sample becomes today's class; one of today's version loses nothing on the way.

    Fields that were added with a default since are missing in the sample and filled in.
    """
    path = GOLDEN / f"{name}.v{version}.json"
    assert path.is_file(), f"write a golden sample of {name} version {version} to {path}"
    newest, cls = STORED[name]
    event = upcast(name, version, path.read_bytes())
    assert type(event) is cls
    if version == newest:
        sample, today = json.loads(path.read_text()), json.loads(msgspec.json.encode(event))
        added = today.keys() - sample.keys()
        defaults = {
            field.name: field.default
            if field.default is not msgspec.NODEFAULT or field.default_factory is msgspec.NODEFAULT
            else field.default_factory()
            for field in msgspec.structs.fields(cls)
        }
        expected = sample | {name: defaults[name] for name in added}
        assert today == json.loads(msgspec.json.encode(expected))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*-full.json")), ids=lambda path: path.name)
def test_every_full_sample_is_kept_whole(path: Path) -> None:
    """R-013: a sample with the fields that came later reads and writes as it is."""
    name, _, version = path.name.removesuffix("-full.json").partition(".v")
    event = upcast(name, int(version), path.read_bytes())
    assert json.loads(msgspec.json.encode(event)) == json.loads(path.read_text())


def test_every_sample_belongs_to_a_stored_type() -> None:
    """R-013: no sample is left over from a type that was dropped: that would break history."""
    samples = {path.name.replace("-full.json", ".json") for path in GOLDEN.glob("*.json")}
    assert samples == {f"{name}.v{version}.json" for name, version in VERSIONS}


def test_every_older_version_has_its_upcaster() -> None:
    """R-013: the chain from each version to the newest has no missing and no spare step."""
    needed = {(name, version) for name, version in VERSIONS if version < STORED[name][0]}
    assert set(UPCASTERS) == needed


def test_names_and_classes_are_one_to_one() -> None:
    """Two names for a class, or two classes for a name, would make the log ambiguous."""
    assert len(NAME_OF) == len(STORED)


class Third(Event, frozen=True, kw_only=True, gc=False):
    """The newest shape in a made-up history."""

    amount_cents: int
    currency: str


CATALOGUE = {"Paid": (3, Third)}


def _cents(payload: Payload) -> Payload:
    return {"ts_ns": payload["ts_ns"], "amount_cents": round(payload["amount"] * 100)}


def _currency(payload: Payload) -> Payload:
    return payload | {"currency": "EUR"}


CHAIN = {("Paid", 1): _cents, ("Paid", 2): _currency}


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        (1, b'{"ts_ns":5,"amount":1.25}'),
        (2, b'{"ts_ns":5,"amount_cents":125}'),
        (3, b'{"ts_ns":5,"amount_cents":125,"currency":"EUR"}'),
    ],
)
def test_old_shapes_are_lifted_step_by_step(version: int, payload: bytes) -> None:
    """Every version of the made-up history reads as the same event."""
    event = upcast("Paid", version, payload, CATALOGUE, CHAIN)
    assert event == Third(ts_ns=5, amount_cents=125, currency="EUR")


@pytest.mark.parametrize(
    ("name", "version", "payload", "complaint"),
    [
        ("Lost", 1, b"{}", "unknown type"),
        ("Paid", 4, b"{}", "newer Plan2"),
        ("Paid", 3, b'{"ts_ns":5}', "is broken"),
        ("Paid", 3, b"{", "is broken"),
        ("Paid", 0, b"{}", "is missing"),
    ],
)
def test_what_cannot_be_read_says_why(
    name: str, version: int, payload: bytes, complaint: str
) -> None:
    """An unreadable event is a broken invariant with its type, version and reason."""
    with pytest.raises(InvariantBroken, match=complaint):
        upcast(name, version, payload, CATALOGUE, CHAIN)
