"""How verbs talk to the running Plan2: over its REST API, with the key in its data folder.

The person is the user of this machine; `tenant` speaks for another tenant than the one that the
key belongs to, which only this way in may do. Every unsafe request carries an idempotency key.
"""

import getpass
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from plan2.connectivity.identity.local_access import FILE_NAME, Access, read_access
from plan2.foundation.errors import InputError, Plan2Error, Recoverable
from plan2.foundation.ids import RandomIds

DEADLINE_S: Final = 30.0
DOWNLOAD_DEADLINE_S: Final = 600.0
"""Longest silence of a download; a large export is made before its first byte."""
PATIENCE: Final = 10
"""How often a question that came too soon is asked again."""
PAUSE_MAX_S: Final = 10.0
CHUNK_BYTES: Final = 1 << 18
JSON: Final = "application/json"
TENANT_HEADER: Final = "X-Plan2-Tenant"
PROBLEM_MAX_BYTES: Final = 1 << 16
NOT_NOW: Final = frozenset({http.client.TOO_MANY_REQUESTS, http.client.SERVICE_UNAVAILABLE})
BROKEN_OFF: Final = (
    urllib.error.URLError,
    TimeoutError,
    ConnectionError,
    http.client.HTTPException,
)
"""A download that ends early; other errors are of the file that is written."""
NO_PROXY: Final = urllib.request.ProxyHandler({})

Answer = Any
"""JSON of the API, an object or a list: each verb reads the members it knows. An empty answer is
an empty object."""
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class NotRunning(Recoverable):
    """No Plan2 answers for this data folder."""

    code = "not_running"


