"""The connection to one terminal and one account: made, verified, watched.

The account and server are pinned at the first connection and compared again before every order:
anybody may switch the terminal to another account at any time. Which trade mode is not known counts
as real.
"""

from typing import Final

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.codes import AccountMarginMode, AccountTradeMode, Result
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.shape import AccountInfo, TerminalInfo
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.secret import Secret

MODES: Final = {
    AccountTradeMode.DEMO: "demo",
    AccountTradeMode.CONTEST: "contest",
    AccountTradeMode.REAL: "real",
}
OTHER_ACCOUNT: Final = "other_account"
NEEDS_A_PERSON: Final = frozenset(
    {
        Result.INVALID_PARAMS,
        Result.INVALID_VERSION,
        Result.AUTH_FAILED,
        Result.UNSUPPORTED,
    }
)
"""Failures of `initialize` that waiting does not cure."""


class Session:
    """One attachment to a terminal.

    `login` and `server` are the pinned account; 0 and "" until first seen.
    """

    def __init__(self, calls: Calls, options: Mt5Options, password: Secret) -> None:
        self.login = options.login
        self.server = options.server
        self.is_attached = False
        self._calls = calls
        self._options = options
        self._password = password

    def attach(self) -> AccountInfo:
        """Connect or reconnect, and verify the account.

        Raises:
            TerminalUnavailable: the terminal does not answer, or is not logged in yet.
            ConfigError: it is another account than configured, or one that is not wanted.
        """
        self.is_attached = False
        answer = self.initialize()
        if isinstance(answer, CallFailed):
            raise _cannot_attach(answer)
        account = self._calls.account_info()
        if isinstance(account, CallFailed):
            raise TerminalUnavailable(
                f"The terminal does not tell its account: {account}.",
                remedy="Log in to the account in the terminal, or configure login and password.",
            )
        self._verify(account)
        self.login, self.server = account.login, account.server
        self.is_attached = True
        return account

    def initialize(self) -> bool | CallFailed:
        """Connect to the terminal, without a look at its account.

        Raises:
            ConfigError: the terminal's path is not configured; the package would attach to
                whichever terminal was used last.
        """
        if not self._options.path and not self._options.may_guess_terminal:
            raise ConfigError(
                "The path of terminal64.exe is not configured.",
                remedy="Set it; without it the package attaches to any terminal it finds.",
            )
        return self._calls.initialize(self._options.path, self._settings())

    def detach(self) -> None:
        """Let go of the terminal; harmless when repeated."""
        if self.is_attached:
            self._calls.shutdown()
        self.is_attached = False

    def account(self) -> AccountInfo | CallFailed:
        """The account as it is now; may be another one."""
        return self._calls.account_info()

    def is_pinned(self, account: AccountInfo) -> bool:
        """Whether this is the account we trade."""
        return account.login == self.login and account.server == self.server

    def obstacle(self) -> str:
        """Why no new risk may be taken, empty when all is well or nothing can be asked."""
        account = self._calls.account_info()
        if isinstance(account, CallFailed):
            return "" if account.is_broken else f"account: {account}"
        if not self.is_pinned(account):
            return (
                f"{OTHER_ACCOUNT}: the terminal shows {account.login} at {account.server}, "
                f"not {self.login} at {self.server}"
            )
        terminal = self._calls.terminal_info()
        if isinstance(terminal, CallFailed):
            return "" if terminal.is_broken else f"terminal: {terminal}"
        return obstacle_in(terminal, account)

    def _settings(self) -> dict[str, int | str | bool]:
        settings: dict[str, int | str | bool] = {"timeout": self._options.connect_timeout_ms}
        if self._options.is_portable:
            settings["portable"] = True
        if self._options.login and self._password:
            settings["login"] = self._options.login
            settings["password"] = self._password.reveal()
            if self._options.server:
                settings["server"] = self._options.server
        return settings

    def _verify(self, account: AccountInfo) -> None:
        wanted = f"login {self.login or 'any'} at server {self.server or 'any'}"
        if self.login not in {0, account.login} or self.server not in {"", account.server}:
            self._calls.shutdown()
            raise ConfigError(
                f"The terminal is logged in as {account.login} at {account.server!r}; "
                f"expected {wanted}.",
                remedy="Log in to the configured account in the terminal, or change the "
                "account's login and server.",
            )
        mode = account_mode(account)
        if self._options.mode not in {"", mode}:
            self._calls.shutdown()
            raise ConfigError(
                f"Account {account.login} is a {mode} account; expected {self._options.mode}.",
                remedy="Configure the mode that the account has, if you mean to trade it.",
            )


def account_mode(account: AccountInfo) -> str:
    """demo, contest or real; what is not known counts as real."""
    known = {int(mode): word for mode, word in MODES.items()}
    return known.get(account.trade_mode, "real")


def is_hedging(account: AccountInfo) -> bool:
    """Whether a symbol may have several positions."""
    return account.margin_mode == AccountMarginMode.RETAIL_HEDGING


def obstacle_in(terminal: TerminalInfo, account: AccountInfo) -> str:
    """What terminal and account forbid, with what to do; empty when they allow trading."""
    if not terminal.connected:
        return "server_disconnected: the terminal has no connection to its trade server"
    if terminal.tradeapi_disabled:
        return (
            "api_trading_disabled: untick 'Disable automatic trading via external Python API' "
            "under Tools, Options, Expert Advisors"
        )
    if not terminal.trade_allowed:
        return "autotrading_off: press the AutoTrading button of the terminal"
    if not account.trade_allowed:
        return "investor: the account may only look; log in with the trading password"
    if not account.trade_expert:
        return "server_disables_autotrading: the broker forbids automatic trading here"
    return ""


def _cannot_attach(failed: CallFailed) -> TerminalUnavailable | ConfigError:
    if failed.code in NEEDS_A_PERSON:
        return ConfigError(
            f"MetaTrader 5 refused the connection: {failed}.",
            remedy="Check path, login, password and server of the terminal.",
        )
    return TerminalUnavailable(
        f"MetaTrader 5 cannot be reached: {failed}.",
        remedy="Start the terminal and see that it is logged in; it is tried again.",
    )
