"""One look at everything a live account needs, step by step, each with what to do when it fails.

It connects, asks and lets go again; it selects the configured symbols in the Market Watch, as
trading would, and changes nothing else.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from plan2.dataflow.terminals.mt5.calls import CallFailed, Calls
from plan2.dataflow.terminals.mt5.options import Mt5Options
from plan2.dataflow.terminals.mt5.package import OFFICIAL, load_package, package_remedy
from plan2.dataflow.terminals.mt5.server_time import LAG_MAX_S, MEASURED, STEP_S, ServerTime
from plan2.dataflow.terminals.mt5.session import Session, account_mode, is_hedging
from plan2.dataflow.terminals.mt5.shape import AccountInfo, Mt5Module, TerminalInfo
from plan2.dataflow.terminals.mt5.symbols import Symbols
from plan2.foundation.clock import Clock
from plan2.foundation.errors import ConfigError, InputError, TerminalUnavailable
from plan2.foundation.secret import Secret
from plan2.foundation.values import NS_PER_SECOND

CLOSED_AFTER_S: Final = 14 * 3_600
"""A last quote older than any server offset says nothing about the offset."""
API_REMEDY: Final = (
    "Untick 'Disable automatic trading via external Python API' under Tools, Options, "
    "Expert Advisors."
)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the checkup."""

    subject: str
    is_ok: bool
    found: str
    remedy: str = ""


def package_step(name: str = OFFICIAL) -> Step:
    """Whether the package can be imported."""
    subject = "package"
    if name != OFFICIAL:
        is_there = importlib.util.find_spec(name) is not None
        found = name if is_there else f"there is no module {name}"
        return Step(subject=subject, is_ok=is_there, found=found)
    try:
        module = load_package()
    except ConfigError as error:
        return Step(subject=subject, is_ok=False, found=error.message, remedy=package_remedy())
    version = getattr(module, "__version__", "of unknown version")
    return Step(subject=subject, is_ok=True, found=f"{OFFICIAL} {version}")


def checkup(
    module: Mt5Module, options: Mt5Options, clock: Clock, password: Secret | None = None
) -> list[Step]:
    """Every step up to the first that makes the later ones pointless."""
    calls = Calls(module)
    steps = [_path_step(options)]
    session = Session(calls, options, password or Secret(""))
    connected = _initialize_step(session)
    steps.append(connected)
    if connected.is_ok:
        try:
            steps += _connected_steps(calls, options, clock)
        finally:
            calls.shutdown()
    return steps


def _path_step(options: Mt5Options) -> Step:
    subject = "terminal path"
    if options.may_guess_terminal:
        return Step(subject=subject, is_ok=True, found=options.path or "any terminal")
    if not options.path:
        remedy = "Set the path of terminal64.exe."
        return Step(subject=subject, is_ok=False, found="not configured", remedy=remedy)
    is_there = Path(options.path).exists()
    return Step(
        subject=subject,
        is_ok=is_there,
        found=options.path if is_there else f"{options.path} does not exist",
        remedy="" if is_there else "Correct the path of terminal64.exe.",
    )


def _initialize_step(session: Session) -> Step:
    subject = "connection"
    try:
        answer = session.initialize()
    except ConfigError as error:
        return Step(subject=subject, is_ok=False, found=error.message, remedy=error.remedy)
    if isinstance(answer, CallFailed):
        return Step(
            subject=subject,
            is_ok=False,
            found=str(answer),
            remedy="Start the terminal, log in, and see that login, password and server are right.",
        )
    return Step(subject=subject, is_ok=True, found="the terminal answers")


def _connected_steps(calls: Calls, options: Mt5Options, clock: Clock) -> Iterator[Step]:
    account, terminal = calls.account_info(), calls.terminal_info()
    if isinstance(account, CallFailed) or isinstance(terminal, CallFailed):
        yield Step(
            subject="account",
            is_ok=False,
            found=f"{account if isinstance(account, CallFailed) else terminal}",
            remedy="Log in to the account in the terminal.",
        )
        return
    yield from _account_steps(account, options)
    yield from _rights_steps(terminal, account)
    symbols = Symbols(calls, options)
    try:
        symbols.load(account)
    except (ConfigError, TerminalUnavailable) as error:
        yield Step(subject="symbols", is_ok=False, found=error.message, remedy=error.remedy)
        return
    names = ", ".join(
        ours if ours == one.name else f"{ours} = {one.name}"
        for ours, one in symbols.contracts.items()
    )
    notes = "; ".join(symbols.notes)
    yield Step(subject="symbols", is_ok=True, found=f"{names}{'; ' + notes if notes else ''}")
    yield _clock_step(calls, options, symbols, clock)
    yield _history_step(calls, symbols)


