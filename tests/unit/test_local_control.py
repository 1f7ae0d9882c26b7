"""The command line talks to a running Plan2: key, rights, commands, and the kill file."""

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from interface_fixtures import ORIGIN, Stage, problem_of

from plan2.commands import halt, kill, pause, reduce_only, resume
from plan2.commands.running import NotRunning, Refused
from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.local_access import Access, LocalAccess, read_access
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import TRADERS, Role
from plan2.connectivity.identity.rights import Scope as KeyScope
from plan2.intelligence.risk.switch import Scope
from plan2.intelligence.trading.control import Selector

COMMANDS = ("pause", "resume", "halt", "reduce-only", "kill")


# --- the key ------------------------------------------------------------------------------


def test_the_key_lies_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    """0600 from the first instant, whole, and gone when the run ends."""
    access = LocalAccess(tmp_path, "main")
    access.write("http://127.0.0.1:8420")
    path = tmp_path / "control.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = read_access(tmp_path)
    assert found is not None
    assert found.url == "http://127.0.0.1:8420"
    assert len(found.token) >= 43
    assert [item.name for item in tmp_path.iterdir()] == ["control.json"]
    access.remove()
    assert read_access(tmp_path) is None


def test_a_run_does_not_take_the_key_of_the_next_one_away(tmp_path: Path) -> None:
    """The old run ends after the new one has written its own."""
    old, new = LocalAccess(tmp_path, "main"), LocalAccess(tmp_path, "main")
    old.write("http://127.0.0.1:1")
    new.write("http://127.0.0.1:2")
    old.remove()
    found = read_access(tmp_path)
    assert found is not None
    assert found.url == "http://127.0.0.1:2"


def test_only_the_key_opens_and_the_person_is_named() -> None:
    """Another key gives nothing; a name that is none is not believed."""
    access = LocalAccess(Path(), "main", secret=lambda: "k" * 43)
    assert access.find("x" * 43, "ann") is None
    assert access.find("", "ann") is None
    session = access.find("k" * 43, "ann")
    assert session is not None
    assert session.user.name == "ann"
    assert session.user.role is Role.TENANT_ADMIN
    strange = access.find("k" * 43, "ann\nroot")
    assert strange is not None
    assert strange.user.name == "unnamed"


def test_every_command_has_its_rights() -> None:
    """Traders and programs may command, analysts never; a key needs its scope; all may look."""
    for name in COMMANDS:
        rule = RIGHTS["POST", f"/api/v1/commands/{name}"]
        assert rule.roles == TRADERS | {Role.API_USER}
        assert rule.scope is KeyScope.TRADE
    assert Role.ANALYST in RIGHTS["GET", "/api/v1/trading"].roles


# --- through the gateway ------------------------------------------------------------------


def headers_of(folder: Path, person: str = "ann") -> dict[str, str]:
    """What the command line sends."""
    access = read_access(folder)
    assert access is not None
    return access.headers(person)


async def stage_with_key(folder: Path, role: Role = Role.TENANT_ADMIN) -> Stage:
    """A gateway with a key in a folder."""
    stage = Stage(role=role)
    stage.local = LocalAccess(folder, "main")
    stage.local.write(ORIGIN)
    await stage.restart()
    return stage


async def test_a_command_with_the_key_needs_no_session(tmp_path: Path) -> None:
    """The person of this machine is the actor, and the selector arrives whole."""
    stage = await stage_with_key(tmp_path)
    body = {"reason": "x", "scope": "symbol", "target": "EURUSD", "account_id": "paper-1"}
    async with stage.client(**headers_of(tmp_path), **{"idempotency-key": "12345678"}) as client:
        done = await client.post("/api/v1/commands/reduce-only", json=body)
        trading = await client.get("/api/v1/trading")
    assert done.status_code == 202
    assert stage.control.calls == [("reduce_only", "user:ann", "x")]
    chosen = Selector(scope=Scope.SYMBOL, target="EURUSD", account_id="paper-1")
    assert stage.control.selectors == [chosen]
    assert trading.json()["accounts"][0]["trading_state"] == "reduce_only"


