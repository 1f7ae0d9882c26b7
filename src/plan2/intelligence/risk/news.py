"""What tagged news leaves of an entry's size: a factor that shrinks or vetoes, never enlarges."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from plan2.foundation.errors import require

SHADES_MAX: Final = 100
"""Shades of a symbol that are kept; of more, the strictest."""


class NewsShade(msgspec.Struct, frozen=True, kw_only=True):
    """What news leaves of an entry's size; `until_ns` is market time, UTC.

    `factor` is in [0, 1]: 1 changes nothing, 0 vetoes.
    """

    symbol: str
    factor: Annotated[float, Meta(ge=0, le=1)]
    until_ns: int

    def factor_at(self, now_ns: int) -> float:
        """What is left of a size at a market time."""
        return self.factor if now_ns < self.until_ns else 1.0


class NewsShades:
    """The shades in force, by symbol; empty unless somebody tagged news."""

    def __init__(self) -> None:
        self._shades: dict[str, tuple[NewsShade, ...]] = {}

    def put(self, shade: NewsShade, now_ns: int) -> None:
        """Take a shade; those that are over go.

        Raises:
            InvariantBroken: a factor outside [0, 1].
        """
        require(0.0 <= shade.factor <= 1.0, f"news may not enlarge: factor {shade.factor}")
        alive = [each for each in self._shades.get(shade.symbol, ()) if each.until_ns > now_ns]
        strictest_first = sorted([*alive, shade], key=lambda each: each.factor)
        self._shades[shade.symbol] = tuple(strictest_first[:SHADES_MAX])

    def factor(self, symbol: str, now_ns: int) -> float:
        """The strictest factor in force at a market time; 1 when there is none."""
        shades = self._shades.get(symbol, ())
        return min((shade.factor_at(now_ns) for shade in shades), default=1.0)

    def in_force(self, now_ns: int) -> list[NewsShade]:
        """Every shade that is not over."""
        return [
            each for shades in self._shades.values() for each in shades if each.until_ns > now_ns
        ]
