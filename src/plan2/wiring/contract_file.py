"""Contract data that a person wrote down, for symbols that no terminal of theirs has told.

    # <data_dir>/contracts.toml
    [AUDJPY]
    base = "AUD"
    quote = "JPY"
    digits = 3
    contract_size = 100000
    commission_per_lot = "3.50"
    swap_long_points = 4.1

`base`, `quote` and `digits` are needed; all other fields of `Instrument` may be given.
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument

FILE_NAME: Final = "contracts.toml"
FIELDS: Final = frozenset(Instrument.__struct_fields__) - {"symbol"}
ABOVE_ZERO: Final = ("contract_size", "volume_min", "volume_step", "volume_max", "leverage")


def read_contracts(folder: Path) -> dict[str, Instrument]:
    """What is written in a data folder, by symbol; nothing where there is no file.

    Raises:
        InputError: the file is no TOML, or says something of a symbol that cannot be.
    """
    path = folder / FILE_NAME
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    return {symbol: _contract(path, symbol, table) for symbol, table in tables.items()}


def how_to_say(symbol: str) -> str:
    """What to write into the file, for a remedy."""
    return (
        f'Write it into {FILE_NAME} of the data folder: [{symbol}] with base = "…", quote = "…", '
        "digits = … and what the broker charges (docs/models.md); or connect a terminal that "
        "offers it once."
    )


def _contract(path: Path, symbol: str, table: object) -> Instrument:
    where = f"{path}, [{symbol}]"
    if not isinstance(table, dict):
        raise InputError(f"{where}: expected a table of contract data.")
    strange = sorted(set(table) - FIELDS)
    if strange:
        raise InputError(
            f"{where}: there is no {', '.join(strange)}; known: {', '.join(sorted(FIELDS))}."
        )
    try:
        found = msgspec.convert({**_exact(table), "symbol": symbol}, Instrument)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}.") from error
    wrong = [name for name in ABOVE_ZERO if not getattr(found, name) > 0.0]
    if wrong or not 0 <= found.digits <= 15:
        raise InputError(
            f"{where}: {', '.join(wrong) or 'digits'} cannot be; sizes are above 0, digits 0 to 15."
        )
    return found


def _exact(table: dict[str, Any]) -> dict[str, Any]:  # what TOML holds
    """Money as decimals, whether it is written as a number or as text."""
    commission = table.get("commission_per_lot")
    if isinstance(commission, int | float):
        return {**table, "commission_per_lot": Decimal(str(commission))}
    return table
