"""`plan2 terminal`: lend this machine's MetaTrader 5 terminal to a Plan2 that runs elsewhere.

The program connects out, so that nothing on this machine has to be reachable. The same program is
the child process of `plan2 serve` where terminal and server share a machine (`--local`).
"""

import asyncio
import os
import platform
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click
import msgspec

import plan2
from plan2.commands.options import data_dir_option, examples, resolve_data_dir, resolve_settings
from plan2.dataflow.terminals.port import LinkChange
from plan2.dataflow.terminals.remote.host import HostOptions
from plan2.dataflow.terminals.remote.protocol import AccountName
from plan2.foundation.config.schema import Log, Settings
from plan2.foundation.errors import ConfigError, TerminalUnavailable
from plan2.foundation.secret import Secret

KEY_VARIABLE: Final = "PLAN2_TERMINAL_KEY"
FOLDER: Final = "terminal"
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


class TerminalOptions(TypedDict):
    """The options of `plan2 terminal`; None = as the configuration says."""

    server: str | None
    key: str | None
    key_file: Path | None
    symbols: tuple[str, ...]
    package: str | None
    path: str | None
    login: int | None
    broker: str | None
    password_file: str | None
    as_json: bool
    local: bool


@click.command(
    name="terminal",
    epilog=examples(
        "plan2 terminal --server wss://plan2.example.com/api/v1/terminal --key-file key.txt",
        "plan2 terminal --server ws://127.0.0.1:8420/api/v1/terminal --login 5012345",
        "plan2 terminal --server wss://plan2.example.com/api/v1/terminal --symbol EURUSD --json",
    ),
)
@click.option("--server", metavar="URL", help="Address of the server's terminal door.")
@click.option("--key", help=f"The key; better in {KEY_VARIABLE} or a file: others see arguments.")
@click.option("--key-file", type=FILE, help="A file with the key.")
@click.option("--symbol", "symbols", multiple=True, help="A symbol to offer; repeatable.")
@click.option("--package", help="Python module that speaks to the terminal [mt5.package].")
@click.option("--path", help="The terminal's terminal64.exe [mt5.path].")
@click.option("--login", type=click.IntRange(min=0), help="Account number [mt5.login].")
@click.option("--broker", metavar="NAME", help="The broker's trade server [mt5.server].")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False),
    help="A file with the account's password; or set PLAN2_MT5_PASSWORD [mt5.password_file].",
)
@click.option("--local", is_flag=True, hidden=True, help="Serve the parent process.")
@data_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_context
def command(ctx: click.Context, data_dir: Path | None, **options: Unpack[TerminalOptions]) -> None:
    """Lend the MetaTrader 5 terminal of this machine to a Plan2 server, until Ctrl+C.

    The key comes from `plan2 terminal-keys create` on the server. Whatever is not given here is
    taken from the sections [mt5] and [market] of the configuration. When the link is lost, it comes
    back by itself; what the broker said meanwhile is delivered then. No order is ever sent twice.
    """
    from plan2.foundation.loop import run_async

    settings = resolve_settings(ctx, data_dir).settings
    if options["local"]:
        run_async(_serve_parent(settings.log))
        return
    if options["server"] is None:
        raise click.UsageError("--server is missing: the address of the Plan2 to serve.")
    key = _key(options["key"], options["key_file"])
    folder = resolve_data_dir(ctx, data_dir) / FOLDER
    say = _Speaker(as_json=options["as_json"])
    run_async(_serve_server(options["server"], key, _with(settings, options), folder, say))


