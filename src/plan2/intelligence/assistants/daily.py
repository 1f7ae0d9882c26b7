"""The facts of a day, as a language model may word them in a report."""

import msgspec

from plan2.intelligence.assistants.wording import Fact

TASK = (
    "Write the report of the trading day for the person who runs this account: how it went, how "
    "much of the limits was used, and what is open now."
)


class DayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """An account at the end of a day, as the pages show it; money is account currency.

    `limits` are (rule, used, limit), fractions or counts as the rule has them.
    """

    currency: str
    equity: str
    balance: str
    day_pnl: str
    drawdown: float
    open_positions: int
    trading_state: str
    limits: tuple[tuple[str, float, float], ...]


def facts_of_day(day: DayFigures) -> dict[str, Fact]:
    """Everything that a report may cite."""
    facts = {
        "equity": Fact(f"{day.equity} {day.currency}", "equity now"),
        "balance": Fact(f"{day.balance} {day.currency}", "balance now"),
        "day_result": Fact(f"{day.day_pnl} {day.currency}", "profit or loss of the day"),
        "drawdown": Fact(f"{day.drawdown:.2%}", "fall from the highest equity"),
        "open_positions": Fact(str(day.open_positions), "how many positions are open"),
        "trading_state": Fact(day.trading_state, "whether trading is armed, paused or halted"),
    }
    for rule, used, limit in day.limits:
        share = f"{used / limit:.0%}" if limit > 0 else "none"
        facts[f"{rule}_used"] = Fact(share, f"how much of the limit {rule} is used")
    return facts


def plain_report(day: DayFigures) -> str:
    """Our own sentence, for when no assistant's is used."""
    return (
        f"Equity {day.equity} {day.currency} ({day.day_pnl} today), drawdown {day.drawdown:.2%}, "
        f"{day.open_positions} positions open, trading is {day.trading_state}."
    )
