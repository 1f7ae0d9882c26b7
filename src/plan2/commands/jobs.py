"""`plan2 jobs`: long work of the running Plan2, such as trainings."""

import time
from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.instants import instant_ns
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    say,
)
from plan2.commands.running import Answer, ask, quoted, request, with_query
from plan2.commands.tables import print_table, time_text
from plan2.foundation.errors import Recoverable

COLUMNS: Final = {
    "job_id": "JOB",
    "kind": "KIND",
    "state": "STATE",
    "done": "DONE",
    "asked": "ASKED",
    "asked_by": "BY",
    "text": "WHAT",
}
STATES: Final = ("waiting", "running", "done", "failed", "cancelled", "interrupted")
UNDER_WAY: Final = frozenset({"waiting", "running"})
LOOK_EVERY_S: Final = 1.0
NS_PER_US: Final = 1_000

job_argument = click.argument("job")


class JobNotDone(Recoverable):
    """The job that was waited for failed or was stopped."""

    code = "job_not_done"


@click.group(
    name="jobs",
    epilog=examples(
        "plan2 jobs list",
        "plan2 jobs start train --symbol EURUSD --wait",
        "plan2 jobs log 5f0c…",
        "plan2 jobs cancel 5f0c…",
    ),
)
def command() -> None:
    """Start, follow and cancel long work; it runs beside trading, with low priority."""


@command.command(
    name="list", epilog=examples("plan2 jobs list", "plan2 jobs list --state failed --json")
)
@click.option("--kind", default="", help="Only jobs of this kind.")
@click.option("--state", default="", type=click.Choice(["", *STATES]), help="Only such jobs.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@data_dir_option
@json_option
@click.pass_context
def list_jobs(
    ctx: click.Context, kind: str, state: str, limit: int, data_dir: Path | None, as_json: bool
) -> None:
    """List jobs, the newest first."""
    path = with_query("jobs", {"kind": kind, "state": state, "limit": limit})
    found = ask(resolve_data_dir(ctx, data_dir), path)
    if as_json:
        print_json(found)
    else:
        print_table([_row(job) for job in found["items"]], COLUMNS, empty="There are no jobs.")


@command.command(epilog=examples("plan2 jobs show 5f0c…", "plan2 jobs show 5f0c… --json"))
@job_argument
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, job: str, data_dir: Path | None, as_json: bool) -> None:
    """Show one job: what was asked, how far it is, what came of it."""
    found = ask(resolve_data_dir(ctx, data_dir), f"jobs/{quoted(job)}")
    if as_json:
        print_json(found)
    else:
        _tell(found)


@command.command(epilog=examples("plan2 jobs log 5f0c…"))
@job_argument
@data_dir_option
@json_option
@click.pass_context
def log(ctx: click.Context, job: str, data_dir: Path | None, as_json: bool) -> None:
    """Print what a job wrote so far."""
    found = ask(resolve_data_dir(ctx, data_dir), f"jobs/{quoted(job)}/log")
    if as_json:
        print_json(found)
        return
    if found["dropped"]:
        say(f"{found['dropped']} older lines are gone.")
    for line in found["lines"]:
        click.echo(line)


@command.command(epilog=examples("plan2 jobs cancel 5f0c…"))
@job_argument
@data_dir_option
@json_option
@click.pass_context
def cancel(ctx: click.Context, job: str, data_dir: Path | None, as_json: bool) -> None:
    """Take a job out of the queue, or end its process."""
    ended = request(resolve_data_dir(ctx, data_dir), "POST", f"jobs/{quoted(job)}/cancel")
    if as_json:
        print_json(ended)
    else:
        click.echo(f"Job {ended['job_id']} is {ended['state']}.")


