"""The product as its user starts it: `plan2 serve` in a process of its own, small and quick."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

ADDRESS = re.compile(r"Open\s+(http://\S+?)/signin\?token=(\S+)")
START_LIMIT_S = 240.0
PATIENCE_S = 90.0
"""What happens within a second on a quiet machine has this long on a busy one."""
PATIENT = {"PLAN2_LOAD__LOOP_LAG_MS": "60000", "PLAN2_LOAD__DECISION_MS": "60000"}
"""A busy test machine is no reason to turn requests away; what is shed has tests of its own."""
UNHURRIED = {
    "PLAN2_RISK__TICK_AGE_MAX_MS": "3600000",
    "PLAN2_RISK__COLLAR_REFERENCE_MAX_AGE_MS": "3600000",
}
"""Nor to refuse an order: half a second's delay is half a minute of a quick market."""
QUICK = {
    "PLAN2_SIMULATED__HISTORY_DAYS": "6",
    "PLAN2_SIMULATED__SPEED": "300",
    "PLAN2_MODELS__FAMILIES": '["xgboost"]',
    "PLAN2_MARKET__SYMBOLS": '["EURUSD","USDJPY"]',
    "PLAN2_SERVER__PORT": "0",
    **PATIENT,
}
CALM = {
    "PLAN2_SIMULATED__SPEED": "60",
    "PLAN2_DECISION__EXPLORE_AFTER_S": "0",
    "PLAN2_RISK__POSITIONS_MAX": "40",
    "PLAN2_RISK__POSITIONS_PER_SYMBOL_MAX": "20",
    "PLAN2_RISK__DAILY_LOSS_MAX_FRACTION": "0.9",
    "PLAN2_RISK__WEEKLY_LOSS_MAX_FRACTION": "0.9",
    "PLAN2_RISK__DRAWDOWN_MAX_FRACTION": "0.9",
    **UNHURRIED,
}
"""Slow enough that pages, not the market, take the time.

What the models trade, and lose, meanwhile leaves room for an order by hand.
"""


class Product:
    """One running `plan2 serve`; its output is kept.

    `more` goes into its environment; without `waits` it may still be starting.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        more: Mapping[str, str] | None = None,
        waits: bool = True,
    ) -> None:
        self.folder = folder
        self._log = folder.with_suffix(".log")
        self._out = self._log.open("ab")
        self._start = self._out.tell()
        command = [sys.executable, "-m", "plan2", "serve", "--data-dir", str(folder), *arguments]
        self.process = subprocess.Popen(
            command, stdout=self._out, stderr=subprocess.STDOUT, env=environment(more)
        )
        self.url = self.token = ""
        self.session: dict[str, object] | None = None
        """Cookies of a browser that is signed in; kept by `signed_in`."""
        if waits:
            self.wait_for_address()

    @property
    def output(self) -> str:
        """What this run has printed so far."""
        return self._log.read_bytes()[self._start :].decode(errors="replace")

    def client(self) -> httpx.Client:
        """A browser's worth of HTTP client, signed in."""
        client = httpx.Client(base_url=self.url, timeout=30.0)
        answer = client.get("/signin", params={"token": self.token})
        assert answer.status_code == 303, answer.text
        return client

    def kill(self) -> None:
        """As a crash does: at once, without any chance to tidy up."""
        self.process.kill()
        self.process.wait(30)
        self._out.close()

    def stop(self) -> int:
        """As Ctrl+C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self._out.close()
        return code

    def wait_for_address(self) -> None:
        """Until it is up."""
        found = wait_for(lambda: ADDRESS.search(self.output), START_LIMIT_S, self.process)
        self.url, self.token = found[1], found[2]


def wait_for(
    condition, limit_s: float = PATIENCE_S, process: subprocess.Popen[bytes] | None = None
):
    """The first true result of `condition`, asked again until the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the process ended with {process.returncode}")
        time.sleep(0.1)  # another process's progress can only be looked at again
    raise AssertionError(f"nothing after {limit_s} s")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the product: quick settings, nothing of the tests' own configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAN2_")}
    return kept | QUICK | {"PYTHONUNBUFFERED": "1"} | dict(more or {})


def run_verb(*arguments: str, more: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Exit code and standard output of another verb."""
    done = subprocess.run(
        [sys.executable, "-m", "plan2", *arguments],
        capture_output=True,
        text=True,
        env=environment(more),
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + ("" if done.returncode == 0 else done.stderr)


def run_json(*arguments: str, more: Mapping[str, str] | None = None) -> dict[str, object]:
    """The JSON that a verb prints; it must succeed."""
    code, text = run_verb(*arguments, "--json", more=more)
    assert code == 0, text
    return json.loads(text)
