"""`plan2 learn`: how live forecasts did, what drifts, who challenges, whether features skew."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from plan2.commands import learn_features, learn_rehearse
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)

Row = dict[str, Any]  # JSON of GET /api/v1/learning and /api/v1/learning/outcomes

STATUS: Final = {
    "symbol": "SYMBOL",
    "candidate_id": "CHAMPION",
    "events": "EVENTS",
    "n_eff": "EFFECTIVE",
    "accuracy": "ACCURACY, 95 %",
    "skill": "SKILL, 95 %",
    "net_r": "NET R, 95 %",
    "verdict": "VERDICT",
    "size_factor": "SIZE×",
}
CONTESTS: Final = {
    "candidate_id": "CHALLENGER",
    "state": "STATE",
    "pairs": "PAIRS",
    "e_value": "E-VALUE",
    "days": "DAYS",
    "labels_effective": "EFFECTIVE",
    "refused": "WHY NOT",
}
DRIFT: Final = {
    "symbol": "SYMBOL",
    "detector": "DETECTOR",
    "signal": "SIGNAL",
    "statistic": "STATISTIC",
    "limit": "LIMIT",
    "events": "EVENTS",
    "is_on": "ALARM",
}
OUTCOMES: Final = {
    "time": "EVENT",
    "symbol": "SYMBOL",
    "who": "WHO",
    "p_up": "P(UP)",
    "abstained": "ABSTAINED",
    "status": "STATUS",
    "side": "SIDE",
    "net_r": "NET R",
}
SKEW: Final = {
    "symbol": "SYMBOL",
    "compared": "COMPARED",
    "mismatches": "DIFFERENT",
    "uncovered": "NOT COVERED",
    "first_mismatch": "FIRST",
}
SKEWED_EXIT_CODE: Final = 1


@click.group(
    name="learn",
    epilog=examples("plan2 learn status", "plan2 learn outcomes --symbol EURUSD --json"),
)
def command() -> None:
    """Show what the learning loop has found out about live forecasts."""


command.add_command(learn_features.command)
command.add_command(learn_rehearse.command)


@command.command(
    name="status", epilog=examples("plan2 learn status", "plan2 learn status --json | jq .contests")
)
@data_dir_option
@json_option
@click.pass_context
def status(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Show each champion's record with intervals, and how challengers stand."""
    from plan2.commands.tables import print_table

    answer = _ask(ctx, data_dir, "learning")
    if as_json:
        print_json(answer)
        return
    print_table([_status_row(each) for each in answer["symbols"]], STATUS)
    if answer["contests"]:
        click.echo()
        print_table([_rounded(each) for each in answer["contests"]], CONTESTS)
    if answer["retraining"]:
        click.echo(f"\nA new candidate is due: {answer['retraining']}.")


@command.command(
    name="drift", epilog=examples("plan2 learn drift", "plan2 learn drift --json | jq '.[]'")
)
@data_dir_option
@json_option
@click.pass_context
def drift(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Show every detector of every champion, and where it alarms."""
    from plan2.commands.tables import print_table

    symbols = _ask(ctx, data_dir, "learning")["symbols"]
    rows = [
        _rounded({"symbol": each["symbol"], **detector})
        for each in symbols
        for detector in each["detectors"]
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, DRIFT, empty="No forecast has an outcome yet.")


@command.command(
    name="outcomes",
    epilog=examples(
        "plan2 learn outcomes", "plan2 learn outcomes --symbol EURUSD --limit 20",
        "plan2 learn outcomes --json",
    ),
)  # fmt: skip
@click.option("--symbol", default="", help="Only this symbol.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@data_dir_option
@json_option
@click.pass_context
def outcomes(
    ctx: click.Context, symbol: str, limit: int, data_dir: Path | None, as_json: bool
) -> None:
    """List events with their outcome, newest first; abstentions too."""
    from plan2.commands.running import with_query
    from plan2.commands.tables import print_table

    path = with_query("learning/outcomes", {"symbol": symbol, "limit": limit})
    items = _ask(ctx, data_dir, path)["items"]
    if as_json:
        print_json(items)
        return
    rows = [_outcome_row(item, said) for item in items for said in item["forecasts"] or [{}]]
    print_table(rows, OUTCOMES, empty="No forecast has an outcome yet.")


@command.command(
    name="skew",
    epilog=examples("plan2 learn skew", "plan2 learn skew --day 2026-11-20 --account paper --json"),
)
@click.option("--day", default=None, type=click.DateTime(["%Y-%m-%d"]), help="UTC day. [newest]")
@click.option("--account", default="paper", show_default=True, help="Whose decisions.")
@click.option("--worker", is_flag=True, hidden=True, help="Talk to a parent process.")
@data_dir_option
@json_option
@click.pass_context
def skew(
    ctx: click.Context,
    day: datetime | None,
    account: str,
    worker: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Compare served features with a replay of the archived ticks, bit for bit.

    Ends with exit code 1 when a vector differs.
    """
    from plan2.commands.tables import print_table
    from plan2.foundation.loop import run_async
    from plan2.foundation.worker_messages import answer
    from plan2.wiring.skew import skew_of_day

    loaded = resolve_settings(ctx, data_dir)
    measured = skew_of_day(loaded, account, day.date() if day is not None else None)
    if worker:
        answer(lambda _: run_async(measured))
        return
    found = run_async(measured)
    if as_json:
        print_json(found)
    else:
        click.echo(f"Account {found.account_id}, {found.day}")
        rows = [{name: getattr(each, name) for name in SKEW} for each in found.symbols]
        print_table(rows, SKEW)
    if any(each.mismatches for each in found.symbols):
        ctx.exit(SKEWED_EXIT_CODE)


def _ask(ctx: click.Context, data_dir: Path | None, path: str) -> Row:
    from plan2.commands.running import ask

    answer: Row = ask(resolve_data_dir(ctx, data_dir), path)
    return answer


def _status_row(each: Row) -> Row:
    scores = each["scores"] or {}
    return {
        "symbol": each["symbol"],
        "candidate_id": each["candidate_id"],
        "events": scores.get("events", 0),
        "n_eff": round(scores.get("n_eff", 0.0)),
        "accuracy": _interval(scores.get("accuracy"), ".1%"),
        "skill": _interval(scores.get("skill"), "+.2%"),
        "net_r": _interval(scores.get("net_r"), "+.3f"),
        "verdict": str(scores.get("verdict", "no_outcomes")).replace("_", " "),
        "size_factor": each["size_factor"],
    }


def _outcome_row(item: Row, said: Row) -> Row:
    from plan2.commands.tables import time_text

    results = said.get("net_r")
    return {
        "time": time_text(item["sampled_us"]),
        "symbol": item["symbol"],
        "who": said.get("role"),
        "p_up": f"{said['p_up']:.3f}" if said else None,
        "abstained": said.get("abstained"),
        "status": item["reason"] or item["status"],
        "side": {1: "up", -1: "down"}.get(item["side"], ""),
        "net_r": None if results is None else f"{results:+.2f}",
    }


def _interval(found: Row | None, form: str) -> str:
    if not found:
        return ""
    low, high = (format(found[name], form) for name in ("low", "high"))
    return f"{found['value']:{form}} ({low} … {high})"


def _rounded(row: Row) -> Row:
    return {
        name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()
    }
