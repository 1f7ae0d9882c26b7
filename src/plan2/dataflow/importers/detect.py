"""Which format a file has, by its content first and its name second."""

from collections.abc import Callable
from typing import Final

from plan2.dataflow.importers import dukascopy, histdata, lean, mt5, parquet, truefx
from plan2.dataflow.importers.dataset import BarFile, ImportOptions, TickFile
from plan2.dataflow.importers.source import SourceFile, UnknownFormat
from plan2.dataflow.importers.text import first_lines

KNOWN: Final = (
    "Known are Parquet (ticks or bars), MT5 exports of ticks or bars, Dukascopy bi5, HistData "
    "ASCII, TrueFX and LEAN ticks, each plain, .gz or .zip."
)

Found = TickFile | BarFile | None
BINARY: Final[tuple[Callable[[SourceFile, ImportOptions], Found], ...]] = (
    dukascopy.recognise,
    parquet.recognise,
)
TEXT: Final[tuple[Callable[[SourceFile, list[str], ImportOptions], Found], ...]] = (
    mt5.recognise,
    histdata.recognise,
    truefx.recognise,
    lean.recognise,
)


def recognise(source: SourceFile, options: ImportOptions) -> TickFile | BarFile:
    """What the file holds.

    Raises:
        UnknownFormat: no format fits, or the file is empty.
        InputError: a format fits but cannot be used as it is.
    """
    for recognise_binary in BINARY:
        if found := recognise_binary(source, options):
            return found
    if not source.head:
        raise UnknownFormat(f"{source.path}: the file is empty.")
    lines = first_lines(source.head)
    for recognise_text in TEXT if lines else ():
        if found := recognise_text(source, lines, options):
            return found
    begin = repr(lines[0][:60]) if lines else source.head[:8].hex(" ")
    raise UnknownFormat(f"{source.path}: no known format; it begins with {begin}.", remedy=KNOWN)
