"""What the architecture tests look at: the files of the repository, parsed once."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "plan2"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the repository's root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        """Whether the rules for tests apply."""
        return self.path.startswith("tests/")


@functools.cache
def listed_files() -> tuple[str, ...]:
    """Every file that is or would be in the repository, as git sees it."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    return tuple(sorted(path for path in done.stdout.splitlines() if (ROOT / path).is_file()))


@functools.cache
def sources(*folders: str) -> tuple[Source, ...]:
    """The Python files below these folders."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT).as_posix()
            if "/node_modules/" not in relative:
                text = path.read_text(encoding="utf-8")
                found.append(Source(relative, text, ast.parse(text)))
    return tuple(found)


def product() -> tuple[Source, ...]:
    """The files of the package."""
    return sources("src/plan2")


def everything() -> tuple[Source, ...]:
    """The package, its tests, benchmarks and migrations."""
    return sources("src/plan2", "tests", "benchmarks", "migrations")


def functions(source: Source) -> Iterator[Function]:
    """Every function and method of a file, nested ones included."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function):
            yield node


def dotted(node: ast.expr) -> str:
    """`a.b.c` for attributes of names; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def assert_none(problems: list[str], replacement: str) -> None:
    """Fail with every problem on its own line and what to do instead."""
    assert not problems, "\n".join([*problems, "", f"Instead: {replacement}"])
