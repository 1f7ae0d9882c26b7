"""The list of comparisons: how many agreed, and each that did not, with where it stands."""

from collections.abc import Collection
from decimal import Decimal

import msgspec


class Difference(msgspec.Struct, frozen=True):
    """One place where the report is not what its deals make it.

    Attributes:
        row: the row of the sheet or page, 0 when something that should be there is missing.
        subject: the line's own name, as `deal 25615362`.
        expected: what follows from the deals.
        found: what the report states.
    """

    section: str
    row: int
    subject: str
    field: str
    expected: str
    found: str


class Comparison(msgspec.Struct):
    """How often one kind of statement was compared, and how often it agreed."""

    what: str
    compared: int = 0
    agreed: int = 0


class Ledger:
    """Collects comparisons, in the order in which their kinds first occur."""

    def __init__(self, unit: Decimal) -> None:
        self.unit = unit
        self.differences: list[Difference] = []
        self._kinds: dict[str, Comparison] = {}

    @property
    def comparisons(self) -> list[Comparison]:
        """One line a kind."""
        return list(self._kinds.values())

    def amount(self, what: str, place: tuple[str, int, str, str], *amounts: Decimal) -> bool:
        """Compare money: the last of `amounts` is found, each other one would be right.

        `place` is section, row, subject and field of what is compared.
        """
        *expected, found = (amount.quantize(self.unit) for amount in amounts)
        return self.value(what, place, expected, found)

    def value(
        self, what: str, place: tuple[str, int, str, str], right: Collection[object], found: object
    ) -> bool:
        """Compare anything: `found` must be one of `right`, of which the first is reported."""
        is_right = found in right
        kind = self._kinds.setdefault(what, Comparison(what))
        kind.compared += 1
        kind.agreed += is_right
        if not is_right:
            expected = str(next(iter(right), "nothing"))
            self.differences.append(Difference(*place, expected, str(found)))
        return is_right
