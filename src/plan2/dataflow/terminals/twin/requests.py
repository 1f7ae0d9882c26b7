"""A trade request as the package reads it from a dict or from keywords.

The fields and their order are those of `TradeRequest`; the first bad one decides the message. What
is not named is zero or empty, so a forgotten stop is a removed stop.
"""

from typing import Any, Final

import msgspec

from plan2.dataflow.terminals.twin.arguments import (
    UINT32_MAX,
    UINT64_MAX,
    Arguments,
    Keywords,
    unsigned,
    utf16_units,
)
from plan2.dataflow.terminals.twin.errors import (
    UNNAMED,
    WRONG_COUNT,
    invalid,
    invalid_arguments,
    system_error,
)
from plan2.dataflow.terminals.twin.structs import TradeRequest, record

TEXT_MAX: Final = 29
INT64_MAX: Final = 2**63 - 1
UNSIGNED: Final = {
    "action": UINT32_MAX,
    "type": UINT32_MAX,
    "type_filling": UINT32_MAX,
    "type_time": UINT32_MAX,
    "magic": UINT64_MAX,
    "order": UINT64_MAX,
    "deviation": UINT64_MAX,
    "position": UINT64_MAX,
    "position_by": UINT64_MAX,
}
"""The largest value of each unsigned field."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; volume in lots, prices in quote currency, deviation in points.

    `expiration` is the server's wall clock in seconds. Types and meanings: MetaTrader's.
    """

    action: int = 0
    magic: int = 0
    order: int = 0
    symbol: str = ""
    volume: float = 0.0
    price: float = 0.0
    stoplimit: float = 0.0
    sl: float = 0.0
    tp: float = 0.0
    deviation: int = 0
    type: int = 0
    type_filling: int = 0
    type_time: int = 0
    expiration: int = 0
    comment: str = ""
    position: int = 0
    position_by: int = 0

    def echo(self) -> TradeRequest:
        """What a result's `request` shows: the request before the broker changed anything."""
        return record(TradeRequest, **msgspec.structs.asdict(self))


def read_request(function: str, args: Arguments, keywords: Keywords) -> Request:
    """The request of `order_send(request)` or `order_send(**request)`."""
    if keywords:
        if args:
            raise invalid_arguments(UNNAMED)
        return _from_fields(function, keywords)
    if len(args) != 1:
        raise invalid_arguments(WRONG_COUNT)
    if not isinstance(args[0], dict):
        raise invalid_arguments()
    return _from_fields(function, args[0])


def _from_fields(function: str, given: Keywords) -> Request:
    fields = msgspec.structs.fields(Request)
    known = {
        field.name: _value(function, field.name, field.type, given[field.name])
        for field in fields
        if field.name in given
    }
    return Request(**known)


def _value(function: str, name: str, kind: Any, value: object) -> Any:  # Any: one of three types
    if not isinstance(value, kind):
        raise invalid(name)
    if isinstance(value, str):
        if utf16_units(value) > TEXT_MAX:
            raise invalid(name)
        return str(value)
    if isinstance(value, int) and name in UNSIGNED:
        return unsigned(function, value, UNSIGNED[name])
    if isinstance(value, int) and not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise system_error(function, OverflowError("int too big to convert"))
    return kind(value)