def _account_steps(account: AccountInfo, options: Mt5Options) -> Iterator[Step]:
    is_login = options.login in {0, account.login}
    yield Step(
        subject="login",
        is_ok=is_login,
        found=f"{account.login}" + ("" if is_login else f", expected {options.login}"),
        remedy="" if is_login else "Log in to the configured account, or configure this one.",
    )
    is_server = options.server in {"", account.server}
    yield Step(
        subject="server",
        is_ok=is_server,
        found=account.server + ("" if is_server else f", expected {options.server}"),
        remedy="" if is_server else "Log in at the configured server, or configure this one.",
    )
    mode = account_mode(account)
    is_mode = options.mode in {"", mode}
    kind = "hedging" if is_hedging(account) else "netting"
    yield Step(
        subject="trade mode",
        is_ok=is_mode,
        found=f"{mode}, {kind}, {account.currency}"
        + ("" if is_mode else f"; expected {options.mode}"),
        remedy="" if is_mode else "Configure the mode that you mean to trade.",
    )


def _rights_steps(terminal: TerminalInfo, account: AccountInfo) -> Iterator[Step]:
    rights = (
        (
            "trade server",
            terminal.connected,
            "connected",
            "not connected",
            "See that the terminal is online (lower right corner).",
        ),
        (
            "AutoTrading button",
            terminal.trade_allowed,
            "on",
            "off",
            "Press the AutoTrading button in the terminal's toolbar.",
        ),
        (
            "API trading",
            not terminal.tradeapi_disabled,
            "allowed",
            "disabled",
            API_REMEDY,
        ),
        (
            "trading rights",
            account.trade_allowed,
            "may trade",
            "may only look",
            "Log in with the trading password, not the investor's.",
        ),
        (
            "automatic trading at the broker",
            account.trade_expert,
            "allowed",
            "forbidden",
            "Ask the broker to allow automatic trading on this account.",
        ),
    )
    for subject, is_ok, good, bad, remedy in rights:
        yield Step(
            subject=subject,
            is_ok=bool(is_ok),
            found=good if is_ok else bad,
            remedy="" if is_ok else remedy,
        )


def _clock_step(calls: Calls, options: Mt5Options, symbols: Symbols, clock: Clock) -> Step:
    """Compares the newest quote with this machine's clock."""
    subject = "server clock"
    quoted_ms = 0
    for contract in symbols.contracts.values():
        tick = calls.symbol_info_tick(contract.name)
        quoted_ms = quoted_ms if isinstance(tick, CallFailed) else max(quoted_ms, tick.time_msc)
    now_ns = clock.now_ns()
    if options.server_clock == MEASURED:
        ahead_h = (quoted_ms / 1_000 - now_ns / NS_PER_SECOND) / 3_600
        found = f"measured while trading; the last quote is at UTC{ahead_h:+.1f} h"
        return Step(subject=subject, is_ok=True, found=found)
    try:
        time = ServerTime(options.server_clock)
    except InputError as error:
        return Step(subject=subject, is_ok=False, found=error.message, remedy=error.remedy)
    offset_s = time.to_server_s(now_ns) - now_ns // NS_PER_SECOND
    age_s = round(now_ns / NS_PER_SECOND + offset_s - quoted_ms / 1_000)
    if abs(age_s) <= LAG_MAX_S:
        found = f"{options.server_clock}; the last quote is {age_s} s old"
        return Step(subject=subject, is_ok=True, found=found)
    steps_off = round(age_s / STEP_S)
    is_wrong = abs(age_s) <= CLOSED_AFTER_S and abs(age_s - steps_off * STEP_S) <= LAG_MAX_S
    if is_wrong or age_s < 0:
        return Step(
            subject=subject,
            is_ok=False,
            found=f"by {options.server_clock} the last quote is {age_s / 3600:g} h old",
            remedy="Set server_clock to the broker's clock (for example newyork+7, Europe/Athens, "
            "UTC+2) and see that this machine's clock is right.",
        )
    return Step(
        subject=subject,
        is_ok=True,
        found=f"{options.server_clock}; not checked, the last quote is {age_s / 3600:.1f} h old",
        remedy="Look again while the market is open.",
    )


def _history_step(calls: Calls, symbols: Symbols) -> Step:
    subject = "history"
    for contract in symbols.contracts.values():
        tick = calls.symbol_info_tick(contract.name)
        if isinstance(tick, CallFailed):
            continue
        rows = calls.copy_ticks_from(contract.name, tick.time_msc // 1_000, 10)
        is_there = not isinstance(rows, CallFailed) and len(rows) > 0
        return Step(
            subject=subject,
            is_ok=is_there,
            found=f"ticks of {contract.name}" if is_there else f"no ticks of {contract.name}",
            remedy="" if is_there else "Open a chart of the symbol and let its history load.",
        )
    return Step(
        subject=subject,
        is_ok=False,
        found="no symbol has a quote",
        remedy="See that the symbols are in the Market Watch and the market has been open.",
    )
