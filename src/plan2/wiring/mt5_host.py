"""How a terminal host for MetaTrader 5 is described, handed to a process, and made there."""

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5.engine import Mt5Engine
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.package import OFFICIAL
from plan2.dataflow.terminals.remote.engine import HostEngine
from plan2.foundation.clock import LiveClock
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError
from plan2.foundation.secret import Secret
from plan2.wiring.mt5_package import package_of

STATE_FILE: Final = "engine.json"
PASSWORD_VARIABLE: Final = "PLAN2_MT5_PASSWORD"  # noqa: S105 - the name of a variable


class Mt5Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What a host process must know; `folder` is where it notes its orders.

    It holds a password: it travels over standard input only, and is never shown.
    """

    package: str
    options: Mt5Options
    folder: str
    password: str = ""

    def __repr__(self) -> str:
        return f"Mt5Errand({self.package}, {self.options.login})"


def errand_of(settings: Settings, folder: Path) -> Mt5Errand:
    """The errand of a host that notes its orders, and its engine's state, in `folder`.

    Raises:
        ConfigError: the file with the password cannot be read.
    """
    mt5 = settings.mt5
    options = Mt5Options(
        symbols=settings.market.symbols,
        symbol_names=dict(mt5.symbol_names),
        login=mt5.login,
        server=mt5.server,
        mode=mt5.mode,
        path=mt5.path,
        may_guess_terminal=mt5.package != OFFICIAL,
        is_portable=mt5.portable,
        connect_timeout_ms=mt5.connect_timeout_ms,
        server_clock=mt5.server_clock,
        commission_per_lot=Decimal(mt5.commission_per_lot),
        settle_s=mt5.settle_s,
        state_path=str(folder / STATE_FILE),
    )
    return Mt5Errand(
        package=mt5.package,
        options=options,
        folder=str(folder),
        password=_password(mt5.password_file).reveal(),
    )


def engine_factory(errand: Mt5Errand) -> Callable[[], HostEngine]:
    """Makes the engine, on the thread that will call it."""

    def make() -> HostEngine:
        module = package_of(errand.package)
        return Mt5Engine(module, errand.options, LiveClock(), Secret(errand.password))

    return make


def _password(file: str) -> Secret:
    if not file:
        return Secret(os.environ.get(PASSWORD_VARIABLE, ""))
    try:
        return Secret(Path(file).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"mt5.password_file = {file} cannot be read: {error}.",
            remedy=f"Name a readable file, or set {PASSWORD_VARIABLE}.",
        ) from error
