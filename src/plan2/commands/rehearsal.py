"""What a rehearsal of the learning loop plays on, and the person in it who asks the running Plan2.

A market of its own without anything to learn taught the champion; then a drift was planted in it.
A challenger that saw the drift has to work its way up, by the loop that serves every market.
"""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from plan2.commands.running import Method, NotRunning, Refused, quoted, request
from plan2.commands.tables import time_text
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.foundation.clock import stopwatch_ns
from plan2.foundation.errors import Recoverable
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND

SYMBOL: Final = "EURUSD"
HORIZON_MINUTES: Final = 60
STRENGTH: Final = 10.0
"""Of the planted drift; a new installation's market has 1, where proof takes months."""
SEED: Final = 20_260
CALM_DAYS, DRIFT_DAYS = 20, 30
DRIFT_FROM_NS: Final = FIRST_INSTANT_NS - DRIFT_DAYS * NS_PER_DAY
SPEED: Final = 5_000.0
"""A market day in 17 s: about half of what one core can do, so that pages stay quick."""
REASON: Final = "rehearsal: one month is too short to validate it, let it be watched"
LOOK_EVERY_S: Final = 1.0
LOOKS_PER_STANDING: Final = 10
"""The figures of the loop come with intervals, which take processor time from the market."""
TAKE_UP_S: Final = 120.0
"""How long a trained candidate may wait to be taken up; it is looked for every ten seconds."""

CONFIGURATION: Final = f"""\
# Written by `plan2 learn rehearse`: one symbol, one quick family, a market that runs fast.
[server]
port = 0
[market]
symbols = ["{SYMBOL}"]
[simulated]
seed = {SEED}
speed = {SPEED}
history_days = {DRIFT_DAYS}
strength = {STRENGTH}
[models]
families = ["xgboost"]
horizon_minutes = {HORIZON_MINUTES}
[learning]
# The challenger of the rehearsal is the only one.
retrain = false
"""

NS_PER_US: Final = 1_000

Tell = Callable[[str], None]
Json = Any  # what the API answers; each reader knows the members it needs


class Api(Protocol):
    """The way to the running Plan2."""

    def __call__(self, method: Method, path: str, body: object = None) -> Json:
        """Ask or tell; raises `NotRunning` or `Refused`."""
        ...


def api_of(folder: Path) -> Api:
    """The Plan2 that runs on a data folder."""
    return lambda method, path, body=None: request(folder, method, path, body)


def write_history(home: Path, tell: Tell) -> None:
    """Archive the weeks without structure, then those with the drift; the same ticks every time.

    Raises:
        StoreBusy: the archive cannot be written.
    """
    archive = TickArchive(home / "archive")
    calm_from_ns = DRIFT_FROM_NS - CALM_DAYS * NS_PER_DAY
    stretches = (
        ("nothing to learn", calm_from_ns, DRIFT_FROM_NS, 0.0),
        ("a planted drift", DRIFT_FROM_NS, FIRST_INSTANT_NS, STRENGTH),
    )
    for words, start_ns, end_ns, strength in stretches:
        market = SyntheticMarket(SEED, (SYMBOL,), start_ns, strength)
        block = market.generate(end_ns)[SYMBOL]
        archive.merge(block)
        days = (end_ns - start_ns) // NS_PER_DAY
        tell(f"  {days} days of {SYMBOL} with {words}: {len(block):,} ticks")


