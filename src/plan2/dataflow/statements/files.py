"""A report file as rows of text, whether it is a page or a workbook."""

from pathlib import Path
from typing import Final

from plan2.dataflow.statements.grid import SAVE_AGAIN, Row
from plan2.dataflow.statements.page import page_rows
from plan2.dataflow.statements.workbook import workbook_rows
from plan2.foundation.errors import InputError

SIZE_MAX_BYTES: Final = 64 << 20
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How encrypted workbooks begin, and those of Excel before 2007."""
ZIP_MAGIC: Final = b"PK"


def read_rows(path: Path) -> list[Row]:
    """All rows of a report file.

    Raises:
        InputError: the file is empty, too large, encrypted, cut off, of an unknown encoding, or
            neither a page nor a workbook.
        OSError: it cannot be opened.
    """
    size = path.stat().st_size
    if size > SIZE_MAX_BYTES:
        raise InputError(
            f"{path.name} has {size >> 20} MiB; a report has at most {SIZE_MAX_BYTES >> 20}.",
            remedy="Save reports of shorter periods.",
        )
    raw = path.read_bytes()
    if not raw.strip(b"\0\t\r\n "):
        raise InputError(f"{path.name} is empty.", remedy=SAVE_AGAIN)
    if raw.startswith(OLE_MAGIC):
        raise InputError(
            f"{path.name} is encrypted, or a workbook of Excel before 2007.",
            remedy="Open it with its password and save it as .xlsx without one.",
        )
    if raw.startswith(ZIP_MAGIC):
        return workbook_rows(raw, path.name)
    return page_rows(raw, path.name)