class Refused(Plan2Error):
    """The running Plan2 would not do it; it said why.

    Attributes:
        status: HTTP status; 429 and 503 end with the exit code of what may be tried again.
        reason: the problem's stable code, such as `not_found`.
    """

    code = "refused"

    def __init__(
        self, message: str, *, remedy: str = "", status: int = 0, reason: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.reason = reason
        if status in NOT_NOW:
            self.exit_code = Recoverable.exit_code


def send(folder: Path, command: str, body: dict[str, object], tenant: str = "") -> Answer:
    """Send a trading command to the Plan2 that runs on this data folder; once, whatever happens.

    `tenant` as for `request`.

    Raises:
        NotRunning: none does, or it does not answer.
        Refused: it said no.
    """
    return request(folder, "POST", f"commands/{command}", body, tenant)


def ask(folder: Path, path: str, tenant: str = "") -> Answer:
    """Ask the Plan2 that runs on this data folder; `tenant` as for `request`.

    Raises:
        NotRunning, Refused: as `send`.
    """
    return request(folder, "GET", path, tenant=tenant)


def request(
    folder: Path, method: Method, path: str, body: object = None, tenant: str = ""
) -> Answer:
    """Ask or tell the Plan2 that runs on this data folder anything that its API knows.

    A question (GET) that a rate limit refuses is asked again when the limit has room: whoever
    watches a long work must not fail because the server is busy with it.

    Args:
        folder: its data folder.
        method: HTTP method.
        path: what follows `/api/v1/`, query included; see `with_query`.
        body: anything that JSON can say; None sends none.
        tenant: speak for this tenant; "" means the one that the installation starts with.

    Raises:
        NotRunning, Refused: as `send`.
    """
    access = _access(folder)
    asked = _request(access, method, path, body, tenant)
    tries = PATIENCE if method == "GET" else 0
    try:
        with _open_patiently(access, asked, tries) as answer:
            found = answer.read()
            return json.loads(found) if found else {}
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _silent(access, folder, error) from None


def download(
    folder: Path,
    path: str,
    target: Path,
    *,
    method: Method = "GET",
    tenant: str = "",
) -> int:
    """Stream an answer into a file that appears whole, readable by its owner only; its bytes.

    Args:
        folder: the data folder of the Plan2 that is meant.
        path: what follows `/api/v1/`, query included; see `with_query`.
        target: where to; replaced when it exists.
        method: HTTP method; the request has no body.
        tenant: speak for this tenant.

    Raises:
        NotRunning, Refused: as `send`; nothing new is at `target` then.
    """
    access = _access(folder)
    asked = _request(access, method, path, None, tenant)
    fresh = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _opener(access).open(asked, timeout=DOWNLOAD_DEADLINE_S) as answer:
            done = _stream(answer, fresh)
        fresh.replace(target)
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except BROKEN_OFF as error:
        raise _silent(access, folder, error) from None
    finally:
        fresh.unlink(missing_ok=True)
    return done


def with_query(path: str, questions: Mapping[str, object]) -> str:
    """A path with those questions that have an answer: None and "" are left out."""
    asked = {name: value for name, value in questions.items() if value not in (None, "")}
    return f"{path}?{urllib.parse.urlencode(asked, doseq=True)}" if asked else path


def quoted(part: str) -> str:
    """One part of a path, whatever it holds."""
    return urllib.parse.quote(part, safe="")


def user_id_of(folder: Path, user: str, tenant: str) -> str:
    """The id of somebody of a tenant who is named by name or id.

    Raises:
        InputError: nobody is.
    """
    for each in request(folder, "GET", "people", tenant=tenant)["items"]:
        if user == each["user_id"] or user.casefold() == str(each["name"]).casefold():
            return str(each["user_id"])
    raise InputError(
        f"There is no user {user!r}.", remedy="`plan2 user list` shows everybody of a tenant."
    )


def _stream(answer: http.client.HTTPResponse, fresh: Path) -> int:
    total = answer.length
    done = 0
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while piece := answer.read(CHUNK_BYTES):
            file.write(piece)
            done += len(piece)
    if total is not None and done != total:
        raise http.client.IncompleteRead(b"", total - done)
    return done


def _access(folder: Path) -> Access:
    access = read_access(folder)
    if access is None:
        raise NotRunning(
            f"No Plan2 runs on {folder}: there is no {FILE_NAME}.",
            remedy="Start it with `plan2 serve`, or name its folder with --data-dir.",
        )
    is_ours = access.url.startswith("https://" if access.certificate else "http://")
    if not is_ours:
        raise NotRunning(f"{FILE_NAME} names {access.url!r}, which is not an address of ours.")
    return access


def _request(
    access: Access, method: Method, path: str, body: object, tenant: str
) -> urllib.request.Request:
    headers = access.headers(_person())
    if method != "GET":
        headers["Idempotency-Key"] = RandomIds().next_id("request")
    if tenant:
        headers[TENANT_HEADER] = tenant
    content = None
    if body is not None:
        headers["Content-Type"] = JSON
        content = json.dumps(body).encode()
    return urllib.request.Request(  # noqa: S310 - `_access` checks the scheme
        f"{access.url}/api/v1/{path}", data=content, headers=headers, method=method
    )


def _opener(access: Access) -> urllib.request.OpenerDirector:
    """Reaches this one Plan2: past any proxy, and trusting its own certificate alone."""
    tls = urllib.request.HTTPSHandler(context=access.tls_context())
    return urllib.request.build_opener(NO_PROXY, tls)


def _open_patiently(
    access: Access, asked: urllib.request.Request, tries: int
) -> http.client.HTTPResponse:
    """The answer; one that comes too soon (429) is waited for as long as it says."""
    while True:
        try:
            answer: http.client.HTTPResponse = _opener(access).open(asked, timeout=DEADLINE_S)
        except urllib.error.HTTPError as error:
            pause = error.headers.get("Retry-After", "")
            is_soon = pause.isdecimal() and int(pause) <= PAUSE_MAX_S
            if error.code != http.client.TOO_MANY_REQUESTS or not is_soon or tries == 0:
                raise
            tries -= 1
            time.sleep(int(pause))
        else:
            return answer


def _silent(access: Access, folder: Path, error: Exception) -> NotRunning:
    return NotRunning(
        f"Plan2 does not answer at {access.url}: {error}.",
        remedy=f"See whether it still runs; a file KILL in {folder} stops it for certain.",
    )


def _refused(error: urllib.error.HTTPError) -> Refused:
    try:
        problem = json.loads(error.read(PROBLEM_MAX_BYTES))
    except (OSError, ValueError):
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    said = problem.get("detail") or f"Plan2 answered HTTP {error.code}."
    wait = error.headers.get("Retry-After", "")
    is_soon = error.code in NOT_NOW and wait.isdecimal()
    return Refused(
        str(said),
        remedy=f"Try again in {wait} s." if is_soon else str(problem.get("remedy", "")),
        status=error.code,
        reason=str(problem.get("code", "")),
    )


def _person() -> str:
    """Who asks: the name of the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
