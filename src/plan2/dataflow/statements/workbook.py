"""A report saved as Open XML (.xlsx): its first sheet as rows of text.

Numbers become text with the decimals that the cell shows, so that what is compared is what a reader
sees and binary fractions never enter the arithmetic.
"""

import io
import warnings
import zipfile
import zlib
from datetime import datetime
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import ParseError  # only the error: openpyxl does the parsing

from plan2.dataflow.statements.grid import SAVE_AGAIN, Row
from plan2.foundation.errors import InputError

UNPACKED_MAX_BYTES: Final = 256 << 20
ENCRYPTED: Final = 0x1
"""The bit of a zip entry's flags that says its bytes need a password."""
NOISE_DECIMALS: Final = 8
"""Where a cell shows no fixed decimals: beyond these is what binary fractions leave behind."""
BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, EOFError,
    AttributeError, IndexError,
)  # fmt: skip
"""What openpyxl lets through when a workbook is damaged."""


def workbook_rows(raw: bytes, name: str) -> list[Row]:
    """The rows of a workbook's first sheet.

    Raises:
        InputError: it is encrypted, cut off, damaged, or unpacks to more than a report can.
    """
    damaged = InputError(f"{name} is cut off or damaged.", remedy=SAVE_AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            _check_entries(archive.infolist(), name)
        return _rows(raw)
    except BROKEN:
        raise damaged from None


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise InputError(f"{name} is encrypted.", remedy="Save it again without a password.")
    if sum(entry.file_size for entry in entries) > UNPACKED_MAX_BYTES:
        raise InputError(
            f"{name} unpacks to more than {UNPACKED_MAX_BYTES >> 20} MiB.",
            remedy="Save reports of shorter periods.",
        )


def _rows(raw: bytes) -> list[Row]:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # MetaTrader writes no default style
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        try:
            found = []
            for number, line in enumerate(book.worksheets[0].iter_rows(), start=1):
                cells = {
                    column: text
                    for column, cell in enumerate(line)
                    if cell.value is not None
                    and (text := _text(cell.value, str(cell.number_format)))
                }
                if cells:
                    found.append(Row(number, cells))
            return found
        finally:
            book.close()


def _text(value: object, number_format: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | datetime):
        return " ".join(str(value).split())
    if isinstance(value, datetime):  # another program turned MetaTrader's text into a date
        return value.strftime("%Y.%m.%d %H:%M:%S")
    exact = Decimal(repr(value))
    shown = number_format.partition(";")[0]
    if "%" in shown or not exact.is_finite():
        return str(exact)
    if "." in shown:
        decimals = shown.rpartition(".")[2].count("0")
        return f"{exact:.{decimals}f}"
    whole = exact == exact.to_integral_value()
    return f"{exact:.0f}" if whole else format(round(exact, NOISE_DECIMALS).normalize(), "f")
