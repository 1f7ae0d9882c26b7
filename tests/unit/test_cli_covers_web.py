"""Nothing that the web app can show or change is missing from the command line."""

import json
import re
from pathlib import Path

import click
import pytest

import plan2
from plan2 import cli

PACKAGE = Path(plan2.__file__).parent
WEB = PACKAGE / "interface" / "web" / "src"
PATHS = json.loads((WEB.parent / "openapi.json").read_text("utf-8"))["paths"]
OTHERWISE = {
    "broker-account/keys": "`plan2 terminal-keys create`, `plan2 terminal-keys revoke`",
    "broker-account": "`plan2 tenant broker bind`, `plan2 tenant broker unbind`",
    "password": "`plan2 user reset`: a password is a person's own secret, this makes a way back in",
    "second-factor": "`plan2 user reset`: an authenticator is enrolled where its owner sits",
    "session": "`plan2 user block`: a verb has no session of a browser",
    "telegram/test": "`plan2 telegram check`: a test message goes into one's own chat",
    "consents": "`plan2 assistants agree`, `plan2 gdpr consents`: a consent is a person's own act",
    "secrets/rotate": "`plan2 secrets rotate`",
    "settings/": "`plan2 config set`, `plan2 config unset`",
    "flags/": "`plan2 flags set`",
    "tenants/{tenant_id}": "`plan2 tenant delete`, `plan2 tenant restore`, `plan2 tenant retry`",
    "backtests/check": "`plan2 flow check`",
    "backtests/{run_id}": "`plan2 backtests remove`: it works on the folder",
    "research/{research_id}/cancel": "`plan2 jobs cancel`",
}
"""What a verb does another way than by asking for the same path."""
SHOWN_OTHERWISE = {
    "audit": "`plan2 events tail`, `plan2 audit prove`, `plan2 audit export`",
    "backtests/": "`plan2 backtests show`, `plan2 backtests compare`, `plan2 backtests export`",
    "broker-account": "`plan2 tenant broker show`",
    "bars": "`plan2 archive ohlc`",
    "ticks": "`plan2 archive export`",
    "forecasts": "`plan2 decisions list`, `plan2 learn outcomes`",
    "indicators": "`plan2 features values`",
    "research/{research_id}": "`plan2 research show`",
    "decisions/{decision_id}": "`plan2 explain`, `plan2 replay`",
    "features/book": "`plan2 learn features`",
    "models/{model_id}": "`plan2 models show`, `plan2 models export`",
    "privacy/map": "`plan2 gdpr map`",
    "tenants/{tenant_id}": "`plan2 tenant show`",
    "quotas/{tenant_id}": "`plan2 services`: --quotas",
    "records/": "`plan2 records orders`, `plan2 records trades`",
    "reports": "`plan2 models show`: the report lies beside the model",
    "session": "`plan2 user list`: a verb has no session of a browser",
    "second-factor": "`plan2 user list`",
    "training": "`plan2 archive list`: what can be trained on",
}
"""What a verb shows another way than by asking for the same path."""


def asked_by_the_web() -> set[str]:
    """Every path that a page changes something at, `/api/v1/` left out."""
    text = "\n".join(path.read_text("utf-8") for path in WEB.rglob("*.ts*"))
    typed = re.findall(r'\b(?:post|put|patch|delete)",\s*[`"]/api/v1/([^`"]+)[`"]', text)
    return {*typed, *re.findall(r'method: "[A-Z]+",\s*path: [`"]/([^`"]+)[`"]', text)}


def asked_by_the_verbs() -> list[list[str]]:
    """The paths that verbs ask for, as segments; `*` where a verb fills something in."""
    text = "\n".join(path.read_text("utf-8") for path in (PACKAGE / "commands").glob("*.py"))
    found = re.findall(r'f?"([a-z][a-z-]+(?:/(?:\{[^}]*\}|[^"\s{])*)?)"', text)
    return [re.sub(r"\{[^}]*\}", "*", path).split("?")[0].split("/") for path in found]


def exists(verb: str) -> bool:
    """Whether there is a command of this full name."""
    found: click.Command | None = cli.command
    for name in verb.split():
        if not isinstance(found, click.Group):
            return False
        found = found.get_command(click.Context(found), name)
    return found is not None


ASKED = sorted(asked_by_the_web())
VERBS = asked_by_the_verbs()


def is_covered(path: str) -> bool:
    """Whether a verb asks for this path."""
    wanted = re.sub(r"\$?\{[^}]*\}", "*", path).split("/")
    return any(
        len(wanted) == len(has)
        and all("*" in (one, other) or one == other for one, other in zip(wanted, has, strict=True))
        for has in VERBS
    )


def test_what_the_pages_ask_for_is_still_found() -> None:
    """Orders, commands and everything typed."""
    assert len(ASKED) > 45
    assert {"orders", "flows", "alerts/rules", "tenants"} <= set(ASKED)


@pytest.mark.parametrize("path", ASKED)
def test_what_a_page_changes_a_verb_can_change(path: str) -> None:
    """By the same path, or another way that is named here and exists."""
    named = [words for name, words in OTHERWISE.items() if path.startswith(name)]
    assert is_covered(path) or named, path
    for verb in re.findall(r"`plan2 ([a-z -]+)`", " ".join(named)):
        assert exists(verb), verb


SHOWN = sorted(path.removeprefix("/api/v1/") for path, has in PATHS.items() if "get" in has)


@pytest.mark.parametrize("path", SHOWN)
def test_what_a_page_shows_a_verb_can_show(path: str) -> None:
    """Every question that the API answers, whether or not a page asks it today."""
    named = [words for name, words in SHOWN_OTHERWISE.items() if path.startswith(name)]
    assert is_covered(path) or named, path
    for verb in re.findall(r"`plan2 ([a-z -]+)`", " ".join(named)):
        assert exists(verb), verb
