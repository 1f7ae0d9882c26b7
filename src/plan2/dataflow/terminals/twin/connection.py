"""Functions of the package that make and end the connection, and tell how the last call went."""

from typing import Any, Final

from plan2.dataflow.terminals.twin import constants
from plan2.dataflow.terminals.twin.arguments import (
    PATH_MAX,
    SECRET_MAX,
    UINT32_MAX,
    Keywords,
    expect_count,
    named_number,
    named_text,
    unnamed_text,
    unsigned,
)
from plan2.dataflow.terminals.twin.errors import (
    CallFailed,
    exported,
    invalid,
    invalid_arguments,
    system_error,
)
from plan2.dataflow.terminals.twin.session import Calls
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.values import NS_PER_MS, NS_PER_SECOND

TIMEOUT_MS: Final = 60_000
API_VERSION: Final = 500
BUILD_DATE: Final = "18 Nov 2026"


class Connection(Calls):
    """initialize, login, shutdown, version, last_error."""

    @exported(on_error=False)
    def initialize(self, *args: Any, **kwargs: Any) -> bool:  # Any: as lenient as the package
        """Connect to the terminal, start it if need be, log in if asked to."""
        self._session.detach()
        expect_count(args, 0, 1)
        path = unnamed_text(args, 0, PATH_MAX) if args else named_text(kwargs, "path", PATH_MAX)
        login = named_number("initialize", kwargs, "login")
        password, server = _secrets(kwargs)
        timeout_ms = _timeout_ms("initialize", kwargs)
        world = self._session.world
        happening = world.faults.next("initialize")
        world.time.wait_ns(happening.stall_ns)
        if happening.error_before:
            raise CallFailed(happening.error_before)
        _launch(world, path)
        if login:
            _log_in(world, login, password, server)
        world.advance()
        _wait_ready(world, timeout_ms)
        self._session.attach()
        return True

    @exported(on_error=False)
    def login(self, *args: Any, **kwargs: Any) -> bool:  # Any: as lenient as the package
        """Switch the terminal to another account; the pipe stays open when that fails."""
        expect_count(args, 0, 1, 2, 3)
        number = named_number("login", kwargs, "login")
        if args:
            if not isinstance(args[0], int):
                raise invalid_arguments("Invalid 1st unnamed argument")
            number = unsigned("login", args[0], 2**64 - 1)
        if number is None:
            raise invalid("login")
        password, server = _secrets(kwargs)
        password = unnamed_text(args, 1, SECRET_MAX) if len(args) > 1 else password
        server = unnamed_text(args, 2, SECRET_MAX) if len(args) > 2 else server
        timeout_ms = _timeout_ms("login", kwargs)

        def log_in(world: TwinWorld) -> bool:
            _log_in(world, number, password, server)
            _wait_ready(world, timeout_ms)
            return True

        return self._session.ask("login", log_in)

    @exported(on_error=False)
    def shutdown(self) -> bool:
        """Close the pipe; the terminal goes on running. Always True."""
        self._session.detach()
        return True

    @exported(on_error=None)
    def version(self) -> tuple[int, int, str]:
        """Version, build and date of the terminal."""
        return self._session.ask(
            "version", lambda world: (API_VERSION, world.options.build, BUILD_DATE)
        )

    def last_error(self) -> tuple[int, str]:
        """Code and text of the last call of this process; asking does not reset it."""
        return self._session.last_error


def _secrets(kwargs: Keywords) -> tuple[str | None, str | None]:
    password = named_text(kwargs, "password", SECRET_MAX)
    return password, named_text(kwargs, "server", SECRET_MAX)


def _timeout_ms(function: str, kwargs: Keywords) -> int:
    value = kwargs.get("timeout", 0)
    if not isinstance(value, int):
        raise invalid("timeout")
    if not 0 <= value <= UINT32_MAX:
        raise system_error(function, OverflowError("int does not fit the C type"))
    return value or TIMEOUT_MS


def _launch(world: TwinWorld, path: str | None) -> None:
    """Find the terminal and start it if it does not run; the timeout does not cover this."""
    terminal, expected = world.terminal, world.options.path
    if not terminal.is_installed or (path and expected and path.lower() != expected.lower()):
        detail = f"Process create failed '{path}'" if path else "MetaTrader 5 x64 not found"
        raise CallFailed(constants.RES_E_INTERNAL_FAIL_INIT, f"IPC initialize failed, {detail}")
    if not terminal.is_running:
        world.time.wait_ns(int(world.options.launch_s * NS_PER_SECOND))
        terminal.is_running = True
        terminal.run += 1


def _log_in(world: TwinWorld, login: int, password: str | None, server: str | None) -> None:
    """A password or server that is not given is the one the terminal remembers."""
    known = world.accounts.get(login)
    is_right = known is not None and (
        password in {None, known.terms.password} and server in {None, known.terms.server}
    )
    if not is_right:
        raise CallFailed(constants.RES_E_AUTH_FAILED)
    world.log_in(login)


def _wait_ready(world: TwinWorld, timeout_ms: int) -> None:
    """Until the terminal is connected to its trade server."""
    if not world.terminal.is_connected:
        world.time.wait_ns(timeout_ms * NS_PER_MS)
        raise CallFailed(constants.RES_E_INTERNAL_FAIL_TIMEOUT)
