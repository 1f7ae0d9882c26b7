"""Commands that change something: each shows its exact effect and waits for a button.

Only what makes trading safer at once and can be taken back by a word (/pause, /reduceonly, /halt)
is carried out without asking.
"""

from typing import Any, Final

from plan2.connectivity.identity.right_table import Route
from plan2.foundation.errors import InputError
from plan2.interface.telegram.answers_trading import find_position, state_words
from plan2.interface.telegram.asking import Answered, Ask, Call, Refused, Reply, Wish
from plan2.interface.telegram.figures import lots, moment, money, price
from plan2.interface.telegram.text import Line, bold, code, line

OVER_TELEGRAM: Final = "over Telegram"
SWITCH: Final[dict[str, Route]] = {
    name: ("POST", f"/api/v1/commands/{name}")
    for name in ("pause", "resume", "halt", "reduce-only", "kill")
}
CLOSE: Final[Route] = ("POST", "/api/v1/positions/{position_id}/close")
APPROVE: Final[Route] = ("POST", "/api/v1/approvals/{approval_id}/approve")
REFUSE: Final[Route] = ("POST", "/api/v1/approvals/{approval_id}/refuse")
MOVE: Final[Route] = ("POST", "/api/v1/candidates/{candidate_id}/move")
ROLLBACK: Final[Route] = ("POST", "/api/v1/candidates/rollback")
SHOWN_MAX: Final = 20


async def pause(call: Call) -> Reply:
    """Open nothing new; open positions are managed on."""
    return await _switch(call, "pause")


async def halt(call: Call) -> Reply:
    """Open nothing; exits go through; only a person resumes."""
    return await _switch(call, "halt")


async def reduce_only(call: Call) -> Reply:
    """Let only exits through."""
    return await _switch(call, "reduce-only")


async def stop(call: Call) -> Answered:
    """Halt, after a button: the word is easily typed."""
    opened = (await call.get("positions", limit=1000))["items"]
    body = {"reason": call.reason(f"stopped {OVER_TELEGRAM}")}
    return Ask(
        [
            line(bold("Stop trading?")),
            line("Nothing is opened any more until somebody resumes. "
                 f"{len(opened)} open positions stay open with their stops; exits go through."),
        ],
        "Stop trading",
        (Wish(SWITCH["halt"], body=body),),
        "Trading is halted.",
    )  # fmt: skip


async def resume(call: Call) -> Answered:
    """Arm trading again; an account with somebody's money is named with its mode."""
    trading = await call.get("trading")
    accounts = trading["accounts"]
    if all(each["trading_state"] == "armed" for each in accounts):
        return Reply([line("Trading is armed already.")])
    effect = [line(bold("Resume trading?")), line("Plan2 may open positions again.")]
    wishes = []
    for each in accounts:
        effect.append(line(bold(f"{each['account_id']}: "), state_words(each["trading_state"])))
        effect += [line(f"  {switch['reason']}") for switch in each["switches"] if switch["reason"]]
        if each["holds"]:
            raise InputError(
                f"{each['account_id']} cannot be resumed yet: {each['holds']}",
                remedy="Put that right first; /risk shows how it stands.",
            )
        if each["needs_mode"]:
            effect.append(
                line(bold(f"  This account is {each['mode']}: it holds somebody's money."))
            )
        body = {
            "reason": call.reason(f"resumed {OVER_TELEGRAM}"),
            "account_id": each["account_id"],
            "mode": each["mode"] if each["needs_mode"] else "",
        }
        wishes.append(Wish(SWITCH["resume"], body=body))
    return Ask(effect, "Resume trading", tuple(wishes), "Trading is armed.")


async def kill(call: Call) -> Answered:
    """Halt, withdraw every working order of ours and close every position of ours."""
    opened = await _managed(call)
    orders = (await call.get("orders", status="open", limit=1000))["items"]
    currency = await call.currency()
    effect = [
        line(bold("Use the kill switch?")),
        line(f"Trading halts. {len(orders)} orders that are under way or working are withdrawn, "
             f"{len(opened)} positions are closed at market."),
        *_positions(opened, currency),
        line("Orders and positions that Plan2 did not make are left alone."),
    ]  # fmt: skip
    body = {"reason": call.reason(f"killed {OVER_TELEGRAM}")}
    return Ask(effect, "Kill: halt and close all", (Wish(SWITCH["kill"], body=body),),
               "The kill is under way; you are told when all is flat.")  # fmt: skip


async def forceexit(call: Call) -> Answered:
    """Close one position at market, or all that Plan2 manages."""
    if not call.arguments:
        raise InputError("/forceexit needs an id or the word all.", remedy="/status shows the ids.")
    if call.arguments[0] == "all":
        found = await _managed(call)
    else:
        items = (await call.get("positions", limit=1000))["items"]
        found = [find_position(items, call.arguments[0])]
    if not found:
        return Reply([line("No position that Plan2 manages is open.")])
    what = "this position" if len(found) == 1 else f"these {len(found)} positions"
    effect = [line(bold(f"Close {what} at market?")), *_positions(found, await call.currency())]
    reason = call.reason(f"closed {OVER_TELEGRAM}", after=1)
    wishes = tuple(
        Wish(CLOSE, {"position_id": item["position_id"]}, {"reason": reason}) for item in found
    )
    return Ask(effect, f"Close {len(found)}", wishes, "The orders are sent.")


