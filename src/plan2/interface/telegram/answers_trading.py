"""Answers about trading now: /status, /count, /risk, /explain, /chart."""

from typing import Any, Final

from plan2.foundation.errors import InputError
from plan2.interface.language.say import Say
from plan2.interface.telegram.asking import Call, Reply
from plan2.interface.telegram.figures import lots, moment, money, percent, price, span
from plan2.interface.telegram.picture import Picture
from plan2.interface.telegram.text import Line, bold, code, line, table

Item = dict[str, Any]  # an item of REST as JSON: the route owns its shape
STATES: Final = {
    "armed": "Trading is armed.",
    "paused": "Trading is paused: nothing new is opened, open positions are managed.",
    "reduce_only": "Only exits go through.",
    "halted": "Trading is halted: nothing is opened, exits go through.",
}
LIMITS: Final = {
    "daily_loss": "Loss of the day",
    "weekly_loss": "Loss of the week",
    "drawdown": "Fall from the peak",
    "exposure": "Exposure, in equities",
    "positions": "Open positions",
}
COUNTS: Final = frozenset({"positions"})
TIMES: Final = frozenset({"exposure"})
BARS_BEFORE: Final = 40
BARS_MAX: Final = 300
PERIODS_S: Final = (60, 300, 900, 3_600, 14_400, 86_400)
US_PER_S: Final = 1_000_000


def state_words(state: str, say: Say) -> str:
    """A trading state as a sentence."""
    return say(STATES[state]) if state in STATES else state


async def status(call: Call) -> Reply:
    """Open positions: all, one, or as a table."""
    system = await call.get("system")
    currency, now_us = str(system["currency"]), int(system["market_us"])
    items = (await call.get("positions", limit=1000))["items"]
    wanted = call.arguments[0] if call.arguments else ""
    head = line(state_words(str(system["trading_state"]), call.say))
    if wanted == "table":
        return Reply([head, *_status_table(items, currency, now_us, call.say)])
    if wanted:
        items = [find_position(items, wanted, call.say)]
    if not items:
        return Reply([head, line(call.say("No position is open."))])
    lines = [head]
    for item in items:
        lines += [line(), *_position(item, currency, now_us, call)]
    return Reply(lines)


async def count(call: Call) -> Reply:
    """How many positions are open, and how many may be."""
    account = await call.get("account")
    limit = next((each for each in account["limits"] if each["rule"] == "positions"), None)
    opened = str(account["open_positions"])
    if limit:
        opened = call.say("{count} of {most}", count=opened, most=f"{limit['limit']:.0f}")
    return Reply([line(call.say("Open positions: "), bold(opened))])


async def risk(call: Call) -> Reply:
    """How much of each limit is used, and how the switches stand."""
    account, trading = await call.get("account"), await call.get("trading")
    say = call.say
    rows = [(say("limit"), say("used"), say("of"), say("share"))]
    for each in account["limits"]:
        shown, most = (_limit(each["rule"], value) for value in (each["value"], each["limit"]))
        share = each["value"] / each["limit"] if each["limit"] else 0.0
        name = say(LIMITS[each["rule"]]) if each["rule"] in LIMITS else str(each["rule"])
        rows.append((name, shown, most, percent(share, 0)))
    lines = [line(bold(say("Risk"))), *table(rows)]
    for found in trading["accounts"]:
        state = state_words(found["trading_state"], say)
        lines.append(line(bold(f"{found['account_id']}: "), state))
        for switch in found["switches"]:
            where = f"{switch['scope']} {switch['target']}".strip()
            lines.append(line(f"  {where}: {switch['state']}. {switch['reason']}"))
        if found["kills"]:
            lines.append(line("  ", say("A kill is under way: it is not shown flat yet.")))
        if found["holds"]:
            holds = say("It cannot be resumed yet: {why}", why=found["holds"])
            lines.append(line("  ", holds))
    return Reply(lines)


async def explain(call: Call) -> Reply:
    """Why a decision was taken: the last one that acted, or one by its id or its position's."""
    if call.arguments:
        decision_id = await _decision_of(call, call.arguments[0])
    else:
        page = await call.get("decisions", limit=100)
        acted = [each for each in page["items"] if each["order_id"]] or page["items"]
        if not acted:
            return Reply([line(call.say("No decision was recorded yet."))])
        decision_id = acted[0]["decision_id"]
    detail = await call.get(f"/api/v1/decisions/{decision_id}")
    lines = [
        line(bold(f"{detail['symbol']}, {moment(detail['ts_us'], call.zone)}")),
        line(str(detail.get("sentence") or call.say("No sentence was recorded."))),
    ]
    if detail.get("scheduled"):
        lines.append(_event_line(detail, call))
    votes = (detail.get("forecast") or {}).get("votes") or []
    lines += table(
        [(str(each.get("family", "")), _share(each.get("calibrated"))) for each in votes]
    )
    for order in detail["orders"]:
        order_words = call.say(
            "Order {side} {lots}: {state}",
            side=order["side"],
            lots=lots(order["quantity"], call.say),
            state=order["state"],
        )
        lines.append(line(order_words))
    position = detail["position"]
    if position:
        lines.append(line(call.say("Position "), code(position["position_id"])))
    lines.append(line(call.say("Decision "), code(decision_id)))
    return Reply(lines, await _trade_picture(call, position) if position else None)