async def test_mode_and_foreign_arrive(tmp_path: Path) -> None:
    """Arming names the mode; a kill says whether it touches foreign trades."""
    stage = await stage_with_key(tmp_path)
    async with stage.client(**headers_of(tmp_path)) as client:
        for name, body in (
            ("resume", {"reason": "go", "mode": "real", "account_id": "paper-1"}),
            ("kill", {"reason": "x", "closes_foreign": True}),
        ):
            key = {"idempotency-key": f"key-{name}"}
            answer = await client.post(f"/api/v1/commands/{name}", json=body, headers=key)
            assert answer.status_code == 202
    assert stage.control.more == ["real", True]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic eDp5"}, 401),
        ({"X-Plan2-CSRF": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"X-Forwarded-For": "10.0.0.1"}, 401),
    ],
)
async def test_without_key_proof_origin_or_from_elsewhere_nothing_happens(
    tmp_path: Path, change: dict[str, str], status: int
) -> None:
    """The key opens only here; a proxy on this machine speaks for others."""
    stage = await stage_with_key(tmp_path)
    headers = headers_of(tmp_path) | {"idempotency-key": "12345678"} | change
    async with stage.client(**headers) as client:
        answer = await client.post("/api/v1/commands/halt", json={"reason": "x"})
    assert answer.status_code == status
    assert stage.control.calls == []


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "planet"},
        {"target": "a b"},
        {"mode": "x" * 65},
        {"closes_foreign": "yes"},
        {"anything": 1},
    ],
)
async def test_unusable_bodies_are_refused(tmp_path: Path, body: dict[str, object]) -> None:
    """Unknown members and values outside their range do nothing."""
    stage = await stage_with_key(tmp_path)
    async with stage.client(**headers_of(tmp_path), **{"idempotency-key": "12345678"}) as client:
        answer = await client.post("/api/v1/commands/halt", json={"reason": "x", **body})
    assert answer.status_code in {400, 422}
    assert stage.control.calls == []


async def test_the_key_speaks_for_another_tenant_that_is_known(tmp_path: Path) -> None:
    """X-Plan2-Tenant moves the session of this machine, and of nobody else."""
    stage = await stage_with_key(tmp_path)
    stage.directory.states["acme"] = TenantState.READY
    for tenant, expected in (("", "main"), ("main", "main"), ("acme", "acme")):
        async with stage.client(**headers_of(tmp_path), **{"x-plan2-tenant": tenant}) as client:
            assert (await client.get("/api/v1/session")).json()["tenant"] == expected
    async with stage.client(**headers_of(tmp_path), **{"x-plan2-tenant": "nobody"}) as client:
        unknown = await client.get("/api/v1/session")
    assert (unknown.status_code, problem_of(unknown)["code"]) == (404, "tenant_unknown")
    async with await stage.signed_in() as client:
        client.headers["x-plan2-tenant"] = "acme"
        assert (await client.get("/api/v1/session")).json()["tenant"] == "main"


async def test_the_same_key_for_another_scope_is_a_conflict(tmp_path: Path) -> None:
    """A repetition must be the same command in every part."""
    stage = await stage_with_key(tmp_path)
    async with stage.client(**headers_of(tmp_path), **{"idempotency-key": "12345678"}) as client:
        first = await client.post("/api/v1/commands/halt", json={"reason": "x"})
        other = await client.post("/api/v1/commands/halt", json={"reason": "x", "scope": "global"})
    assert (first.status_code, other.status_code) == (202, 409)


# --- the verbs, against a server that writes down what it hears ---------------------------


class Heard:
    """Requests that the fake server got, and how it answers commands."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], object]] = []
        self.problem: dict[str, str] | None = None


TRADING = {
    "accounts": [
        {
            "account_id": "paper",
            "trading_state": "halted",
            "mode": "simulated",
            "holds": "",
            "switches": [
                {
                    "scope": "symbol",
                    "target": "EURUSD",
                    "state": "halted",
                    "actor": "user:ann",
                    "reason": "why",
                }
            ],
            "kills": [{"scope": "account", "target": ""}],
        }
    ]
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Heard]:
    """A server on a free port whose address and key lie in the data folder."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def take_command(self) -> None:
            length = int(self.headers["content-length"])
            body = json.loads(self.rfile.read(length))
            heard.requests.append(("POST", self.path, dict(self.headers), body))
            if heard.problem is not None:
                self._answer(422, heard.problem)
            else:
                self._answer(202, {"command_id": "c-1", "trading_state": "halted"})

        def tell_state(self) -> None:
            heard.requests.append(("GET", self.path, dict(self.headers), None))
            self._answer(200, TRADING)

        def _answer(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST, do_GET = take_command, tell_state  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    access = LocalAccess(tmp_path, "main")
    access.write(f"http://127.0.0.1:{listener.server_port}")
    yield heard
    listener.shutdown()
    thread.join()
    listener.server_close()


def run(command: object, tmp_path: Path, *arguments: str) -> object:
    """Run a verb alone; our errors come back as they were raised."""
    options = [*arguments, "--data-dir", str(tmp_path)]
    return CliRunner().invoke(command, options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "name"), [(halt, "halt"), (pause, "pause"), (reduce_only, "reduce-only")]
)
def test_a_verb_sends_one_command_and_prints_how_trading_stands(
    server: Heard, tmp_path: Path, module: object, name: str
) -> None:
    """With key, proof, origin and a fresh idempotency key."""
    done = run(module.command, tmp_path, "--symbol", "EURUSD", "--reason", "why")  # type: ignore[attr-defined]
    assert done.exit_code == 0, done.output
    (method, path, headers, body), _ = server.requests
    assert (method, path) == ("POST", f"/api/v1/commands/{name}")
    assert body == {"reason": "why", "scope": "symbol", "target": "EURUSD", "account_id": ""}
    assert headers["Authorization"].startswith("Bearer ")
    assert headers["Origin"].startswith("http://127.0.0.1:")
    assert len(headers["Idempotency-Key"]) >= 8
    assert "account paper (simulated): halted" in done.output
    assert "symbol EURUSD: halted by user:ann: why" in done.output


