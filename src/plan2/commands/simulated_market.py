"""`--simulated`: verbs about the past on the history that the simulated market made for itself."""

import click
import msgspec

from plan2.commands.options import say
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import InputError

simulated_option = click.option(
    "--simulated", is_flag=True, help="On ticks and models of the simulated market."
)


def on_simulated(loaded: Loaded) -> Loaded:
    """The configuration with the simulated market's own folder, which has its ticks and models.

    Raises:
        InputError: there was no simulated market in the data folder yet.
    """
    from plan2.wiring.markets import simulated_home

    home = simulated_home(data_dir(loaded.settings))
    if not home.is_dir():
        raise InputError(
            f"{home.parent} has no simulated market.",
            remedy="The first `plan2 serve` makes one.",
        )
    say("Ticks of the SIMULATED market: what comes out says nothing about a real one.")
    data = msgspec.structs.replace(loaded.settings.data, dir=str(home))
    return msgspec.structs.replace(
        loaded, settings=msgspec.structs.replace(loaded.settings, data=data)
    )
