"""Every sentence that people are told outside of the page is there in every language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import plan2
from plan2.interface.alerts import mail, service, words
from plan2.interface.api import telegram as telegram_routes
from plan2.interface.language.say import ENGLISH, INDONESIAN, Say
from plan2.interface.notify import sentences_trading
from plan2.interface.notify.kinds import KINDS
from plan2.interface.telegram import answers_money, answers_trading, bot, choices
from plan2.interface.telegram.commands import DECLARED

INTERFACE = Path(plan2.__file__).parent / "interface"
FOLDERS = ("telegram", "notify", "alerts")
NOT_SHOWN = {INTERFACE / "telegram" / name for name in ("picture_child.py", "token.py")}
"""Their errors are for whoever runs Plan2."""
SOURCES = sorted(path for name in FOLDERS for path in (INTERFACE / name).glob("*.py"))
CHAT = [path for path in SOURCES if path.parent.name == "telegram" and path not in NOT_SHOWN]
BY_NAME = {
    *(each.summary for each in DECLARED),
    *(each.group for each in DECLARED),
    *(kind.title for kind in KINDS.values()),
    *sentences_trading.STATE_WORDS.values(),
    *answers_trading.STATES.values(),
    *answers_trading.LIMITS.values(),
    *answers_money.LAST.values(),
    answers_money.NO_FLOW,
    *choices.TOGETHER.values(),
    *words.FIGURES.values(),
    *words.TESTS.values(),
    *words.SILENCES.values(),
    *words.LEADS.values(),
    *mail.GRAVE.values(),
    *service.CHANNEL_TEST,
    *telegram_routes.TEST,
    *(bot.LATE, bot.TOO_MUCH, bot.AGREE_FIRST),
    *("d", "h", "min", "s"),
}
"""Sentences that are looked up in a table."""
SPOKEN_TO_STRANGERS = {bot.NOBODY, bot.CODE_BAD}
"""Nobody knows which language a stranger speaks."""


def literals(node: ast.expr) -> Iterator[str]:
    """The texts that an argument may be: a constant, or either branch of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))


def is_say(call: ast.Call) -> bool:
    """Whether a call looks a sentence up: `say(…)`, `call.say(…)`, `self._words(session)(…)`."""
    what = call.func
    if isinstance(what, ast.Call):
        return isinstance(what.func, ast.Attribute | ast.Name) and (
            (what.func.attr if isinstance(what.func, ast.Attribute) else what.func.id)
            in {"_words", "Say"}
        )
    name = what.attr if isinstance(what, ast.Attribute) else getattr(what, "id", "")
    return name == "say"


def said(path: Path) -> Iterator[tuple[str, set[str] | None]]:
    """Every sentence of a source, with the names of its values (None: they are packed)."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_say(node) and node.args:
            names = {each.arg for each in node.keywords if each.arg}
            packed = any(each.arg is None for each in node.keywords)
            for text in literals(node.args[0]):
                yield text, None if packed else names
    # A sentence may be named first: `words = "…"`, then `say(words)`.
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "words":
            for text in literals(node.value):
                yield text, None
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_set":
            yield from ((text, None) for each in node.args for text in literals(each))
        is_pair = isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        if is_pair and "title" in ast.unparse(node.targets[0]):
            yield from ((text, None) for each in node.value.elts for text in literals(each))


def placeholders(text: str) -> set[str]:
    """The names of the values in a sentence."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


SAID = {text for path in SOURCES for text, _ in said(path)} | BY_NAME


def test_the_sources_are_still_understood() -> None:
    """The walk finds what it is made for."""
    assert {"No position is open.", "{what} opened", "Kill switch used", "No"} <= SAID
    assert len(SAID) > 250


def test_every_sentence_has_its_indonesian_words() -> None:
    """Missing ones fail here, not in somebody's chat."""
    assert sorted(SAID - set(INDONESIAN)) == []


def test_no_words_are_left_over() -> None:
    """A sentence that nobody says any more takes its translation along."""
    assert sorted(set(INDONESIAN) - SAID) == []


@pytest.mark.parametrize("text", sorted(INDONESIAN))
def test_a_translation_takes_the_same_values(text: str) -> None:
    """And begins and ends with the same space or mark, because lines are made of pieces."""
    other = INDONESIAN[text]
    assert placeholders(other) == placeholders(text)
    assert [other[:1] == " ", other[-1:] == " "] == [text[:1] == " ", text[-1:] == " "]
    assert (text[-1:] in ".?:") == (other[-1:] in ".?:")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_values_are_those_of_the_sentence(path: Path) -> None:
    """A name that is mistyped would break in the chat."""
    for text, names in said(path):
        assert names is None or placeholders(text) <= names, text


@pytest.mark.parametrize("path", CHAT, ids=lambda path: path.stem)
def test_no_sentence_goes_past_the_catalogue(path: Path) -> None:
    """What a chat shows is said, never written: no words in the pieces of a line or an answer."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in {"line", "bold", "Ask", "Button", "InputError"}:
            continue
        written = [
            each.value
            for argument in node.args
            for each in (argument.values if isinstance(argument, ast.JoinedStr) else [argument])
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        bare = [text for text in written if re.search(r"[A-Za-z]{2,}", text)]
        assert set(bare) <= ALLOWED, (path.name, bare)


ALLOWED = {"Plan2 "}
"""A name."""


def test_a_language_without_words_is_english() -> None:
    """Somebody whose setting is of a later version is still told."""
    assert Say("xx")("{count} messages", count=3) == "3 messages"
    assert Say("id")("{count} messages", count=3) == "3 pesan"
    assert ENGLISH("{count} messages", count=3) == "3 messages"
