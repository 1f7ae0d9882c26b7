"""What forecasts a symbol at a moment, and what is held against it: enough to do it again later."""

import msgspec

from plan2.intelligence.models.ensemble import IDENTITY, LiveLine


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """Who serves one symbol.

    Attributes:
        schema_id: of the features. model_ids: of the champion, empty = nobody. line: its live
            calibration. size_factor: what is left of a size, in [0, 1].
        canary_id: the candidate that has its turns, "" = none; canary_ids, canary_size_factor: its
            models, and what is left of a size in its turns.
        is_widened: whether situations count as rarer than they look. data_set: whose situations
            they are compared with, "" = none.
    """

    schema_id: str
    model_ids: tuple[str, ...] = ()
    line: LiveLine = IDENTITY
    size_factor: float = 1.0
    canary_id: str = ""
    canary_ids: tuple[str, ...] = ()
    canary_size_factor: float = 1.0
    is_widened: bool = False
    data_set: str = ""
