"""Answers about money: /profit, /balance, /daily, /weekly, /monthly, /performance, /trades."""

from collections import defaultdict
from typing import Final

from plan2.interface.telegram.asking import Call, Reply
from plan2.interface.telegram.closed import (
    Closed,
    Sum,
    before,
    begin_of,
    by_period,
    closed_since,
    sum_of,
)
from plan2.interface.telegram.figures import day, lots, moment, money, percent, price, span
from plan2.interface.telegram.picture import Picture
from plan2.interface.telegram.text import Line, bold, code, line, table

US_PER_DAY: Final = 86_400_000_000
DAYS_MAX: Final = 3_650
NOTHING: Final = "Nothing was closed in this time."


async def profit(call: Call) -> Reply:
    """What closed positions brought, of all time or of the last days."""
    days = call.number(0, DAYS_MAX) if call.arguments else 0
    system = await call.get("system")
    currency, now_us = str(system["currency"]), int(system["market_us"])
    since_us = now_us - days * US_PER_DAY if days else 0
    closed = await closed_since(call, since_us)
    account = await call.get("account")
    when = f"the last {days} days" if days else "all time"
    lines = [line(bold(f"Profit of {when}"))]
    lines += _sum_lines(sum_of(closed), currency) if closed else [line(NOTHING)]
    if closed:
        best = max(closed, key=lambda each: each.net)
        worst = min(closed, key=lambda each: each.net)
        lines += [
            line("Best: ", f"{best.symbol} {money(best.net, currency, signed=True)}"),
            line("Worst: ", f"{worst.symbol} {money(worst.net, currency, signed=True)}"),
            line("First closed: ", moment(closed[-1].closed_us, call.zone)),
        ]
    lines.append(line("Today so far, open positions too: ",
                      money(account["day_pnl"], currency, signed=True)))  # fmt: skip
    return Reply(lines)


async def balance(call: Call) -> Reply:
    """The account's figures."""
    currency = await call.currency()
    account = await call.get("account")
    return Reply(
        [
            line(bold(f"Account {account['account_id']}")),
            line("Balance: ", bold(money(account["balance"], currency))),
            line("Equity: ", bold(money(account["equity"], currency))),
            line("Margin: ", money(account["margin"], currency)),
            line("Today: ", money(account["day_pnl"], currency, signed=True)),
            line("Below its peak: ", percent(account["drawdown"], 2)),
            line("Open positions: ", str(account["open_positions"])),
        ]
    )


async def daily(call: Call) -> Reply:
    """What was closed on each of the last days."""
    return await _periods(call, "day", call.number(7, 90))


async def weekly(call: Call) -> Reply:
    """What was closed in each of the last weeks; a week begins on Monday."""
    return await _periods(call, "week", call.number(8, 52))


async def monthly(call: Call) -> Reply:
    """What was closed in each of the last months."""
    return await _periods(call, "month", call.number(6, 36))


async def performance(call: Call) -> Reply:
    """What each symbol brought, the best first."""
    currency = await call.currency()
    grouped: dict[str, list[Closed]] = defaultdict(list)
    for each in await closed_since(call):
        grouped[each.symbol].append(each)
    return Reply(_grouped("Performance by symbol", grouped, currency))


async def flows(call: Call) -> Reply:
    """What each flow brought, the best first."""
    currency = await call.currency()
    grouped: dict[str, list[Closed]] = defaultdict(list)
    for each in await closed_since(call):
        grouped[each.flow_id or "without a flow"].append(each)
    opened = (await call.get("positions", limit=1000))["items"]
    lines = _grouped("Flows", grouped, currency)
    for name in sorted({item.get("flow_id") or "without a flow" for item in opened}):
        count = sum((item.get("flow_id") or "without a flow") == name for item in opened)
        lines.append(line(f"{name}: {count} open"))
    return Reply(lines)


async def trades(call: Call) -> Reply:
    """The positions that were closed last."""
    wanted = call.number(10, 50)
    currency = await call.currency()
    closed = await closed_since(call, most=wanted)
    lines = [line(bold(f"The last {len(closed)} closed positions"))]
    for each in closed:
        lines += [
            line(
                bold(f"{each.symbol} {each.direction} "), lots(each.quantity), ": ",
                bold(money(each.net, currency, signed=True)),
            ),
            line(
                f"  {price(each.open_price)} → {price(each.close_price)}, "
                f"{span(each.closed_us - each.opened_us)}, {moment(each.closed_us, call.zone)}, "
                f"{each.reason or 'no reason given'} ", code(each.position_id),
            ),
        ]  # fmt: skip
    return Reply(lines if closed else [line("No position was closed yet.")])


async def equity(call: Call) -> Reply:
    """Balance and equity as a picture."""
    wanted = call.number(500, 1000)
    currency = await call.currency()
    curve = await call.get("equity", limit=wanted)
    if len(curve["time_us"]) < 2:
        return Reply([line("There are too few records of equity for a picture yet.")])
    first, last = curve["time_us"][0], curve["time_us"][-1]
    words = f"Equity from {moment(first, call.zone)} to {moment(last, call.zone)}: " + money(
        curve["equity"][-1], currency
    )
    data = {**curve, "currency": currency, "zone": str(call.preferences.time_zone or "UTC")}
    return Reply([line(words)], Picture("equity", data))


async def _periods(call: Call, period: str, count: int) -> Reply:
    system = await call.get("system")
    currency, now_us = str(system["currency"]), int(system["market_us"])
    first = begin_of(period, day(now_us, call.zone))
    for _ in range(count - 1):
        first = before(period, first)
    closed = await closed_since(call, int(first.timestamp()) * 1_000_000)
    form = "%Y-%m" if period == "month" else "%Y-%m-%d"
    rows = [("from", "net", "closed", "won")]
    for begin, found in by_period(closed, period, count, now_us, call.zone):
        won = percent(found.win_rate, 0) if found.count else "–"
        rows.append((begin.strftime(form), f"{found.net:+,.2f}", str(found.count), won))
    total = sum_of(closed)
    return Reply(
        [
            line(bold(f"The last {count} {period}s"), f", {currency}, time zone "
                 f"{call.preferences.time_zone or 'UTC'}"),
            *table(rows),
            line("Together: ", bold(money(total.net, currency, signed=True)),
                 f" from {total.count} closed positions"),
        ]
    )  # fmt: skip


def _grouped(title: str, grouped: dict[str, list[Closed]], currency: str) -> list[Line]:
    if not grouped:
        return [line(bold(title)), line("No position was closed yet.")]
    sums = {name: sum_of(closed) for name, closed in grouped.items()}
    rows = [("", "net", "closed", "won")]
    for name, found in sorted(sums.items(), key=lambda each: each[1].net, reverse=True):
        rows.append((name, f"{found.net:+,.2f}", str(found.count), percent(found.win_rate, 0)))
    return [line(bold(title), f", {currency}"), *table(rows)]


def _sum_lines(found: Sum, currency: str) -> list[Line]:
    factor = f"{found.factor:.2f}" if found.factor is not None else "no loss yet"
    return [
        line("Net: ", bold(money(found.net, currency, signed=True))),
        line(f"Closed positions: {found.count}, {found.wins} won, {found.losses} lost "
             f"({percent(found.win_rate)} won)"),
        line("Profit factor: ", factor),
        line("Commission and swap: ", money(found.costs, currency, signed=True)),
    ]  # fmt: skip
