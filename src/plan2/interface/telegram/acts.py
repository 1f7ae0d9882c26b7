"""Commands that change something: each shows its exact effect and waits for a button.

Only what makes trading safer at once and can be taken back by a word (/pause, /reduceonly, /halt)
is carried out without asking.
"""

from typing import Any, Final

from plan2.connectivity.identity.right_table import Route
from plan2.foundation.errors import InputError
from plan2.interface.language.say import Say
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
    opened, say = (await call.get("positions", limit=1000))["items"], call.say
    body = {"reason": call.reason(f"stopped {OVER_TELEGRAM}")}
    effect = say(
        "Nothing is opened any more until somebody resumes. {count} open positions stay open with "
        "their stops; exits go through.",
        count=len(opened),
    )
    wish = Wish(SWITCH["halt"], body=body)
    head = line(bold(say("Stop trading?")))
    return Ask([head, line(effect)], say("Stop trading"), (wish,), say("Trading is halted."))


async def resume(call: Call) -> Answered:
    """Arm trading again; an account with somebody's money is named with its mode."""
    trading = await call.get("trading")
    accounts, say = trading["accounts"], call.say
    if all(each["trading_state"] == "armed" for each in accounts):
        return Reply([line(say("Trading is armed already."))])
    effect = [line(bold(say("Resume trading?"))), line(say("Plan2 may open positions again."))]
    wishes = []
    for each in accounts:
        state = state_words(each["trading_state"], say)
        effect.append(line(bold(f"{each['account_id']}: "), state))
        effect += [line(f"  {switch['reason']}") for switch in each["switches"] if switch["reason"]]
        if each["holds"]:
            raise InputError(
                say(
                    "{account} cannot be resumed yet: {why}",
                    account=each["account_id"],
                    why=each["holds"],
                ),
                remedy=say("Put that right first; /risk shows how it stands."),
            )
        if each["needs_mode"]:
            words = say("This account is {mode}: it holds somebody's money.", mode=each["mode"])
            effect.append(line(bold(f"  {words}")))
        body = {
            "reason": call.reason(f"resumed {OVER_TELEGRAM}"),
            "account_id": each["account_id"],
            "mode": each["mode"] if each["needs_mode"] else "",
        }
        wishes.append(Wish(SWITCH["resume"], body=body))
    return Ask(effect, say("Resume trading"), tuple(wishes), say("Trading is armed."))


async def kill(call: Call) -> Answered:
    """Halt, withdraw every working order of ours and close every position of ours."""
    opened = await _managed(call)
    orders = (await call.get("orders", status="open", limit=1000))["items"]
    currency, say = await call.currency(), call.say
    what = say(
        "Trading halts. {orders} orders that are under way or working are withdrawn, {positions} "
        "positions are closed at market.",
        orders=len(orders),
        positions=len(opened),
    )
    effect = [
        line(bold(say("Use the kill switch?"))),
        line(what),
        *_positions(opened, currency, say),
        line(say("Orders and positions that Plan2 did not make are left alone.")),
    ]
    wish = Wish(SWITCH["kill"], body={"reason": call.reason(f"killed {OVER_TELEGRAM}")})
    done = say("The kill is under way; you are told when all is flat.")
    return Ask(effect, say("Kill: halt and close all"), (wish,), done)


async def forceexit(call: Call) -> Answered:
    """Close one position at market, or all that Plan2 manages."""
    say = call.say
    if not call.arguments:
        words = say("/forceexit needs an id or the word all.")
        raise InputError(words, remedy=say("/status shows the ids."))
    if call.arguments[0] == "all":
        found = await _managed(call)
    else:
        items = (await call.get("positions", limit=1000))["items"]
        found = [find_position(items, call.arguments[0], say)]
    if not found:
        return Reply([line(say("No position that Plan2 manages is open."))])
    head = (
        say("Close this position at market?")
        if len(found) == 1
        else say("Close these {count} positions at market?", count=len(found))
    )
    effect = [line(bold(head)), *_positions(found, await call.currency(), say)]
    reason = call.reason(f"closed {OVER_TELEGRAM}", after=1)
    wishes = tuple(
        Wish(CLOSE, {"position_id": item["position_id"]}, {"reason": reason}) for item in found
    )
    button = say("Close {count}", count=len(found))
    return Ask(effect, button, wishes, say("The orders are sent."))


async def approvals(call: Call) -> Reply:
    """What waits for a second person."""
    found = (await call.get("approvals", state="open"))["items"]
    if not found:
        return Reply([line(call.say("Nothing waits for a second person."))])
    lines = [line(bold(call.say("Waiting for a second person")))]
    for each in found[:SHOWN_MAX]:
        lines += [
            line(bold(each["summary"]), f" {each['ask_reason']}"),
            line(
                "  ",
                call.say("until {at} ", at=moment(each["expires_us"], call.zone)),
                code(each["approval_id"]),
            ),
        ]
        if each["why_not"]:
            why = call.say("You cannot decide it: {why}", why=each["why_not"])
            lines.append(line("  ", why))
    return Reply(lines)


