"""`plan2 tenant` and its routes, over a real connection to a server of their own."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner, Result
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

from plan2 import cli
from plan2.connectivity.gateway.problems import answer_error
from plan2.connectivity.identity.local_access import LocalAccess
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import OPERATE, OVERSEE
from plan2.connectivity.identity.tenant_store import TenantWorkFailed
from plan2.foundation.errors import ConfigError, InputError, Plan2Error, Recoverable
from plan2.foundation.events.tenancy import TenantChanged
from plan2.interface.api.tenants import TenantRoutes
from unit.tenant_fixtures import House

LINK = "https://join/acme"


class Served:
    """A house with tenants behind a server on a free port; `run` is the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.house = House(folder)
        self.tenants = asyncio.run(self.house.open())
        self._access = LocalAccess(folder, "default")
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(self._app(), log_level="error"))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def start(self) -> None:
        """Listen, and leave the key in the folder."""
        self._socket.listen()
        self._thread.start()
        self._access.write(f"http://127.0.0.1:{self._socket.getsockname()[1]}")

    def stop(self) -> None:
        """End the server."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()

    def run(self, *arguments: str, answer: str | None = None) -> Result:
        """One `plan2 tenant …`."""
        return CliRunner().invoke(
            cli.command, ["--data-dir", str(self.folder), "tenant", *arguments], input=answer
        )

    def json(self, *arguments: str) -> Any:  # whatever the verb prints
        """One that succeeds, as JSON."""
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def _app(self) -> Litestar:
        def signed(app: ASGIApp) -> ASGIApp:
            async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
                headers = dict(scope.get("headers", []))
                shown = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
                scope["auth"] = self._access.find(shown, "op")
                await app(scope, receive, send)

            return middleware

        return Litestar(
            TenantRoutes(self.tenants).handlers(),
            middleware=[signed],
            exception_handlers={Exception: answer_error, Plan2Error: answer_error},
            openapi_config=None,
        )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server of this test."""
    found = Served(tmp_path)
    found.start()
    yield found
    found.stop()


def test_a_tenant_is_made_and_listed(served: Served) -> None:
    """The link is printed once; the list and the page of the tenant agree."""
    done = served.run("create", "acme", "--name", "Acme Ltd", "--administrator", "ann")
    assert done.exit_code == 0, done.output
    assert "Tenant acme (Acme Ltd) is ready" in done.output
    assert LINK in done.output
    assert served.house.done == ["settle", "invite:ann"]
    listed = served.run("list")
    assert "TENANT" in listed.output
    assert "Acme Ltd" in listed.output
    assert LINK not in listed.output
    shown = served.json("show", "acme")
    assert (shown["state"], shown["is_main"], shown["work"]) == ("ready", False, None)
    assert [step["is_done"] for step in shown["steps"]] == [True] * 6


def test_suspend_and_resume_say_how_it_stands(served: Served) -> None:
    """The reason is shown, and who did it is in the events."""
    served.json("create", "acme", "--administrator", "ann")
    assert served.json("suspend", "acme", "--reason", "unpaid")["detail"] == "unpaid"
    assert served.json("resume", "acme")["state"] == "ready"
    changes = [event for _, _, event in served.house.events if isinstance(event, TenantChanged)]
    assert [event.by for event in changes] == ["user:op"] * 3


def test_export_names_the_file_and_copies_it(served: Served, tmp_path: Path) -> None:
    """The file lies in the data folder, or where `--to` says."""
    served.json("create", "acme", "--administrator", "ann")
    made = served.json("export", "acme")
    assert Path(str(made["file"])).read_bytes() == b"export"
    copied = served.json("export", "acme", "--to", str(tmp_path / "backup"))
    assert Path(str(copied["file"])).parent == tmp_path / "backup"


