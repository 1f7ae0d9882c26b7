"""Closed positions and what sums of them say: profit, rates, days, weeks and months."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

import msgspec

from plan2.interface.telegram.asking import Call
from plan2.interface.telegram.figures import amount, day

PAGE: Final = 1_000
PAGES_MAX: Final = 20


class Closed(msgspec.Struct, frozen=True):
    """A closed position; `net` is profit with commission and swap, account currency."""

    position_id: str
    symbol: str
    direction: str
    quantity: float
    open_price: float
    close_price: float
    opened_us: int
    closed_us: int
    net: Decimal
    costs: Decimal
    reason: str
    flow_id: str


class Sum(msgspec.Struct, frozen=True):
    """What some closed positions come to; `factor` is None without a loss."""

    count: int
    net: Decimal
    costs: Decimal
    wins: int
    losses: int
    gained: Decimal
    lost: Decimal

    @property
    def factor(self) -> float | None:
        """Profit factor: what was gained over what was lost."""
        return float(self.gained / self.lost) if self.lost else None

    @property
    def win_rate(self) -> float:
        """Share of positions that gained."""
        return self.wins / self.count if self.count else 0.0


async def closed_since(call: Call, since_us: int = 0, most: int = PAGE * PAGES_MAX) -> list[Closed]:
    """Closed positions that were closed at or after a time, newest first, so many at the most.

    They are listed by when they were opened, so all pages are looked at.
    """
    found: list[Closed] = []
    cursor = ""
    for _ in range(PAGES_MAX):
        limit = min(PAGE, most)
        page = await call.get("positions", status="closed", limit=limit, cursor=cursor)
        found += [_closed(item) for item in page["items"]]
        cursor = page["next_cursor"] or ""
        if not cursor or (since_us == 0 and len(found) >= most):
            break
    kept = [each for each in found if each.closed_us >= since_us]
    return sorted(kept, key=lambda each: each.closed_us, reverse=True)[:most]


def sum_of(closed: Iterable[Closed]) -> Sum:
    """Add them up; one that broke even counts as neither win nor loss."""
    nets = [(each.net, each.costs) for each in closed]
    return Sum(
        count=len(nets),
        net=sum((net for net, _ in nets), Decimal(0)),
        costs=sum((costs for _, costs in nets), Decimal(0)),
        wins=sum(net > 0 for net, _ in nets),
        losses=sum(net < 0 for net, _ in nets),
        gained=sum((net for net, _ in nets if net > 0), Decimal(0)),
        lost=-sum((net for net, _ in nets if net < 0), Decimal(0)),
    )


def begin_of(period: str, at: datetime) -> datetime:
    """The local midnight that begins the day, the week (Monday) or the month of a moment."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "week":
        return midnight - timedelta(days=midnight.weekday())
    return midnight.replace(day=1) if period == "month" else midnight


def before(period: str, begin: datetime) -> datetime:
    """The beginning of the period before; local midnights, also over a change of the clocks."""
    if period == "day":
        return begin - timedelta(days=1)
    if period == "week":
        return begin - timedelta(days=7)
    return (begin - timedelta(days=1)).replace(day=1)


def by_period(
    closed: Sequence[Closed], period: str, count: int, now_us: int, zone: tzinfo
) -> list[tuple[datetime, Sum]]:
    """The last `count` days, weeks or months, newest first, with what was closed in each."""
    begin = begin_of(period, day(now_us, zone))
    found: list[tuple[datetime, Sum]] = []
    for _ in range(count):
        inside = [each for each in closed if begin_of(period, day(each.closed_us, zone)) == begin]
        found.append((begin, sum_of(inside)))
        begin = before(period, begin)
    return found


def _closed(item: dict[str, Any]) -> Closed:  # a `PositionItem` as JSON
    commission, swap = amount(item["commission"]), amount(item["swap"])
    return Closed(
        position_id=item["position_id"],
        symbol=item["symbol"],
        direction=item["direction"],
        quantity=item["quantity"],
        open_price=item["open_price"],
        close_price=item["close_price"] or 0.0,
        opened_us=item["opened_us"],
        closed_us=item["closed_us"] or 0,
        net=amount(item["profit"]) + commission + swap,
        costs=commission + swap,
        reason=item["reason"] or "",
        flow_id=item.get("flow_id") or "",
    )
