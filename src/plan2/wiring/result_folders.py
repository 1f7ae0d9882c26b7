"""Where what a tenant found out is kept: its backtests and its research."""

from pathlib import Path

from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.wiring.tenant_folder import folder_of


def results_folder(folder: Path, tenant_id: str) -> Path:
    """The folder that holds them; `folder` is the data folder."""
    return folder if tenant_id == MAIN_TENANT else folder_of(folder, tenant_id)
