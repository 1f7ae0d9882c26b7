"""How closed positions ended and how long they were held: /stats, /exits."""

from collections import defaultdict

from plan2.interface.language.say import Say
from plan2.interface.telegram.asking import Call, Reply
from plan2.interface.telegram.closed import Closed, closed_since, sum_of
from plan2.interface.telegram.figures import percent, span
from plan2.interface.telegram.text import Line, bold, line, table


async def stats(call: Call) -> Reply:
    """Wins and losses by the reason of the exit, and how long won and lost positions lived."""
    closed, say = await closed_since(call), call.say
    if not closed:
        return Reply([line(say("No position was closed yet."))])
    rows = [(say("reason"), say("won"), say("even"), say("lost"))]
    for reason, found in _by_reason(closed, say).items():
        total = sum_of(found)
        even = total.count - total.wins - total.losses
        rows.append((reason, str(total.wins), str(even), str(total.losses)))
    won = [each for each in closed if each.net > 0]
    lost = [each for each in closed if each.net < 0]
    return Reply(
        [
            line(bold(say("How positions ended"))),
            *table(rows),
            line(say("Held on average, won: "), _held(won, say)),
            line(say("Held on average, lost: "), _held(lost, say)),
        ]
    )


async def exits(call: Call) -> Reply:
    """What each reason of exits brought, the best first."""
    closed, say = await closed_since(call), call.say
    currency = await call.currency()
    sums = {reason: sum_of(found) for reason, found in _by_reason(closed, say).items()}
    rows = [(say("reason"), say("net"), say("closed"), say("won"))]
    rows += [
        (reason, f"{each.net:+,.2f}", str(each.count), percent(each.win_rate, 0))
        for reason, each in sorted(sums.items(), key=lambda item: item[1].net, reverse=True)
    ]
    empty = [line(say("No position was closed yet."))]
    lines: list[Line] = table(rows) if sums else empty
    return Reply([line(bold(say("Performance by exit")), f", {currency}"), *lines])


def _by_reason(closed: list[Closed], say: Say) -> dict[str, list[Closed]]:
    found: dict[str, list[Closed]] = defaultdict(list)
    for each in closed:
        found[each.reason or say("no reason given")].append(each)
    return found


def _held(closed: list[Closed], say: Say) -> str:
    """The mean of how long positions were open."""
    if not closed:
        return "–"
    return span(sum(each.closed_us - each.opened_us for each in closed) // len(closed), say)
