"""`plan2 doctor`: whether this machine and this installation can run Plan2, and what to do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

import plan2
from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)
from plan2.foundation.config.load import data_dir as data_folder
from plan2.foundation.config.schema import Settings
from plan2.foundation.diagnosis import Finding, Verdict

BAD_EXIT_CODE: Final = 1
MARKS: Final = {
    Verdict.OK: click.style("ok     ", fg="green"),
    Verdict.WARN: click.style("warn   ", fg="yellow"),
    Verdict.BAD: click.style("BAD    ", fg="red", bold=True),
    Verdict.UNKNOWN: click.style("unknown", fg="cyan"),
}


class Report(msgspec.Struct, frozen=True):
    """What the doctor found; `healthy` is False when any finding is bad."""

    healthy: bool
    version: str
    findings: list[Finding]


@click.command(
    name="doctor",
    epilog=examples(
        "plan2 doctor                        look at everything, change nothing",
        "plan2 doctor --json                 the same for scripts",
        "plan2 doctor && plan2 serve         start only when nothing is bad",
        "plan2 doctor --data-dir /srv/plan2  look at another data folder",
    ),
)
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Check this machine and the installation; exit 1 when something is bad."""
    settings = resolve_settings(ctx, data_dir).settings
    findings = list(examine(settings))
    healthy = all(finding.verdict is not Verdict.BAD for finding in findings)
    if as_json:
        print_json(Report(healthy, plan2.__version__, findings))
    else:
        _print(findings, healthy=healthy)
    if not healthy:
        ctx.exit(BAD_EXIT_CODE)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, from the machine upward; nothing is created, started or sent anywhere."""
    from plan2.foundation import diagnosis
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.database import diagnosis as database

    package = Path(plan2.__file__)
    folder = data_folder(settings)
    yield from diagnosis.machine()
    yield diagnosis.clock(LiveClock(), package)
    yield from diagnosis.storage(folder)
    yield from diagnosis.packages()
    yield diagnosis.web_page(package.parent / "_ui")
    owner_pid = diagnosis.owner_of(folder)
    yield diagnosis.owner(owner_pid)
    yield diagnosis.listening(settings.server.host, settings.server.port, owner_pid)
    if not settings.database.url:
        yield from database.programs(folder)
    yield from database.server(folder, settings.database, LiveClock())


def _print(findings: list[Finding], *, healthy: bool) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        click.echo(f"{MARKS[finding.verdict]} {finding.subject:<{width}}  {_line(finding.found)}")
        if finding.remedy:
            click.echo(f"{'':8}{'':<{width}}  {finding.remedy}")
    bad = sum(finding.verdict is Verdict.BAD for finding in findings)
    click.echo("Plan2 can run here." if healthy else f"{bad} finding(s) must be put right first.")


def _line(text: str) -> str:
    """Text on one line; what servers say may have several."""
    return " ".join(text.split())
