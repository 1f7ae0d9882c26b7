"""What every table of the configuration is made of: a strict struct and types with ranges."""

from typing import Annotated

import msgspec
from msgspec import Meta

PositiveInt = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]
PositiveFloat = Annotated[float, Meta(gt=0)]
EventMinutes = Annotated[float, Meta(ge=0, le=1_440)]
NonNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
PositiveFraction = Annotated[float, Meta(gt=0, le=1)]
TimeOfDay = Annotated[str, Meta(pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d$")]
Money = Annotated[str, Meta(pattern=r"^\d+(\.\d{1,2})?$")]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration file."""
