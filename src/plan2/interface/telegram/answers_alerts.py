"""Answers about alerts and messages: /alerts, /ack, /messages."""

from typing import Any, Final

from plan2.connectivity.identity.right_table import Route
from plan2.foundation.errors import InputError
from plan2.interface.notify.kinds import KINDS
from plan2.interface.notify.notification import Severity
from plan2.interface.telegram.asking import Answered, Ask, Call, Refused, Reply, Wish
from plan2.interface.telegram.figures import moment
from plan2.interface.telegram.text import Line, bold, code, line, table

SHOWN_MAX: Final = 10
"""Alerts in one message; a button acknowledges no more than are shown."""
ACKNOWLEDGE: Final[Route] = ("POST", "/api/v1/alerts/{alert_id}/acknowledge")

Alert = dict[str, Any]  # an `AlertItem` as JSON: the route owns the shape


async def alerts(call: Call) -> Answered:
    """The alerts that nobody acknowledged, newest first; a button acknowledges those shown."""
    found = await _open(call)
    say = call.say
    if not found:
        how = say("How messages come to you: /messages.")
        return Reply([line(say("No alert waits.")), line(how)])
    shown = found[:SHOWN_MAX]
    more = "" if len(found) == len(shown) else say(", the newest of {count}", count=len(found))
    count = len(shown)
    title = say("{count} open alerts", count=count) if count > 1 else say("1 open alert")
    head = line(bold(title), more)
    wishes = tuple(_wish(each) for each in shown)
    effect = [head, *(part for each in shown for part in _lines(each, call))]
    button = say("Acknowledge") if count == 1 else say("Acknowledge these {count}", count=count)
    return Ask(effect, button, wishes, say("Acknowledged."))


async def acknowledge(call: Call) -> Reply:
    """Say that you have seen one alert, or every open one."""
    say = call.say
    if len(call.arguments) != 1:
        words = say("/ack needs the id of an alert, or all.")
        raise InputError(words, remedy=say("/alerts shows the ids."))
    wanted = call.arguments[0]
    found = [each for each in await _open(call) if wanted in ("all", each["alert_id"])]
    if not found:
        raise InputError(
            say("No alert {id} waits.", id=repr(wanted[:64]))
            if wanted != "all"
            else say("No alert waits.")
        )
    for each in found:
        answer = await call.carry_out(_wish(each), f"{call.correlation_id}-{each['alert_id']}")
        if not answer.is_ok:
            raise Refused(answer)
    return Reply(
        [line(bold(say("Acknowledged: ")), ", ".join(each["rule"] for each in found) + ".")]
    )


async def messages(call: Call) -> Reply:
    """How each kind of message comes to you now, quiet hours and digest."""
    chosen, now_ns, say = call.preferences, call.now_us * 1_000, call.say
    rows = [(say("kind"), say("comes"))]
    rows += [(kind, str(chosen.loudness(kind, Severity.INFO, now_ns))) for kind in sorted(KINDS)]
    quiet = say(
        "{begin} to {end}, {zone}",
        begin=chosen.quiet_from,
        end=chosen.quiet_until,
        zone=chosen.time_zone or "UTC",
    )
    return Reply(
        [
            line(bold(say("How messages come to you now"))),
            *table(rows),
            line(
                say("Quiet hours: "),
                quiet if chosen.quiet_from and chosen.quiet_until else say("none"),
            ),
            line(say("Digest: "), chosen.notify.digest),
            line(say("Change it with /loud, /quiet, /digest and /language.")),
        ]
    )


async def _open(call: Call) -> list[Alert]:
    """Open alerts of the caller's tenant, newest first."""
    found: list[Alert] = (await call.get("alerts", state="open", limit=100))["items"]
    return found


def _wish(alert: Alert) -> Wish:
    return Wish(ACKNOWLEDGE, {"alert_id": str(alert["alert_id"])})


def _lines(alert: Alert, call: Call) -> list[Line]:
    """One alert: how grave, which rule, what was seen and when; its id for /ack."""
    lines = [
        line(),
        line(bold(f"{alert['severity']}: {alert['rule']}")),
        line(f"{alert['words']}"),
        line(f"{moment(alert['raised_us'], call.zone)} ", code(alert["alert_id"])),
    ]
    return [*lines, line(f"{alert['note']}")] if alert["note"] else lines
