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
from plan2.dataflow.terminals.mt5.checkup import Step
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
ELSEWHERE: Final = Finding(
    "mt5 elsewhere",
    Verdict.UNKNOWN,
    "MetaTrader 5 on a Windows machine can be traded from here",
    'Set terminal.kind = "remote", make a key with `plan2 terminal-keys create`, and run '
    "`plan2 terminal --server URL --key-file FILE` on the Windows machine.",
)


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
        "plan2 doctor --mt5                  connect to MetaTrader 5, check it step by step",
        "plan2 doctor --data-dir /srv/plan2  look at another data folder",
    ),
)
@click.option(
    "--mt5",
    "connects",
    is_flag=True,
    help="Connect to the terminal of [mt5], which starts it, and check its set-up step by step.",
)
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, data_dir: Path | None, connects: bool, as_json: bool) -> None:
    """Check this machine and the installation; exit 1 when something is bad.

    Nothing is created, started or sent, but with --mt5: that starts MetaTrader 5 where it is not
    running, signs in, and looks at what trading needs. It never sends an order.
    """
    settings = resolve_settings(ctx, data_dir).settings
    findings = list(examine(settings))
    findings += examine_mt5(settings) if connects else [examine_terminal(settings)]
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


def examine_terminal(settings: Settings) -> Finding:
    """What is traded on according to the configuration; nothing is connected to."""
    subject = "terminal"
    mt5 = settings.mt5
    if settings.terminal.kind == "simulated":
        return Finding(subject, Verdict.OK, "the simulated market; no broker is connected")
    if settings.terminal.kind == "remote":
        return Finding(
            subject,
            Verdict.UNKNOWN,
            "remote: waits for `plan2 terminal` on the machine with MetaTrader 5",
            "There, `plan2 doctor --mt5` checks it; here, `plan2 terminal-keys` says who may come.",
        )
    if not mt5.path and mt5.package == "MetaTrader5":
        return Finding(
            subject,
            Verdict.BAD,
            "terminal.kind is mt5, but mt5.path is empty",
            "Set mt5.path to the terminal's terminal64.exe, so that no other one is ever taken.",
        )
    return Finding(
        subject,
        Verdict.UNKNOWN,
        f"MetaTrader 5 through {mt5.package}, not connected to now",
        "`plan2 doctor --mt5` connects and checks it step by step.",
    )


def examine_mt5(settings: Settings) -> Iterator[Finding]:
    """The set-up of MetaTrader 5, step by step, as far as each step lets the next one be taken."""
    from plan2.dataflow.terminals.mt5.checkup import checkup, package_step
    from plan2.foundation import diagnosis
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.secret import Secret
    from plan2.wiring.mt5_host import errand_of
    from plan2.wiring.mt5_package import package_of

    folder = data_folder(settings)
    owner_pid = diagnosis.owner_of(folder)
    if owner_pid is not None and settings.terminal.kind == "mt5":
        yield Finding(
            "mt5",
            Verdict.UNKNOWN,
            f"not looked at: the running Plan2, process {owner_pid}, is connected to it",
            "Its System page shows the link; stop it to check the terminal from here.",
        )
        return
    errand = errand_of(settings, folder)
    package = package_step(errand.package)
    yield _step(package)
    if not package.is_ok:
        yield ELSEWHERE
        return
    module, password = package_of(errand.package), Secret(errand.password)
    for step in checkup(module, errand.options, LiveClock(), password):
        yield _step(step)
    if settings.terminal.kind != "mt5":
        yield Finding(
            "mt5 in use",
            Verdict.WARN,
            f"no: terminal.kind is {settings.terminal.kind}",
            'Set terminal.kind = "mt5" to trade here, or run `plan2 terminal` to serve another '
            "machine.",
        )


def _step(step: Step) -> Finding:
    verdict = Verdict.OK if step.is_ok else Verdict.BAD
    return Finding(f"mt5 {step.subject}", verdict, step.found, step.remedy)


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
