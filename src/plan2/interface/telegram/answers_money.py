"""Answers about money: /profit, /balance, /daily, /weekly, /monthly, /performance, /trades."""

from collections import Counter, defaultdict
from typing import Final

from plan2.interface.language.say import Say
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

LAST: Final = {
    "day": "The last {count} days",
    "week": "The last {count} weeks",
    "month": "The last {count} months",
}
US_PER_DAY: Final = 86_400_000_000
DAYS_MAX: Final = 3_650
NO_FLOW: Final = "without a flow"


async def profit(call: Call) -> Reply:
    """What closed positions brought, of all time or of the last days."""
    days = call.number(0, DAYS_MAX) if call.arguments else 0
    system = await call.get("system")
    currency, now_us = str(system["currency"]), int(system["market_us"])
    since_us = now_us - days * US_PER_DAY if days else 0
    closed = await closed_since(call, since_us)
    account = await call.get("account")
    say = call.say
    head = say("Profit of the last {days} days", days=days) if days else say("Profit of all time")
    nothing = [line(say("Nothing was closed in this time."))]
    lines = [line(bold(head))]
    lines += _sum_lines(sum_of(closed), currency, say) if closed else nothing
    if closed:
        best = max(closed, key=lambda each: each.net)
        worst = min(closed, key=lambda each: each.net)
        lines += [
            line(say("Best: "), f"{best.symbol} {money(best.net, currency, signed=True)}"),
            line(say("Worst: "), f"{worst.symbol} {money(worst.net, currency, signed=True)}"),
            line(say("First closed: "), moment(closed[-1].closed_us, call.zone)),
        ]
    today = money(account["day_pnl"], currency, signed=True)
    lines.append(line(say("Today so far, open positions too: "), today))
    return Reply(lines)


async def balance(call: Call) -> Reply:
    """The account's figures."""
    say, currency = call.say, await call.currency()
    account = await call.get("account")
    return Reply(
        [
            line(bold(say("Account {name}", name=account["account_id"]))),
            line(say("Balance: "), bold(money(account["balance"], currency))),
            line(say("Equity: "), bold(money(account["equity"], currency))),
            line(say("Margin: "), money(account["margin"], currency)),
            line(say("Today: "), money(account["day_pnl"], currency, signed=True)),
            line(say("Below its peak: "), percent(account["drawdown"], 2)),
            line(say("Open positions: "), str(account["open_positions"])),
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
    title = call.say("Performance by symbol")
    return Reply(_grouped(title, grouped, currency, call.say))


async def flows(call: Call) -> Reply:
    """What each flow brought, the best first."""
    say, currency = call.say, await call.currency()
    grouped: dict[str, list[Closed]] = defaultdict(list)
    for each in await closed_since(call):
        grouped[each.flow_id or say(NO_FLOW)].append(each)
    opened = (await call.get("positions", limit=1000))["items"]
    lines = _grouped(say("Flows"), grouped, currency, say)
    held = Counter(item.get("flow_id") or say(NO_FLOW) for item in opened)
    lines += [
        line(say("{name}: {count} open", name=name, count=held[name])) for name in sorted(held)
    ]
    return Reply(lines)


async def trades(call: Call) -> Reply:
    """The positions that were closed last."""
    wanted, say = call.number(10, 50), call.say
    currency = await call.currency()
    closed = await closed_since(call, most=wanted)
    lines = [line(bold(say("The last {count} closed positions", count=len(closed))))]
    for each in closed:
        lines += [
            line(
                bold(f"{each.symbol} {each.direction} "), lots(each.quantity, say), ": ",
                bold(money(each.net, currency, signed=True)),
            ),
            line(
                f"  {price(each.open_price)} → {price(each.close_price)}, "
                f"{span(each.closed_us - each.opened_us, say)}, "
                f"{moment(each.closed_us, call.zone)}, "
                f"{each.reason or say('no reason given')} ", code(each.position_id),
            ),
        ]  # fmt: skip
    return Reply(lines if closed else [line(say("No position was closed yet."))])


async def equity(call: Call) -> Reply:
    """Balance and equity as a picture."""
    wanted = call.number(500, 1000)
    currency = await call.currency()
    curve = await call.get("equity", limit=wanted)
    if len(curve["time_us"]) < 2:
        return Reply([line(call.say("There are too few records of equity for a picture yet."))])
    first, last = curve["time_us"][0], curve["time_us"][-1]
    words = call.say(
        "Equity from {begin} to {end}: {money}",
        begin=moment(first, call.zone),
        end=moment(last, call.zone),
        money=money(curve["equity"][-1], currency),
    )
    zone = str(call.preferences.time_zone or "UTC")
    data = {**curve, "currency": currency, "zone": zone, "language": call.say.language}
    return Reply([line(words)], Picture("equity", data))


async def _periods(call: Call, period: str, count: int) -> Reply:
    system = await call.get("system")
    currency, now_us = str(system["currency"]), int(system["market_us"])
    first = begin_of(period, day(now_us, call.zone))
    for _ in range(count - 1):
        first = before(period, first)
    closed = await closed_since(call, int(first.timestamp()) * 1_000_000)
    form = "%Y-%m" if period == "month" else "%Y-%m-%d"
    say = call.say
    rows = [(say("from"), say("net"), say("closed"), say("won"))]
    for begin, found in by_period(closed, period, count, now_us, call.zone):
        won = percent(found.win_rate, 0) if found.count else "–"
        rows.append((begin.strftime(form), f"{found.net:+,.2f}", str(found.count), won))
    total = sum_of(closed)
    return Reply(
        [
            line(bold(say(LAST[period], count=count)), f", {currency}, ",
                 say("time zone {zone}", zone=call.preferences.time_zone or "UTC")),
            *table(rows),
            line(say("Together: "), bold(money(total.net, currency, signed=True)),
                 say(" from {count} closed positions", count=total.count)),
        ]
    )  # fmt: skip


def _grouped(title: str, grouped: dict[str, list[Closed]], currency: str, say: Say) -> list[Line]:
    if not grouped:
        return [line(bold(title)), line(say("No position was closed yet."))]
    sums = {name: sum_of(closed) for name, closed in grouped.items()}
    rows = [("", say("net"), say("closed"), say("won"))]
    for name, found in sorted(sums.items(), key=lambda each: each[1].net, reverse=True):
        rows.append((name, f"{found.net:+,.2f}", str(found.count), percent(found.win_rate, 0)))
    return [line(bold(title), f", {currency}"), *table(rows)]


def _sum_lines(found: Sum, currency: str, say: Say) -> list[Line]:
    factor = f"{found.factor:.2f}" if found.factor is not None else say("no loss yet")
    counted = say(
        "Closed positions: {count}, {wins} won, {losses} lost ({share} won)",
        count=found.count,
        wins=found.wins,
        losses=found.losses,
        share=percent(found.win_rate),
    )
    return [
        line(say("Net: "), bold(money(found.net, currency, signed=True))),
        line(counted),
        line(say("Profit factor: "), factor),
        line(say("Commission and swap: "), money(found.costs, currency, signed=True)),
    ]
