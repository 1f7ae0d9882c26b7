"""What file and folder names say: the symbol and the period of the bars."""

import re
from pathlib import PurePath
from typing import Final

CURRENCIES: Final = frozenset(
    """AED AUD BGN BRL CAD CHF CLP CNH CNY COP CZK DKK EUR GBP HKD HRK HUF IDR ILS INR ISK JPY KRW
    MXN MYR NOK NZD PEN PHP PLN RON RUB SAR SEK SGD THB TRY TWD USD ZAR XAU XAG XPD XPT XBR XNG XTI
    ADA BCH BNB BTC DOG DOT DSH EOS ETC ETH LTC SOL UNI XLM XMR XRP ZEC""".split()  # noqa: SIM905 - as a list it would take a line for each
)
LONG_QUOTES: Final = ("USDT", "USDC", "BUSD")
INDEX: Final = re.compile(
    r"(?:US|UK|GER|DE|JP|JPN|NAS|SPX|EU|AUS|FRA|HK|ESP)(?:30|40|50|100|225|500|2000)"
)
PERIODS_S: Final = {
    "M1": 60,
    "M2": 120,
    "M3": 180,
    "M4": 240,
    "M5": 300,
    "M6": 360,
    "M10": 600,
    "M12": 720,
    "M15": 900,
    "M20": 1_200,
    "M30": 1_800,
    "H1": 3_600,
    "H2": 7_200,
    "H3": 10_800,
    "H4": 14_400,
    "H6": 21_600,
    "H8": 28_800,
    "H12": 43_200,
    "D1": 86_400,
    "DAILY": 86_400,
    "W1": 604_800,
    "WEEKLY": 604_800,
}
PARENTS_READ: Final = 4

_MT5_EXPORT: Final = re.compile(r"(.+?)(?:_(?:[MH]\d{1,2}|Daily|Weekly))?_\d{12}_\d{12}")


def symbol_in(path: PurePath) -> str | None:
    """The symbol that a path names, or None when it names none or two.

    A name as MetaTrader gives it (`EURUSD.r_M1_202401020000_202401312359.csv`) is taken as it is;
    elsewhere a word made of two currencies counts, first in the name, then in the folders.
    """
    exported = _MT5_EXPORT.fullmatch(path.stem)
    if exported:
        return exported.group(1)
    for name in (path.stem, *list(reversed(path.parts[:-1]))[:PARENTS_READ]):
        found = {word.upper() for word in re.split(r"[^A-Za-z0-9]+", name) if _is_symbol(word)}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def period_in(path: PurePath) -> int | None:
    """The period in seconds that a file name states as M1, H4, Daily …, or None."""
    words = re.split(r"[^A-Za-z0-9]+", path.stem.upper())
    found = {PERIODS_S[word] for word in words if word in PERIODS_S}
    return found.pop() if len(found) == 1 else None


def _is_symbol(word: str) -> bool:
    name = word.upper()
    if len(name) == 6:
        return name[:3] in CURRENCIES and name[3:] in CURRENCIES
    if len(name) == 7:
        return name[:3] in CURRENCIES and name.endswith(LONG_QUOTES)
    return INDEX.fullmatch(name) is not None
