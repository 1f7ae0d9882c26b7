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
    if not found:
        return Reply([line("No alert waits."), line("How messages come to you: /messages.")])
    shown = found[:SHOWN_MAX]
    more = "" if len(found) == len(shown) else f", the newest of {len(found)}"
    head = line(bold(f"{len(shown)} open alerts" if len(shown) > 1 else "1 open alert"), more)
    wishes = tuple(_wish(each) for each in shown)
    effect = [head, *(part for each in shown for part in _lines(each, call))]
    button = "Acknowledge" if len(shown) == 1 else f"Acknowledge these {len(shown)}"
    return Ask(effect, button, wishes, "Acknowledged.")


async def acknowledge(call: Call) -> Reply:
    """Say that you have seen one alert, or every open one."""
    if len(call.arguments) != 1:
        raise InputError("/ack needs the id of an alert, or all.", remedy="/alerts shows the ids.")
    wanted = call.arguments[0]
    found = [each for each in await _open(call) if wanted in ("all", each["alert_id"])]
    if not found:
        raise InputError(
            f"No alert {wanted[:64]!r} waits." if wanted != "all" else "No alert waits."
        )
    for each in found:
        answer = await call.carry_out(_wish(each), f"{call.correlation_id}-{each['alert_id']}")
        if not answer.is_ok:
            raise Refused(answer)
    return Reply([line(bold("Acknowledged: "), ", ".join(each["rule"] for each in found) + ".")])


async def messages(call: Call) -> Reply:
    """How each kind of message comes to you now, quiet hours and digest."""
    chosen, now_ns = call.preferences, call.now_us * 1_000
    rows = [("kind", "comes")]
    rows += [(kind, str(chosen.loudness(kind, Severity.INFO, now_ns))) for kind in sorted(KINDS)]
    quiet = f"{chosen.quiet_from} to {chosen.quiet_until}, {chosen.time_zone or 'UTC'}"
    return Reply(
        [
            line(bold("How messages come to you now")),
            *table(rows),
            line("Quiet hours: ", quiet if chosen.quiet_from and chosen.quiet_until else "none"),
            line("Digest: ", chosen.notify.digest),
            line("Change it with /loud, /quiet and /digest."),
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
