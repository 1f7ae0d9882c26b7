"""Answers about Plan2 itself: /health, /logs, /version, /models, /jobs, /backtest."""

from typing import Any, Final

from plan2.interface.telegram.asking import Call, Reply
from plan2.interface.telegram.figures import moment, percent, span
from plan2.interface.telegram.text import Line, bold, code, line, table

GOOD: Final = frozenset({"ok", "stopped"})


async def health(call: Call) -> Reply:
    """What is not well, the latency of the tick's way, and how late the loop runs."""
    found = await call.get("health")
    bad = [each for each in found["components"] if each["status"] not in GOOD]
    say = call.say
    count = len(found["components"])
    lines = [line(bold(say("Plan2: {status}", status=found["status"])),
                  say(", {count} parts.", count=count))]  # fmt: skip
    lines += [line(bold(each["name"]), f": {each['status']}. {each['detail']}") for each in bad]
    rows = [(say("stage"), "p50 µs", "p99 µs")]
    rows += [
        (each["stage"], f"{each['p50_us']:.0f}", f"{each['p99_us']:.0f}")
        for each in found["latency"]
        if each["count"]
    ]
    lines += table(rows) if len(rows) > 1 else []
    late = f"{found['loop_lag_ms_p99']:.1f}"
    words = "Loop {late} ms late (p99), {count} screens."
    lines.append(line(say(words, late=late, count=found["ws_clients"])))
    return Reply(lines)


async def logs(call: Call) -> Reply:
    """The last events of the log."""
    wanted = call.number(10, 50)
    items = (await call.get("events", limit=wanted))["items"]
    lines = [line(bold(call.say("The last {count} events", count=len(items))))]
    for item in items:
        words = call.say(
            "{type} of {stream}, by {who}",
            type=item["type"],
            stream=item["stream_id"],
            who=item["actor"],
        )
        lines.append(line(f"{moment(item['at_us'], call.zone)} {words}"))
    return Reply(lines)


async def version(call: Call) -> Reply:
    """Which version runs, on which market, since when."""
    system = await call.get("system")
    up_us, say = call.now_us - int(system["started_us"]), call.say
    where = say(
        "Market: {mode}, account {account} ({currency}), tenant {tenant}",
        mode=system["mode"],
        account=system["account_id"],
        currency=system["currency"],
        tenant=system["tenant_id"],
    )
    began = moment(system["started_us"], call.zone)
    since = say("Runs since {begin} ({span})", begin=began, span=span(up_us, say))
    return Reply([line(bold(f"Plan2 {system['version']}")), line(where), line(since)])


async def models(call: Call) -> Reply:
    """Which candidates forecast, and which wait."""
    found = await call.get("candidates")
    if not found:
        return Reply([line(call.say("No model was trained yet."))])
    lines = [line(bold(call.say("Models")))]
    lines += [
        line(
            bold(f"{each['state']} "),
            f"{', '.join(each['symbols'])}, ",
            call.say("since {begin} ", begin=moment(each["since_us"], call.zone)),
            code(each["candidate_id"]),
        )
        for each in found[: call.number(10, 50)]
    ]
    return Reply(lines)


async def jobs(call: Call) -> Reply:
    """Long work: what waits, what runs, what is over."""
    found = (await call.get("jobs", limit=call.number(10, 50)))["items"]
    if not found:
        return Reply([line(call.say("No training or other long work was asked for yet."))])
    return Reply([line(bold(call.say("Long work"))), *(_job(each, call) for each in found)])


async def backtest(call: Call) -> Reply:
    """How the backtests stand."""
    found = (await call.get("jobs", kind="backtest", limit=10))["items"]
    if not found:
        return Reply([line(call.say("No backtest was asked for yet."))])
    return Reply([line(bold(call.say("Backtests"))), *(_job(each, call) for each in found)])


def _job(item: dict[str, Any], call: Call) -> Line:  # a `JobItem` as JSON
    words = f"{item['kind']} {moment(item['asked_us'], call.zone)}: "
    if item["failure"]:
        return line(words, bold(call.say("failed")), f". {item['failure']['message']}")
    if item["state"] == "running":
        return line(words, bold(percent(item["fraction"], 0)), f" {item['message']}")
    return line(words, bold(item["state"]), f" {item['verdict']}")
