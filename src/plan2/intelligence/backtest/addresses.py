"""Arrays reached through their addresses, because each argument of a compiled call costs time."""

from typing import Any

import numba
from numba import types
from numba.extending import intrinsic

from plan2.intelligence.backtest.account.records import ACCOUNT


def _pointer_to(kind: Any) -> Any:  # numba's types and code builders are not typed
    """An intrinsic that turns an address into a pointer to `kind`."""
    untyped: Any = types
    to_kind = untyped.CPointer(kind)

    def pointer(_: Any, address: Any) -> Any:  # noqa: ARG001 - numba gives arguments by name
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(to_kind))

        return to_kind(types.int64), generate

    return pointer


from_dtype: Any = numba.from_dtype
floats_at = intrinsic(_pointer_to(types.float64))
integers_at = intrinsic(_pointer_to(types.int64))
account_at = intrinsic(_pointer_to(from_dtype(ACCOUNT)))
