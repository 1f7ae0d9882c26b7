"""`plan2 user` and `plan2 key` against a gateway behind a real socket, and how verbs ask at all."""

import asyncio
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plan2.commands import key, user
from plan2.commands.running import NotRunning, Refused, download, quoted, request, with_query
from plan2.commands.tables import cell_text, print_table, time_text
from plan2.connectivity.identity.directory import TenantState
from plan2.connectivity.identity.people import Person
from plan2.connectivity.identity.rights import Role
from plan2.foundation.config.schema_telegram import Telegram
from plan2.foundation.errors import InputError
from unit.credential_fixtures import CredentialStage
from unit.credential_gateway import CredentialGateway
from unit.identity_fixtures import HOME, OTHER

NEW = "eleven quiet lamps in the fog"


class Served:
    """A running Plan2 on a folder, with root and ann, and eve in another tenant."""

    def __init__(self, folder: Path, telegram: Telegram | None = None) -> None:
        self.folder = folder
        self.stage = CredentialStage()
        asyncio.run(self._start())
        self.gateway = CredentialGateway(self.stage, folder, telegram)

    async def _start(self) -> None:
        await self.stage.start()
        await self.stage.add("root", Role.TENANT_ADMIN)
        await self.stage.add("ann")
        await self.stage.add("eve", Role.TENANT_ADMIN, OTHER)

    def run(self, verb: str, *arguments: str) -> Result:
        """Use a verb of the command line."""
        command = {"user": user.command, "key": key.command}[verb]
        asked = [*arguments, "--data-dir", str(self.folder)]
        return CliRunner().invoke(command, asked)

    def json(self, verb: str, *arguments: str) -> object:
        """What a verb answers to scripts."""
        done = self.run(verb, *arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    def person(self, name: str, tenant: str = HOME) -> Person:
        """Somebody by name."""
        found = self.stage.book.named(tenant, name)
        assert found is not None
        return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A Plan2 that answers while a test runs."""
    made = Served(tmp_path)
    with made.gateway.behind_a_socket() as url:
        assert made.gateway.local is not None
        made.gateway.local.write(url)
        yield made


def test_people_by_command(served: Served) -> None:
    """Invite, list, role, rename, block, unblock, operator: told, done, and by whom."""
    invited = served.run("user", "invite", "bob", "--role", "Analyst")
    assert invited.exit_code == 0
    assert "/join?token=main." in invited.output
    listed = served.run("user", "list")
    assert listed.output.splitlines()[0].split()[:3] == ["NAME", "ROLE", "STATE"]
    assert "invited" in listed.output
    assert "Portfolio_Manager" in served.run("user", "role", "BOB", "Portfolio_Manager").output
    assert served.run("user", "rename", "bob", "Bob B").exit_code == 0
    assert "blocked" in served.run("user", "block", "Bob B").output
    assert served.person("Bob B").is_blocked
    assert served.run("user", "unblock", served.person("Bob B").user.user_id).exit_code == 0
    assert not served.person("Bob B").is_blocked
    assert "is an operator now" in served.run("user", "operator", "ann", "on").output
    assert served.person("ann").user.is_operator
    assert "is no operator" in served.run("user", "operator", "ann", "off").output


def test_a_link_for_scripts_works(served: Served) -> None:
    """The token that --json prints sets the password; a reset prints one as well."""
    made = served.json("user", "invite", "bob", "--role", "Analyst")
    assert isinstance(made, dict)
    joined = asyncio.run(served.stage.invitations.join(made["token"], NEW))
    assert isinstance(joined, Person)
    again = served.json("user", "reset", "bob", "--second-factor")
    assert isinstance(again, dict)
    assert (again["purpose"], again["name"]) == ("reset", "bob")
    bot = served.run("user", "invite", "bot", "--role", "API_User")
    assert "plan2 key create --user bot" in bot.output


def test_keys_by_command(served: Served) -> None:
    """Create, list, revoke; the key is printed once and works."""
    made = served.run("key", "create", "--user", "ann", "--scope", "read", "--from", "10.0.0.0/8")
    assert made.exit_code == 0, made.output
    shown = next(line.strip() for line in made.output.splitlines() if "p2_test_" in line)
    assert served.stage.api_keys.find(shown, "10.0.0.1") is not None
    listed = served.run("key", "list")
    assert "10.0.0.0/8" in listed.output
    assert shown not in listed.output
    (item,) = served.json("key", "list")  # type: ignore[misc]  # a list of one
    assert served.run("key", "revoke", item["key_id"]).exit_code == 0
    assert served.stage.api_keys.find(shown, "10.0.0.1") is None
    assert "revoked" in served.run("key", "list").output


def test_another_tenant_is_named(served: Served) -> None:
    """--tenant speaks for that one; an unknown one is refused; without it it is our own."""
    theirs = served.json("user", "list", "--tenant", OTHER)
    assert isinstance(theirs, list)
    assert [each["name"] for each in theirs] == ["eve"]
    assert served.run("key", "create", "--user", "eve", "--scope", "read").exit_code != 0
    made = served.json("key", "create", "--user", "eve", "--scope", "read", "--tenant", OTHER)
    assert isinstance(made, dict)
    assert served.stage.api_keys.get(OTHER, made["item"]["key_id"]) is not None
    refused = served.run("user", "list", "--tenant", "nowhere")
    assert isinstance(refused.exception, Refused)
    served.stage.directory.set(OTHER, TenantState.SUSPENDED)
    assert served.run("user", "invite", "x", "--role", "Analyst", "--tenant", OTHER).exit_code != 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("user", "block", "nobody"), InputError),
        (("user", "block", "root"), Refused),
        (("user", "invite", "ANN", "--role", "Analyst"), Refused),
        (("key", "revoke", "0123456789ab"), Refused),
        (("key", "create", "--user", "nobody", "--scope", "read"), InputError),
        (("key", "create", "--user", "ann", "--scope", "read", "--from", "x"), Refused),
    ],
)
def test_what_cannot_be_done_is_said(
    served: Served, arguments: tuple[str, ...], expected: type[Exception]
) -> None:
    """One sentence and a remedy, never a traceback."""
    done = served.run(*arguments)
    assert isinstance(done.exception, expected)
    assert str(done.exception)


def test_any_method_and_answer(served: Served) -> None:
    """Lists, empty answers, queries, problems with code and status, files."""
    folder = served.folder
    assert len(request(folder, "GET", "people")["items"]) == 2
    assert request(folder, "GET", with_query("keys", {"all": "true", "none": None}))["items"] == []
    with pytest.raises(Refused) as refused:
        request(folder, "DELETE", f"keys/{quoted('a/b ?')}")
    assert (refused.value.status, refused.value.reason) == (404, "not_found")
    target = folder / "people.json"
    assert download(folder, "people", target) == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert len(json.loads(target.read_bytes())["items"]) == 2
    with pytest.raises(Refused):
        download(folder, "nothing", target)
    assert len(json.loads(target.read_bytes())["items"]) == 2
    assert sorted(item.name for item in folder.iterdir()) == ["control.json", "people.json"]


def test_nobody_answers(tmp_path: Path) -> None:
    """Without a run, and after one that left its file behind."""
    with pytest.raises(NotRunning, match=r"no control\.json"):
        request(tmp_path, "GET", "people")
    made = Served(tmp_path)
    assert made.gateway.local is not None
    made.gateway.local.write("http://127.0.0.1:9")
    with pytest.raises(NotRunning, match="does not answer"):
        request(tmp_path, "GET", "people")
    with pytest.raises(NotRunning):
        download(tmp_path, "people", tmp_path / "x")
    made.gateway.local.write("https://127.0.0.1:9")
    with pytest.raises(NotRunning, match="not an address of ours"):
        request(tmp_path, "GET", "people")


def test_queries_leave_out_what_is_not_asked() -> None:
    """None and "" say nothing; lists are repeated; everything is quoted."""
    assert with_query("audit", {"after": 0, "actor": "", "types": ["A", "B"]}) == (
        "audit?after=0&types=A&types=B"
    )
    assert with_query("audit", {"actor": None}) == "audit"
    assert with_query("x", {"a": "b&c=d"}) == "x?a=b%26c%3Dd"


def test_tables_are_aligned_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures at the right, text at the left, control characters replaced, no row: a sentence."""
    rows = [{"name": "ann", "count": 5}, {"name": "b\x1b[31m", "count": 12345}]
    print_table(rows, {"name": "NAME", "count": "COUNT"})
    assert capsys.readouterr().out.splitlines() == [
        "NAME    COUNT",
        "ann         5",
        "b?[31m  12345",
    ]
    print_table([], {"name": "NAME"}, empty="Nobody is here.")
    assert capsys.readouterr().out == "Nobody is here.\n"
    assert [cell_text(each) for each in (None, "", True, [1, 2], [])] == [
        "–",
        "–",
        "yes",
        "1, 2",
        "–",
    ]
    assert (time_text(1_709_640_000_000_000), time_text(None)) == ("2024-03-05 12:00:00Z", "–")


@pytest.mark.parametrize("command", [user.command, key.command])
def test_every_verb_explains_itself(command: object) -> None:
    """--help of the group and of each verb shows examples."""
    names = [[], *([name] for name in command.commands)]  # type: ignore[attr-defined]
    for name in names:
        told = CliRunner().invoke(command, [*name, "--help"])  # type: ignore[arg-type]
        assert (told.exit_code, "Examples:" in told.output) == (0, True)
