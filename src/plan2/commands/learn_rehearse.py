"""`plan2 learn rehearse`: the whole way of a challenger, on a simulated market at full speed."""

import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Self

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    say,
)
from plan2.foundation.errors import InputError, Recoverable

FOLDER: Final = "rehearsal"
CONFIG: Final = "plan2.toml"
LOG: Final = "plan2.log"
KEPT_VARIABLES: Final = frozenset({"PLAN2_DATABASE__RUN_AS"})
"""Of our environment; the rest of it is about another installation."""
STOP_S: Final = 60.0


@click.command(
    name="rehearse",
    epilog=examples(
        "plan2 learn rehearse                  then look at the pages Learning and Models",
        "plan2 learn rehearse --fresh --end    anew, with the roll-back, and stop",
    ),
)
@click.option("--fresh", is_flag=True, help="Delete the rehearsal of before and begin anew.")
@click.option("--end", "ends", is_flag=True, help="Roll the new champion back, and stop Plan2.")
@data_dir_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, fresh: bool, ends: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Rehearse the learning loop: shadow, canary, proof, champion, roll-back, in minutes.

    Plan2 runs on a folder, a database and a simulated market of their own; your accounts, models
    and ticks are not touched. The champion was trained where there was nothing to learn, the
    challenger after a drift was planted. All that follows is done by the loop of every day.
    """
    from plan2.commands.rehearsal import CONFIGURATION, Rehearsal, api_of, write_history

    if as_json and not ends:
        raise click.UsageError("--json needs --end: without it Plan2 goes on running.")
    folder = resolve_data_dir(ctx, data_dir) / FOLDER
    _clear(folder, is_fresh=fresh)
    folder.mkdir(parents=True)
    # First of all, so that what was broken off is known as a rehearsal.
    (folder / CONFIG).write_text(CONFIGURATION, encoding="utf-8")
    say(f"1. A simulated market in {folder}")
    home = folder / "simulated"
    write_history(home, say)
    say("2. A champion that never saw the drift")
    _train_champion(folder, home)
    say("3. Plan2 serves it, and a market day passes in 17 seconds, on a busy machine in more")
    with Served(folder) as served:
        rehearsal = Rehearsal(api_of(folder), say)
        former = rehearsal.champion()
        say("4. A challenger is trained on the drift, as a job (page Training)")
        name = rehearsal.train_challenger()
        say(f"5. Challenger {name} into the shadow of champion {former} (page Learning)")
        rehearsal.let_it_be_watched(name)
        state = rehearsal.watch(name)
        reason = rehearsal.last_reason(name)
        if state != "champion":
            raise Recoverable(f"The challenger is {state}: {reason}.")
        say(f"6. It serves: {reason}")
        if not ends:
            say(f"   Back: plan2 models rollback --symbol EURUSD --reason … --data-dir {folder}")
            say("   or on the page Models. Ctrl+C ends the rehearsal.")
            served.wait()
            return
        took_s = rehearsal.roll_back(former)
        say(f"7. Rolled back to {rehearsal.champion()} in {took_s:.2f} s")
    if as_json:
        print_json({"challenger": name, "champion": former, "reason": reason, "rollback_s": took_s})


def _clear(folder: Path, *, is_fresh: bool) -> None:
    """Delete the rehearsal of before, when that is asked for.

    Raises:
        InputError: it is there and is to stay, runs, or it is no rehearsal.
    """
    from plan2.commands.running import NotRunning, ask

    if not folder.exists():
        return
    config = folder / CONFIG
    if not config.is_file():
        raise InputError(f"{folder} is not the folder of a rehearsal: it has no {CONFIG}.")
    if not is_fresh:
        going_on = f"plan2 --config {config} serve --data-dir {folder}"
        raise InputError(
            f"{folder} holds the rehearsal of before.",
            remedy=f"--fresh deletes it; `{going_on}` goes on with it.",
        )
    try:
        ask(folder, "session")
    except NotRunning:
        shutil.rmtree(folder)
    else:
        raise InputError(f"The rehearsal in {folder} runs.", remedy="Stop it first (Ctrl+C).")


def _argv(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "plan2", "--config", str(folder / CONFIG), *arguments]


def _environment() -> dict[str, str]:
    """Ours without what is configured for another installation; output comes line by line."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PLAN2_") or name in KEPT_VARIABLES
    }
    return kept | {"PYTHONUNBUFFERED": "1"}


def _train_champion(folder: Path, home: Path) -> None:
    from plan2.commands.rehearsal import DRIFT_FROM_NS, SYMBOL

    end = f"{datetime.fromtimestamp(DRIFT_FROM_NS / 1e9, UTC):%Y-%m-%dT%H:%M:%S}"
    arguments = ("train", "--symbol", SYMBOL, "--to", end, "--data-dir", str(home))
    done = subprocess.run(
        _argv(folder, *arguments), env=_environment(), stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise Recoverable(f"Training the champion ended with exit code {done.returncode}.")


class Served:
    """A `plan2 serve` of the rehearsal in a process of its own, while the context lasts.

    Raises:
        Recoverable: on entering, when it ends before it prints its address.
    """

    def __init__(self, folder: Path) -> None:
        self._argv = _argv(folder, "serve", "--data-dir", str(folder))
        self._log = folder / LOG
        self._is_up = threading.Event()

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                env=_environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
            )
        output = self._process.stdout
        self._reader = threading.Thread(target=self._read, args=(output,), daemon=True)
        self._reader.start()
        self._is_up.wait()
        if self._process.poll() is not None:
            raise Recoverable(
                f"Plan2 ended with exit code {self._process.returncode}; {self._log} says why."
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def wait(self) -> None:
        """Until it ends; Ctrl+C reaches it as it reaches us."""
        try:
            self._process.wait()
        except KeyboardInterrupt:
            self._process.wait(STOP_S)

    def _read(self, output: IO[str]) -> None:
        """Show what it says; its address, or its end, lets us go on."""
        for line in output:
            if line.strip():
                click.echo(f"   {line.rstrip()}", err=True)
            if line.startswith("Open"):
                self._is_up.set()
        self._process.wait()
        self._is_up.set()