async def _serve_parent(log_settings: Log) -> None:
    """Be the child process of a server on this machine."""
    from plan2.dataflow.terminals.remote.child import read_errand, run_child
    from plan2.foundation import log
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.ids import RandomIds
    from plan2.foundation.lock import DataDirLock
    from plan2.wiring.mt5_host import Mt5Errand, engine_factory

    errand = read_errand()
    clock, ids = LiveClock(), RandomIds()
    log.configure(log_settings, clock, ids.next_id("run"))
    mt5 = msgspec.json.decode(errand.settings, type=Mt5Errand)
    lock = DataDirLock(Path(mt5.folder))
    if not lock.try_acquire():
        # The child of a killed parent may be held up in a call; it ends after it.
        raise TerminalUnavailable(str(lock.refusal()))
    try:
        factory = engine_factory(mt5)
        await run_child(errand, factory, _host_options(Path(mt5.folder)), clock, ids)
    finally:
        lock.release()


async def _serve_server(
    url: str, key: Secret, settings: Settings, folder: Path, say: "_Speaker"
) -> None:
    """Serve a server elsewhere until a signal comes, or a person must act."""
    import numpy as np

    from plan2.connectivity.channels.websocket import checked_address, connect_websocket
    from plan2.dataflow.terminals.remote.agent import run_agent
    from plan2.dataflow.terminals.remote.host import TerminalHost
    from plan2.foundation import log
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.ids import RandomIds
    from plan2.foundation.lock import DataDirLock
    from plan2.foundation.loop import until_stopped
    from plan2.wiring.mt5_host import engine_factory, errand_of

    checked_address(url)
    clock, ids = LiveClock(), RandomIds()
    log.configure(settings.log, clock, ids.next_id("run"))
    factory = engine_factory(errand_of(settings, folder))
    with DataDirLock(folder):
        host = TerminalHost(factory, _host_options(folder), clock, ids, say.link)
        host.start()
        serving = asyncio.create_task(
            run_agent(host, lambda: connect_websocket(url, key), np.random.default_rng(), say)
        )
        stopping = asyncio.create_task(until_stopped())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            serving.cancel()
            stopping.cancel()
            await asyncio.wait({serving, stopping})
            await host.stop()
    say("Stopped.")


class _Speaker:
    """Tells the person at this machine what happens, on one line each."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def __call__(self, sentence: str) -> None:
        """Say a sentence."""
        self._write({"said": sentence}, sentence)

    def link(self, change: LinkChange, account: AccountName) -> None:
        """Say how the terminal reaches its broker."""
        facts = {
            "terminal": change.state.value,
            "reason": change.reason,
            "login": account.login,
            "server": account.server,
            "mode": account.mode,
        }
        whose = f" ({account.login} at {account.server}, {account.mode})" if account.login else ""
        self._write(facts, f"Terminal{whose} is {change.state.value}: {change.reason}")

    def _write(self, facts: dict[str, str], sentence: str) -> None:
        click.echo(msgspec.json.encode(facts).decode() if self._as_json else sentence)


def _key(given: str | None, file: Path | None) -> Secret:
    """The key from the option, the file or the environment, in this order."""
    found = given or (file.read_text(encoding="utf-8") if file else os.environ.get(KEY_VARIABLE))
    key = (found or "").strip()
    if not key:
        raise ConfigError(
            "There is no key.",
            remedy=f"Give --key-file or {KEY_VARIABLE}; `plan2 terminal-keys create` makes one.",
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigError("The key has characters that no key has.")
    return Secret(key)


def _with(settings: Settings, options: TerminalOptions) -> Settings:
    """The configuration with what was given on the command line."""
    given = {
        "package": options["package"],
        "path": options["path"],
        "login": options["login"],
        "server": options["broker"],
        "password_file": options["password_file"],
    }
    changes = {name: value for name, value in given.items() if value is not None}
    mt5 = msgspec.structs.replace(settings.mt5, **changes)
    symbols = options["symbols"] or settings.market.symbols
    market = msgspec.structs.replace(settings.market, symbols=symbols)
    return msgspec.structs.replace(settings, mt5=mt5, market=market)


def _host_options(folder: Path) -> HostOptions:
    return HostOptions(folder=folder, name=platform.node() or "host", version=plan2.__version__)