class Rehearsal:
    """The steps that a person takes; each waits until it is done and tells what happened.

    Args:
        api: the running Plan2. tell: one line for whoever watches.
        pause: waits between two looks, seconds.
    """

    def __init__(self, api: Api, tell: Tell, pause: Callable[[float], None] = time.sleep) -> None:
        self._api = api
        self._tell = tell
        self._pause = pause

    def train_challenger(self) -> str:
        """Train on the weeks with the drift, as a job; the candidate's id when it is taken up.

        Raises:
            Recoverable: the job did not end well, or nobody took its candidate up.
        """
        wish = {"symbols": [SYMBOL], "from_us": DRIFT_FROM_NS // NS_PER_US}
        job = self._api("POST", "jobs/train", wish)
        shown = ""
        while job["state"] in {"waiting", "running"}:
            if job["message"] != shown:
                shown = job["message"]
                self._tell(f"  {job['fraction']:4.0%} {shown}")
            self._pause(LOOK_EVERY_S)
            job = self._api("GET", f"jobs/{quoted(job['job_id'])}")
        if job["state"] != "done":
            failure = job["failure"] or {}
            raise Recoverable(f"The training {job['state']}: {failure.get('message', '')}".strip())
        return self._taken_up(str(job["result"]["candidate_id"]))

    def let_it_be_watched(self, name: str) -> None:
        """Pass over the first gate, which a month cannot meet; the loop takes it from there."""
        if self._state(name) == "trained":
            body = {"to": "validated", "reason": REASON}
            self._api("POST", f"candidates/{quoted(name)}/override", body)

    def watch(self, name: str) -> str:
        """Tell each market day how its contest stands, until it serves or is out; its last state.

        Who moves it meanwhile is the learning loop alone.
        """
        state, told_day = self._state(name), ""
        for look in itertools.count():
            self._pause(LOOK_EVERY_S)
            was, state = state, self._state(name)
            if state != was or look % LOOKS_PER_STANDING == 0:
                answer = self._api("GET", "learning")
                day = time_text(answer["market_us"])[:10]
                if day != told_day:
                    told_day = day
                    for contest in answer["contests"]:
                        if contest["candidate_id"] == name:
                            self._tell(f"  {day}  {_standing(contest)}")
                if state != was:
                    self._tell(f"  {day}  {name}: {was} → {state}")
            if state not in {"validated", "shadow", "canary"}:
                break
        return state

    def last_reason(self, name: str) -> str:
        """Why a candidate was moved last."""
        newest, *_ = self._api("GET", f"candidates/{quoted(name)}")["history"]
        return str(newest["reason"])

    def champion(self) -> str:
        """Who serves."""
        known = self._api("GET", "candidates")
        return next((each["candidate_id"] for each in known if SYMBOL in each["champion_of"]), "")

    def roll_back(self, former: str) -> float:
        """Let the former champion serve again; how long that took, seconds.

        Raises:
            Recoverable: it does not serve after a while.
        """
        began_ns = stopwatch_ns()
        body = {"symbol": SYMBOL, "reason": "rehearsal: back to the champion before"}
        try:
            self._api("POST", "candidates/rollback", body)
        except NotRunning:
            # A machine that is too busy to answer in time has done it all the same, or will.
            self._tell("  no answer yet")
        for _ in range(int(TAKE_UP_S / LOOK_EVERY_S)):
            if self.champion() == former:
                return (stopwatch_ns() - began_ns) / NS_PER_SECOND
            self._pause(LOOK_EVERY_S)
        raise Recoverable(f"Champion {former} does not serve {SYMBOL} again.")

    def _taken_up(self, name: str) -> str:
        for _ in range(int(TAKE_UP_S / LOOK_EVERY_S)):
            try:
                if self._state(name) != "draft":
                    return name
            except Refused as refused:
                if refused.status != 404:
                    raise
            self._pause(LOOK_EVERY_S)
        raise Recoverable(f"Nobody took candidate {name} up within {TAKE_UP_S:.0f} s.")

    def _state(self, name: str) -> str:
        return str(self._api("GET", f"candidates/{quoted(name)}")["candidate"]["state"])


def _standing(contest: Json) -> str:
    words = (
        f"{contest['state']}: {contest['days']:.1f} days, "
        f"{contest['labels_effective']:.0f} effective labels, {contest['pairs']} pairs"
    )
    if contest["e_value"] is not None and contest["e_value"] > 1.0:
        side = "for" if contest["mean_difference"] > 0 else "against"
        words += f", e-value {contest['e_value']:.3g} {side} it (proof at {contest['proof_at']:g})"
    return f"{words}; refused: {contest['refused']}" if contest["refused"] else words
