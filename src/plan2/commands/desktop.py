"""`plan2 desktop`: the web app in a window of its own, with Plan2 started when none runs."""

import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import click

from plan2.commands.options import data_dir_option, examples, resolve_data_dir, say
from plan2.connectivity.identity.local_access import read_access
from plan2.foundation.errors import InputError, Unrecoverable
from plan2.interface import desktop

ADDRESS: Final = re.compile(r"Open\s+(\S+/signin\?token=\S+)")
LIVE: Final = "/health/live"
ASK_S: Final = 2.0
STOP_S: Final = 60.0
SAYS: Final = {
    desktop.Way.WEBVIEW: "In a window of its own (pywebview).",
    desktop.Way.APP: "In a browser window without tabs; `pip install plan2[desktop]` for its own.",
    desktop.Way.BROWSER: "In the default browser: neither pywebview nor Chromium, Chrome or Edge.",
}


@click.command(
    name="desktop",
    epilog=examples(
        "plan2 desktop",
        "plan2 desktop --data-dir ./data",
        "plan2 desktop --in browser        the default browser, whatever else is there",
    ),
)
@click.option(
    "--in",
    "wanted",
    type=click.Choice([str(way) for way in desktop.Way]),
    default=None,
    help="Which window, instead of the best that is there.",
)
@data_dir_option
@click.pass_context
def command(ctx: click.Context, wanted: str | None, data_dir: Path | None) -> None:
    """Open the web app in a window; starts Plan2 when none runs on the data folder.

    A Plan2 that this command started ends with the window (with Ctrl+C in the default browser).
    """
    shell = desktop.this_machine()
    folder = resolve_data_dir(ctx, data_dir)
    way = desktop.choose(shell, desktop.Way(wanted) if wanted else None)
    with address(folder) as (url, is_ours):
        say(SAYS[way])
        if not desktop.show(shell, way, url, folder / "desktop"):
            raise InputError(
                "There is no program to show the page.",
                remedy=f"Open {url} in any browser, or install plan2[desktop].",
            )
        if is_ours and way is desktop.Way.BROWSER:
            say("Plan2 runs until Ctrl+C.")
            _wait()


def _wait() -> None:
    """Until Ctrl+C, which is how one leaves."""
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


@contextmanager
def address(folder: Path) -> Iterator[tuple[str, bool]]:
    """Where the page is, and whether Plan2 was started for it; what was started is stopped after.

    Raises:
        Unrecoverable: it could not be started.
    """
    running = running_at(folder)
    if running:
        yield running, False
        return
    say(f"No Plan2 runs on {folder}; starting one.")
    command_line = [sys.executable, "-m", "plan2", "serve", "--data-dir", str(folder)]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _started(process), True
        finally:
            process.send_signal(signal.SIGINT if sys.platform != "win32" else signal.SIGTERM)
            process.wait(STOP_S)


def running_at(folder: Path) -> str:
    """The address of the Plan2 that runs on a data folder and answers; "" when none does."""
    access = read_access(folder)
    if access is None or not access.url.startswith(("http://", "https://")):
        return ""
    tls = urllib.request.HTTPSHandler(context=access.tls_context())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)
    try:
        with opener.open(access.url + LIVE, timeout=ASK_S):
            return access.url
    except (urllib.error.URLError, OSError, ValueError):
        return ""


def _started(process: "subprocess.Popen[str]") -> str:
    """Pass on what the new Plan2 says until it says its address."""
    for line in process.stdout or ():
        say(line.rstrip("\n"))
        found = ADDRESS.search(line)
        if found:
            return found[1]
    raise Unrecoverable(
        "Plan2 ended before it was ready.",
        remedy="What it said stands above; `plan2 doctor` helps.",
    )
