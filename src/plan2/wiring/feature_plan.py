"""Which features an installation computes: the configured set, else the whole catalogue."""

from pathlib import Path

from plan2.dataflow.terminals.simulated.opening import FOLDER
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.values import TenantId
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.features.shelf import Shelf, chosen_set


def shelf_of(folder: Path, tenant_id: TenantId = MAIN_TENANT) -> Shelf:
    """A tenant's sets; the home of the simulated market has those of its installation."""
    return Shelf(installation_of(folder), tenant_id)


def installation_of(folder: Path) -> Path:
    """The data folder that a market's home lies in."""
    return folder.parent if folder.name == FOLDER else folder


def plan_of(settings: Settings) -> FeaturePlan:
    """What every lane computes and every model must have been trained on.

    Raises:
        InputError: the configured set is not kept.
    """
    asked = settings.models.feature_set
    own = chosen_set(asked, shelf_of(data_dir(settings))) if asked else None
    return default_plan(settings.market.bar_period_s, own)
