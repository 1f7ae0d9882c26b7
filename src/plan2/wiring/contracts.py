"""Contract data for verbs that work without a running market."""

from plan2.dataflow.terminals.simulated.instruments import SYMBOLS, instruments
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.intelligence.flows.flow import Flow
from plan2.wiring.live_account import known_instruments


def known_contracts(settings: Settings) -> dict[str, Instrument]:
    """Those of the configured market, as `plan2 serve` would have them."""
    if settings.terminal.kind == "simulated":
        return instruments(SYMBOLS, settings.simulated.leverage)
    return known_instruments(settings, data_dir(settings))


def contract_of(settings: Settings, symbol: str) -> Instrument:
    """Contract data of a symbol.

    Raises:
        InputError: the configured market has no such symbol.
    """
    known = known_contracts(settings)
    if symbol not in known:
        raise InputError(
            f"There is no contract data for {symbol}; known: {', '.join(sorted(known)) or 'none'}.",
            remedy="Connect a terminal that offers it once; its contract data is kept.",
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
