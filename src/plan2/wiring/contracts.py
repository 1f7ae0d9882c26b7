"""Contract data for verbs that work without a running market."""

from plan2.dataflow.terminals.simulated.instruments import SYMBOLS, instruments
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.instrument import Instrument


def known_contracts(settings: Settings) -> dict[str, Instrument]:
    """Those of the configured market, as `plan2 serve` would have them."""
    if settings.terminal.kind == "simulated":
        return instruments(SYMBOLS, settings.simulated.leverage)
    # Late: a live market brings the whole link to its terminal with it.
    from plan2.wiring.live import known_instruments

    return known_instruments(settings, data_dir(settings))
