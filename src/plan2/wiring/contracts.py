"""Contract data for verbs that work without a running market."""

from collections.abc import Iterable
from pathlib import Path

from plan2.dataflow.terminals.simulated.instruments import SYMBOLS, instruments
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.flows.flow import Flow
from plan2.wiring.contract_file import how_to_say, read_contracts
from plan2.wiring.feature_plan import installation_of
from plan2.wiring.live_account import FOLDER, known_instruments, read_account


def known_contracts(settings: Settings) -> dict[str, Instrument]:
    """Those of the configured market, as `plan2 serve` would have them, and those of the file.

    Raises:
        InputError: `contracts.toml` cannot be read.
    """
    folder = data_dir(settings)
    if settings.terminal.kind == "simulated":
        known = instruments(SYMBOLS, settings.simulated.leverage)
    else:
        known = known_instruments(settings, folder)
    return {**known, **read_contracts(folder)}


def archived_contracts(folder: Path) -> dict[str, Instrument]:
    """Those that anybody has told of symbols whose past is in a data folder.

    What is written in `contracts.toml` goes first, then the simulated market's, then what a
    broker's terminal said when it was connected last.

    Raises:
        InputError: `contracts.toml` cannot be read.
        ConfigError: what is kept of a broker's account is damaged.
    """
    home = installation_of(folder)
    told: dict[str, Instrument] = {}
    for path in sorted((home / FOLDER).glob("*.json")):
        account = read_account(path)
        told |= account.instruments if account is not None else {}
    return {**told, **instruments(SYMBOLS), **read_contracts(home)}


def contracts_of(folder: Path, symbols: Iterable[str]) -> dict[str, Instrument]:
    """Contract data of symbols whose past is in a data folder.

    Raises:
        InputError: nobody has told those of a symbol; says what to write where.
        ConfigError: what is kept of a broker's account is damaged.
    """
    known, asked = archived_contracts(folder), tuple(symbols)
    for symbol in asked:
        if symbol not in known:
            raise InputError(
                f"There is no contract data for {symbol}, so its costs are unknown.",
                remedy=how_to_say(symbol),
            )
    return {symbol: known[symbol] for symbol in asked}


def contract_of(settings: Settings, symbol: str) -> Instrument:
    """Contract data of a symbol.

    Raises:
        InputError: the configured market has no such symbol, and the file says nothing of it.
    """
    known = known_contracts(settings)
    if symbol not in known:
        raise InputError(
            f"There is no contract data for {symbol}; known: {', '.join(sorted(known)) or 'none'}.",
            remedy=how_to_say(symbol),
        )
    return known[symbol]


def check_rates(
    flow: Flow, instrument: Instrument, rates: tuple[float, float] = (0.0, 0.0)
) -> None:
    """A cross needs rates, account currency per quote and per base currency.

    Raises:
        InputError: nobody gives them; the account would refuse every order.
    """
    currency = flow.account.currency
    if currency in {instrument.base, instrument.quote} or min(rates) > 0.0:
        return
    raise InputError(
        f"The account is in {currency}, and quotes of {instrument.symbol} do not say what "
        f"{instrument.base} and {instrument.quote} are worth in it.",
        remedy=f"Say it, {currency} per {instrument.quote} and {instrument.base}: --quote-rate "
        f'0.0067 --base-rate 1.25; or in the flow: [account] currency = "{instrument.quote}".',
    )
