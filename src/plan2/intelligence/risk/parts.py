"""What sizing and the risk gate contribute to a decision record."""

import msgspec


class SizePart(msgspec.Struct, frozen=True, kw_only=True):
    """How the quantity came about: each cap in lots, and the one that bound."""

    quantity: float
    caps: dict[str, float]
    binding: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the risk gate with the value it saw and the limit it holds."""

    rule: str
    passed: bool
    value: float
    limit: float