async def approve(call: Call) -> Answered:
    """Agree to a proposal as the second person."""
    return await _decide(call, agrees=True)


async def refuse(call: Call) -> Answered:
    """Say no to a proposal."""
    return await _decide(call, agrees=False)


async def promote(call: Call) -> Answered:
    """Take a candidate to the next state on its way, or to the one that is named."""
    say = call.say
    if not call.arguments:
        words = say("/promote needs a candidate's id.")
        raise InputError(words, remedy=say("/models shows the ids."))
    found = [
        each
        for each in await call.get("candidates")
        if each["candidate_id"].startswith(call.arguments[0])
    ]
    if len(found) != 1:
        raise InputError(
            say(
                "{count} candidates have an id that begins with {id}.",
                count=len(found),
                id=repr(call.arguments[0][:40]),
            )
        )
    each, named = found[0], call.arguments[1] if len(call.arguments) > 1 else ""
    ahead = [state for state in each["leads_to"] if state in FORWARD]
    target = named or (ahead[0] if ahead else "")
    if target not in each["leads_to"]:
        ways = ", ".join(each["leads_to"]) or say("nowhere")
        words = say("From {state} a candidate goes to {ways}.", state=each["state"], ways=ways)
        raise InputError(words)
    effect = [
        line(bold(say("Move this candidate?"))),
        line(code(each["candidate_id"]), f" ({', '.join(each['symbols'])})"),
        line(f"{each['state']} → ", bold(target)),
    ]
    body = {"to": target, "reason": call.reason(f"moved {OVER_TELEGRAM}", after=2)}
    wish = Wish(MOVE, {"candidate_id": each["candidate_id"]}, body)
    button = say("Move to {state}", state=target)
    return Ask(effect, button, (wish,), say("The candidate is {state}.", state=target))


async def rollback(call: Call) -> Answered:
    """Let the last good models of a symbol serve again."""
    say = call.say
    if not call.arguments:
        words = say("/rollback needs a symbol.")
        raise InputError(words, remedy=say("Such as /rollback EURUSD."))
    symbol = call.arguments[0].upper()[:32]
    body = {"symbol": symbol, "reason": call.reason(f"rolled back {OVER_TELEGRAM}", after=1)}
    return Ask(
        [
            line(bold(say("Roll {symbol} back?", symbol=symbol))),
            line(say("Its last good models serve again, within a second.")),
        ],
        say("Roll {symbol} back", symbol=symbol),
        (Wish(ROLLBACK, body=body),),
        say("The last good models of {symbol} serve again.", symbol=symbol),
    )


FORWARD: Final = ("validated", "shadow", "canary", "champion")
"""States on a candidate's way to serving."""


async def _switch(call: Call, name: str) -> Reply:
    wish = Wish(SWITCH[name], body={"reason": call.reason(OVER_TELEGRAM)})
    answer = await call.carry_out(wish, call.correlation_id)
    if not answer.is_ok:
        raise Refused(answer)
    return Reply([line(state_words(str(answer.data["trading_state"]), call.say))])


async def _decide(call: Call, *, agrees: bool) -> Answered:
    say = call.say
    if not call.arguments:
        words = say("The id of a proposal is missing.")
        raise InputError(words, remedy=say("/approvals shows the ids."))
    found = [
        each
        for each in (await call.get("approvals", state="open"))["items"]
        if each["approval_id"].startswith(call.arguments[0])
    ]
    if len(found) != 1:
        words = say("{count} open proposals have an id that begins so.", count=len(found))
        raise InputError(words)
    each = found[0]
    values = {"approval_id": each["approval_id"]}
    body: dict[str, Any] = {"reason": call.reason(OVER_TELEGRAM, after=1)}
    if agrees:
        body["content_hash"] = each["content_hash"]
    word = say("Agree") if agrees else say("Refuse")
    why = say("Asked for: {reason}", reason=each["ask_reason"])
    return Ask(
        [line(bold(f"{word}?")), line(each["summary"]), line(why)],
        word,
        (Wish(APPROVE if agrees else REFUSE, values, body),),
        say("It is decided."),
    )


async def _managed(call: Call) -> list[dict[str, Any]]:  # `PositionItem`s as JSON
    items = (await call.get("positions", limit=1000))["items"]
    return [item for item in items if item["is_managed"]]


def _positions(items: list[dict[str, Any]], currency: str, say: Say) -> list[Line]:
    lines = [
        line(
            bold(f"{item['symbol']} {item['direction']} "), lots(item["quantity"], say),
            say(" from {price}, ", price=price(item["open_price"])),
            money(item["profit"], currency, signed=True),
            say(" floating"), " ", code(item["position_id"]),
        )
        for item in items[:SHOWN_MAX]
    ]  # fmt: skip
    hidden = len(items) - len(lines)
    return [*lines, line(say("… and {count} more", count=hidden))] if hidden else lines