def test_json_is_for_scripts(server: Heard, tmp_path: Path) -> None:
    """The receipt and every account, as the API gives them."""
    done = run(halt.command, tmp_path, "--reason", "why", "--json")
    answer = json.loads(done.output)
    assert answer["command_id"] == "c-1"
    assert answer["accounts"] == TRADING["accounts"]


def test_arming_real_money_takes_three_words(server: Heard, tmp_path: Path) -> None:
    """The account, its mode, and that losses are real; without them nothing is sent."""
    for short in (["--mode", "real"], ["--mode", "real", "--account", "live"]):
        done = run(resume.command, tmp_path, "--reason", "go", *short)
        assert done.exit_code == 2
    assert server.requests == []
    whole = ["--mode", "real", "--account", "live", "--i-accept-real-losses"]
    assert run(resume.command, tmp_path, "--reason", "go", *whole).exit_code == 0
    assert server.requests[0][3] == {
        "reason": "go",
        "scope": "account",
        "target": "",
        "account_id": "live",
        "mode": "real",
    }


def test_a_refusal_says_what_the_server_said(server: Heard, tmp_path: Path) -> None:
    """Its sentence and its remedy; nothing else."""
    server.problem = {"detail": "The kill file is there.", "remedy": "Remove it."}
    done = run(resume.command, tmp_path, "--reason", "go")
    assert isinstance(done.exception, Refused)
    assert str(done.exception) == "The kill file is there. Remove it."


@pytest.mark.parametrize(
    "arguments",
    [
        ["--symbol", "EURUSD", "--flow", "main"],
        ["--scope", "global", "--symbol", "EURUSD"],
        ["--scope", "flow"],
    ],
)
def test_contradictions_are_told_before_anything_is_sent(
    server: Heard, tmp_path: Path, arguments: list[str]
) -> None:
    """Two names, or a scope without one."""
    assert run(halt.command, tmp_path, "--reason", "x", *arguments).exit_code == 2
    assert server.requests == []


def test_a_kill_that_nobody_hears_leaves_the_file(tmp_path: Path) -> None:
    """Nothing runs, or it hangs: the file is obeyed by whoever comes next."""
    done = run(kill.command, tmp_path, "--symbol", "EURUSD", "--reason", "runaway")
    assert isinstance(done.exception, NotRunning)
    assert (tmp_path / "KILL").read_text() == "symbol EURUSD\nrunaway\n"
    assert "KILL was written" in str(done.exception)


def test_other_verbs_leave_nothing_behind(tmp_path: Path) -> None:
    """Without a running Plan2 there is nothing to pause."""
    done = run(pause.command, tmp_path, "--reason", "x")
    assert isinstance(done.exception, NotRunning)
    assert list(tmp_path.iterdir()) == []


def test_a_dead_address_is_told_as_such(tmp_path: Path) -> None:
    """The file is there, the process is not."""
    access = Access(url="http://127.0.0.1:1", token="t", pid=1)
    (tmp_path / "control.json").write_text(
        json.dumps({"url": access.url, "token": access.token, "pid": 1})
    )
    done = run(pause.command, tmp_path, "--reason", "x")
    assert isinstance(done.exception, NotRunning)
    assert "does not answer at http://127.0.0.1:1" in str(done.exception)