async def approvals(call: Call) -> Reply:
    """What waits for a second person."""
    found = (await call.get("approvals", state="open"))["items"]
    if not found:
        return Reply([line("Nothing waits for a second person.")])
    lines = [line(bold("Waiting for a second person"))]
    for each in found[:SHOWN_MAX]:
        lines += [
            line(bold(each["summary"]), f" {each['ask_reason']}"),
            line(f"  until {moment(each['expires_us'], call.zone)} ", code(each["approval_id"])),
        ]
        if each["why_not"]:
            lines.append(line(f"  You cannot decide it: {each['why_not']}"))
    return Reply(lines)


async def approve(call: Call) -> Answered:
    """Agree to a proposal as the second person."""
    return await _decide(call, agrees=True)


async def refuse(call: Call) -> Answered:
    """Say no to a proposal."""
    return await _decide(call, agrees=False)


async def promote(call: Call) -> Answered:
    """Take a candidate to the next state on its way, or to the one that is named."""
    if not call.arguments:
        raise InputError("/promote needs a candidate's id.", remedy="/models shows the ids.")
    found = [
        each
        for each in await call.get("candidates")
        if each["candidate_id"].startswith(call.arguments[0])
    ]
    if len(found) != 1:
        raise InputError(
            f"{len(found)} candidates have an id that begins with {call.arguments[0][:40]!r}."
        )
    each, named = found[0], call.arguments[1] if len(call.arguments) > 1 else ""
    ahead = [state for state in each["leads_to"] if state in FORWARD]
    target = named or (ahead[0] if ahead else "")
    if target not in each["leads_to"]:
        ways = ", ".join(each["leads_to"]) or "nowhere"
        raise InputError(f"From {each['state']} a candidate goes to {ways}.")
    effect = [
        line(bold("Move this candidate?")),
        line(code(each["candidate_id"]), f" of {', '.join(each['symbols'])}"),
        line(f"from {each['state']} to ", bold(target)),
    ]
    body = {"to": target, "reason": call.reason(f"moved {OVER_TELEGRAM}", after=2)}
    wish = Wish(MOVE, {"candidate_id": each["candidate_id"]}, body)
    return Ask(effect, f"Move to {target}", (wish,), f"The candidate is {target}.")


async def rollback(call: Call) -> Answered:
    """Let the last good models of a symbol serve again."""
    if not call.arguments:
        raise InputError("/rollback needs a symbol.", remedy="Such as /rollback EURUSD.")
    symbol = call.arguments[0].upper()[:32]
    body = {"symbol": symbol, "reason": call.reason(f"rolled back {OVER_TELEGRAM}", after=1)}
    return Ask(
        [
            line(bold(f"Roll {symbol} back?")),
            line("Its last good models serve again, within a second."),
        ],
        f"Roll {symbol} back",
        (Wish(ROLLBACK, body=body),),
        f"The last good models of {symbol} serve again.",
    )


FORWARD: Final = ("validated", "shadow", "canary", "champion")
"""States on a candidate's way to serving."""


async def _switch(call: Call, name: str) -> Reply:
    wish = Wish(SWITCH[name], body={"reason": call.reason(OVER_TELEGRAM)})
    answer = await call.carry_out(wish, call.correlation_id)
    if not answer.is_ok:
        raise Refused(answer)
    return Reply([line(state_words(str(answer.data["trading_state"])))])


async def _decide(call: Call, *, agrees: bool) -> Answered:
    if not call.arguments:
        raise InputError("The id of a proposal is missing.", remedy="/approvals shows the ids.")
    found = [
        each
        for each in (await call.get("approvals", state="open"))["items"]
        if each["approval_id"].startswith(call.arguments[0])
    ]
    if len(found) != 1:
        raise InputError(f"{len(found)} open proposals have an id that begins so.")
    each = found[0]
    values = {"approval_id": each["approval_id"]}
    body: dict[str, Any] = {"reason": call.reason(OVER_TELEGRAM, after=1)}
    if agrees:
        body["content_hash"] = each["content_hash"]
    word = "Agree" if agrees else "Refuse"
    return Ask(
        [line(bold(f"{word}?")), line(each["summary"]), line(f"Asked for: {each['ask_reason']}")],
        word,
        (Wish(APPROVE if agrees else REFUSE, values, body),),
        "It is decided.",
    )


async def _managed(call: Call) -> list[dict[str, Any]]:  # `PositionItem`s as JSON
    items = (await call.get("positions", limit=1000))["items"]
    return [item for item in items if item["is_managed"]]


def _positions(items: list[dict[str, Any]], currency: str) -> list[Line]:
    lines = [
        line(
            bold(f"{item['symbol']} {item['direction']} "), lots(item["quantity"]),
            f" from {price(item['open_price'])}, ", money(item["profit"], currency, signed=True),
            " floating ", code(item["position_id"]),
        )
        for item in items[:SHOWN_MAX]
    ]  # fmt: skip
    hidden = len(items) - len(lines)
    return [*lines, line(f"… and {hidden} more")] if hidden else lines