def test_deleting_wants_the_id_typed(served: Served) -> None:
    """A wrong word deletes nothing; the right one, or --yes, leaves the tombstone."""
    for tenant in ("acme", "beta"):
        served.json("create", tenant, "--administrator", "ann")
    assert "no tenant 'nobody'" in served.run("delete", "nobody").output
    refused = served.run("delete", "acme", answer="yes\n")
    assert refused.exit_code == InputError.exit_code
    assert served.json("show", "acme")["state"] == "ready"
    done = served.run("delete", "acme", "--reason", "left", answer="acme\n")
    assert done.exit_code == 0, done.output
    assert "is deleted: left" in done.output
    assert served.json("delete", "beta", "--yes")["state"] == "deleted"
    again = served.run("create", "acme", "--administrator", "ann")
    assert again.exit_code != 0
    assert "taken" in again.output


def test_a_failed_step_is_shown_and_retried(served: Served) -> None:
    """The command exits with an error, `show` says why, and `retry` prints the link."""
    served.house.store.break_at["migrate"] = TenantWorkFailed("no room")
    failed = served.run("create", "acme", "--administrator", "ann")
    assert failed.exit_code != 0
    assert "no room" in failed.output
    assert served.json("show", "acme")["state"] == "failed"
    served.house.store.break_at.clear()
    retried = served.run("retry", "acme")
    assert retried.exit_code == 0, retried.output
    assert LINK in retried.output


def test_a_failed_deletion_ends_with_an_error(served: Served) -> None:
    """Waiting ends, the reason is told, and the exit status is not zero."""
    served.json("create", "acme", "--administrator", "ann")
    served.house.store.break_at["export"] = TenantWorkFailed("disk full")
    done = served.run("delete", "acme", "--yes")
    assert done.exit_code == Recoverable.exit_code
    assert "disk full" in done.output
    served.house.store.break_at.clear()
    assert served.run("retry", "acme").exit_code == 0
    assert served.json("show", "acme")["state"] == "deleted"


def test_restore_brings_the_file_into_the_folder(served: Served, tmp_path: Path) -> None:
    """A file from elsewhere is copied; one that is no export is refused, and why is said."""
    file = tmp_path / "elsewhere" / "acme-1.zip"
    file.parent.mkdir()
    file.write_bytes(b"not a zip")
    done = served.run("restore", "acme", str(file))
    assert done.exit_code != 0
    assert "is not an export" in done.output
    assert (served.folder / "exports" / "acme-1.zip").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nobody"), "no tenant 'nobody'"),
        (("suspend", "default"), "installation's own"),
        (("delete", "default", "--yes"), "installation's own"),
        (("create", "Acme", "--administrator", "x"), "Use 1 to 48 of a-z"),
        (("resume", "default"), "not suspended"),
        (("retry", "default"), "taken up"),
    ],
)
def test_what_cannot_be_done_is_explained(
    served: Served, arguments: tuple[str, ...], said: str
) -> None:
    """An error exit and one sentence, no traceback."""
    done = served.run(*arguments)
    assert done.exit_code != 0
    assert said in done.output
    assert "Traceback" not in done.output


def test_without_an_administrator_address_the_remedy_is_named(served: Served) -> None:
    """An external server without admin_url: nothing is made, and what to set is said."""
    served.house.store.refusal = ConfigError(
        "database.admin_url is not set.", remedy="Set database.admin_url."
    )
    done = served.run("create", "acme", "--administrator", "ann")
    assert done.exit_code != 0
    assert "Set database.admin_url" in done.output
    assert served.run("show", "acme").exit_code != 0


def test_every_verb_has_help_with_examples() -> None:
    """`--help` of the group and of each verb shows how it is used."""
    verbs = ("list", "show", "create", "retry", "suspend", "resume", "export", "delete", "restore")
    for verb in verbs:
        done = CliRunner().invoke(cli.command, ["tenant", verb, "--help"])
        assert done.exit_code == 0
        assert f"plan2 tenant {verb}" in done.output.split("Examples:")[1]


def test_only_operators_may_touch_tenants() -> None:
    """Every route of other tenants asks for an operator, and to change one for a fresh proof."""
    rules = {route: rule for route, rule in RIGHTS.items() if "/api/v1/tenants" in route[1]}
    assert len(rules) == 12
    for (method, _), rule in rules.items():
        assert rule == (OVERSEE if method == "GET" else OPERATE)
