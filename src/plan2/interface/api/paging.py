"""Parameters that several routes share, with their ranges, and cursors."""

from typing import Annotated, Final

from litestar.params import Parameter
from msgspec import Meta

from plan2.connectivity.gateway.problems import RequestRefused
from plan2.interface.live import MarketView, SymbolView
from plan2.interface.screen import SAFE_INTEGER_MAX
from plan2.interface.views.queries import NEWEST

BARS_MAX: Final = 5_000
ITEMS_MAX: Final = 1_000
LINE: Final = r"^[^\x00-\x1f\x7f]*$"
"""Text of one line."""

Line = Annotated[str, Meta(max_length=500, pattern=LINE)]
"""A reason in a body."""
Why = Annotated[str, Parameter(max_length=500, pattern=LINE)]
"""A reason in the query."""
Symbol = Annotated[str, Parameter(min_length=1, max_length=32, description="A watched symbol.")]
TimeUs = Annotated[
    int | None,
    # Litestar leaves a minimum of 0 out of the description where None is allowed.
    Parameter(
        ge=0, le=SAFE_INTEGER_MAX, description="Microseconds UTC.", schema_extra={"minimum": 0}
    ),
]
BarLimit = Annotated[int, Parameter(ge=1, le=BARS_MAX)]
ItemLimit = Annotated[int, Parameter(ge=1, le=ITEMS_MAX)]
Cursor = Annotated[
    str, Parameter(pattern=r"^\d{0,18}$", description="`next_cursor` of the page before.")
]
Word = Annotated[str, Parameter(pattern=r"^[\x21-\x7e]{0,64}$")]
ItemId = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9_#+@=~-][A-Za-z0-9_#+@=~:.-]{0,127}$")]
"""An id in a path; it begins with no dot, because `..` would be another path."""


def position_of(cursor: str) -> int:
    """The log position that a cursor stands for; without one, beyond the newest."""
    return int(cursor) if cursor else NEWEST


def symbol_view(market: MarketView, symbol: str) -> SymbolView:
    """What is known of a symbol.

    Raises:
        RequestRefused: 404 when it is not watched.
    """
    view = market.view(symbol)
    if view is None:
        raise RequestRefused(
            404,
            "symbol_unknown",
            f"Symbol {symbol!r} is not watched.",
            remedy="GET /api/v1/symbols lists those that are; market.symbols adds more.",
        )
    return view
