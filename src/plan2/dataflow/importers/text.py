"""Delimited text in bounded blocks: encodings, line ends, numbers and times with line numbers.

A block is whole lines as UTF-8 with plain line feeds, so that every format sees the same thing
whether the file was UTF-16, had a byte-order mark or carriage returns.
"""

import codecs
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import polars as pl

from plan2.dataflow.importers.source import SourceFile
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MS, Float64Array, Int64Array

BLOCK_BYTES: Final = 16 << 20
LINE_BYTES_MAX: Final = 1 << 20
UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
YEARS: Final = (1970, 2200)
"""Years that a time may lie in; beyond them a column was misread."""


@dataclass(frozen=True, slots=True)
class TextRows:
    """Lines as columns of text; a blank field is null. `first_line` counts from 1."""

    source: SourceFile
    first_line: int
    frame: pl.DataFrame

    def prices(self, column: str) -> Float64Array:
        """A column as numbers.

        Raises:
            InputError: a field is blank or not a number; the message names the line.
        """
        numbers = self.frame[column].cast(pl.Float64, strict=False)
        self._demand(~numbers.is_null(), column, "a number")
        return numbers.to_numpy()

    def prices_or_blank(self, column: str) -> Float64Array:
        """As `prices`, with NaN for blank fields."""
        numbers = self.frame[column].cast(pl.Float64, strict=False)
        is_blank = self.frame[column].is_null()
        self._demand(numbers.is_not_nan().fill_null(value=False) | is_blank, column, "a number")
        return numbers.fill_null(np.nan).to_numpy()

    def counts(self, column: str) -> Int64Array:
        """A column as whole numbers; raises as `prices`."""
        numbers = self.frame[column].cast(pl.Int64, strict=False)
        self._demand(~numbers.is_null(), column, "a whole number")
        return numbers.to_numpy()

    def times(self, columns: tuple[str, ...], layouts: tuple[str, ...]) -> Int64Array:
        """Times in ns, as if the file's clock were UTC, from columns joined by a blank.

        layouts: strftime patterns tried in turn on the first line; one must hold for all lines.

        Raises:
            InputError: a time does not parse or lies outside YEARS; the message names the line.
        """
        joined = self.frame.select(pl.concat_str(columns, separator=" ").alias("time"))["time"]
        layout = next((one for one in layouts if _parsed(joined[:1], one)[0] is not None), None)
        times = _parsed(joined, layout or layouts[0])
        years = times.dt.year()
        is_time = times.is_not_null() & (years >= YEARS[0]) & (years < YEARS[1])
        self._demand(is_time.fill_null(value=False), columns[0], "a time", joined)
        in_ms: Int64Array = times.to_physical().to_numpy()
        return in_ms * NS_PER_MS

    def _demand(
        self, is_good: pl.Series, column: str, what: str, shown: pl.Series | None = None
    ) -> None:
        if is_good.all():
            return
        row = int((~is_good).arg_max() or 0)
        text = (self.frame[column] if shown is None else shown)[row]
        found = "blank" if text is None else repr(text)
        raise self.source.refuse(
            f"line {self.first_line + row}: {column} should be {what}, found {found}."
        )


def first_lines(head: bytes) -> list[str]:
    """The complete lines at the beginning of a file; none when it is not text."""
    if head.startswith(UTF16_MARKS):
        text = head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    else:
        if b"\x00" in head:
            return []
        text = head.decode("utf-8-sig", errors="replace")
    return text.splitlines()


def separator_of(line: str) -> str:
    """The character that separates the fields of a line: tab, semicolon or comma."""
    return max("\t;,", key=line.count)


def read_rows(
    source: SourceFile, columns: tuple[str, ...], separator: str, header_lines: int
) -> Iterator[TextRows]:
    """The file's lines below its header as blocks of text columns.

    Raises:
        InputError: a line has more or fewer fields than `columns`, or is not plain text.
    """
    line = 1
    with source.open() as stream:
        for block in _blocks(source, stream):
            skipped = header_lines if line == 1 else 0
            frame = _columns(source, block, columns, separator, line)
            if len(frame) > skipped:
                yield TextRows(source, line + skipped, frame[skipped:])
            line += block.count(b"\n")


def _columns(
    source: SourceFile, block: bytes, columns: tuple[str, ...], separator: str, first_line: int
) -> pl.DataFrame:
    mark = separator.encode()
    # Counting is fast; only when the sum is wrong, or lines cancel out, is each line looked at.
    if block.isascii() and block.count(mark) == block.count(b"\n") * (len(columns) - 1):
        with suppress(pl.exceptions.PolarsError):
            return pl.read_csv(
                io.BytesIO(block),
                has_header=False,
                separator=separator,
                quote_char=None,
                schema=dict.fromkeys(columns, pl.String),
                infer_schema=False,
            )
    raise _bad_line(source, block, mark, len(columns), first_line)


def _bad_line(
    source: SourceFile, block: bytes, mark: bytes, fields: int, first_line: int
) -> InputError:
    """The refusal of the first line that is not plain text or has another number of fields."""
    for number, text in enumerate(block.splitlines(), first_line):
        found = text.count(mark) + 1
        if not text.isascii():
            return source.refuse(f"line {number}: not plain text: {text[:40]!r}.")
        if found != fields:
            return source.refuse(
                f"line {number}: {fields} fields were expected, found {found}: "
                f"{text[:60].decode()!r}."
            )
    return source.refuse(f"lines from {first_line} on are not delimited text.")


def _parsed(texts: pl.Series, layout: str) -> pl.Series:
    return texts.str.to_datetime(layout, time_unit="ms", strict=False, ambiguous="earliest")


def _blocks(source: SourceFile, stream: BinaryIO) -> Iterator[bytes]:
    """Blocks of whole lines, each ending with a line feed; blank lines at the end are dropped."""
    is_utf16 = source.head.startswith(UTF16_MARKS)
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace") if is_utf16 else None
    if source.head.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    rest = b""
    while raw := stream.read(BLOCK_BYTES):
        data = raw if decoder is None else decoder.decode(raw).encode()
        whole, end, rest = (rest + data).replace(b"\r\n", b"\n").rpartition(b"\n")
        # Blank lines wait with the rest: they are an error only when another line follows.
        kept = whole.rstrip(b"\n")
        rest = whole[len(kept) :] + end + rest
        if kept:
            yield kept + rest[:1]
            rest = rest[1:]
        if len(rest) > LINE_BYTES_MAX:
            raise source.refuse(f"holds a line of more than {LINE_BYTES_MAX:,} bytes.")
    if rest.strip(b"\r\n"):
        yield rest.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
