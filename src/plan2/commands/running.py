"""How verbs talk to the running Plan2: over its REST API, with the key in its data folder."""

import getpass
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from plan2.connectivity.identity.local_access import FILE_NAME, Access, read_access
from plan2.foundation.errors import Plan2Error, Recoverable
from plan2.foundation.ids import RandomIds

DEADLINE_S: Final = 10.0
JSON: Final = "application/json"
NO_PROXY: Final = urllib.request.ProxyHandler({})

Answer = dict[str, Any]  # JSON of the API: each verb reads the members it knows


class NotRunning(Recoverable):
    """No Plan2 answers for this data folder."""

    code = "not_running"


class Refused(Plan2Error):
    """The running Plan2 would not do it; it said why."""

    code = "refused"


def send(folder: Path, command: str, body: dict[str, object]) -> Answer:
    """Send a command to the Plan2 that runs on this data folder; once, whatever happens.

    Raises:
        NotRunning: none does, or it does not answer.
        Refused: it said no.
    """
    headers = {"Content-Type": JSON, "Idempotency-Key": RandomIds().next_id("command")}
    return _ask(folder, f"commands/{command}", headers, json.dumps(body).encode())


def ask(folder: Path, path: str) -> Answer:
    """Ask the Plan2 that runs on this data folder.

    Raises:
        NotRunning, Refused: as `send`.
    """
    return _ask(folder, path, {}, None)


def _ask(folder: Path, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
    access = read_access(folder)
    if access is None:
        raise NotRunning(
            f"No Plan2 runs on {folder}: there is no {FILE_NAME}.",
            remedy="Start it with `plan2 serve`, or name its folder with --data-dir.",
        )
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked right here
        _address(access, path), data=body, headers=access.headers(_person()) | headers
    )
    opener = urllib.request.build_opener(NO_PROXY)
    try:
        with opener.open(request, timeout=DEADLINE_S) as answer:
            found: Answer = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except (OSError, ValueError) as error:
        raise NotRunning(
            f"Plan2 does not answer at {access.url}: {error}.",
            remedy=f"See whether it still runs; a file KILL in {folder} stops it for certain.",
        ) from None


def _address(access: Access, path: str) -> str:
    if not access.url.startswith("http://"):
        raise NotRunning(f"{FILE_NAME} names {access.url!r}, which is not an address of ours.")
    return f"{access.url}/api/v1/{path}"


def _refused(error: urllib.error.HTTPError) -> Refused:
    try:
        problem = json.load(error)
    except ValueError:
        problem = {}
    said = problem.get("detail") or f"HTTP {error.code}"
    return Refused(str(said), remedy=str(problem.get("remedy", "")))


def _person() -> str:
    """Who asks: the name of the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
