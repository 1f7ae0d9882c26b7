"""Which kept backtest a verb is about: whose runs, and the one whose id begins as was typed."""

import re
from pathlib import Path

import click

from plan2.commands.options import resolve_data_dir
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.kept.files import KeptRuns

tenant_option = click.option("--tenant", default=MAIN_TENANT, show_default=True, help="Whose runs.")


def kept_runs(ctx: click.Context, data_dir: Path | None, tenant: str) -> KeptRuns:
    """The runs of a tenant.

    Raises:
        InputError: that is no id of one.
    """
    from plan2.wiring.result_folders import results_folder

    if not re.fullmatch(r"[a-z0-9_]{1,48}", tenant):
        raise InputError(f"{tenant!r} is no id of a tenant.")
    return KeptRuns(results_folder(resolve_data_dir(ctx, data_dir), tenant))


def run_id_of(kept: KeptRuns, text: str) -> str:
    """The one run whose id begins so.

    Raises:
        InputError: there is none, or more than one.
    """
    shelf = kept.list()
    known = [each.run_id for each in shelf.runs] + [each.run_id for each in shelf.damaged]
    found = [each for each in known if each == text] or [
        each for each in known if each.startswith(text)
    ]
    if len(found) != 1:
        which = "no backtest" if not found else f"{len(found)} backtests"
        raise InputError(
            f"{which.capitalize()} begins with {text!r}.",
            remedy="`plan2 backtests list` shows their ids.",
        )
    return found[0]