async def chart(call: Call) -> Reply:
    """A position over its bars, with entry and exit."""
    opened = (await call.get("positions", limit=1000))["items"]
    closed = (await call.get("positions", status="closed", limit=1000))["items"]
    if call.arguments:
        item = find_position([*opened, *closed], call.arguments[0], call.say)
    elif opened or closed:
        item = [*opened, *closed][0]
    else:
        return Reply([line(call.say("There is no position yet."))])
    system = await call.get("system")
    words = _position(item, str(system["currency"]), int(system["market_us"]), call)
    return Reply(words, await _trade_picture(call, item))


def find_position(items: list[Item], wanted: str, say: Say) -> Item:
    """The position with an id, or the only one whose id begins so.

    Raises:
        InputError: none or several.
    """
    exact = [item for item in items if item["position_id"] == wanted]
    found = exact or [item for item in items if item["position_id"].startswith(wanted)]
    if len(found) != 1:
        shown = repr(wanted[:64])
        raise InputError(
            say("There are {count} positions with the id {id}.", count=len(found), id=shown)
            if found
            else say("There is no position with the id {id}.", id=shown),
            remedy=say("/status shows the open ones."),
        )
    return found[0]


def _event_line(detail: Any, call: Call) -> Line:
    """The scheduled event that stood in the way, in the reader's language and time."""
    event, minutes, say = detail["scheduled"], detail["parameters"], call.say
    impacts = {
        "low": say("low impact"),
        "medium": say("medium impact"),
        "high": say("high impact"),
    }
    words = say(
        "{at}: {name} ({currency}, {impact}). Models enter nothing from {before} minutes before "
        "until {after} after.",
        at=moment(event["at_us"], call.zone),
        name=event["name"],
        currency=event["currency"],
        impact=impacts.get(event["impact"], event["impact"]),
        before=f"{minutes['decision.event_minutes_before']:g}",
        after=f"{minutes['decision.event_minutes_after']:g}",
    )
    return line(words)


async def _decision_of(call: Call, wanted: str) -> str:
    """The decision behind a position's id, or the id itself."""
    opened = (await call.get("positions", limit=1000))["items"]
    closed = (await call.get("positions", status="closed", limit=200))["items"]
    for item in [*opened, *closed]:
        if item["position_id"] == wanted and item["decision_id"]:
            return str(item["decision_id"])
    if not wanted.isalnum() or len(wanted) > 64:
        said = call.say("{id} is no id of a decision or a position.", id=repr(wanted[:64]))
        raise InputError(said)
    return wanted


async def _trade_picture(call: Call, item: Item) -> Picture | None:
    """The bars around a position with its entry, exit and stops; None without bars."""
    end_us = item["closed_us"] or int((await call.get("system"))["market_us"])
    length_s = max((end_us - item["opened_us"]) // US_PER_S, 60)
    period_s = next((each for each in PERIODS_S if length_s / each <= BARS_MAX / 2), PERIODS_S[-1])
    room_us = BARS_BEFORE * period_s * US_PER_S
    bars = await call.get(
        "bars",
        symbol=item["symbol"],
        period_s=period_s,
        from_us=max(item["opened_us"] - room_us, 0),
        to_us=end_us + room_us // 4,
        limit=BARS_MAX,
    )
    if not bars["time_us"]:
        return None
    zone, language = call.preferences.time_zone, call.say.language
    return Picture("trade", {"bars": bars, "position": item, "zone": zone, "language": language})


def _position(item: Item, currency: str, now_us: int, call: Call) -> list[Line]:
    is_open, say = item["closed_us"] is None, call.say
    length_us = (now_us if is_open else item["closed_us"]) - item["opened_us"]
    opened = {
        "price": price(item["open_price"]),
        "at": moment(item["opened_us"], call.zone),
        "span": span(length_us, say),
    }
    stops = {"stop": price(item["stop_loss"]), "target": price(item["take_profit"])}
    lines = [
        line(
            bold(f"{item['symbol']} {item['direction']} "), lots(item["quantity"], say), ", ",
            bold(money(item["profit"], currency, signed=True)),
            say(" floating") if is_open else say(" realised"),
        ),
        line(say("Opened at {price}, {at}, {span} ago", **opened) if is_open
             else say("Opened at {price}, {at}, {span} long", **opened)),
        line(say("Stop {stop}, target {target}", **stops)),
    ]  # fmt: skip
    if not is_open:
        why = {"price": price(item["close_price"]), "reason": item["reason"] or "–"}
        lines.append(line(say("Closed at {price}: {reason}", **why)))
    if not item["is_managed"]:
        lines.append(line(say("Not managed by Plan2.")))
    lines.append(line(say("Id "), code(item["position_id"])))
    return lines


def _status_table(items: list[Item], currency: str, now_us: int, say: Say) -> list[Line]:
    if not items:
        return [line(say("No position is open."))]
    rows = [(say("symbol"), say("side"), say("lots"), currency, say("since"))]
    rows += [
        (
            str(item["symbol"]),
            str(item["direction"]),
            f"{item['quantity']:.10g}",
            f"{float(item['profit']):+,.2f}",
            span(now_us - item["opened_us"], say),
        )
        for item in items
    ]
    return table(rows)


def _limit(rule: str, value: float) -> str:
    if rule in COUNTS:
        return f"{value:.0f}"
    return f"{value:.2f}×" if rule in TIMES else percent(value, 2)


def _share(value: float | None) -> str:
    return percent(value) if isinstance(value, float | int) else "–"
