"""Feature sets that users declare: columns made of catalogue terms and formulas over them.

    [set]
    name = "calm_trend"
    version = 1
    include = ["cost", "return_60"]

    [features]
    momentum = "clip(return_60 / volatility_ew_60, -8, 8)"
    spread_shock = { formula = "spread_z_60 - lag(spread_z_60, 5)", unit = "1", meaning = "…" }

A set may name other symbols as peers, `peers = ["GBPUSD", "USDJPY"]`, and use their returns and
the strengths of currencies (`requested.py`).

A set's identity is the hash of what its columns mean, terms included; models carry it, and a
program that computes anything else refuses to serve them.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from plan2.foundation.errors import InputError
from plan2.intelligence.features.catalog import GROUPS, TABULAR, Feature
from plan2.intelligence.features.expressions import (
    ON_REQUEST,
    RAW,
    TERMS,
    Formula,
    Vocabulary,
    read_formula,
    term_feature,
)
from plan2.intelligence.features.requested import CROSS, EVENTS, REQUESTED_GROUPS

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
MOST_COLUMNS = 200
MOST_PEERS = 12
LONGEST_FILE = 100_000
EVENT_TERMS = frozenset(feature.field for feature in EVENTS)
CROSS_TERMS = frozenset(feature.field for feature in CROSS)
KNOWN = {**TERMS, **ON_REQUEST}
ALL_GROUPS = {**GROUPS, **REQUESTED_GROUPS}


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feature as a file declares it; `low` and `high` bound the values it may take."""

    formula: str
    unit: str = "1"
    meaning: str = ""
    low: float = float("-inf")
    high: float = float("inf")


class Heading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a set is called, and which catalogue features or groups it takes as they are."""

    name: str
    version: int = 1
    description: str = ""
    include: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    set: Heading
    features: dict[str, str | Column] = {}


@dataclass(frozen=True)
class FeatureSet:
    """A set that was understood.

    Attributes:
        name, version, description: for people.
        columns: name → formula in canonical form, in order.
        features: the same columns as entries of a catalogue.
        peers: other symbols that the columns look at.
    """

    name: str
    version: int
    description: str
    columns: tuple[tuple[str, Formula], ...]
    features: tuple[Feature, ...]
    peers: tuple[str, ...] = ()

    @cached_property
    def asks_more(self) -> bool:
        """Whether a column needs a feature on request."""
        return any(term not in TERMS for term in self.terms)

    @cached_property
    def knows_events(self) -> bool:
        """Whether a column needs the economic calendar."""
        return not EVENT_TERMS.isdisjoint(self.terms)

    @cached_property
    def looks_across(self) -> bool:
        """Whether a column needs other symbols."""
        return any(term in CROSS_TERMS or "." in term for term in self.terms)

    @cached_property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas in order."""
        return tuple(formula for _, formula in self.columns)

    @cached_property
    def longest_lag(self) -> int:
        """Bars that any column looks back for a term."""
        return max(formula.longest_lag for formula in self.formulas)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """All terms in use, sorted."""
        return tuple(sorted({term for formula in self.formulas for term in formula.terms}))

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """What decides the meaning of the columns, for a schema's hash."""
        columns = [f"{name}={formula.text}|{formula.warmup}" for name, formula in self.columns]
        known = {name: term_feature(name) for name in self.terms}
        used = [
            f"{name}|{feature.unit}|{feature.version}|{feature.warmup}"
            for name, feature in known.items()
        ]
        peers = [f"peers|{','.join(sorted(self.peers))}"] if self.looks_across else []
        return (*columns, "terms", *used, *peers)

    @cached_property
    def content_id(self) -> str:
        """SHA-256 of the meaning, whatever the name, version and description."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def read_set(path: Path) -> FeatureSet:
    """The set that a file declares.

    Raises:
        InputError: the file cannot be read or is no set.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a feature set: {error}.") from error
    return parse_set(text, str(path))


def parse_set(text: str, where: str) -> FeatureSet:
    """The set that a text declares; `where` names it in messages.

    Raises:
        InputError: it is not TOML, or declares what is not known.
    """
    if len(text) > LONGEST_FILE:
        raise InputError(f"{where}: a set has at most {LONGEST_FILE} characters.")
    try:
        found = msgspec.convert(tomllib.loads(text), Declaration)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError(
            f"{where}: not a feature set: {error}.",
            remedy="docs/features.md shows what a set looks like.",
        ) from error
    heading = found.set
    if not NAME.fullmatch(heading.name) or heading.version < 1:
        raise InputError(
            f"{where}: a set has a name of small letters, digits and underscores and a version "
            f"from 1; found {heading.name!r}, version {heading.version}."
        )
    if len(set(heading.peers)) != len(heading.peers) or len(heading.peers) > MOST_PEERS:
        raise InputError(
            f"{where}: a set has at most {MOST_PEERS} peers, each named once; "
            f"found {', '.join(heading.peers)}."
        )
    columns = {name: Column(name) for word in heading.include for name in _included(word, where)}
    for name, column in found.features.items():
        if not NAME.fullmatch(name) or name in columns or name in KNOWN:
            raise InputError(
                f"{where}: {name!r} cannot name a feature of its own: it must be small letters, "
                "digits and underscores, and neither included nor in the catalogue."
            )
        columns[name] = column if isinstance(column, Column) else Column(column)
    if not 1 <= len(columns) <= MOST_COLUMNS:
        raise InputError(f"{where}: a set has 1 to {MOST_COLUMNS} features; found {len(columns)}.")
    return _understood(heading, columns, where)


def _understood(heading: Heading, columns: dict[str, Column], where: str) -> FeatureSet:
    formulas = []
    features = []
    for name, column in columns.items():
        try:
            formula = read_formula(column.formula, Vocabulary(True, heading.peers))
        except InputError as error:
            raise InputError(f"{where}: {name}: {error.message}", remedy=error.remedy) from error
        formulas.append((name, formula))
        features.append(_as_feature(name, column, formula))
    found = FeatureSet(
        heading.name,
        heading.version,
        heading.description,
        tuple(formulas),
        tuple(features),
        heading.peers,
    )
    if found.looks_across and not heading.peers:
        raise InputError(
            f"{where}: strengths and correlations compare symbols, and the set names none.",
            remedy='Name some under [set]: peers = ["GBPUSD", "USDJPY"].',
        )
    return found


def _as_feature(name: str, column: Column, formula: Formula) -> Feature:
    if name in KNOWN:
        return KNOWN[name]
    return Feature(
        field=name,
        unit=column.unit,
        warmup=formula.warmup,
        low=column.low,
        high=column.high,
        meaning=column.meaning or formula.text,
        waits=formula.waits,
    )


def _included(word: str, where: str) -> tuple[str, ...]:
    if word == "default":
        return tuple(feature.field for feature in TABULAR)
    if word in ALL_GROUPS:
        return tuple(feature.field for feature in ALL_GROUPS[word])
    if word in KNOWN and word not in {raw.field for raw in RAW}:
        return (word,)
    raise InputError(
        f"{where}: {word!r} is neither a feature nor a group of the catalogue.",
        remedy=f"Groups: default, {', '.join(ALL_GROUPS)}; `plan2 features list` shows all.",
    )
