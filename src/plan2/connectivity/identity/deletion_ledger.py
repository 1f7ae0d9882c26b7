"""Which tenants were deleted, kept outside the database: an older backup brings none of them back.

One line of JSON per deletion beside the list of erased people. A tenant that was made, or restored
from its export, after its deletion was meant to be there again.
"""

from pathlib import Path
from typing import Final

import msgspec

from plan2.connectivity.identity.erasure_ledger import append_line, whole_lines
from plan2.connectivity.identity.tenant_book import TenantBook
from plan2.foundation.errors import InputError
from plan2.foundation.log import logger

FILE_NAME: Final = "deletions.jsonl"
GONE: Final = frozenset({"deleted", "deleting"})


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant was deleted at a time, UTC microseconds."""

    tenant: str
    deleted_us: int


class DeletionLedger:
    """The file beside the checkpoints.

    Args:
        folder: where it lies. second: another folder that gets the same lines.
    """

    def __init__(self, folder: Path, second: Path | None = None) -> None:
        self._paths = [each / FILE_NAME for each in (folder, second) if each is not None]

    def add(self, deletion: Deletion) -> None:
        """Write a line down everywhere; on the disk when this returns.

        Raises:
            OSError: a disk refused.
        """
        for path in self._paths:
            append_line(path, msgspec.json.encode(deletion))

    def latest(self) -> dict[str, int]:
        """When each tenant was deleted last, UTC microseconds, from every copy.

        Raises:
            InputError: a line is broken, so somebody might be forgotten.
        """
        found: dict[str, int] = {}
        for path in self._paths:
            for line in whole_lines(path):
                try:
                    each = msgspec.json.decode(line, type=Deletion)
                except msgspec.MsgspecError as error:
                    raise InputError(
                        f"The list of deleted tenants {path} is damaged: {error}.",
                        remedy="Restore it from its copy; without it a backup brings tenants back.",
                    ) from error
                found[each.tenant] = max(each.deleted_us, found.get(each.tenant, 0))
        return found


def bury_again(directory: TenantBook, ledger: DeletionLedger) -> list[str]:
    """Mark tenants that an older backup brought back as being deleted; their ids.

    From here on nobody serves them; `Tenants.resume_unfinished` exports and removes them.
    """
    buried = []
    for tenant_id, deleted_us in ledger.latest().items():
        row = directory.row(tenant_id)
        if row is None or row.lifecycle in GONE or row.created_ns // 1_000 > deleted_us:
            continue
        reason = "It was deleted before; an older backup brought it back."
        directory.put(msgspec.structs.replace(row, lifecycle="deleting", reason=reason, detail=""))
        logger("tenants").warning("tenant_buried_again", tenant_id=tenant_id)
        buried.append(tenant_id)
    return buried