@command.command(epilog=examples("plan2 jobs again 5f0c…", "plan2 jobs again 5f0c… --wait"))
@job_argument
@click.option("--wait", is_flag=True, help="Show its progress and return when it is over.")
@data_dir_option
@json_option
@click.pass_context
def again(ctx: click.Context, job: str, wait: bool, data_dir: Path | None, as_json: bool) -> None:
    """Start a job anew that is over, with the same parameters."""
    folder = resolve_data_dir(ctx, data_dir)
    _started(folder, request(folder, "POST", f"jobs/{quoted(job)}/again"), wait, as_json)


@command.group()
def start() -> None:
    """Start a job of a kind."""


@start.command(
    epilog=examples(
        "plan2 jobs start train --symbol EURUSD --symbol GBPUSD",
        "plan2 jobs start train --families xgboost --from 2024-01-01 --to 2024-07-01 --wait",
    )
)
@click.option("--symbol", "symbols", multiple=True, help="Symbol; repeatable. [all archived]")
@click.option("--families", multiple=True, help="Model family; repeatable. [models.families]")
@click.option("--horizon-minutes", default=None, type=click.IntRange(1, 43_200))
@click.option("--from", "first", default="", help="First time, UTC: 2024-01-01.")
@click.option("--to", "end", default="", help="Time to stop before, UTC.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0))
@click.option("--wait", is_flag=True, help="Show its progress and return when it is over.")
@data_dir_option
@json_option
@click.pass_context
def train(
    ctx: click.Context,
    symbols: tuple[str, ...],
    families: tuple[str, ...],
    horizon_minutes: int | None,
    first: str,
    end: str,
    seed: int,
    wait: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Train models in the running Plan2; `plan2 train` does the same without one."""
    folder = resolve_data_dir(ctx, data_dir)
    wish = {
        "symbols": list(symbols),
        "families": list(families),
        "horizon_minutes": horizon_minutes,
        "seed": seed,
        "from_us": instant_ns(first) // NS_PER_US if first else None,
        "to_us": instant_ns(end) // NS_PER_US if end else None,
    }
    _started(folder, request(folder, "POST", "jobs/train", wish), wait, as_json)


def _started(folder: Path, job: Answer, wait: bool, as_json: bool) -> None:
    """Say that a job was started, or follow it to its end.

    Raises:
        JobNotDone: it was waited for, and failed or was stopped.
    """
    if wait:
        job = _followed(folder, job)
    if as_json:
        print_json(job)
    elif wait:
        _tell(job)
    else:
        click.echo(f"Job {job['job_id']} is {job['state']}.")
    if wait and job["state"] != "done":
        failure = job["failure"] or {}
        raise JobNotDone(
            str(failure.get("message") or f"The job is {job['state']}."),
            remedy=str(failure.get("remedy", "")),
        )


def _followed(folder: Path, job: Answer) -> Answer:
    """The job when it is over; its progress is told meanwhile."""
    shown = ""
    while True:
        found = ask(folder, f"jobs/{quoted(job['job_id'])}")
        line = f"{found['fraction']:4.0%} {found['message'] or found['state']}"
        if line != shown:
            say(line)
            shown = line
        if found["state"] not in UNDER_WAY:
            return found
        time.sleep(LOOK_EVERY_S)


def _tell(job: Answer) -> None:
    """A job for a person."""
    click.echo(f"Job {job['job_id']}: {job['kind']}, {job['state']}, {job['fraction']:.0%}")
    for name, at in (("asked", "asked_us"), ("started", "started_us"), ("ended", "ended_us")):
        click.echo(f"  {name:8} {time_text(job[at])}")
    for name, value in job["parameters"].items():
        click.echo(f"  {name}: {', '.join(value) if isinstance(value, list) else value}")
    if job["failure"]:
        click.echo(f"  {job['failure']['message']} {job['failure']['remedy']}".rstrip())
    for line in (job.get("result") or {}).get("report", ()):
        click.echo(line)


def _row(job: dict[str, Any]) -> dict[str, object]:  # JSON of GET /api/v1/jobs
    failure = job["failure"] or {}
    return job | {
        "done": f"{job['fraction']:.0%}",
        "asked": time_text(job["asked_us"]),
        "text": failure.get("message") or job["verdict"] or job["message"],
    }
