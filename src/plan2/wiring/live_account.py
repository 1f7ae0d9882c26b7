"""What is kept of a broker's account between two starts: `<data_dir>/live/<account>.json`."""

from pathlib import Path

import msgspec

from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import ConfigError
from plan2.foundation.instrument import (
    IN_PASSING,
    EarlierContract,
    Instrument,
    changed_terms,
)

FOLDER = "live"
EARLIER_KEPT = 1_000


class LiveAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a broker's account before anybody is asked."""

    login: str
    server: str
    mode: str
    currency: str
    start_balance: str
    since_ns: int
    instruments: dict[str, Instrument]
    earlier: tuple[EarlierContract, ...] = ()
    """What the broker has changed since, oldest first; decisions of then are replayed with it."""


def renewed(known: LiveAccount, told: dict[str, Instrument], now_ns: int) -> LiveAccount:
    """What is known once the terminal tells these contract data, UTC nanoseconds."""
    gone = [
        EarlierContract(until_ns=now_ns, instrument=one)
        for symbol, one in known.instruments.items()
        if symbol in told and changed_terms(told[symbol], one) - IN_PASSING
    ]
    earlier = (*known.earlier, *gone)[-EARLIER_KEPT:]
    return msgspec.structs.replace(known, instruments=told, earlier=earlier)


def known_instruments(settings: Settings, folder: Path) -> dict[str, Instrument]:
    """Contract data of a broker's account as the last start left them; empty before the first."""
    known = read_account(folder / FOLDER / f"{settings.terminal.account}.json")
    return known.instruments if known is not None else {}


def read_account(path: Path) -> LiveAccount | None:
    """What was kept, or None before the first connection.

    Raises:
        ConfigError: the file is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=LiveAccount)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path} is damaged: {error}.",
            remedy="Restore it from a backup; without it the account's start balance is unknown.",
        ) from error


def write_account(path: Path, known: LiveAccount) -> None:
    """Keep it, replacing the file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(known)))
    fresh.replace(path)
