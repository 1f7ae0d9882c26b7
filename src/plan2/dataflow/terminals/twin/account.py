"""Functions of the package that describe terminal and account."""

from typing import Final

from plan2.dataflow.terminals.twin.errors import exported
from plan2.dataflow.terminals.twin.session import Calls
from plan2.dataflow.terminals.twin.structs import AccountInfo, TerminalInfo, record
from plan2.dataflow.terminals.twin.terminal import NAME
from plan2.dataflow.terminals.twin.world import TwinWorld

PING_US: Final = 25_000
CODEPAGE: Final = 1_252


class AccountCalls(Calls):
    """terminal_info, account_info."""

    @exported(on_error=None)
    def terminal_info(self) -> TerminalInfo:
        """State and settings of the terminal."""
        return self._session.ask("terminal_info", _terminal_info)

    @exported(on_error=None)
    def account_info(self) -> AccountInfo:
        """The account that the terminal is logged in to, at the last quotes."""
        return self._session.ask("account_info", lambda world: world.shown().account)


def _terminal_info(world: TwinWorld) -> TerminalInfo:
    terminal = world.terminal
    return record(
        TerminalInfo,
        connected=terminal.is_connected,
        trade_allowed=terminal.has_autotrading,
        tradeapi_disabled=terminal.is_api_disabled,
        build=world.options.build,
        maxbars=world.options.maxbars,
        codepage=CODEPAGE,
        ping_last=PING_US if terminal.is_connected else -1,
        company="Plan2",
        name=NAME,
        language="English",
        path=world.options.path.rpartition("\\")[0],
    )
