"""How verbs speak of candidates: with the running Plan2, or from the files when none runs."""

from pathlib import Path
from typing import Any, Final

from plan2.dataflow.terminals.simulated.opening import FOLDER

WAY: Final = ("trained", "validated", "shadow", "canary", "champion")
"""The usual way up."""


def running_folder(folder: Path) -> Path:
    """The data folder of the Plan2 that serves the models in `folder`.

    The simulated market keeps its models in a home of its own, below the data folder.
    """
    return folder.parent if folder.name == FOLDER else folder


def homes(folder: Path) -> list[Path]:
    """The folders with models that belong to a data folder: its own, and the simulated market's."""
    return [home for home in (folder, folder / FOLDER) if (home / "models").is_dir()]


def home_of(folder: Path, name: str) -> Path:
    """The home that knows a model or a candidate; the data folder itself when none does."""
    for home in homes(folder):
        models = home / "models"
        if (models / name).is_dir() or (models / "candidates" / f"{name}.json").is_file():
            return home
    return folder


def need_running(folder: Path) -> None:
    """See before long work that somebody is there to promote its outcome.

    Raises:
        NotRunning: no Plan2 runs that could serve it.
    """
    from plan2.commands.running import ask

    ask(running_folder(folder), "session")


def promote_to(
    folder: Path, candidate_id: str, to: str, reason: str, *, is_override: bool
) -> dict[str, Any]:
    """Take a candidate up to a state, one recorded step after another; returns the last answer.

    Stops at the first gate that is closed, or at the first step that waits for a second person. A
    step that the learning loop took meanwhile counts as taken.

    Raises:
        NotRunning: no Plan2 runs that could serve it.
        Refused: a gate is closed, or the state does not lead there.
    """
    from plan2.commands.running import Refused, ask, quoted, request

    home = running_folder(folder)
    path = f"candidates/{quoted(candidate_id)}"
    answer: dict[str, Any] = {"outcome": "done", **ask(home, path)}
    verb = "override" if is_override else "move"
    while answer["outcome"] == "done" and answer["candidate"]["state"] != to:
        step = _next(answer["candidate"], to)
        body = {"to": step, "reason": reason}
        try:
            answer = request(home, "POST", f"{path}/{verb}", body)
        except Refused:
            now = ask(home, path)
            if not _is_further(now["candidate"], answer["candidate"]):
                raise
            answer = {"outcome": "done", **now}
    return answer


def next_step(folder: Path, candidate_id: str) -> list[str]:
    """What has become of a candidate that was just trained, and what to do next."""
    from plan2.commands.running import NotRunning, Refused, ask, quoted

    try:
        card = ask(running_folder(folder), f"candidates/{quoted(candidate_id)}")
    except (NotRunning, Refused):
        return [
            f"Candidate {candidate_id}. It is taken up when Plan2 serves this market: plan2 serve.",
            f"`plan2 backtest` tries it before; `plan2 models show {candidate_id}` shows it.",
        ]
    return [f"Candidate {candidate_id}: {_words(card)}"]


def _next(candidate: dict[str, Any], to: str) -> str:
    """The next state on the way; a state off the way is asked for at once, and refused if need be.

    A retired or suspended candidate has no way up of its own: the life cycle says where it leads.
    """
    state = str(candidate["state"])
    if to not in WAY or state not in WAY or WAY.index(state) >= WAY.index(to):
        return to
    return WAY[WAY.index(state) + 1]


def _is_further(now: dict[str, Any], before: dict[str, Any]) -> bool:
    """Whether a candidate went up the usual way since it was looked at."""
    is_known = now["state"] in WAY and before["state"] in WAY
    return is_known and WAY.index(now["state"]) > WAY.index(before["state"])


def _words(card: dict[str, Any]) -> str:
    candidate = card["candidate"]
    state, serves = candidate["state"], ", ".join(candidate["champion_of"])
    if serves:
        proven = " unproven" if "UNPROVEN" in candidate["flags"] else ""
        return f"it serves {serves}{proven}."
    name = candidate["candidate_id"]
    if state == "trained":
        (gate,) = [each for each in card["gates"] if each["state"] == "validated"]
        unmet = "; ".join(c["sentence"] for c in gate["conditions"] if not c["is_met"])
        return f"trained, not validated: {unmet}. See `plan2 models show {name}`."
    return f"{state}. Next: plan2 models promote {name} --reason …"
