"""Settings as the API shows and takes them: value, origin, locks, type and what each scope says."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar.params import Parameter
from msgspec import Meta

from plan2.foundation.config.overlay_keys import Looser, Overridable, Value
from plan2.foundation.config.schema import Settings
from plan2.interface.api.paging import Line
from plan2.interface.screen import SAFE_INTEGER_MAX

Text = Annotated[str, Meta(max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Person = Annotated[
    str, Parameter(pattern=r"^[\x21-\x7e]{0,64}$", description="Whose; empty means yourself.")
]
SettingValue = (
    bool
    | float
    | Text
    | Annotated[list[float | Text], Meta(max_length=200)]
    | Annotated[dict[Name, float | Text], Meta(max_length=200)]
)
"""Whatever a configuration key may hold. Whole numbers are numbers: JSON knows one kind only."""

Kind = Literal["integer", "number", "text", "boolean", "choice", "list", "map"]
KINDS: Final[Mapping[str, Kind]] = {
    "integer": "integer",
    "number": "number",
    "string": "text",
    "boolean": "boolean",
    "array": "list",
    "object": "map",
}
OriginScope = Literal["default", "file", "global", "tenant", "user"]
JsonSchema = dict[str, Any]  # as msgspec writes it


class TypeItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may hold; for lists and maps the range is that of their members.

    `minimum` and `maximum` are allowed themselves, `above` is not.
    """

    kind: Kind
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    pattern: str = ""
    choices: tuple[str, ...] = ()


class LevelItem(msgspec.Struct, frozen=True, kw_only=True):
    """What one scope says; without a value it only locks. Ignored below another one's lock."""

    scope: str
    value: SettingValue | None
    is_locked: bool
    is_ignored: bool
    changed_us: int
    changed_by: str
    reason: str


class SettingItem(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration key for the person who asks.

    Attributes:
        origin: where the value comes from, in words; `origin_scope` in one.
        locked_by: the scope whose lock keeps narrower ones from overriding; "" none.
        scopes: where it may be set at all; `may_change`: where the caller may set it now.
        is_live: takes effect without a restart.
        is_limit: loosening it needs a fresh proof, and a second person where that is asked for.
    """

    key: str
    value: SettingValue
    default: SettingValue
    origin: str
    origin_scope: OriginScope
    is_locked: bool
    locked_by: str
    scopes: tuple[str, ...]
    may_change: tuple[str, ...]
    is_live: bool
    is_limit: bool
    type: TypeItem
    doc: str
    levels: tuple[LevelItem, ...]


class SettingsList(msgspec.Struct, frozen=True):
    """Every setting that the caller may see, for a tenant and themselves."""

    tenant_id: str
    user_id: str
    items: list[SettingItem]


class SettingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new value, a lock, or both; null leaves that part as it is."""

    value: SettingValue | None = None
    locked: bool | None = None
    reason: Line = ""


class SettingReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a change: applied, or proposed to a second person."""

    key: str
    outcome: Literal["applied", "proposed"]
    value: SettingValue
    approval_id: str = ""


class SettingTypes:
    """The types of all keys, read once from the schema."""

    def __init__(self) -> None:
        self._definitions: Mapping[str, JsonSchema] = msgspec.json.schema(Settings)["$defs"]
        self._sections = self._definitions["Settings"]["properties"]

    def of(self, key: str) -> TypeItem:
        """The type of a key."""
        section, name = key.split(".")
        reference = self._sections[section]
        found = reference.get("$ref") or reference["allOf"][0]["$ref"]
        return _type(self._definitions[found.rpartition("/")[2]]["properties"][name])


def plain(value: Value) -> Value:
    """A value as the file would give it: whole numbers are integers."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= SAFE_INTEGER_MAX:
        return int(value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return value


def is_limit(declared: Overridable) -> bool:
    """Whether loosening a key is guarded."""
    return declared.looser is not Looser.NEVER


def _type(schema: JsonSchema) -> TypeItem:
    if "enum" in schema:
        return TypeItem(kind="choice", choices=tuple(schema["enum"]))
    kind = KINDS[schema["type"]]
    member = schema.get("items") or schema.get("additionalProperties") or {}
    bounds = member if kind in {"list", "map"} and isinstance(member, dict) else schema
    return TypeItem(
        kind=kind,
        minimum=bounds.get("minimum"),
        above=bounds.get("exclusiveMinimum"),
        maximum=bounds.get("maximum"),
        pattern=bounds.get("pattern", ""),
        choices=tuple(bounds.get("enum", ())),
    )
