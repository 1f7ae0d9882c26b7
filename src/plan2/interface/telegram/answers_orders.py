"""Orders and what Plan2 is set to: /orders, /coo, /whitelist, /show_config."""

from typing import Any, Final

from plan2.connectivity.identity.right_table import Route
from plan2.foundation.errors import InputError
from plan2.interface.telegram.asking import Answered, Ask, Call, Reply, Wish
from plan2.interface.telegram.figures import lots, moment, price
from plan2.interface.telegram.text import Line, Span, bold, code, line

CANCEL: Final[Route] = ("DELETE", "/api/v1/orders/{order_id}")
SHOWN_MAX: Final = 20
SETTINGS_MAX: Final = 60


async def orders(call: Call) -> Reply:
    """Orders that are under way or wait at the broker."""
    found = await _open(call)
    if not found:
        return Reply([line(call.say("No order is open."))])
    lines = [line(bold(call.say("Open orders")))]
    for each in found[:SHOWN_MAX]:
        lines += _order(each, call)
    hidden = len(found) - SHOWN_MAX
    return Reply(
        [*lines, line(call.say("… and {count} more", count=hidden))] if hidden > 0 else lines
    )


async def cancel(call: Call) -> Answered:
    """Withdraw one order at the broker, after a button."""
    say = call.say
    if not call.arguments:
        words = say("/coo needs the id of an order.")
        raise InputError(words, remedy=say("/orders shows the ids."))
    wanted = call.arguments[0]
    found = [each for each in await _open(call) if str(each["order_id"]).startswith(wanted)]
    if len(found) != 1:
        words = say("{count} open orders have an id that begins so.", count=len(found))
        raise InputError(words, remedy=say("/orders shows the ids."))
    effect = [line(bold(say("Withdraw this order?"))), *_order(found[0], call)]
    wish = Wish(CANCEL, {"order_id": str(found[0]["order_id"])})
    return Ask(effect, say("Withdraw"), (wish,), say("The broker is asked to withdraw it."))


async def whitelist(call: Call) -> Reply:
    """The symbols that are watched."""
    symbols = (await call.get("system"))["symbols"]
    head = line(bold(call.say("{count} symbols are watched", count=len(symbols))))
    return Reply([head, line(", ".join(symbols) or "–")])


async def show_config(call: Call) -> Reply:
    """What somebody set; everything else has its built-in value."""
    items = (await call.get("settings"))["items"]
    changed = [each for each in items if each["origin_scope"] != "default"]
    if not changed:
        return Reply([line(call.say("Every setting has its built-in value."))])
    lines = [line(bold(call.say("What was set; the rest is built in")))]
    lines += [
        line(code(each["key"]), f" = {each['value']} ", Span(f"({each['origin']})", "i"))
        for each in changed[:SETTINGS_MAX]
    ]
    hidden = len(changed) - SETTINGS_MAX
    return Reply(
        [*lines, line(call.say("… and {count} more", count=hidden))] if hidden > 0 else lines
    )


async def _open(call: Call) -> list[dict[str, Any]]:  # `OrderItem`s as JSON
    found: list[dict[str, Any]] = (await call.get("orders", status="open", limit=1000))["items"]
    return found


def _order(item: dict[str, Any], call: Call) -> list[Line]:
    wanted = price(item["limit_price"] or item["price"])
    stops = {"stop": price(item["stop_loss"]), "target": price(item["take_profit"])}
    return [
        line(
            bold(f"{item['symbol']} {item['side']} {item['trigger']} "),
            lots(item["quantity"], call.say),
            f" @ {wanted}, {item['state']}",
        ),
        line(call.say("Stop {stop}, target {target}", **stops)),
        line(f"{moment(item['ts_us'], call.zone)} ", code(str(item["order_id"]))),
    ]
