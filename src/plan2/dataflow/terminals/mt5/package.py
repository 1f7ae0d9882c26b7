"""The one place where the official package is imported; it exists for Windows only."""

import sys
from typing import Final, cast

from plan2.dataflow.terminals.mt5.shape import Mt5Module
from plan2.foundation.errors import ConfigError

OFFICIAL: Final = "MetaTrader5"


def load_package() -> Mt5Module:
    """The MetaTrader5 package.

    Raises:
        ConfigError: it is not installed here, or cannot be.
    """
    try:
        import MetaTrader5
    except ImportError as error:
        raise ConfigError(
            f"The package {OFFICIAL} cannot be imported: {error}.", remedy=package_remedy()
        ) from error
    return cast(Mt5Module, MetaTrader5)


def package_remedy() -> str:
    """What to do where the package is missing."""
    if sys.platform == "win32":
        return "Install it with: pip install plan2[mt5]"
    return (
        "It exists for Windows only: run the terminal on a Windows machine and let it connect to "
        "this one as a remote terminal."
    )
