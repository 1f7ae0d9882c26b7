"""Structs with secrets inside, which no log and no traceback may show."""

import msgspec

from plan2.foundation.secret import MASK


class Masked(msgspec.Struct, frozen=True):
    """Shows its name and nothing of what it holds."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"
