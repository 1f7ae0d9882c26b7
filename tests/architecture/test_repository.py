"""What is in the repository: nothing of this machine, and documents that speak of what is there."""

import itertools
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from source_tree import ROOT, assert_none, listed_files

from plan2 import cli

TEXT_MAX_BYTES = 2_000_000
REGISTRIES = re.compile(
    r"py[p]i\.(org|python)|pythonhost[e]d|registry\.(npm[j]s|yarn[p]kg)|download\.py"
    r"torch|npmmirror|crates\.io/api|index-url\s*=?\s*(http|file)"
)
MACHINE = re.compile(r"/(work/(main|shared|tmp)|root/|home/[a-z]|Users/[a-z])|[A-Z]:\\Users")
DOCUMENT = re.compile(r"^(README|CHANGELOG|CONTRIBUTING|AGENTS)\.md$|^docs/.*\.md$")
PATH = re.compile(
    r"`((?:src|tests|docs|benchmarks|migrations|\.ci)/[\w./-]+|[\w-]+\.(?:toml|txt))`"
)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
COMMAND = re.compile(r"(?:^|[`(]|&& |bin/|\$ )(plan2 (?:[a-z]|--)[^`\n]*)", re.MULTILINE)
SELF = "tests/architecture/test_repository.py"


def texts() -> Iterator[tuple[str, str]]:
    """Path and text of every file that is text."""
    for path in listed_files():
        file = ROOT / path
        if path != SELF and file.stat().st_size <= TEXT_MAX_BYTES:
            try:
                yield path, file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def documents() -> list[tuple[str, str]]:
    """The pages for people."""
    return [(path, text) for path, text in texts() if DOCUMENT.match(path)]


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE], ids=["registry", "machine"])
def test_no_file_knows_a_registry_or_this_machine(pattern: re.Pattern[str]) -> None:
    """An installation takes its index from its own configuration, its paths from its own disk."""
    problems = [
        f"{path}:{text.count(chr(10), 0, found.start()) + 1} {found[0]}"
        for path, text in texts()
        for found in pattern.finditer(text)
    ]
    assert_none(problems, "a path from the repository's root, or an environment variable.")


def test_documents_name_paths_that_exist() -> None:
    """Every path in back-ticks and every relative link leads somewhere."""
    problems = []
    for path, text in documents():
        folder = (ROOT / path).parent
        problems += [
            f"{path}: `{named}`"
            for named in PATH.findall(text)
            if not (ROOT / named.rstrip("/.")).exists()
        ]
        problems += [
            f"{path}: ({link})" for link in LINK.findall(text) if not (folder / link).exists()
        ]
    assert_none(problems, "name what is there now, or write it.")


def test_documents_name_commands_that_exist() -> None:
    """Every `plan2 …` line has a verb, and options that the verb knows."""
    problems = [
        f"{path}: {line.strip()}: {problem}"
        for path, text in documents()
        for line in COMMAND.findall(text)
        for problem in [_what_is_wrong(line)]
        if problem
    ]
    assert_none(problems, "run `plan2 VERB --help` and copy from there.")


def test_examples_of_the_command_line_work() -> None:
    """The same holds for what `--help` itself shows."""
    context = click.Context(cli.command)
    problems = []
    for verb in cli.Verbs().list_commands(context):
        verb_command = cli.command.get_command(context, verb)
        shown = (verb_command.epilog or "") if verb_command else ""
        for line in COMMAND.findall(shown.replace("  plan2", "\nplan2")):
            problem = _what_is_wrong(line)
            if problem:
                problems.append(f"{verb}: {line}: {problem}")
    assert_none(problems, "an example must be one that can be typed.")


def test_every_requirement_is_pinned() -> None:
    """constraints.txt fixes each package of pyproject.toml, extras included, inside its range."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    extras = itertools.chain.from_iterable(project["optional-dependencies"].values())
    problems = []
    for text in [*project["dependencies"], *extras]:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        is_here = requirement.marker is None or requirement.marker.evaluate()
        if is_here and (version is None or version not in requirement.specifier):
            problems.append(f"{text}: pinned {version}")
    assert_none(problems, "pip freeze the version that the tests passed with.")


def test_ci_and_readme_install_alike() -> None:
    """What CI proves is what the README tells people to type."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    install = "pip install -c constraints.txt -e '.[deep,dev]'"

    assert install in readme
    assert install in script


def test_ci_is_valid_shell() -> None:
    """The script parses, and can be executed."""
    script = ROOT / ".ci" / "run"
    if sys.platform == "win32":
        pytest.skip("CI runs on Linux")

    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert script.stat().st_mode & 0o111


def _what_is_wrong(line: str) -> str:
    """Why a command line of a document cannot be typed; empty when it can."""
    try:
        words = shlex.split(line.replace("…", ""), comments=True)[1:]
    except ValueError as error:
        return str(error)
    command: click.Command = cli.command
    context = click.Context(command)
    for word in words:
        if word in {"&&", "|", ";", ">"}:
            break
        if word.startswith("-"):
            if word.partition("=")[0] not in _options(command, context):
                return f"{command.name} has no option {word}"
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]*", word):
            found = command.get_command(context, word)
            if found is None:
                return f"there is no {word}"
            command = found
    return ""


def _options(command: click.Command, context: click.Context) -> set[str]:
    known = {"--help", "-h"} if isinstance(command, cli.Verbs) else {"--help"}
    for parameter in command.get_params(context):
        known |= {*parameter.opts, *parameter.secondary_opts}
    return known
