"""Money, times and lengths of time as a chat shows them: always with unit and time zone."""

from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Final

from plan2.interface.language.say import ENGLISH, Say

US_PER_S: Final = 1_000_000
CENT: Final = Decimal("0.01")


def amount(text: str) -> Decimal:
    """A decimal string as REST sends it; 0 for what is none."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)


def money(value: Decimal | str, currency: str, *, signed: bool = False) -> str:
    """An amount with its currency, such as `+1,234.50 USD`."""
    number = amount(value) if isinstance(value, str) else value
    rounded = number.quantize(CENT)
    return f"{rounded:+,.2f} {currency}" if signed else f"{rounded:,.2f} {currency}"


def percent(fraction: float, digits: int = 1) -> str:
    """A fraction as a percentage."""
    return f"{100 * fraction:.{digits}f} %"


def price(value: float | None) -> str:
    """A price as it came, or a dash where there is none."""
    return f"{value:.10g}" if value else "–"


def lots(value: float, say: Say = ENGLISH) -> str:
    """A quantity in lots."""
    return say("{quantity} lots", quantity=f"{value:.10g}")


def moment(us: int, zone: tzinfo) -> str:
    """Microseconds UTC as a person reads them, with the zone's name."""
    return datetime.fromtimestamp(us / US_PER_S, zone).strftime("%Y-%m-%d %H:%M %Z").strip()


def day(us: int, zone: tzinfo) -> datetime:
    """The local moment of microseconds UTC."""
    return datetime.fromtimestamp(us / US_PER_S, zone)


def span(us: int, say: Say = ENGLISH) -> str:
    """A length of time in its two largest units, such as `2 h 5 min`."""
    seconds = max(us // US_PER_S, 0)
    for unit_s, unit, smaller_s, smaller in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= unit_s:
            less = seconds % unit_s // smaller_s
            return f"{seconds // unit_s} {say(unit)} {less} {say(smaller)}"
    return f"{seconds} {say('s')}"
