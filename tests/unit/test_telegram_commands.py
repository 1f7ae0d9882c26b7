"""The table of commands: complete, within the table of rights, and fit for Telegram's menu."""

import re
from pathlib import Path

import pytest

import plan2
from plan2.connectivity.identity.principal import Session, User, Via
from plan2.connectivity.identity.right_table import RIGHTS
from plan2.connectivity.identity.rights import Role
from plan2.interface.notify.kinds import KINDS
from plan2.interface.notify.sentences import SAYINGS
from plan2.interface.telegram.commands import COMMANDS, DECLARED, help_lines

WEB = Path(plan2.__file__).parent / "interface" / "web" / "src" / "shell"
ON_SCREENS_ONLY = frozenset(
    {"theme", "zone", "preferences", "go/features", "go/learning", "go/services", "go/tenants"}
)
"""Actions of the palette that make no sense in a chat: looks of the page, and pages of tables that
need its width."""
FREQTRADE = [
    "start",
    "stop",
    "pause",
    "status",
    "profit",
    "balance",
    "daily",
    "weekly",
    "monthly",
    "performance",
    "trades",
    "count",
    "forceexit",
    "health",
    "logs",
    "version",
    "help",
    "stats",
    "exits",
    "sells",
    "coo",
    "cancel_open_order",
    "whitelist",
    "show_config",
    "show_conf",
    "stopentry",
    "stopbuy",
    "forcesell",
    "fx",
]
"""Names whose meaning is the same there (its Telegram handlers, 2024-10 and 2025.4)."""
OURS = [
    "kill",
    "halt",
    "reduceonly",
    "resume",
    "explain",
    "models",
    "risk",
    "alerts",
    "ack",
    "messages",
    "flows",
    "backtest",
    "loud",
    "quiet",
    "digest",
    "orders",
    "language",
]


def session_of(role: Role) -> Session:
    """Somebody of a role in a paired chat."""
    user = User(user_id="u", name="n", tenant_id="t", role=role)
    return Session(session_id="p", user=user, csrf="", expires_ns=1, via=Via.TELEGRAM)


def palette() -> set[str]:
    """The actions that the web app's palette offers, as its sources declare them."""
    actions = (WEB / "actions.ts").read_text("utf-8")
    pages = (WEB / "pages.ts").read_text("utf-8")
    found = set(re.findall(r'\bid: "([a-z-]+)"', actions))
    found |= set(re.findall(r'\bcommand\("([a-z-]+)"', actions))
    return found | {f"go{path}" for path in re.findall(r'\bpath: "(/[a-z]*)"', pages)}


def test_every_action_of_the_palette_has_a_command_or_a_reason() -> None:
    """What can be done from the page can be done from the chat, where that makes sense."""
    shown = palette()
    assert {"kill", "halt", "resume", "go/positions"} <= shown
    covered = {name for each in DECLARED for name in each.palette}
    assert shown - covered <= ON_SCREENS_ONLY
    assert covered <= shown


@pytest.mark.parametrize("name", [*FREQTRADE, *OURS])
def test_the_names_people_have_in_their_fingers_are_there(name: str) -> None:
    """Each is understood, and /help shows it to an administrator."""
    assert name in COMMANDS
    text = "\n".join(
        "".join(span.text for span in line.spans)
        for line in help_lines(session_of(Role.TENANT_ADMIN))
    )
    assert f"/{name}" in text


@pytest.mark.parametrize("role", list(Role))
def test_help_shows_what_the_table_of_rights_opens_and_nothing_else(role: Role) -> None:
    """One table: a command is open exactly to the roles that all of its routes are open to."""
    session = session_of(role)
    text = "\n".join("".join(span.text for span in line.spans) for line in help_lines(session))
    for each in DECLARED:
        may = all(role in RIGHTS[route].roles for route in each.routes)
        assert each.is_open_to(session) is may
        assert (re.search(rf"^/{each.name}\b", text, re.MULTILINE) is not None) is may


def test_commands_fit_the_menu_and_their_routes_exist() -> None:
    """Telegram takes 1 to 32 of a-z, 0-9, _ and descriptions of 1 to 256 characters."""
    names = [name for each in DECLARED for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))
    for each in DECLARED:
        assert re.fullmatch(r"[a-z0-9_]{1,32}", each.name)
        assert 1 <= len(each.summary) <= 256
        assert each.routes
        assert all(route in RIGHTS for route in each.routes), each.name


def test_an_analyst_may_look_and_not_act() -> None:
    """The role that only reads."""
    analyst = session_of(Role.ANALYST)
    assert COMMANDS["status"].is_open_to(analyst)
    for name in ("kill", "forceexit", "stop", "pause", "resume", "promote", "approve"):
        assert not COMMANDS[name].is_open_to(analyst)


@pytest.mark.parametrize("language", ["", "id/"])
def test_every_kind_has_words_on_the_settings_page(language: str) -> None:
    """In both languages; the English ones are those that the chat uses."""
    text = (WEB.parent / "strings" / f"{language}telegram.ts").read_text("utf-8")
    shown = dict(re.findall(r'"kind\.(\w+)":\s*"([^"]+)"', text))
    assert set(shown) == set(KINDS)
    if not language:
        assert shown == {name: kind.title for name, kind in KINDS.items()}


def test_every_kind_that_is_told_is_declared() -> None:
    """What has no kind would have no loudness that somebody could choose."""
    folder = Path(plan2.__file__).parent / "interface/notify"
    source = "".join(path.read_text("utf-8") for path in folder.glob("sentences_*.py"))
    used = set(re.findall(r'Said\(\s*"(\w+)"', source))
    assert len(used) >= 15
    assert used <= set(KINDS)
    assert len(SAYINGS) == 24
