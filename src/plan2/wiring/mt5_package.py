"""Which module speaks to the terminal: MetaTrader's own, or the twin that imitates it."""

from typing import Final, cast

from plan2.dataflow.terminals.mt5.package import OFFICIAL, load_package
from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.dataflow.terminals.twin import metatrader5 as twin
from plan2.foundation.errors import ConfigError

TWIN: Final = twin.__name__
"""How `mt5.package` names the imitation."""


def package_of(name: str) -> Mt5Module:
    """The module of that name.

    Raises:
        ConfigError: it is none of the two, or MetaTrader's is not installed here.
    """
    if name == OFFICIAL:
        return load_package()
    if name == TWIN:
        return cast(Mt5Module, twin)
    raise ConfigError(
        f"mt5.package = {name!r} is not known.", remedy=f"Write {OFFICIAL!r} or {TWIN!r}."
    )
