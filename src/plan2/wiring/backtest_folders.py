"""Where the backtests of a tenant are."""

from pathlib import Path

from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.wiring.tenant_folder import folder_of


def backtests_folder(folder: Path, tenant_id: str) -> Path:
    """The folder that holds them; `folder` is the data folder."""
    return folder if tenant_id == MAIN_TENANT else folder_of(folder, tenant_id)
