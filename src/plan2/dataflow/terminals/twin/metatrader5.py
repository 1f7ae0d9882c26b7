"""The twin as a module that can be imported where `MetaTrader5` would be.

`PLAN2_TWIN` in the environment says what kind of terminal it is (JSON of `TwinOptions`). Nothing is
made by the import; constants and types are there at once, the world comes with the first call of a
function. One process, one terminal.
"""

import functools
import os
from typing import Any

from plan2.dataflow.terminals.twin import constants, structs
from plan2.dataflow.terminals.twin.module import FUNCTIONS, VERSION, TwinModule, build
from plan2.dataflow.terminals.twin.opening import open_world
from plan2.dataflow.terminals.twin.options import VARIABLE, read_options
from plan2.foundation.clock import LiveClock

__version__ = VERSION


@functools.cache
def twin() -> TwinModule:
    """This process's package and, behind it, its world; made when first asked for.

    Raises:
        ConfigError: the options or the state file cannot be used.
    """
    return build(open_world(read_options(os.environ.get(VARIABLE, "")), LiveClock()))


def __getattr__(name: str) -> Any:  # Any: functions, numbers and types
    """A constant, a type or a function of the package."""
    known = constants.exported() | {kind.__name__: kind for kind in structs.EXPORTED}
    if name in known:
        return known[name]
    if name.startswith("_") or name not in FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(twin(), name)
