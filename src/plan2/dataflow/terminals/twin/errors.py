"""The package's error codes with their exact texts, and how a call inside it fails.

Texts are those of package 5.0.6231. `last_error()` is one pair for the whole process: every call
begins by setting it to Success, so it must be read at once after the call that failed.
"""

import functools
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from plan2.dataflow.terminals.twin import constants

SUCCESS: Final = (constants.RES_S_OK, "Success")
TEXTS: Final = {
    constants.RES_E_FAIL: "Terminal: Call failed",
    constants.RES_E_INVALID_PARAMS: "Terminal: Invalid params",
    constants.RES_E_NO_MEMORY: "Terminal: Out of memory",
    constants.RES_E_NOT_FOUND: "Terminal: Not found",
    constants.RES_E_INVALID_VERSION: "Terminal: Incompatible versions, please install the latest"
    " version of Terminal and Python module",
    constants.RES_E_AUTH_FAILED: "Terminal: Authorization failed",
    constants.RES_E_UNSUPPORTED: "Terminal: Unsupported function",
    constants.RES_E_AUTO_TRADING_DISABLED: "Auto-Trading using Python API disabled in Terminal",
    constants.RES_E_INTERNAL_FAIL: "IPC call failed",
    constants.RES_E_INTERNAL_FAIL_SEND: "IPC send failed",
    constants.RES_E_INTERNAL_FAIL_RECEIVE: "IPC recv failed",
    constants.RES_E_INTERNAL_FAIL_INIT: "IPC initialize failed",
    constants.RES_E_INTERNAL_FAIL_CONNECT: "No IPC connection",
    constants.RES_E_INTERNAL_FAIL_TIMEOUT: "IPC timeout",
}
UNNAMED: Final = "Unnamed arguments not allowed"
WRONG_COUNT: Final = "Invalid number of arguments"
INVALID: Final = "Invalid arguments"

P = ParamSpec("P")
Result = TypeVar("Result")
Failure = TypeVar("Failure")


class CallFailed(Exception):
    """Ends a call of the module; never leaves it. `code` and `text` become `last_error()`."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text or TEXTS[code]


class Failing(Protocol):
    """Something whose calls leave their outcome in `last_error`."""

    def note_error(self, error: tuple[int, str]) -> None:
        """Remember the outcome of a call."""
        ...


OwnerT = TypeVar("OwnerT", bound=Failing)


def invalid(name: str) -> CallFailed:
    """The refusal of a named argument."""
    return CallFailed(constants.RES_E_INVALID_PARAMS, f'Invalid "{name}" argument')


def invalid_arguments(text: str = INVALID) -> CallFailed:
    """The refusal of a whole call."""
    return CallFailed(constants.RES_E_INVALID_PARAMS, text)


def system_error(function: str, cause: Exception) -> SystemError:
    """What CPython makes of a C function that answers although an exception is set.

    The package does so when an argument has a wrong type or overflows inside a positional parse.
    """
    error = SystemError(f"<built-in function {function}> returned a result with an exception set")
    error.__cause__ = cause
    return error


def exported(
    on_error: Failure,
) -> Callable[
    [Callable[Concatenate[OwnerT, P], Result]], Callable[Concatenate[OwnerT, P], Result | Failure]
]:
    """Make a method a function of the package: sets `last_error`, answers `on_error` on failure."""

    def wrap(
        method: Callable[Concatenate[OwnerT, P], Result],
    ) -> Callable[Concatenate[OwnerT, P], Result | Failure]:
        @functools.wraps(method)
        def call(owner: OwnerT, /, *args: P.args, **kwargs: P.kwargs) -> Result | Failure:
            owner.note_error(SUCCESS)
            try:
                return method(owner, *args, **kwargs)
            except CallFailed as failed:
                owner.note_error((failed.code, failed.text))
                return on_error

        return call

    return wrap
