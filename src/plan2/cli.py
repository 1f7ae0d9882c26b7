"""The command line: which verbs exist, the options they share, and how failures are told.

A verb is a file of `plan2.commands` and is imported only when it is used, so that `plan2 --help`
is instant. Whatever a user can get wrong ends in one sentence and an exit code, never a traceback.
"""

import errno
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

import click

from plan2 import __version__
from plan2.commands.options import FOLDER, Cli, examples
from plan2.foundation.errors import Plan2Error

VERBS: Final[Mapping[str, str]] = {
    "serve": "Run the platform: market, models, trading, web page.",
    "desktop": "Open the web page in a window of its own.",
    "status": "How it stands: what runs, trading, money, troubles.",
    "halt": "Halt trading; only a person resumes it.",
    "pause": "Open nothing new; manage what is open.",
    "reduce-only": "Let only exits through.",
    "resume": "Arm trading again.",
    "accept-broker-view": "Close in our books what the broker does not have.",
    "kill": "Halt, withdraw orders, close positions.",
    "orders": "Orders by hand: look first, place, change, withdraw.",
    "positions": "What is open: close it, move its stops.",
    "decisions": "What was decided, traded or not, and why.",
    "risk": "Limits and their use, exposure, stress.",
    "equity": "The curve of balance and equity.",
    "approvals": "What waits for a second person.",
    "tenant": "Create, suspend, export and delete tenants.",
    "user": "Invite people, give them roles, let them out and in.",
    "key": "Make and revoke the keys of programs.",
    "telegram": "Check the bot, pair chats with people.",
    "config": "Show, check and change the configuration.",
    "flags": "Show and switch features.",
    "secrets": "Show and replace the keys that seal everything.",
    "audit": "Verify, prove and export the log.",
    "gdpr": "Consents, export and erasure of a person's data.",
    "records": "Order records and trade reports for a regulator.",
    "services": "List what runs: parts, processes, terminals.",
    "doctor": "Check this machine and the installation.",
    "import": "Take files of ticks or bars into the archive.",
    "archive": "List, verify and export the tick archive.",
    "calendar": "Import and list scheduled economic events.",
    "features": "Show, compute and verify features.",
    "dataset": "Build, verify and export what models are trained on.",
    "train": "Train models on archived ticks.",
    "evaluate": "Judge model families on archived ticks.",
    "alerts": "Rules that tell you something, and what they raised.",
    "assistants": "Language models: words for decisions, tags for news.",
    "jobs": "Long work of the running Plan2: start, follow, cancel.",
    "models": "List, compare, promote and roll back models.",
    "learn": "Outcomes, drift and challengers of live forecasts.",
    "flow": "Write, register and move flows: draft, paper, live.",
    "backtest": "Trade the past: flows, or the live code.",
    "research": "Sweep, walk forward and stress a flow.",
    "backtests": "List, show, compare, export backtests; their flows live.",
    "replay": "Replay recorded decisions and compare them bit for bit.",
    "explain": "Say why a decision was made.",
    "statement": "Check a MetaTrader 5 report against its own deals.",
    "events": "Read and verify the event store.",
    "terminal": "Lend this machine's terminal to a Plan2 elsewhere.",
    "terminal-keys": "Make and revoke the keys of remote terminals.",
    "bench": "Measure this machine against the latency budgets.",
    "completion": "Make a shell complete verbs and options.",
}
"""Every verb and its line in `plan2 --help`, in the order they are shown."""

INTERRUPTED_EXIT_CODE = 130
COMPLETING: Final = "_PLAN2_COMPLETE"
"""Set by a shell that asks what may come next."""


class Verbs(click.Group):
    """A group that imports a verb's file when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs whose files exist, in the order of `VERBS`."""
        return [verb for verb in VERBS if importlib.util.find_spec(_module(verb)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now; None when there is no such verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(_module(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, VERBS[verb]) for verb in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; tell our errors, and the system's about files, as one sentence.

        Raises:
            Exit: in place of any `Plan2Error`, and of an `OSError` about a file or a full disk.
        """
        try:
            return super().invoke(ctx)
        except Plan2Error as error:
            _fail(ctx, str(error), error.exit_code)
        except OSError as error:
            if error.filename is None and error.errno != errno.ENOSPC:
                raise
            where = f" {error.filename}" if error.filename is not None else ""
            _fail(ctx, f"Cannot use{where}: {error.strerror}.", Plan2Error.exit_code)


def _module(verb: str) -> str:
    name = "import_" if verb == "import" else verb.replace("-", "_")
    return f"plan2.commands.{name}"


def _fail(ctx: click.Context, sentence: str, exit_code: int) -> NoReturn:
    if ctx.params.get("debug"):
        click.echo(traceback.format_exc(), err=True)
    click.echo(f"Error: {sentence}", err=True)
    ctx.exit(exit_code)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "plan2 serve                    start everything with a simulated market",
        "plan2 doctor                   see whether this machine is ready",
        "plan2 --config my.toml serve   use a configuration file",
    ),
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=None,
    help="Configuration file (TOML); default: PLAN2_CONFIG, else built-in values.",
)
@click.option("--data-dir", type=FOLDER, default=None, help="Folder for everything Plan2 keeps.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default=None,
    help="Least important log line to print.",
)
@click.option(
    "--debug", is_flag=True, envvar="PLAN2_DEBUG", help="Print a traceback with each error."
)
@click.version_option(__version__, prog_name="plan2", message="%(prog)s %(version)s")
@click.pass_context
def command(
    ctx: click.Context,
    config_file: Path | None,
    data_dir: Path | None,
    log_level: str | None,
    debug: bool,
) -> None:
    """Plan2 trades MetaTrader 5 accounts with models, explains and records every decision."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    ctx.obj = Cli(config_file, data_dir, log_level, debug)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; results go to stdout, errors to stderr.

    Returns:
        The exit code: 0, the error's own code, 2 for a wrong option, 130 after Ctrl+C; docs/cli.md
        lists them.
    """
    if COMPLETING in os.environ:
        importlib.import_module("plan2.commands.completion")  # shells that click does not know
    try:
        code = command.main(list(arguments), prog_name="plan2", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as stopped:
        if isinstance(stopped.__cause__, KeyboardInterrupt):
            return INTERRUPTED_EXIT_CODE
        click.echo("Not confirmed, so nothing was done.", err=True)
        return 1
    return code if isinstance(code, int) else 0


def main() -> None:
    """The installed command `plan2`."""
    sys.exit(run(sys.argv[1:]))
