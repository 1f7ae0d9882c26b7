"""Turns an annotated class into the numpy record that compiled kernels read and write in place.

The class is the documentation and the type for mypy; the record is the memory. Every field is
eight bytes (int64 or float64), so a whole state is also a row of words that can be copied, hashed
and zeroed without knowing its fields.
"""

import typing
from dataclasses import dataclass

import numpy as np

WORD_BYTES = 8


@dataclass(frozen=True, slots=True)
class Fixed:
    """An array field of this shape."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scaled:
    """An array field whose last axis grows with the plan's window scale."""

    length: int
    rows: int = 0


def record_dtype(record: type, window_scale: int) -> np.dtype[np.void]:
    """The numpy dtype of an annotated class; nested classes become nested records.

    Raises:
        TypeError: for an annotation that is neither int, float, a sized array nor such a class.
    """
    hints = typing.get_type_hints(record, include_extras=True)
    if not hints:
        raise TypeError(f"a record field is int, float, a sized array or a record, not {record!r}")
    fields = [(name, *_field(hint, window_scale)) for name, hint in hints.items()]
    return np.dtype(fields)


def _field(hint: object, window_scale: int) -> tuple[object, ...]:
    if hint is int:
        return (np.int64,)
    if hint is float:
        return (np.float64,)
    if typing.get_origin(hint) is typing.Annotated:
        array, size = typing.get_args(hint)
        if isinstance(size, np.dtype):
            return (size,)
        scalar = typing.get_args(typing.get_args(array)[1])[0]
        return (scalar, _shape(size, window_scale))
    if isinstance(hint, type):
        return (record_dtype(hint, window_scale),)
    raise TypeError(f"a record field is int, float, a sized array or a record, not {hint!r}")


def _shape(size: object, window_scale: int) -> tuple[int, ...]:
    if isinstance(size, Fixed):
        return size.shape
    if isinstance(size, Scaled):
        length = size.length * window_scale
        return (size.rows, length) if size.rows else (length,)
    raise TypeError(f"an array field is Fixed or Scaled, not {size!r}")
