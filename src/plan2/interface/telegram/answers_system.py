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
    lines = [line("Plan2 is ", bold(str(found["status"])), f", {len(found['components'])} parts.")]
    lines += [line(bold(each["name"]), f" is {each['status']}: {each['detail']}") for each in bad]
    rows = [("stage", "p50 µs", "p99 µs")]
    rows += [
        (each["stage"], f"{each['p50_us']:.0f}", f"{each['p99_us']:.0f}")
        for each in found["latency"]
        if each["count"]
    ]
    lines += table(rows) if len(rows) > 1 else []
    lines.append(
        line(f"Loop {found['loop_lag_ms_p99']:.1f} ms late (p99), {found['ws_clients']} screens.")
    )
    return Reply(lines)


async def logs(call: Call) -> Reply:
    """The last events of the log."""
    wanted = call.number(10, 50)
    items = (await call.get("events", limit=wanted))["items"]
    lines = [line(bold(f"The last {len(items)} events"))]
    for item in items:
        words = f"{moment(item['at_us'], call.zone)} {item['type']} of {item['stream_id']}"
        lines.append(line(f"{words}, by {item['actor']}"))
    return Reply(lines)


async def version(call: Call) -> Reply:
    """Which version runs, on which market, since when."""
    system = await call.get("system")
    up_us = call.now_us - int(system["started_us"])
    return Reply(
        [
            line(bold(f"Plan2 {system['version']}")),
            line(f"Market: {system['mode']}, account {system['account_id']} "
                 f"({system['currency']}), tenant {system['tenant_id']}"),
            line(f"Runs since {moment(system['started_us'], call.zone)} ({span(up_us)})"),
        ]
    )  # fmt: skip


async def models(call: Call) -> Reply:
    """Which candidates forecast, and which wait."""
    found = await call.get("candidates")
    if not found:
        return Reply([line("No model was trained yet.")])
    lines = [line(bold("Models"))]
    lines += [
        line(
            bold(f"{each['state']} "),
            f"{', '.join(each['symbols'])}, since {moment(each['since_us'], call.zone)} ",
            code(each["candidate_id"]),
        )
        for each in found[: call.number(10, 50)]
    ]
    return Reply(lines)


async def jobs(call: Call) -> Reply:
    """Long work: what waits, what runs, what is over."""
    found = (await call.get("jobs", limit=call.number(10, 50)))["items"]
    if not found:
        return Reply([line("No training or other long work was asked for yet.")])
    return Reply([line(bold("Long work")), *(_job(each, call) for each in found)])


async def backtest(call: Call) -> Reply:
    """How the backtests stand."""
    found = (await call.get("jobs", kind="backtest", limit=10))["items"]
    if not found:
        return Reply([line("No backtest was asked for yet.")])
    return Reply([line(bold("Backtests")), *(_job(each, call) for each in found)])


def _job(item: dict[str, Any], call: Call) -> Line:  # a `JobItem` as JSON
    words = f"{item['kind']} {moment(item['asked_us'], call.zone)}: "
    if item["failure"]:
        return line(words, bold("failed"), f". {item['failure']['message']}")
    if item["state"] == "running":
        return line(words, bold(percent(item["fraction"], 0)), f" {item['message']}")
    return line(words, bold(item["state"]), f" {item['verdict']}")
