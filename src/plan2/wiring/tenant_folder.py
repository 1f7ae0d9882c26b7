"""Where the files of a tenant other than the main one are; the mark of one that is wound down."""

from pathlib import Path

from plan2.foundation.log import logger

FOLDER = "tenants"
MARK = "WINDING_DOWN"


def folder_of(folder: Path, tenant_id: str) -> Path:
    """A tenant's folder in the data folder."""
    return folder / FOLDER / tenant_id


class WindingDown:
    """Marks of tenants that are served no more while something of theirs may still be open.

    A mark outlives a crash: the next start opens the tenant once more, for nobody but the broker.
    A disk that refuses one is told in the log; it keeps nobody from being killed.

    Args:
        folder: the data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, tenant_id: str) -> None:
        """Mark a tenant that has files here; one that has none never traded."""
        own = folder_of(self._folder, tenant_id)
        try:
            if own.is_dir():
                (own / MARK).touch()
        except OSError as error:
            _tell(tenant_id, error)

    def end(self, tenant_id: str) -> None:
        """Take the mark away: everything is flat, or the tenant is served again."""
        try:
            (folder_of(self._folder, tenant_id) / MARK).unlink(missing_ok=True)
        except OSError as error:
            _tell(tenant_id, error)

    def is_marked(self, tenant_id: str) -> bool:
        """Whether something may still be open."""
        return (folder_of(self._folder, tenant_id) / MARK).exists()


def _tell(tenant_id: str, error: OSError) -> None:
    logger("tenants").error("tenant_mark_failed", tenant_id=tenant_id, reason=str(error))
